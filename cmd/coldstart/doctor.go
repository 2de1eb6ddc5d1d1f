package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
)

// doctorCmd says what this host offers and what is missing.
type doctorCmd struct{}

// walls are what a child process can have around it, with what it lacks otherwise.
var walls = []struct{ name, without string }{
	{"rlimits", "a child is bounded by its supervision only"},
	{"no new privileges", "a child could gain rights by executing a privileged program, if it could execute one"},
	{"unprivileged user", "children run as the user who started coldstart, because that user may not change it"},
	{"seccomp", "a child that is taken over can make any system call; the kernel lacks seccomp filters, or forbids them here"},
	{"landlock", "a child that is taken over can open files that its user may read; the kernel is older than 5.13, or has Landlock off"},
}

// Run starts the children once and asks them.
func (*doctorCmd) Run(ctx context.Context, g *globals) error {
	fmt.Fprintf(g.Stdout, "machine            %s\n", machine())
	cache, err := g.cacheDir("")
	if err != nil {
		return err
	}
	fmt.Fprintf(g.Stdout, "cache              %s\n", cache)
	b, err := g.openSandbox(ctx, sandboxOptions{})
	if err != nil {
		return fmt.Errorf("doctor: the sandbox does not start: %w", err)
	}
	defer b.Close()
	have := b.Stats().Walls
	for _, w := range walls {
		if slices.Contains(have, w.name) {
			fmt.Fprintf(g.Stdout, "%-18s on\n", w.name)
		} else {
			fmt.Fprintf(g.Stdout, "%-18s off: %s\n", w.name, w.without)
		}
	}
	for _, w := range have {
		if !slices.ContainsFunc(walls, func(x struct{ name, without string }) bool { return x.name == w }) {
			fmt.Fprintf(g.Stdout, "%-18s on\n", w)
		}
	}
	if path, err := exec.LookPath("node"); err == nil {
		fmt.Fprintf(g.Stdout, "node               %s: processes can be compared in labs\n", path)
	} else {
		fmt.Fprintln(g.Stdout, "node               not here: labs say so where they would compare processes")
	}
	return nil
}
