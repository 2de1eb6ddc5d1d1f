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

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "assets:", err)
		os.Exit(1)
	}
}

// run builds the assets of the module around the working directory.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("assets", flag.ContinueOnError)
	flags.SetOutput(out)
	release := flags.Bool("release", false, "compress as well as possible (slow)")
	force := flags.Bool("force", false, "build even when no input changed")
	installed := flags.Bool("installed", false, "take web/node_modules as it is, without npm")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	begin := time.Now()
	b := builder{root: root, dist: filepath.Join(root, "static", "dist"), release: *release, out: out}
	if !*installed {
		if err := b.fetch(ctx); err != nil {
			return err
		}
	}
	stamp, err := b.inputs()
	if err != nil {
		return err
	}
	if !*force && b.fresh(stamp) {
		return nil
	}
	if err := b.build(); err != nil {
		return err
	}
	if err := b.mark(stamp); err != nil {
		return err
	}
	fmt.Fprintf(out, "assets: built in %.1f s\n", time.Since(begin).Seconds())
	return nil
}

// moduleRoot is the nearest folder upwards that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod here or above; run this inside the project")
		}
		dir = up
	}
}
