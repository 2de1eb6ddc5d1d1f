package main

import (
	"os"
	"strings"
	"testing"

	"coldstart/sandbox"
)

// The test binary is also the sandbox's children.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		os.Exit(sandbox.Main(strings.TrimPrefix(os.Args[2], "--role=")))
	}
	os.Exit(m.Run())
}
