package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"coldstart/lessons"
	"coldstart/lessons/check"
	"coldstart/web"
)

// authoring is the folder that --author watches; nil when it watches none.
func (c *serveCmd) authoring(g *globals) (*web.Author, error) {
	switch {
	case !c.Author:
		return nil, nil //nolint:nilnil // a server without an author is the usual one
	case c.Lessons == "":
		fmt.Fprintln(g.Stderr, "coldstart: --author without --lessons has nothing to watch: embedded lessons cannot change")
		return nil, nil //nolint:nilnil // as above
	}
	files, err := c.lessonFiles()
	if err != nil {
		return nil, err
	}
	if i, err := os.Stat(c.Lessons); err != nil || !i.IsDir() {
		return nil, fmt.Errorf("serve: --author wants a folder; unpack %s first", c.Lessons)
	}
	return &web.Author{Files: files, Tell: func(p lessons.Problem) { fmt.Fprintln(g.Stderr, p) }}, nil
}

// settled is how long the folder must be quiet before it is read: editors write
// a file in several steps.
const settled = 50 * time.Millisecond

// author reloads the lessons folder on change until ctx ends. Mistakes are
// printed as lint prints them; the site keeps the last catalog that loads.
func (c *serveCmd) author(ctx context.Context, g *globals, site *web.Site) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		fmt.Fprintln(g.Stderr, "coldstart: watching lessons:", err)
		return
	}
	defer w.Close()
	watchTree(w, c.Lessons)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-w.Events:
			if !ok {
				return
			}
			timer.Reset(settled)
		case <-w.Errors:
		case <-timer.C:
			watchTree(w, c.Lessons) // new folders
			if catalog, problems, err := c.catalog(g); err != nil {
				fmt.Fprintln(g.Stderr, "coldstart:", err)
			} else {
				site.SetCatalog(catalog, problems)
				fmt.Fprintln(g.Stderr, "coldstart: lessons loaded again")
			}
		}
	}
}

func watchTree(w *fsnotify.Watcher, root string) {
	_ = filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			_ = w.Add(p)
		}
		return nil
	})
}

// newCmd makes tracks and lessons.
type newCmd struct {
	Track  newTrackCmd  `cmd:"" help:"Make a track."`
	Lesson newLessonCmd `cmd:"" help:"Make a lesson with a starter, a solution and checks."`
}

type newTrackCmd struct {
	Name string `arg:"" help:"Name in the address, such as edge."`
	Dir  string `help:"Folder of lessons (default: lessons/content where that is, else this one)." type:"path"`
}

// Run makes the folder and says where.
func (c *newTrackCmd) Run(g *globals) error {
	return scaffold(g, c.Dir, c.Name, lessons.NewTrack)
}

type newLessonCmd struct {
	Name string `arg:"" help:"Track and name, such as workers/first-worker, or only a name where there is one track or none."`
	Dir  string `help:"Folder of lessons or of a track (default: lessons/content where that is, else this one)." type:"path"`
}

// Run makes the folder and says where.
func (c *newLessonCmd) Run(g *globals) error {
	return scaffold(g, c.Dir, c.Name, lessons.NewLesson)
}

func scaffold(g *globals, dir, name string, make func(root, name string) (string, error)) error {
	if dir == "" {
		dir = "."
		if folder("lessons/content") {
			dir = "lessons/content"
		}
	}
	before := folder(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("new: %w", err)
	}
	path, err := make(dir, name)
	if err != nil {
		if !before {
			_ = os.Remove(dir) // empty
		}
		return fmt.Errorf("new: %w", err)
	}
	path = filepath.Join(dir, filepath.FromSlash(path))
	if here, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(rel, "..") {
			path = rel
		}
	}
	fmt.Fprintf(g.Stdout, "made %s\n", path)
	return nil
}

func folder(path string) bool {
	i, err := os.Stat(path)
	return err == nil && i.IsDir()
}

func file(path string) bool {
	i, err := os.Stat(path)
	return err == nil && i.Mode().IsRegular()
}

// lintCmd checks lessons.
type lintCmd struct {
	Dir      string   `arg:"" optional:"" help:"Folder or zip of lessons, or the folder of one track or lesson (default: the embedded ones)." type:"path"`
	JSON     bool     `help:"Print problems as a JSON array."`
	Repeat   int      `help:"Run each solution this often, to find flaky checks."`
	Mutate   bool     `help:"Remove each line of each solution: does a check notice?"`
	Coverage bool     `help:"Print which items of the course notes the lessons cover, and nothing else."`
	Only     []string `help:"Lesson ids to look at." placeholder:"ID"`
}

// Run prints problems and exits with 1 when one of them is an error.
func (c *lintCmd) Run(ctx context.Context, g *globals) error {
	files, only := fs.FS(lessons.Shipped()), c.Only
	if c.Dir != "" {
		root, part := c.Dir, ""
		switch {
		case file(filepath.Join(root, "lesson.md")):
			root, part = filepath.Dir(filepath.Dir(root)), filepath.Base(filepath.Dir(root))+"/"+filepath.Base(root)
		case file(filepath.Join(root, "track.md")):
			root, part = filepath.Dir(root), filepath.Base(root)
		}
		if part != "" && only == nil {
			only = []string{part}
		}
		var err error
		if files, err = lessonFiles(root); err != nil {
			return fmt.Errorf("lint: %w", err)
		}
	}
	if c.Coverage {
		catalog, _ := lessons.Load(files)
		if catalog == nil {
			return errors.New("lint: no lessons there")
		}
		_, err := fmt.Fprintln(g.Stdout, strings.TrimRight(catalog.CoverageText(lessons.Items()), "\n"))
		return err
	}
	box, err := g.openSandbox(ctx, sandboxOptions{})
	if err != nil {
		return err
	}
	defer box.Close()
	report, err := check.Lint(ctx, check.LintConfig{Door: box, Lessons: files, Repeat: c.Repeat, Mutate: c.Mutate, Only: only})
	if err != nil {
		return fmt.Errorf("lint: %w", err)
	}
	if c.JSON {
		problems := report.Problems
		if problems == nil {
			problems = []lessons.Problem{}
		}
		err = json.NewEncoder(g.Stdout).Encode(problems)
	} else {
		err = report.Text(g.Stdout)
	}
	if err != nil {
		return fmt.Errorf("lint: %w", err)
	}
	if report.Errors() > 0 {
		return &exitError{1}
	}
	return nil
}

// healthCmd is what a container's health check runs: the image has no shell.
type healthCmd struct {
	Addr string `help:"Address of the server." default:"127.0.0.1:8080" env:"COLDSTART_ADDR" placeholder:"HOST:PORT"`
}

// Run asks once.
func (c *healthCmd) Run(ctx context.Context) error {
	addr := strings.Replace(c.Addr, "0.0.0.0:", "127.0.0.1:", 1)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	status, err := alive(ctx, "http://"+addr)
	if status == http.StatusBadRequest { // it may speak https
		status, err = alive(ctx, "https://"+addr)
	}
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("healthcheck: %s answers %d", addr, status)
	}
	return nil
}

// alive asks a server of this machine. Who it is does not matter, only that it
// answers, so its certificate is not looked at.
func alive(ctx context.Context, base string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", nil)
	if err != nil {
		return 0, err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
