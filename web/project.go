package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"coldstart/lessons"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/live"
)

// projectBody is what a page sends to save a project.
type projectBody struct {
	Base     *int64                     `json:"base"` // revision that was edited; absent: replace whatever is there
	Files    map[string]string          `json:"files"`
	Binary   map[string][]byte          `json:"files_base64"` // absent keeps the binary files there are
	Why      string                     `json:"why"`          // edit reset solution restore
	Title    *string                    `json:"title"`
	Main     *string                    `json:"main"`
	Vars     map[string]json.RawMessage `json:"vars"`
	Bindings map[string]string          `json:"bindings"`
	Limits   classroom.LimitSettings    `json:"limits"`
	Text     string                     `json:"text"` // revision of the lesson that the page shows
}

// projectJSON is a project as the API shows it.
type projectJSON struct {
	ID       string            `json:"id,omitempty"`
	Revision int64             `json:"revision"`
	Title    string            `json:"title,omitempty"`
	Slug     string            `json:"slug,omitempty"`
	URL      string            `json:"url,omitempty"` // of its Worker, without a final slash
	Saved    int64             `json:"saved,omitempty"`
	Undo     bool              `json:"undo,omitempty"`
	Text     string            `json:"text,omitempty"` // revision of the lesson that the project goes on with
	Files    map[string]string `json:"files,omitempty"`
	Binary   map[string][]byte `json:"files_base64,omitempty"`
	Error    string            `json:"error,omitempty"`
	Yours    map[string]string `json:"yours,omitempty"` // in a conflict: what was not saved
}

func (s *Site) projectJSON(c *call, p classroom.Project, files bool) projectJSON {
	out := projectJSON{ID: p.ID, Revision: p.Revision, Title: p.Title, Slug: p.Slug, URL: s.base(c.r) + "/w/" + p.Slug, Saved: unixMillis(p.Saved), Undo: p.UndoTo != 0, Text: p.LessonRevision}
	if files {
		out.Files, out.Binary = split(p.Files)
	}
	return out
}

// split parts text from files that are not UTF-8.
func split(f classroom.Files) (text map[string]string, binary map[string][]byte) {
	text = make(map[string]string, len(f))
	for name, data := range f {
		if utf8.Valid(data) {
			text[name] = string(data)
			continue
		}
		if binary == nil {
			binary = map[string][]byte{}
		}
		binary[name] = data
	}
	return text, binary
}

// project is the id in the address.
func (c *call) project() (string, error) {
	id := c.param("project")
	if !projectID.MatchString(id) {
		return "", fail(http.StatusBadRequest, "A project's id has 1 to 63 small letters, digits and dashes, and begins with a letter or digit.")
	}
	return id, nil
}

// projectGet gives the saved files, or the lesson's starter as revision 0.
func (s *Site) projectGet(c *call) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	p, err := s.config.Store.Project(c.r.Context(), c.session.workspace.ID, id, 0)
	if errors.Is(err, classroom.ErrNotFound) {
		l, err := c.lessonFor(id)
		if err != nil {
			return err
		}
		if l != nil {
			return c.json(http.StatusOK, s.projectJSON(c, s.starter(c.session, l), true))
		}
	}
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, s.projectJSON(c, p, true))
}

// starter is a lesson's project as somebody has it who has not saved anything.
func (s *Site) starter(x *session, l *lessons.Lesson) classroom.Project {
	return classroom.Project{
		Workspace: x.workspace.ID, ID: l.ID, Slug: s.slug(x.workspace.ID, l.ID), Title: l.Title, Lesson: l.ID, LessonRevision: l.Hash,
		Settings: lessonSettings(l), Files: l.Starter,
	}
}

// projectList lists the learner's projects, without files.
func (s *Site) projectList(c *call) error {
	all, err := s.config.Store.Projects(c.r.Context(), c.session.workspace.ID)
	if err != nil {
		return err
	}
	out := make([]projectJSON, 0, len(all))
	for _, p := range all {
		out = append(out, s.projectJSON(c, p, false))
	}
	return c.json(http.StatusOK, out)
}

var kinds = map[string]string{
	"": classroom.KindEdit, "edit": classroom.KindEdit, "reset": classroom.KindReset, "solution": classroom.KindSolve, "solve": classroom.KindSolve,
	"restore": classroom.KindRestore,
}

// projectPut saves a project, and says so only once that is committed.
func (s *Site) projectPut(c *call) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	var body projectBody
	if err := readJSON(c.r, &body); err != nil {
		return err
	}
	kind, ok := kinds[body.Why]
	if !ok {
		return fail(http.StatusBadRequest, "A save is for the reason edit, reset, solution or restore, not %q.", printable(body.Why))
	}
	change := classroom.Change{Base: classroom.AnyRevision, Kind: kind, Title: body.Title, Slug: s.slug(c.session.workspace.ID, id)}
	if body.Base != nil {
		change.Base = *body.Base
	}
	if body.Title != nil && len(*body.Title) > 200 {
		return fail(http.StatusBadRequest, "The title is longer than 200 bytes.")
	}
	lesson, err := c.lessonFor(id)
	if err != nil {
		return err
	}
	before, err := s.config.Store.Project(c.r.Context(), c.session.workspace.ID, id, 0)
	if err != nil {
		if !errors.Is(err, classroom.ErrNotFound) {
			return err
		}
		before = classroom.Project{}
		if lesson != nil {
			// What is typed began with the text that the page shows.
			if lesson, err = s.begun(c.r.Context(), lesson, body.Text); err != nil {
				return err
			}
			before = s.starter(c.session, lesson)
			if change.Archive, err = lesson.Archive(); err != nil {
				return err
			}
			change.Lesson, change.LessonRevision = lesson.ID, lesson.Hash
			if change.Title == nil {
				change.Title = &lesson.Title
			}
		}
	}
	if change.Files, err = body.files(before.Files); err != nil {
		return err
	}
	if err := change.Files.Check(s.sourceLimits()); err != nil {
		return err
	}
	settings, err := body.settings(before.Settings)
	if err != nil {
		return err
	}
	change.Settings = &settings
	// What cannot be made a project is refused now, not at its first run.
	if _, err := live.Sources(classroom.Project{Files: change.Files, Settings: settings}, s.config.Ceiling); err != nil {
		return err
	}
	p, err := s.config.Store.Save(c.r.Context(), c.session.workspace.ID, id, change)
	if err != nil {
		return s.conflict(c, err, body.Files)
	}
	s.saved(p)
	return c.json(http.StatusOK, s.projectJSON(c, p, false))
}

// conflict answers a save on an old base with both versions.
func (s *Site) conflict(c *call, err error, yours map[string]string) error {
	var conflict *classroom.Conflict
	if !errors.As(err, &conflict) {
		return err
	}
	out := s.projectJSON(c, conflict.Current, true)
	out.Error = "Changed on two devices. Both are kept; which one goes on?"
	out.Yours = yours
	return c.json(http.StatusConflict, out)
}

func (s *Site) sourceLimits() trace.Limits {
	l := trace.Default()
	l.Source, l.Files = s.config.Ceiling.Source, s.config.Ceiling.Files
	return l
}

func (b projectBody) files(before classroom.Files) (classroom.Files, error) {
	if b.Files == nil && b.Binary == nil {
		return nil, fail(http.StatusBadRequest, "The save holds no files.")
	}
	files := make(classroom.Files, len(b.Files)+len(b.Binary))
	binary := b.Binary
	if binary == nil {
		_, binary = split(before)
	}
	for name, data := range binary {
		files[name] = data
	}
	for name, text := range b.Files {
		if _, twice := b.Binary[name]; twice {
			return nil, fail(http.StatusBadRequest, "The file %q is given as text and as base64; give it once.", printable(name))
		}
		files[name] = []byte(text)
	}
	return files, nil
}

func (b projectBody) settings(before classroom.Settings) (classroom.Settings, error) {
	out := before
	if b.Main != nil {
		if why := classroom.CheckPath(*b.Main); *b.Main != "" && why != "" {
			return out, fail(http.StatusBadRequest, "The entry file's name cannot be used: %s.", why)
		}
		out.Main = *b.Main
	}
	if b.Vars != nil {
		out.Env = b.Vars
	}
	if b.Bindings != nil {
		out.Bindings = b.Bindings
	}
	if len(out.Env)+len(out.Bindings) > 100 {
		return out, fail(http.StatusBadRequest, "The project has more than 100 bindings.")
	}
	if b.Limits != nil {
		names := trace.LimitNames()
		for name, n := range b.Limits {
			if !slices.Contains(names, name) {
				return out, fail(http.StatusBadRequest, "There is no limit %q. The limits are %s.", printable(name), strings.Join(names, ", "))
			}
			if n < 0 || n > 1<<31 {
				return out, fail(http.StatusBadRequest, "The limit %s is a whole number, 0 for the default.", name)
			}
		}
		out.Limits = b.Limits
	}
	return out, nil
}

func (s *Site) projectDelete(c *call) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	p, err := s.config.Store.Project(c.r.Context(), c.session.workspace.ID, id, 0)
	if err != nil {
		return err
	}
	if err := s.config.Store.DeleteProject(c.r.Context(), c.session.workspace.ID, id); err != nil {
		return err
	}
	s.forgetWorkers([]classroom.Project{p})
	return c.json(http.StatusOK, map[string]bool{"deleted": true})
}

type versionJSON struct {
	Revision int64  `json:"revision"`
	Saved    int64  `json:"saved"`
	Why      string `json:"why"`
}

func (s *Site) projectVersions(c *call) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	versions, err := s.config.Store.Versions(c.r.Context(), c.session.workspace.ID, id)
	if err != nil && !errors.Is(err, classroom.ErrNotFound) {
		return err
	}
	out := make([]versionJSON, 0, len(versions))
	for _, v := range versions {
		why := v.Kind
		switch why {
		case classroom.KindSolve:
			why = "solution"
		case classroom.KindBegin:
			why = "edit"
		case classroom.KindUndo:
			why = "restore"
		}
		out = append(out, versionJSON{v.Revision, unixMillis(v.Saved), why})
	}
	return c.json(http.StatusOK, out)
}

func (s *Site) projectVersion(c *call) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	revision, err := strconv.ParseInt(c.param("revision"), 10, 64)
	if err != nil || revision < 1 {
		return fail(http.StatusBadRequest, "A revision is a number from 1.")
	}
	p, err := s.config.Store.Project(c.r.Context(), c.session.workspace.ID, id, revision)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, s.projectJSON(c, p, true))
}

// revisionBody names the revision that a page stands on, and the one it wants.
type revisionBody struct {
	Base     *int64 `json:"base"`
	Revision int64  `json:"revision"`
}

func (b revisionBody) base() int64 {
	if b.Base == nil {
		return classroom.AnyRevision
	}
	return *b.Base
}

// step is a change of all files at once that one undo takes back.
func (s *Site) step(c *call, do func(id string, b revisionBody) (classroom.Project, error)) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	var b revisionBody
	if c.r.ContentLength != 0 {
		if err := readJSON(c.r, &b); err != nil {
			return err
		}
	}
	p, err := do(id, b)
	if err != nil {
		return s.conflict(c, err, nil)
	}
	s.saved(p)
	return c.json(http.StatusOK, s.projectJSON(c, p, true))
}

func (s *Site) projectRestore(c *call) error {
	return s.step(c, func(id string, b revisionBody) (classroom.Project, error) {
		return s.config.Store.Restore(c.r.Context(), c.session.workspace.ID, id, b.base(), b.Revision)
	})
}

func (s *Site) projectUndo(c *call) error {
	return s.step(c, func(id string, b revisionBody) (classroom.Project, error) {
		return s.undo(c, id, b.base())
	})
}

func (s *Site) undo(c *call, id string, base int64) (classroom.Project, error) {
	p, err := s.config.Store.Undo(c.r.Context(), c.session.workspace.ID, id, base)
	if errors.Is(err, classroom.ErrNotFound) {
		return p, fail(http.StatusNotFound, "There is nothing to undo.")
	}
	return p, err
}

func (s *Site) projectReset(c *call) error {
	return s.step(c, func(id string, b revisionBody) (classroom.Project, error) {
		return s.replace(c, id, b.base(), classroom.KindReset)
	})
}

func (s *Site) projectSolve(c *call) error {
	return s.step(c, func(id string, b revisionBody) (classroom.Project, error) {
		return s.replace(c, id, b.base(), classroom.KindSolve)
	})
}

// replace puts the lesson's starter or solution in place of all files, that of
// the revision which the draft began with.
func (s *Site) replace(c *call, id string, base int64, kind string) (classroom.Project, error) {
	l, err := s.mineByID(c, id)
	if err != nil {
		return classroom.Project{}, err
	}
	if l == nil {
		return classroom.Project{}, fail(http.StatusNotFound, "This project belongs to no lesson.")
	}
	files := classroom.Files(l.Starter)
	if kind == classroom.KindSolve {
		if files = l.Solution; files == nil {
			return classroom.Project{}, fail(http.StatusNotFound, "This lesson has no solution to show.")
		}
	}
	settings := lessonSettings(l)
	archive, err := l.Archive()
	if err != nil {
		return classroom.Project{}, err
	}
	return s.config.Store.Save(c.r.Context(), c.session.workspace.ID, id, classroom.Change{
		Base: base, Files: files, Kind: kind, Title: &l.Title, Settings: &settings, Lesson: l.ID, LessonRevision: l.Hash, Archive: archive,
		Slug: s.slug(c.session.workspace.ID, id),
	})
}

// projectSolution gives the files of the lesson's solution that differ from its starter.
func (s *Site) projectSolution(c *call) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	l, err := s.mineByID(c, id)
	if err != nil {
		return err
	}
	if l == nil || l.Solution == nil {
		return fail(http.StatusNotFound, "There is no solution to show.")
	}
	differ := classroom.Files{}
	for _, d := range l.Diff {
		if data, ok := l.Solution[d.Path]; ok {
			differ[d.Path] = data
		}
	}
	text, binary := split(differ)
	return c.json(http.StatusOK, projectJSON{Files: text, Binary: binary})
}

func (s *Site) projectRuns(c *call) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	runs, err := s.config.Store.Runs(c.r.Context(), c.session.workspace.ID, id, classroom.KeepRuns)
	if err != nil {
		return err
	}
	if runs == nil {
		runs = []classroom.Run{}
	}
	return c.json(http.StatusOK, runs)
}
