// Command assets builds what the binary embeds, into static/dist: the
// browser's scripts (bundled with esbuild, split into chunks), styles, fonts
// and types under hashed names with Brotli and gzip twins; the engine, its
// bootstrap and the package shelf.
//
//	go run ./cmd/assets            quick compression, for development
//	go run ./cmd/assets -release   best compression
//	go run ./cmd/assets -force     even when no input changed
//
// npm packages are fetched by `npm ci` when web/package-lock.json changed.
// When no input changed at all it does nothing, in milliseconds.
package main
