package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"coldstart/lessons"
	"coldstart/sandbox/bundle"
	"coldstart/sandbox/trace"
	"coldstart/static"
	"coldstart/web/classroom"
	"coldstart/web/live"
)

// projectExport gives a project as a zip that the real tools take as it is; of
// a lesson in which nothing was saved, the starter.
func (s *Site) projectExport(c *call) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	p, err := s.config.Store.Project(c.r.Context(), c.session.workspace.ID, id, 0)
	if errors.Is(err, classroom.ErrNotFound) {
		var l *lessons.Lesson
		if l, err = c.lessonFor(id); err == nil && l != nil {
			p = s.starter(c.session, l)
		} else if err == nil {
			err = classroom.ErrNotFound
		}
	}
	if err != nil {
		return err
	}
	archive, err := s.export(c.r.Context(), p)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+p.ID+`.zip"`)
	return c.send(http.StatusOK, "application/zip", archive)
}

// export packs a project with the types of its bindings as far as it builds.
func (s *Site) export(ctx context.Context, p classroom.Project) ([]byte, error) {
	project, err := live.Sources(p, s.config.Ceiling)
	if err != nil {
		return nil, err
	}
	meta := bundle.ExportMeta{Name: p.ID, Title: p.Title, Packages: shelfPackages()}
	d, err := s.config.Door.Build(ctx, live.Key(p), project)
	if err != nil {
		return nil, fmt.Errorf("build project %q: %w", p.ID, err)
	}
	meta.Workers = d.Workers
	return bundle.Export(trace.Project{Files: project.Files, Main: project.Main}, meta)
}

// shelfPackages are what projects may import by name; none without built assets.
func shelfPackages() []bundle.ShelfPackage {
	data, err := static.File("shelf.zip")
	if err != nil {
		return nil
	}
	shelf, err := bundle.OpenShelf(data)
	if err != nil {
		return nil
	}
	return bundle.Packages(shelf)
}
