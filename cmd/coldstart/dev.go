package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// devCmd serves one Workers project from disk and reloads it on change.
type devCmd struct {
	Target string `arg:"" help:"A folder with a Workers project, or one file." type:"path"`
	Addr   string `help:"Address to listen on." default:"127.0.0.1:8787" env:"COLDSTART_DEV_ADDR" placeholder:"HOST:PORT"`
	Quiet  bool   `help:"Print no line for each request; logs and errors still appear."`
}

// Run serves until ctx ends.
func (c *devCmd) Run(ctx context.Context, g *globals) error {
	if _, err := os.Stat(c.Target); err != nil {
		return fmt.Errorf("dev: there is no %s; name a project folder or a file such as worker.js", c.Target)
	}
	ln, err := listen(c.Addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	box, err := g.openSandbox(ctx, sandboxOptions{})
	if err != nil {
		return err
	}
	defer box.Close()
	d := &dev{target: c.Target, door: box, out: g.Stderr, key: sandbox.Key{Learner: "dev", Project: "dev"}, quiet: c.Quiet}
	defer box.Follow(d.key, d.happened)()
	return d.serve(ctx, ln)
}

// dev is one served project. Each request uses the newest build that has
// ended; while one is under way, requests wait for it.
type dev struct {
	target string
	door   sandbox.Door
	out    interface{ Write([]byte) (int, error) }
	key    sandbox.Key
	quiet  bool

	mu     sync.RWMutex    // held for writing while a build is under way
	single bool            // target is a file
	files  map[string]bool // of the project, and those whose lack broke it
	fault  *trace.Fault
	err    error
}

func (d *dev) serve(ctx context.Context, ln net.Listener) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("dev: watching files: %w", err)
	}
	defer watcher.Close()
	d.rebuild(ctx, watcher)
	var wg sync.WaitGroup
	wctx, stop := context.WithCancel(ctx)
	defer func() { stop(); wg.Wait() }()
	wg.Go(func() { d.watch(wctx, watcher) })

	fmt.Fprintf(d.out, "coldstart dev: http://%s serves %s\n", ln.Addr(), d.target)
	srv := &http.Server{Handler: d, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	wg.Go(func() {
		<-wctx.Done()
		sctx, cancel := context.WithTimeout(context.WithoutCancel(wctx), 3*time.Second)
		defer cancel()
		if srv.Shutdown(sctx) != nil {
			srv.Close()
		}
	})
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// settle is how long the disk must be quiet before a rebuild: editors write a file in several steps.
const settle = 15 * time.Millisecond

func (d *dev) watch(ctx context.Context, w *fsnotify.Watcher) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			if e.Op&^fsnotify.Chmod != 0 && d.concerns(e.Name) {
				timer.Reset(settle)
			}
		case err, ok := <-w.Errors:
			if !ok {
				return
			}
			fmt.Fprintf(d.out, "coldstart dev: watching files: %v\n", err)
		case <-timer.C:
			d.rebuild(ctx, w)
		}
	}
}

// concerns reports whether a changed file may be part of the project: beside a
// single file only what it imports, and never what readProject passes over.
func (d *dev) concerns(name string) bool {
	if !d.single {
		rel, err := filepath.Rel(d.target, name)
		return err == nil && !slices.ContainsFunc(strings.Split(filepath.ToSlash(rel), "/"), skipped)
	}
	rel, err := filepath.Rel(filepath.Dir(d.target), name)
	if err != nil {
		return false
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.files[filepath.ToSlash(rel)]
}

// skipped reports names that are never part of a project.
func skipped(name string) bool {
	switch name {
	case ".dev.vars", ".assetsignore", ".well-known":
		return false
	}
	return name == "node_modules" || name == "package-lock.json" || len(name) > 1 && strings.HasPrefix(name, ".")
}

func (d *dev) rebuild(ctx context.Context, w *fsnotify.Watcher) {
	d.mu.Lock()
	defer d.mu.Unlock()
	begin := time.Now()
	d.fault, d.err = nil, nil
	files, main, dirs, err := readProject(d.target)
	d.single, d.files = main != "", map[string]bool{main: true}
	for f := range files {
		d.files[f] = true
	}
	for _, dir := range dirs {
		_ = w.Add(dir) // adding twice is harmless; a folder that vanished is found at the next change
	}
	if err != nil {
		d.err = err
		fmt.Fprintf(d.out, "coldstart dev: %v\n", err)
		return
	}
	dep, err := d.door.Build(ctx, d.key, trace.Project{Files: files, Main: main})
	if err != nil {
		d.err = err
		fmt.Fprintf(d.out, "coldstart dev: %v\n", err)
		return
	}
	for _, warn := range dep.Warnings {
		fmt.Fprintf(d.out, "%s:%d: warning: %s %s\n", warn.Frame.File, warn.Frame.Line, warn.Message, warn.Hint)
	}
	if dep.Fault != nil {
		d.fault = dep.Fault
		fmt.Fprint(d.out, faultText(dep.Fault))
		return
	}
	if err := d.door.Deploy(ctx, d.key, dep); err != nil {
		d.err = err
		fmt.Fprintf(d.out, "coldstart dev: %v\n", err)
		return
	}
	fmt.Fprintf(d.out, "coldstart dev: ready in %s\n", time.Since(begin).Round(100*time.Microsecond))
}

// ServeHTTP answers with the newest build, or with what stopped it.
func (d *dev) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.RLock()
	fault, err := d.fault, d.err
	d.mu.RUnlock()
	switch {
	case fault != nil:
		answerFault(w, http.StatusInternalServerError, fault)
		return
	case err != nil:
		answerFault(w, http.StatusInternalServerError, &trace.Fault{Message: err.Error()})
		return
	}
	run := sandbox.Run{Key: d.key, Type: "fetch", URL: "http://" + r.Host + r.RequestURI, Trigger: true, Watch: d.report(r)}
	if r.URL.IsAbs() { // as proxies ask
		run.URL = r.RequestURI
	}
	if err := (sandbox.HTTP{Door: d.door, Fault: answerFault}).Serve(w, r, run); err != nil {
		http.Error(w, "The platform could not run this: "+err.Error(), http.StatusInternalServerError)
	}
}

// answerFault tells a client what stopped the program, as the terminal shows it.
func answerFault(w http.ResponseWriter, status int, f *trace.Fault) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprint(w, faultText(f))
}

// report prints a run's log lines, faults and its last line on the terminal.
func (d *dev) report(r *http.Request) func(trace.Event) {
	method, uri := r.Method, r.RequestURI
	return func(e trace.Event) {
		d.say(e, func(s *trace.Summary) string { return fmt.Sprintf("%s %s %d", method, printable(uri), s.Status) })
	}
}

// happened prints what the platform gave to a Worker by itself.
func (d *dev) happened(h sandbox.Happened) {
	var p struct {
		Queue    string            `json:"queue"`
		Messages []json.RawMessage `json:"messages"`
		Cron     string            `json:"cron"`
	}
	_ = json.Unmarshal(h.Payload, &p) // what it has not stays empty
	what := h.Type
	switch h.Type {
	case "queue":
		what = fmt.Sprintf("queue %s (messages: %d)", p.Queue, len(p.Messages))
	case "scheduled":
		what = "scheduled " + p.Cron
	}
	for _, e := range h.Events {
		d.say(e, func(s *trace.Summary) string { return what + " " + s.Outcome })
	}
}

// say prints one event of a run; what is the beginning of its last line.
func (d *dev) say(e trace.Event, what func(*trace.Summary) string) {
	switch e.Kind {
	case trace.KindLog:
		at := ""
		if f := e.Log.Frame; f != nil {
			at = fmt.Sprintf(" (%s:%d)", f.File, f.Line)
		}
		fmt.Fprintf(d.out, "%-5s %s%s\n", e.Log.Level, printable(e.Log.Text), at)
	case trace.KindFault:
		fmt.Fprint(d.out, faultText(e.Fault))
	case trace.KindDone:
		if d.quiet {
			return
		}
		s := e.Summary
		fmt.Fprintf(d.out, "%s %s %s\n", what(s), s.Temperature, time.Duration(s.Wall)*time.Microsecond)
	}
}

// faultText is a fault as a terminal shows it: sentence, place, source, hint.
func faultText(f *trace.Fault) string {
	var b strings.Builder
	if f.Name != "" {
		b.WriteString(printable(f.Name) + ": ")
	}
	b.WriteString(printable(f.Message))
	b.WriteByte('\n')
	for _, fr := range f.Frames {
		if fr.Func != "" {
			fmt.Fprintf(&b, "    at %s (%s:%d:%d)\n", printable(fr.Func), fr.File, fr.Line, fr.Column)
		} else {
			fmt.Fprintf(&b, "    at %s:%d:%d\n", fr.File, fr.Line, fr.Column)
		}
	}
	if f.Code != "" {
		b.WriteString(printable(strings.TrimRight(f.Code, "\n")) + "\n")
	}
	if f.Hint != "" {
		b.WriteString(printable(f.Hint) + "\n")
	}
	return b.String()
}

// printable replaces control bytes, so that a program cannot drive the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, s)
}

// readProject reads a project folder, or a file with the relative modules it
// imports. dirs are the folders to watch.
func readProject(target string) (files map[string][]byte, main string, dirs []string, err error) {
	info, err := os.Stat(target)
	if err != nil {
		return nil, "", nil, fmt.Errorf("dev: %s is gone", target)
	}
	files = map[string][]byte{}
	if !info.IsDir() {
		dirs = []string{filepath.Dir(target)}
		err = readImports(filepath.Dir(target), filepath.Base(target), files)
		return files, filepath.Base(target), dirs, err
	}
	limits := trace.Default()
	var size int64
	err = filepath.WalkDir(target, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if e.IsDir() {
			if p != target && skipped(name) {
				return filepath.SkipDir
			}
			dirs = append(dirs, p)
			return nil
		}
		if !e.Type().IsRegular() || skipped(name) {
			return nil
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		size += int64(len(b))
		if size > limits.Bundle || len(files) >= 4*limits.Files {
			return fmt.Errorf("dev: %s is more than a project (over %d files or %d bytes at %s); name the Worker's own folder", target, 4*limits.Files, limits.Bundle, p)
		}
		rel, err := filepath.Rel(target, p)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(rel)] = b
		return nil
	})
	return files, "", dirs, err
}

// relative finds the specifiers of relative imports. It may find too many (in
// comments or strings), which costs nothing: what does not exist is left to the bundler's message.
var relative = regexp.MustCompile(`(?:from|import|require)\s*\(?\s*["'](\.\.?/[^"'\n]+)["']`)

func readImports(root, name string, files map[string][]byte) error {
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	files[name] = b
	for _, m := range relative.FindAllSubmatch(b, -1) {
		base := path.Join(path.Dir(name), string(m[1]))
		if strings.HasPrefix(base, "../") || len(files) >= trace.Default().Files {
			continue
		}
		for _, suffix := range []string{"", ".ts", ".js", ".tsx", ".jsx", ".mjs", "/index.ts", "/index.js"} {
			cand := base + suffix
			if i, err := os.Stat(filepath.Join(root, filepath.FromSlash(cand))); err != nil || !i.Mode().IsRegular() {
				continue
			}
			if files[cand] == nil {
				if err := readImports(root, cand, files); err != nil {
					return err
				}
			}
			break
		}
	}
	return nil
}
