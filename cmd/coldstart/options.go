package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"coldstart/sandbox"
	"coldstart/sandbox/platform"
	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

// sandboxOptions are what commands set apart from the defaults.
type sandboxOptions struct {
	data     string // folder to fall back to for the cache
	isolates int    // live isolates to make room for, 0 for the default
	runners  int    // run children, 0 for the default
	builders int    // build children, 0 for the default
	ceiling  trace.Limits
	engine   string // "goja" for the labs' second contender
	memory   int64  // bytes of one run child, 0 for the default
	nice     int    // how much the children give way to others
	store    platform.Store
	allow    map[string]string
	dns      string
	isolate  func(sandbox.Key, trace.IsolateState)
	own      func(sandbox.Key, string) func(trace.Event)
	restore  func(context.Context, sandbox.Key) (*trace.Deployment, error) // as sandbox.Config.Restore
	log      *slog.Logger
}

// box is a sandbox with the snapshot that its children inherited.
type box struct {
	*sandbox.Sandbox
	image *os.File
}

// Close stops the children and lets the snapshot go.
func (b *box) Close() error { return errors.Join(b.Sandbox.Close(), b.image.Close()) }

// openSandbox starts the child processes.
func (g *globals) openSandbox(ctx context.Context, o sandboxOptions) (*box, error) {
	cache, err := g.cacheDir(o.data)
	if err != nil {
		return nil, err
	}
	image, err := runner.Image(ctx, cache)
	if err != nil {
		return nil, err
	}
	cfg := sandbox.Config{
		Runners: o.runners, Builders: o.builders, Engine: o.engine, Nice: o.nice, Ceiling: o.ceiling, Image: image, Cache: cache, Store: o.store, FetchAllow: o.allow, DNS: o.dns, Isolate: o.isolate, Own: o.own, Restore: o.restore, Log: o.log,
	}
	cfg.Memory = o.memory
	if o.isolates > 0 {
		const each = 1 << 20 // generous: an idle isolate holds a quarter of it
		cfg.Memory = 1<<30 + int64(o.isolates)*each
		cfg.MemoryAll = 3<<30 + int64(o.isolates)*each
	}
	s, err := sandbox.New(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, image.Close())
	}
	return &box{Sandbox: s, image: image}, nil
}

// cacheDir is where the compiled engine and the snapshot are kept: --cache, the
// user's cache folder, or else the data folder.
func (g *globals) cacheDir(data string) (string, error) {
	dirs := []string{g.Cache}
	if g.Cache == "" {
		dirs = nil
		if d, err := os.UserCacheDir(); err == nil {
			dirs = append(dirs, filepath.Join(d, "coldstart"))
		}
		if data != "" {
			dirs = append(dirs, filepath.Join(data, "cache"))
		}
		dirs = append(dirs, filepath.Join(os.TempDir(), fmt.Sprintf("coldstart-cache-%d", os.Getuid())))
	}
	var errs []error
	for _, d := range dirs {
		err := os.MkdirAll(d, 0o700)
		if err == nil {
			err = writable(d)
		}
		if err == nil {
			return d, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("no folder for compiled code: %w; name one with --cache", errors.Join(errs...))
}

// writable tries to make a file in dir.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// childCmd is a child process of the sandbox; the parent starts it.
type childCmd struct {
	Role string `required:"" enum:"build,run,sql,build-goja,run-goja,sql-goja,box,lessons"`
	Mark string `help:"Of the lessons that a child of the role lessons reads."`
}

// Run never returns to the caller.
func (c *childCmd) Run() error {
	if c.Role == roleLessons {
		os.Exit(lessonsMain(c.Mark, os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(sandbox.Main(c.Role))
	return nil
}

// primeCmd fills the cache, so that the first start is as fast as the next.
type primeCmd struct{}

// Run starts a sandbox and stops it.
func (*primeCmd) Run(ctx context.Context, g *globals) error {
	b, err := g.openSandbox(ctx, sandboxOptions{})
	if err != nil {
		return err
	}
	return b.Close()
}
