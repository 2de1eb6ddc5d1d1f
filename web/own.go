package web

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"coldstart/sandbox/bundle"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/live"
	"coldstart/web/view"
)

// own is the learner's project that the address of a page names; lessons have
// pages of their own.
func (c *call) own() (classroom.Project, error) {
	id := c.param("project")
	if projectID.MatchString(id) {
		p, err := c.site.config.Store.Project(c.r.Context(), c.session.workspace.ID, id, 0)
		if !errors.Is(err, classroom.ErrNotFound) {
			return p, err
		}
	}
	return classroom.Project{}, fail(http.StatusNotFound, "You have no project at this address.")
}

// ownPage is the workbench of a project that belongs to no lesson.
func (s *Site) ownPage(c *call) error {
	project, err := c.own()
	if err != nil {
		return err
	}
	if l := s.lessonByID(project.ID); l != nil && l.ID == project.Lesson {
		return c.seeOther(l.URL())
	}
	x := studying{project: project}
	if x.runs, err = s.config.Store.Runs(c.r.Context(), project.Workspace, project.ID, classroom.KeepRuns); err != nil {
		return err
	}
	at, q := "/p/"+project.ID, c.r.URL.Query()
	p := view.LessonPage{
		Shell: c.shell(), Project: project.ID, Slug: project.Slug, Revision: project.Revision, Track: view.Link{Text: "You", Href: "/you"}, Title: project.Title,
		Parts:  []view.Part{{HTML: "<p>This is a Workers project of your own. It runs here as it does elsewhere; Export gives it as a zip, Share makes a link of it.</p>"}},
		Public: s.base(c.r) + "/w/" + project.Slug, Limits: s.limitsOf(nil), Open: project.Settings.Main,
		Actions: view.Actions{Run: at + "/run", Undo: at + "/undo", Share: "/share", Save: "/api/projects/" + project.ID, Export: "/api/projects/" + project.ID + "/export.zip", Live: "/api/live"},
	}
	if p.Title == "" {
		p.Title = "A project"
	}
	p.Result = s.result(c, x, q.Get("run"))
	if tab := q.Get("tab"); slices.Contains([]string{"response", "logs", "timeline", "isolate"}, tab) {
		p.Result.Tab = tab
	}
	var fault *trace.Fault
	if run := p.Result.Run; run != nil {
		fault = run.Summary.Fault
		p.Request = request(x.runs[0].Method, x.runs[0].Path, x.runs[0].Headers, x.runs[0].Sent)
		if chosen := x.run(q.Get("run")); chosen != nil {
			p.Request = request(chosen.Method, chosen.Path, chosen.Headers, chosen.Sent)
			p.Words = words(run)
		}
	}
	p.Files = view.FilesOf(project.Files, p.Open, fault)
	return c.page(http.StatusOK, view.Lesson(p))
}

// ownRun is Run without scripts.
func (s *Site) ownRun(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	spec, err := formSpec(form)
	if err != nil {
		return err
	}
	p, err := c.own()
	if err != nil {
		return err
	}
	if err := s.allowRun(c); err != nil {
		return err
	}
	if p, err = s.saveFiles(c, p, form); err != nil {
		return err
	}
	runs, err := s.hub.Run(context.WithoutCancel(c.r.Context()), live.Key(p), spec)
	if err != nil {
		return err
	}
	return c.seeOther("/p/" + p.ID + "?run=" + runs[len(runs)-1].ID + "#result")
}

func (s *Site) ownUndo(c *call) error {
	p, err := c.own()
	if err != nil {
		return err
	}
	if p, err = s.undo(c, p.ID, classroom.AnyRevision); err != nil {
		return err
	}
	s.saved(p)
	return c.seeOther("/p/" + p.ID + "#code")
}

// maxUpload is the most an import may carry: a zip as large as the importer
// takes, and the form around it.
const maxUpload = 5 << 20

// ownImport makes a project of a zip or of pasted code.
func (s *Site) ownImport(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	title := strings.Join(strings.Fields(printable(form.Get("title"))), " ")
	pasted := unixLines(form.Get("text"))
	// A refusal is told where the form is, which keeps what was typed.
	refused := func(field string, err error) error {
		e := visible(err)
		if e.Status >= 500 || c.wantsJSON() {
			return err
		}
		return s.showYou(c, e.Status, view.YouPage{Error: e.Message, Field: field, Title: title, Text: pasted})
	}
	if len(title) > 200 {
		return refused("title", fail(http.StatusBadRequest, "The title is longer than 200 bytes."))
	}
	project, err := uploaded(c.r.MultipartForm, s.sourceLimits())
	if err != nil {
		return refused("zip", err)
	}
	field := "zip"
	if project.Files == nil && strings.TrimSpace(pasted) != "" {
		project.Files = map[string][]byte{"src/index.js": []byte(pasted)}
		field = "text"
	}
	if project.Files == nil {
		return refused("zip", fail(http.StatusBadRequest, "Choose a zip, or paste code."))
	}
	files := classroom.Files(project.Files)
	if err := files.Check(s.sourceLimits()); err != nil {
		return refused(field, err)
	}
	if title == "" {
		title = "A project of mine"
	}
	id := "own-" + classroom.NewID(10)
	p, err := s.config.Store.Save(c.r.Context(), c.session.workspace.ID, id, classroom.Change{
		Base: 0, Files: files, Kind: classroom.KindEdit, Title: &title, Settings: &classroom.Settings{Main: entry(files)}, Slug: s.slug(c.session.workspace.ID, id),
	})
	if err != nil {
		return err
	}
	s.saved(p)
	return c.seeOther("/p/" + id)
}

// uploaded is the project in a form's zip, without files when none was chosen.
func uploaded(form *multipart.Form, limits trace.Limits) (trace.Project, error) {
	if form == nil || len(form.File["zip"]) == 0 || form.File["zip"][0].Size == 0 {
		return trace.Project{}, nil
	}
	f, err := form.File["zip"][0].Open()
	if err != nil {
		return trace.Project{}, err
	}
	data, err := io.ReadAll(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return trace.Project{}, err
	}
	p, err := bundle.Import(data, limits)
	if err != nil {
		return p, &Error{Status: http.StatusBadRequest, Heading: "That zip cannot be taken", Message: "It was not imported: " + err.Error() + ".", Err: err}
	}
	return p, nil
}

// entry is the entry file of a project without a wrangler file; "" when that
// file says it, or when nothing looks like one.
func entry(files classroom.Files) string {
	for _, name := range []string{"wrangler.jsonc", "wrangler.json", "wrangler.toml"} {
		if _, ok := files[name]; ok {
			return ""
		}
	}
	for _, dir := range []string{"src/", ""} {
		for _, name := range []string{"index.ts", "index.tsx", "index.js", "index.mjs", "worker.ts", "worker.js"} {
			if _, ok := files[dir+name]; ok {
				return dir + name
			}
		}
	}
	return ""
}

// dataJSON is what is kept of a learner beside their files.
type dataJSON struct {
	Made     time.Time                              `json:"made"`
	Projects []projectJSON                          `json:"projects"`
	Progress map[string]classroom.Progress          `json:"progress"`
	Checks   map[string][]classroom.Check           `json:"checks"`
	Answers  map[string]map[string]classroom.Answer `json:"answers"`
	Hints    map[string]map[int]int                 `json:"hints"`
	Runs     map[string][]classroom.Run             `json:"runs"`
	Classes  []membershipJSON                       `json:"classes"`
	Shares   []string                               `json:"shares"`
}

type membershipJSON struct {
	Class    string     `json:"class"`
	Nickname string     `json:"nickname"`
	Joined   time.Time  `json:"joined"`
	Notes    []noteJSON `json:"notes"`
}

// youExport gives a learner everything that is kept of them, as one zip.
func (s *Site) youExport(c *call) error {
	ctx, store, me := c.r.Context(), s.config.Store, c.session.workspace.ID
	out := dataJSON{
		Made: s.config.Now().UTC(), Projects: []projectJSON{}, Checks: map[string][]classroom.Check{}, Answers: map[string]map[string]classroom.Answer{},
		Hints: map[string]map[int]int{}, Runs: map[string][]classroom.Run{}, Classes: []membershipJSON{}, Shares: []string{},
	}
	var err error
	if out.Progress, err = store.Progress(ctx, me); err != nil {
		return err
	}
	for id := range out.Progress {
		if out.Checks[id], err = store.Checks(ctx, me, id); err != nil {
			return err
		}
		if out.Answers[id], err = store.Answers(ctx, me, id); err != nil {
			return err
		}
		if out.Hints[id], err = store.Hints(ctx, me, id); err != nil {
			return err
		}
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	projects, err := store.Projects(ctx, me)
	if err != nil {
		return err
	}
	for _, p := range projects {
		if p, err = store.Project(ctx, me, p.ID, 0); err != nil {
			return err
		}
		out.Projects = append(out.Projects, s.projectJSON(c, p, false))
		if out.Runs[p.ID], err = store.Runs(ctx, me, p.ID, classroom.KeepRuns); err != nil {
			return err
		}
		for _, name := range p.Files.Names() {
			if err := pack(z, path.Join("projects", p.ID, name), p.Files[name]); err != nil {
				return err
			}
		}
	}
	memberships, err := store.Memberships(ctx, me)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		notes, err := store.Notes(ctx, m.Class.ID, m.Member.ID)
		if err != nil {
			return err
		}
		one := membershipJSON{Class: m.Class.Title, Nickname: m.Member.Nickname, Joined: m.Member.Joined.UTC(), Notes: []noteJSON{}}
		for _, n := range notes {
			one.Notes = append(one.Notes, noteJSON{n.Lesson, n.Text, moment(n.Sent), moment(n.Read)})
		}
		out.Classes = append(out.Classes, one)
	}
	shares, err := store.Shares(ctx, me)
	if err != nil {
		return err
	}
	for _, sh := range shares {
		out.Shares = append(out.Shares, s.base(c.r)+"/s/"+sh.ID)
	}
	data, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return err
	}
	if err := errors.Join(pack(z, "data.json", data), z.Close()); err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="coldstart-work.zip"`)
	return c.send(http.StatusOK, "application/zip", archive.Bytes())
}

func pack(z *zip.Writer, name string, data []byte) error {
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}
