package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"coldstart/lessons"
	"coldstart/sandbox/bundle"
	"coldstart/sandbox/trace"
	"coldstart/static"
)

// exportCmd packs a project or a lesson as a zip archive for the real tools.
type exportCmd struct {
	Target   string `arg:"" help:"A folder with a Workers project, one file, or a lesson such as workers/hello-worker." placeholder:"DIR|LESSON"`
	Output   string `short:"o" help:"The archive to write, - for standard output (default: the project's name and .zip)." placeholder:"FILE.zip"`
	Solution bool   `help:"Of a lesson: the solution instead of the starter."`
	Lessons  string `help:"Folder or zip of lessons (default: the embedded ones)." type:"path" env:"COLDSTART_LESSONS" placeholder:"DIR"`
}

// Run writes the archive and says where.
func (c *exportCmd) Run(ctx context.Context, g *globals) error {
	project, meta, err := c.project()
	if err != nil {
		return err
	}
	archive, fault, err := packProject(ctx, project, meta)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if fault != nil {
		fmt.Fprintf(g.Stderr, "coldstart: the project does not build yet: %s\n", fault.Message)
	}
	if c.Output == "-" {
		_, err := g.Stdout.Write(archive)
		return err
	}
	out := c.Output
	if out == "" {
		out = filepath.Base(meta.Name) + ".zip"
	}
	if err := os.WriteFile(out, archive, 0o644); err != nil {
		return fmt.Errorf("export: %w; name another file with -o", err)
	}
	_, err = fmt.Fprintf(g.Stdout, "wrote %s\n", out)
	return err
}

// project finds what the target names: a folder or a file, else a lesson.
func (c *exportCmd) project() (trace.Project, bundle.ExportMeta, error) {
	if info, err := os.Stat(c.Target); err == nil {
		if c.Solution {
			return trace.Project{}, bundle.ExportMeta{}, errors.New("export: --solution is for lessons; " + c.Target + " is on the disk")
		}
		abs, err := filepath.Abs(c.Target)
		if err != nil {
			return trace.Project{}, bundle.ExportMeta{}, fmt.Errorf("export: %w", err)
		}
		files, main, _, err := readProject(abs)
		if err != nil {
			return trace.Project{}, bundle.ExportMeta{}, errors.New(strings.Replace(err.Error(), "dev: ", "export: ", 1))
		}
		name := filepath.Base(abs)
		if !info.IsDir() {
			name = strings.TrimSuffix(name, filepath.Ext(name))
		}
		return trace.Project{Files: files, Main: main}, bundle.ExportMeta{Name: name}, nil
	}
	tree, err := lessonFiles(c.Lessons)
	if err != nil {
		return trace.Project{}, bundle.ExportMeta{}, fmt.Errorf("export: --lessons %w", err)
	}
	return lessonProject(tree, c.Target, c.Solution)
}

// lessonProject is the starter or the solution of a lesson, by id or track/slug.
func lessonProject(tree fs.FS, name string, solution bool) (trace.Project, bundle.ExportMeta, error) {
	var none trace.Project
	catalog, _ := lessons.Load(tree)
	l := catalog.ByID(name)
	if track, slug, ok := strings.Cut(name, "/"); ok && l == nil {
		l = catalog.Lesson(track, slug)
	}
	if l == nil {
		return none, bundle.ExportMeta{}, fmt.Errorf("export: %q is neither a folder, a file nor a lesson; a lesson is named as in its address, such as workers/hello-worker", name)
	}
	p := l.Project()
	if solution {
		if l.Solution == nil {
			return none, bundle.ExportMeta{}, fmt.Errorf("export: the lesson %q has no solution; leave out --solution", name)
		}
		p.Files = l.Solution
	}
	if len(p.Files) == 0 {
		return none, bundle.ExportMeta{}, fmt.Errorf("export: the lesson %q has no files", name)
	}
	return p, bundle.ExportMeta{Name: l.Slug, Title: l.Title}, nil
}

// packProject exports a project with the types of its bindings, for which it is
// built here: the files are the user's own. The fault says why it does not build.
func packProject(ctx context.Context, p trace.Project, meta bundle.ExportMeta) ([]byte, *trace.Fault, error) {
	data, err := static.File("shelf.zip")
	if err != nil {
		return nil, nil, err
	}
	shelf, err := bundle.OpenShelf(data)
	if err != nil {
		return nil, nil, err
	}
	d := bundle.Build(ctx, bundle.Config{Shelf: shelf}, p)
	meta.Workers, meta.Packages = d.Workers, bundle.Packages(shelf)
	archive, err := bundle.Export(p, meta)
	return archive, d.Fault, err
}
