// Package static holds the built assets inside the binary: what browsers fetch
// (scripts, styles, fonts, types, under hashed names with Brotli and gzip
// twins) and what isolates start from (engine, bootstrap, package shelf).
//
// The assets are made by cmd/assets and are not committed. Without them the
// package still compiles; then Missing says what to run.
package static
