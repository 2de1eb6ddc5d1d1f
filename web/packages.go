package web

import _ "embed"

// PackageLock is npm's lock file: what the bundled scripts are made from, each
// with its version and hash.
//
//go:embed package-lock.json
var PackageLock []byte
