package web

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"coldstart/sandbox/bundle"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/live"
	"coldstart/web/view"
)

// shareID is the form of a share's id.
var shareID = regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{12}$`)

// shareCreate makes a link of a project and its newest run. What was edited
// since is run once first, so that code and recorded trace belong together.
func (s *Site) shareCreate(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	id := form.Get("project")
	if !projectID.MatchString(id) {
		return fail(http.StatusBadRequest, "The form names no project. Load the page again.")
	}
	if err := s.allowRun(c); err != nil {
		return err
	}
	ctx, store := c.r.Context(), s.config.Store
	p, err := s.begin(ctx, c.session, id)
	if err != nil {
		return err
	}
	runs, err := store.Runs(ctx, p.Workspace, p.ID, 1)
	if err != nil {
		return err
	}
	if len(runs) == 0 || runs[0].Revision != p.Revision {
		request := live.Request{Method: http.MethodGet, Path: "/"}
		if l := s.lessonByID(p.Lesson); l != nil && l.Request.Path != "" {
			request = live.Request{Method: l.Request.Method, Path: l.Request.Path, Headers: l.Request.Headers, Body: l.Request.Body}
		}
		if len(runs) > 0 {
			request = live.Request{Method: runs[0].Method, Path: runs[0].Path, Headers: runs[0].Headers, Body: runs[0].Sent}
		}
		if runs, err = s.hub.Run(context.WithoutCancel(ctx), live.Key(p), live.RunSpec{ID: "f" + classroom.NewID(9), Request: request, Revision: p.Revision}); err != nil {
			return err
		}
	}
	run := runs[len(runs)-1]
	run.Headers = publicHeaders(run.Headers)
	sh, err := store.CreateShare(ctx, classroom.Share{
		Workspace: p.Workspace, Lesson: p.Lesson, Title: p.Title, Settings: p.Settings, Files: p.Files, Run: &run,
	})
	if errors.Is(err, classroom.ErrCrowded) {
		return fail(http.StatusConflict, "You share %d links, the most one learner may. Stop sharing one first.", classroom.MaxShares)
	}
	if err != nil {
		return err
	}
	return c.seeOther("/s/" + sh.ID)
}

// publicHeaders are the request headers that a link shows: none that carries a secret.
func publicHeaders(all [][2]string) [][2]string {
	return slices.DeleteFunc(slices.Clone(all), func(h [2]string) bool {
		switch strings.ToLower(h[0]) {
		case "authorization", "cookie", "proxy-authorization", "x-api-key":
			return true
		}
		return false
	})
}

// share is the one that the address names.
func (c *call) share() (classroom.Share, error) {
	id := c.param("share")
	if shareID.MatchString(id) {
		sh, err := c.site.config.Store.Share(c.r.Context(), id)
		if !errors.Is(err, classroom.ErrNotFound) {
			return sh, err
		}
	}
	return classroom.Share{}, fail(http.StatusNotFound, "Nothing is shared at this address any more.")
}

// shareView is a share as its pages show it.
func (s *Site) shareView(c *call, sh classroom.Share) view.SharePage {
	p := view.SharePage{Shell: c.shell(), ID: sh.ID, Link: s.base(c.r) + "/s/" + sh.ID, Made: sh.Created}
	p.Title = sh.Title
	if p.Title == "" {
		p.Title = "A Worker"
	}
	if l := s.catalog.Load().ByID(sh.Lesson); l != nil {
		p.Lesson = &view.Link{Text: l.Title, Href: l.URL()}
	}
	var fault *trace.Fault
	if r := sh.Run; r != nil {
		p.Request = request(r.Method, r.Path, r.Headers, r.Sent)
		p.Run = s.run(c, studying{}, *r)
		p.Run.N, p.Run.Body.Preview = 1, "" // the Worker there is is not the one that was shared
		p.Logs = logRun(*r)
		p.Logs.Title = "recorded run"
		fault = r.Summary.Fault
	}
	p.Files = view.FilesOf(sh.Files, sh.Settings.Main, fault)
	return p
}

// rerun is the project in which a visitor runs what was shared again.
func rerun(sh classroom.Share) string { return "run-" + sh.ID }

// fork is the project in which a visitor goes on with what was shared.
func fork(sh classroom.Share) string { return "fork-" + sh.ID }

func (s *Site) sharePage(c *call) error {
	sh, err := c.share()
	if err != nil {
		return err
	}
	p := s.shareView(c, sh)
	p.Mine = sh.Workspace == c.session.workspace.ID
	if len(s.config.EmbedFrom) > 0 {
		p.Embed = s.base(c.r) + "/embed/" + sh.ID
	}
	if id := c.r.URL.Query().Get("run"); id != "" && c.session.stored {
		run, err := s.config.Store.Run(c.r.Context(), c.session.workspace.ID, rerun(sh), id)
		if err == nil {
			project, perr := s.config.Store.Project(c.r.Context(), c.session.workspace.ID, rerun(sh), 0)
			if perr != nil {
				return perr
			}
			p.Yours = s.run(c, studying{project: project}, run)
			p.Yours.N = 2
			p.Public = s.base(c.r) + "/w/" + project.Slug
		} else if !errors.Is(err, classroom.ErrNotFound) {
			return err
		}
	}
	return c.page(http.StatusOK, view.ShareView(p))
}

// take stores what was shared as one of the visitor's own projects.
func (s *Site) take(c *call, sh classroom.Share, id string) (classroom.Project, error) {
	title := sh.Title
	p, err := s.config.Store.Save(c.r.Context(), c.session.workspace.ID, id, classroom.Change{
		Base: classroom.AnyRevision, Files: sh.Files, Kind: classroom.KindBegin, Title: &title, Settings: &sh.Settings, Slug: s.slug(c.session.workspace.ID, id),
	})
	if err == nil {
		s.saved(p)
	}
	return p, err
}

// shareRun runs what was shared again, in an isolate of the visitor's own.
func (s *Site) shareRun(c *call) error {
	sh, err := c.share()
	if err != nil {
		return err
	}
	if sh.Run == nil {
		return fail(http.StatusBadRequest, "No request was shared with this code. Fork it, then run.")
	}
	if err := s.allowRun(c); err != nil {
		return err
	}
	p, err := s.take(c, sh, rerun(sh))
	if err != nil {
		return err
	}
	r := sh.Run
	runs, err := s.hub.Run(context.WithoutCancel(c.r.Context()), live.Key(p), live.RunSpec{
		ID: "f" + classroom.NewID(9), Request: live.Request{Method: r.Method, Path: r.Path, Headers: r.Headers, Body: r.Sent}, Revision: p.Revision,
	})
	if err != nil {
		return err
	}
	return c.seeOther("/s/" + sh.ID + "?run=" + runs[len(runs)-1].ID + "#run")
}

// shareFork makes what was shared a project of the visitor's own; one that was
// forked before is opened as it is.
func (s *Site) shareFork(c *call) error {
	sh, err := c.share()
	if err != nil {
		return err
	}
	_, err = s.config.Store.Project(c.r.Context(), c.session.workspace.ID, fork(sh), 0)
	if errors.Is(err, classroom.ErrNotFound) {
		_, err = s.take(c, sh, fork(sh))
	}
	if err != nil {
		return err
	}
	return c.seeOther("/p/" + fork(sh))
}

// shareExport gives what was shared as a zip that the real tools take.
func (s *Site) shareExport(c *call) error {
	sh, err := c.share()
	if err != nil {
		return err
	}
	archive, err := bundle.Export(trace.Project{Files: sh.Files, Main: sh.Settings.Main}, bundle.ExportMeta{Name: "shared-" + sh.ID, Title: sh.Title, URL: s.base(c.r) + "/s/" + sh.ID, Packages: shelfPackages()})
	if err != nil {
		return &Error{Status: http.StatusConflict, Message: "This project cannot be packed: its wrangler file is not understood.", Err: err}
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="shared-`+sh.ID+`.zip"`)
	return c.send(http.StatusOK, "application/zip", archive)
}

// embed is a share in another site's frame. It reads no cookie and runs
// nothing; it shows what was recorded.
func (s *Site) embed(c *call) error {
	if h := c.w.Header(); len(s.config.EmbedFrom) > 0 {
		h.Del("X-Frame-Options") // knows no list
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("Content-Security-Policy", strings.Replace(policy(c.nonce), "frame-ancestors 'none'", "frame-ancestors "+strings.Join(s.config.EmbedFrom, " "), 1))
	}
	sh, err := c.share()
	if err != nil {
		return err
	}
	p := s.shareView(c, sh)
	p.Class, p.Theme = nil, ""
	return c.page(http.StatusOK, view.EmbedView(p))
}

func (s *Site) youUnshare(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	err = s.config.Store.DeleteShare(c.r.Context(), c.session.workspace.ID, form.Get("share"))
	if errors.Is(err, classroom.ErrNotFound) {
		return fail(http.StatusNotFound, "You share no such link any more.")
	}
	if err != nil {
		return err
	}
	return c.seeOther("/you")
}
