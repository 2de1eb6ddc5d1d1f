// Command coldstart is the site, the platform and the authoring tool in one
// binary. It is the only package that reads flags and the environment.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "coldstart:", err)
		os.Exit(1)
	}
}

// run is the whole program behind main, so that tests can call it.
func run(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	return nil
}
