package web

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"coldstart/lessons"
	"coldstart/web/classroom"
	"coldstart/web/live"
)

// lessonRun is Run without scripts: it saves the form's files, runs them, and
// sends the browser to the lesson with the result in it.
func (s *Site) lessonRun(c *call) error {
	l, form, err := s.lessonForm(c)
	if err != nil {
		return err
	}
	spec, err := formSpec(form)
	if err != nil {
		return err
	}
	if err := s.allowRun(c); err != nil {
		return err
	}
	p, err := s.saveForm(c, l, form)
	if err != nil {
		return err
	}
	runs, err := s.hub.Run(context.WithoutCancel(c.r.Context()), live.Key(p), spec)
	if err != nil {
		return err
	}
	return c.seeOther(lessonURL(l, "run", runs[len(runs)-1].ID, "result"))
}

// formSpec is the run that the request builder's form asks for.
func formSpec(form url.Values) (live.RunSpec, error) {
	spec := live.RunSpec{ID: "f" + classroom.NewID(9), Request: live.Request{
		Method: form.Get("method"), Path: form.Get("path"), Body: unixLines(form.Get("body")),
	}}
	switch times := form.Get("times"); times {
	case "":
	case "cold20":
		spec.Cold, spec.Times = true, 20
	case "warm20":
		spec.Times = 20
	default:
		return spec, fail(http.StatusBadRequest, "A run is repeated as cold20 or warm20.")
	}
	var err error
	spec.Request.Headers, err = headerLines(form.Get("headers"))
	return spec, err
}

// lessonCheck runs the checks without scripts.
func (s *Site) lessonCheck(c *call) error {
	l, form, err := s.lessonForm(c)
	if err != nil {
		return err
	}
	if err := s.allowRun(c); err != nil {
		return err
	}
	p, err := s.saveForm(c, l, form)
	if err != nil {
		return err
	}
	if err := s.hub.Check(context.WithoutCancel(c.r.Context()), live.Key(p), "f"+classroom.NewID(9), 0); err != nil {
		return err
	}
	return c.seeOther(lessonURL(l, "tab", "checks", "panel-checks"))
}

func (s *Site) allowRun(c *call) error {
	if wait, ok := s.hub.Allow(c.session.workspace.ID); !ok {
		return &Error{
			Status: http.StatusTooManyRequests, Retry: int(math.Ceil(wait.Seconds())),
			Message: "That is more runs than one learner may start at a time. Wait a moment.",
		}
	}
	return nil
}

func (s *Site) lessonForm(c *call) (*lessons.Lesson, url.Values, error) {
	l, err := c.lesson()
	if err != nil {
		return nil, nil, err
	}
	form, err := c.form()
	return l, form, err
}

// saveForm stores the files that a lesson's form carries.
func (s *Site) saveForm(c *call, l *lessons.Lesson, form url.Values) (classroom.Project, error) {
	p, err := s.begin(c.r.Context(), c.session, l.ID)
	if err != nil {
		return p, err
	}
	return s.saveFiles(c, p, form)
}

// saveFiles stores the files that a form carries as fields "file:PATH". A form
// sends every line end as CR LF, so a file that differs only in those is the same.
func (s *Site) saveFiles(c *call, p classroom.Project, form url.Values) (classroom.Project, error) {
	files, changed := make(classroom.Files, len(p.Files)), false
	for name, data := range p.Files {
		files[name] = data
	}
	for field, values := range form {
		name, ok := strings.CutPrefix(field, "file:")
		if !ok {
			continue
		}
		text := []byte(unixLines(values[0]))
		if old, ok := files[name]; ok && bytes.Equal(bytes.ReplaceAll(old, []byte("\r\n"), []byte("\n")), text) {
			continue
		}
		files[name], changed = text, true
	}
	if !changed {
		return p, nil
	}
	if err := files.Check(s.sourceLimits()); err != nil {
		return p, err
	}
	p, err := s.config.Store.Save(c.r.Context(), c.session.workspace.ID, p.ID, classroom.Change{Base: classroom.AnyRevision, Files: files, Kind: classroom.KindEdit})
	if err == nil {
		s.saved(p)
	}
	return p, err
}

func unixLines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// headerLines reads "name: value" lines.
func headerLines(text string) ([][2]string, error) {
	var headers [][2]string
	for line := range strings.SplitSeq(unixLines(text), "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fail(http.StatusBadRequest, "The header line %q has no colon. Write name: value.", printable(line[:min(len(line), 60)]))
		}
		headers = append(headers, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return headers, nil
}

// lessonAnswer keeps an answer to a prediction or quiz.
func (s *Site) lessonAnswer(c *call) error {
	l, form, err := s.lessonForm(c)
	if err != nil {
		return err
	}
	if l, err = s.mine(c.r.Context(), c.session.workspace.ID, l); err != nil {
		return err
	}
	q := l.Question(form.Get("question"))
	if q == nil {
		return fail(http.StatusBadRequest, "The lesson has no such question. Load the page again.")
	}
	answer := form["answer"]
	if len(answer) > 100 || len(answer) == 0 && !q.Multiple {
		return fail(http.StatusBadRequest, "Choose an answer first.")
	}
	runs, err := s.config.Store.Runs(c.r.Context(), c.session.workspace.ID, l.ID, classroom.KeepRuns)
	if err != nil {
		return err
	}
	labs, err := s.labsOf(c.r.Context(), c.session.workspace.ID, l.ID)
	if err != nil {
		return err
	}
	grade, err := q.Grade(answer, lookup(figures(runs), labs.numbers()))
	if err != nil {
		return &Error{Status: http.StatusBadRequest, Message: "That is not an answer to this question. Choose one of those offered, or write one number.", Err: err}
	}
	if err := s.config.Store.SaveAnswer(c.r.Context(), c.session.workspace.ID, l.ID, q.ID, answer, grade.Right && grade.Known); err != nil {
		return err
	}
	s.touched(c.session.workspace.ID, l.ID)
	if c.wantsJSON() {
		return c.json(http.StatusOK, map[string]bool{"right": grade.Right, "known": grade.Known})
	}
	return c.seeOther(lessonURL(l, "", "", q.ID))
}

// lessonHint notes that a hint is open.
func (s *Site) lessonHint(c *call) error {
	l, form, err := s.lessonForm(c)
	if err != nil {
		return err
	}
	if l, err = s.mine(c.r.Context(), c.session.workspace.ID, l); err != nil {
		return err
	}
	task, err1 := strconv.Atoi(form.Get("task"))
	n, err2 := strconv.Atoi(form.Get("hint"))
	known := false
	for _, h := range l.Hints {
		known = known || h.Task == task && h.N == n
	}
	if err1 != nil || err2 != nil || !known {
		return fail(http.StatusBadRequest, "The lesson has no such hint. Load the page again.")
	}
	if err := s.config.Store.OpenHint(c.r.Context(), c.session.workspace.ID, l.ID, task, n); err != nil {
		return err
	}
	s.touched(c.session.workspace.ID, l.ID)
	if c.wantsJSON() {
		return c.json(http.StatusOK, map[string]int{"task": task, "open": n})
	}
	return c.seeOther(lessonURL(l, "", "", "task-"+strconv.Itoa(task)))
}

func (s *Site) lessonReset(c *call) error { return s.lessonReplace(c, classroom.KindReset) }
func (s *Site) lessonSolve(c *call) error { return s.lessonReplace(c, classroom.KindSolve) }

func (s *Site) lessonReplace(c *call, kind string) error {
	l, err := c.lesson()
	if err != nil {
		return err
	}
	if _, err := s.begin(c.r.Context(), c.session, l.ID); err != nil { // so that undo has where to go back to
		return err
	}
	return s.lessonStep(c, lessonURL(l, "", "", "code"), func() (classroom.Project, error) {
		return s.replace(c, l.ID, classroom.AnyRevision, kind)
	})
}

// lessonUpdate takes a lesson's new revision and leaves the learner's files as
// they are; files that are new in the starter are added. Undo goes back.
func (s *Site) lessonUpdate(c *call) error {
	l, err := c.lesson()
	if err != nil {
		return err
	}
	return s.lessonStep(c, lessonURL(l, "updated", "1", "lesson"), func() (classroom.Project, error) {
		ctx, workspace := c.r.Context(), c.session.workspace.ID
		p, err := s.config.Store.Project(ctx, workspace, l.ID, 0)
		if errors.Is(err, classroom.ErrNotFound) {
			return p, fail(http.StatusNotFound, "You have not begun this lesson, so it is the new one already.")
		}
		if err != nil {
			return p, err
		}
		files := maps.Clone(classroom.Files(l.Starter))
		maps.Copy(files, p.Files)
		if err := files.Check(s.sourceLimits()); err != nil {
			return p, err
		}
		settings := p.Settings
		settings.Limits = lessonSettings(l).Limits
		archive, err := l.Archive()
		if err != nil {
			return p, err
		}
		return s.config.Store.Save(ctx, workspace, l.ID, classroom.Change{
			Base: p.Revision, Files: files, Kind: classroom.KindUpdate, Title: &l.Title, Settings: &settings, LessonRevision: l.Hash, Archive: archive,
		})
	})
}

func (s *Site) lessonUndo(c *call) error {
	l, err := c.lesson()
	if err != nil {
		return err
	}
	return s.lessonStep(c, lessonURL(l, "", "", "code"), func() (classroom.Project, error) { return s.undo(c, l.ID, classroom.AnyRevision) })
}

func (s *Site) lessonStep(c *call, to string, do func() (classroom.Project, error)) error {
	p, err := do()
	if err != nil {
		return err
	}
	s.saved(p)
	return c.seeOther(to)
}
