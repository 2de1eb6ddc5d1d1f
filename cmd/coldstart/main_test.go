package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"coldstart/sandbox"
)

// TestMain lets the test binary be its own child processes, and coldstart when a script executes it under that name.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		os.Exit(sandbox.Main(strings.TrimPrefix(os.Args[2], "--role=")))
	}
	testscript.Main(m, map[string]func(){"coldstart": main})
}
