package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// builder makes the assets of one module.
type builder struct {
	root    string // of the module
	dist    string // output folder
	release bool
	out     io.Writer // progress and warnings
}

// sources are the folders and files, relative to the root, whose content
// decides the output. npm packages are in it through the lock file.
var sources = []string{
	"go.mod", "cmd/assets", "sandbox/box/visits", "sandbox/bundle", "sandbox/js",
	"web/client", "web/package-lock.json", "web/style",
}

// inputs is a hash of everything that decides the output.
func (b builder) inputs() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, "release", b.release)
	for _, source := range sources {
		err := filepath.WalkDir(filepath.Join(b.root, source), func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") {
				return err
			}
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			fmt.Fprintln(sum, strings.TrimPrefix(name, b.root), len(data))
			sum.Write(data)
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func (b builder) stampFile() string { return filepath.Join(b.dist, ".stamp") }

// fresh reports whether the output was made from these inputs.
func (b builder) fresh(stamp string) bool {
	old, err := os.ReadFile(b.stampFile())
	return err == nil && string(old) == stamp
}

func (b builder) mark(stamp string) error {
	return os.WriteFile(b.stampFile(), []byte(stamp), 0o644)
}

// fetch installs the npm packages when the lock file is not the one they came from.
func (b builder) fetch(ctx context.Context) error {
	web := filepath.Join(b.root, "web")
	lock, err := os.ReadFile(filepath.Join(web, "package-lock.json"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	want := hex.EncodeToString(sum[:])
	mark := filepath.Join(web, "node_modules", ".lock-hash")
	if have, err := os.ReadFile(mark); err == nil && string(have) == want {
		return nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("npm is not installed; the editor and the engine come from npm packages: install Node 20 or newer")
	}
	fmt.Fprintln(b.out, "assets: fetching npm packages")
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = web
	cmd.Stdout, cmd.Stderr = b.out, b.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm ci in web/: %w", err)
	}
	return os.WriteFile(mark, []byte(want), 0o644)
}
