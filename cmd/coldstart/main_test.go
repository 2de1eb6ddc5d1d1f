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
	if len(os.Args) > 2 && os.Args[1] == "child" && os.Args[2] != "--role="+roleLessons {
		os.Exit(sandbox.Main(strings.TrimPrefix(os.Args[2], "--role=")))
	}
	if len(os.Args) > 2 && os.Args[1] == "child" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"coldstart": main})
}
