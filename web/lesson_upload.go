package web

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"coldstart/lessons"
	"coldstart/lessons/check"
	"coldstart/web/bus"
	"coldstart/web/classroom"
	"coldstart/web/view"
)

// How long trying an upload may take, and after how long without a sign it is
// given up: its server has died.
const (
	uploadTime  = 10 * time.Minute
	uploadSign  = 5 * time.Second
	uploadStale = 30 * time.Second
)

// maxShownProblems is how many mistakes of an upload are kept for its page.
const maxShownProblems = 200

// The states of an upload.
const (
	uploadWaiting = "waiting" // for another one that is being tried
	uploadRunning = "running"
	uploadKept    = "kept"
	uploadRefused = "refused"
)

// upload is how an instructor's newest upload goes, as the store keeps it.
type upload struct {
	State    string            `json:"state"`
	File     string            `json:"file"`  // name of the archive
	Set      string            `json:"set"`   // id of the set that it makes or replaces
	Title    string            `json:"title"` // of the set, once kept
	Revision int64             `json:"revision,omitempty"`
	Lesson   string            `json:"lesson,omitempty"` // folder that is being tried
	Done     int               `json:"done"`             // lessons tried
	Total    int               `json:"total"`
	Checks   int               `json:"checks,omitempty"` // run on solutions
	Error    string            `json:"error,omitempty"`  // why it was refused, when that is not a problem with a place
	Problems []lessons.Problem `json:"problems,omitempty"`
	More     int               `json:"more,omitempty"` // problems beside those
}

func (u upload) ended() bool { return u.State == uploadKept || u.State == uploadRefused }

// uploadOf is an instructor's newest upload, nil without one. One whose server
// has gone is refused.
func (s *Site) uploadOf(ctx context.Context, owner string) (*upload, error) {
	kept, err := s.config.Store.LessonUpload(ctx, owner)
	if errors.Is(err, classroom.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var u upload
	if err := json.Unmarshal(kept.State, &u); err != nil {
		return nil, nil //nolint:nilerr,nilnil // of another version of the program: as if there was none
	}
	if !u.ended() && s.config.Now().Sub(kept.Changed) > uploadStale {
		u.State, u.Error = uploadRefused, "The server was stopped while it tried these lessons. Upload them again."
	}
	return &u, nil
}

// teachLessons is the page of an instructor's own lessons.
func (s *Site) teachLessons(c *call) error {
	return s.showLessonSets(c, http.StatusOK, "")
}

func (s *Site) showLessonSets(c *call, status int, wrong string) error {
	me := c.session.workspace.ID
	u, err := s.uploadOf(c.r.Context(), me)
	if err != nil {
		return err
	}
	p := view.LessonSetsPage{Shell: c.shell(), Error: wrong, Replace: c.r.URL.Query().Get("replace"), Most: classroom.MaxLessonSets}
	if u != nil {
		p.Upload = &view.LessonUpload{
			State: u.State, File: u.File, Title: u.Title, Revision: u.Revision, Lesson: u.Lesson, Done: u.Done, Total: u.Total, Checks: u.Checks, Error: u.Error, More: u.More,
		}
		for _, problem := range u.Problems {
			p.Upload.Problems = append(p.Upload.Problems, view.LessonProblem{Text: problem.String(), Error: problem.Error()})
		}
	}
	for _, set := range s.sets.shown.Load().sets {
		if set.Owner != me || !set.Removed.IsZero() {
			continue
		}
		row := view.LessonSet{ID: set.ID, Title: set.Title, Revision: set.Revision, Changed: set.Changed}
		for _, l := range set.catalog.Lessons() {
			row.Lessons = append(row.Lessons, view.Link{Text: l.Title, Href: l.URL()})
		}
		saved, err := s.config.Store.LessonSetRevisions(c.r.Context(), set.ID)
		if err != nil {
			return err
		}
		for n, at := range saved {
			row.Revisions = append(row.Revisions, view.LessonSetRevision{N: n, Saved: at})
		}
		slices.SortFunc(row.Revisions, func(a, b view.LessonSetRevision) int { return int(b.N - a.N) })
		p.Sets = append(p.Sets, row)
	}
	return c.page(status, view.LessonSets(p))
}

// teachUpload takes an archive of lessons and begins to try it.
func (s *Site) teachUpload(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	me := c.session.workspace.ID
	now, err := s.uploadOf(c.r.Context(), me)
	if err != nil {
		return err
	}
	if now != nil && !now.ended() {
		return s.showLessonSets(c, http.StatusConflict, "Your last upload is still being tried. Wait until it has ended.")
	}
	name, archive, err := c.archive()
	if err != nil {
		return err
	}
	if archive == nil {
		return s.showLessonSets(c, http.StatusUnprocessableEntity, "Choose a zip of lessons.")
	}
	set := classroom.LessonSet{ID: classroom.NewLessonSetID(), Owner: me}
	if id := form.Get("set"); id != "" {
		known, err := s.ownSet(c, id)
		if err != nil {
			return err
		}
		set = known.LessonSet
	}
	c.deed.Detail = strings.TrimSpace(set.Title + " " + set.ID)
	job := &uploading{s: s, ctx: context.WithoutCancel(c.r.Context()), id: classroom.NewID(12), set: set, upload: upload{State: uploadWaiting, File: name, Set: set.ID}}
	packed, size, err := unpackSet(archive)
	if err != nil {
		job.upload.State, job.upload.Error = uploadRefused, "It was not taken: "+err.Error()+"."
		if err := job.tell(); err != nil {
			return err
		}
		return c.seeOther("/teach/lessons")
	}
	job.set.Size = size
	if err := job.tell(); err != nil {
		return err
	}
	s.background(func() { job.run(packed) })
	return c.seeOther("/teach/lessons")
}

// archive is the zip of a form and its name, nil when none was chosen.
func (c *call) archive() (name string, data []byte, err error) {
	form := c.r.MultipartForm
	if form == nil || len(form.File["zip"]) == 0 || form.File["zip"][0].Size == 0 {
		return "", nil, nil
	}
	head := form.File["zip"][0]
	f, err := head.Open()
	if err != nil {
		return "", nil, err
	}
	data, err = io.ReadAll(f)
	if name = printable(head.Filename); len(name) > 100 {
		name = strings.ToValidUTF8(name[:97], "") + "…"
	}
	return name, data, errors.Join(err, f.Close())
}

// ownSet is the set of that id, if it is the caller's and not removed.
func (s *Site) ownSet(c *call, id string) (*loadedSet, error) {
	for _, set := range s.sets.shown.Load().sets {
		if set.ID == id && set.Owner == c.session.workspace.ID && set.Removed.IsZero() {
			return set, nil
		}
	}
	return nil, fail(http.StatusNotFound, "You have no such lessons. Load the page again.")
}

// teachNews is how the upload goes, for the page's script.
func (s *Site) teachNews(c *call) error {
	u, err := s.uploadOf(c.r.Context(), c.session.workspace.ID)
	if err != nil {
		return err
	}
	if u == nil {
		u = &upload{State: uploadRefused}
	}
	u.Problems = nil // the page is loaded again for them
	return c.json(http.StatusOK, u)
}

// teachArchive gives an instructor one revision of a set back.
func (s *Site) teachArchive(c *call) error {
	set, err := s.ownSet(c, c.param("set"))
	if err != nil {
		return err
	}
	n := set.Revision
	if asked := c.r.URL.Query().Get("revision"); asked != "" {
		if n, err = strconv.ParseInt(asked, 10, 64); err != nil {
			return fail(http.StatusBadRequest, "A revision is a number.")
		}
	}
	archive, err := s.config.Store.LessonSetArchive(c.r.Context(), set.ID, n)
	if errors.Is(err, classroom.ErrNotFound) {
		return fail(http.StatusNotFound, "That revision is not kept any more.")
	}
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="lessons-%s-%d.zip"`, set.ID, n))
	return c.send(http.StatusOK, "application/zip", archive)
}

// teachRemove takes a set back.
func (s *Site) teachRemove(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	set, err := s.ownSet(c, c.param("set"))
	if err != nil {
		return err
	}
	if form.Get("sure") != "yes" {
		return s.showLessonSets(c, http.StatusUnprocessableEntity, "Tick the box first: the lessons leave your classes.")
	}
	c.deed.Detail = set.Title + " " + set.ID
	if _, err := s.config.Store.RemoveLessonSet(c.r.Context(), c.session.workspace.ID, set.ID); err != nil {
		return err
	}
	if err := s.refreshSets(c.r.Context()); err != nil {
		return err
	}
	s.config.Bus.Publish(bus.Message{Topic: topicLessons, Text: set.ID})
	return c.seeOther("/teach/lessons")
}

// uploading is one upload on its way.
type uploading struct {
	s   *Site
	ctx context.Context // outlives the request, not the site
	id  string
	set classroom.LessonSet
	upload
}

// tell keeps how it goes.
func (j *uploading) tell() error {
	state, err := json.Marshal(j.upload)
	if err != nil {
		return err
	}
	return j.s.config.Store.SaveLessonUpload(j.ctx, j.set.Owner, classroom.LessonUpload{ID: j.id, State: state})
}

// run tries the lessons, one upload at a time, and keeps them when they are good.
func (j *uploading) run(packed []byte) {
	ctx, cancel := context.WithTimeoutCause(j.ctx, uploadTime, errors.New("trying them took more than 10 minutes; upload fewer lessons at once"))
	defer cancel()
	defer context.AfterFunc(j.s.ctx, cancel)()
	told := make(chan upload)
	done := make(chan error, 1)
	go func() { done <- j.try(ctx, packed, func(u upload) { told <- u }) }()
	tick := time.NewTicker(uploadSign)
	defer tick.Stop()
	for {
		select {
		case j.upload = <-told:
		case <-tick.C:
		case err := <-done:
			j.end(err)
			return
		}
		if err := j.tell(); err != nil {
			j.s.log.Error("how an upload goes was not kept", "error", err)
		}
	}
}

// end keeps how it ended.
func (j *uploading) end(err error) {
	var refused *refusedUpload
	switch {
	case err == nil:
	case errors.As(err, &refused):
		j.upload = refused.upload
	default:
		j.State = uploadRefused
		j.Error = "They could not be tried on our side. Upload them again in a while."
		if j.s.ctx.Err() != nil {
			j.Error = "The server was stopped while it tried these lessons. Upload them again."
		} else {
			j.s.log.Error("an upload was not tried", "error", err)
		}
	}
	if err := j.tell(); err != nil {
		j.s.log.Error("how an upload ended was not kept", "error", err)
	}
}

// refusedUpload is an upload that is not kept, by its own fault.
type refusedUpload struct{ upload }

func (*refusedUpload) Error() string { return "the upload is refused" }

func (j *uploading) refuse(u upload, why string) error {
	u.State, u.Error = uploadRefused, why
	return &refusedUpload{u}
}

// try reads, runs and keeps the lessons. What it tells of itself on the way and
// at the end is in the upload.
func (j *uploading) try(ctx context.Context, packed []byte, tell func(upload)) error {
	s, u := j.s, j.upload
	select {
	case s.sets.turn <- struct{}{}:
		defer func() { <-s.sets.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	u.State = uploadRunning
	tell(u)
	problems, err := s.config.ReadLessons(ctx, packed, j.set.ID)
	var costly *LessonsError
	if errors.As(err, &costly) {
		return j.refuse(u, costly.Message)
	}
	if err != nil {
		return err
	}
	if u.problems(problems) {
		return j.refuse(u, "")
	}
	files, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return err
	}
	catalog, _ := lessons.Config{Mark: j.set.ID, Ceiling: s.config.Ceiling}.Load(files)
	all := catalog.Lessons()
	if len(all) == 0 || len(all) > setLessons {
		return j.refuse(u, fmt.Sprintf("They are %d lessons; an upload has 1 to %d.", len(all), setLessons))
	}
	report, err := check.Lint(ctx, check.LintConfig{
		Door: s.config.Door, Learner: j.set.Owner, Lessons: files, Load: lessons.Config{Mark: j.set.ID, Ceiling: s.config.Ceiling},
		Progress: func(done, total int, lesson string) {
			u.Done, u.Total, u.Lesson = done, total, lesson
			tell(u)
		},
	})
	if err != nil && ctx.Err() != nil && s.ctx.Err() == nil {
		return j.refuse(u, "They were not kept: "+context.Cause(ctx).Error()+".")
	}
	if err != nil {
		return err
	}
	u.Done, u.Total, u.Lesson, u.Checks = len(all), len(all), "", report.Checks
	if u.problems(report.Problems) {
		return j.refuse(u, "")
	}
	var titles []string
	for _, t := range catalog.Tracks {
		titles = append(titles, t.Title)
	}
	set := j.set
	set.Title = clipTitle(strings.Join(titles, ", "))
	set, err = s.config.Store.SaveLessonSet(j.ctx, set, packed)
	if errors.Is(err, classroom.ErrCrowded) {
		return j.refuse(u, fmt.Sprintf("They were not kept: you have %d sets of lessons, the most there may be, or the server holds as many lessons as it can. Remove some.", classroom.MaxLessonSets))
	}
	if err != nil {
		return err
	}
	if err := s.refreshSets(j.ctx); err != nil {
		return err
	}
	s.config.Bus.Publish(bus.Message{Topic: topicLessons, Text: set.ID})
	u.State, u.Title, u.Revision = uploadKept, set.Title, set.Revision
	tell(u)
	return nil
}

func clipTitle(title string) string {
	if r := []rune(title); len(r) > 80 {
		return string(r[:79]) + "…"
	}
	return title
}

// problems takes what was found, and reports whether one of it is an error.
func (u *upload) problems(found []lessons.Problem) (broken bool) {
	u.Problems, u.More = found[:min(len(found), maxShownProblems)], max(0, len(found)-maxShownProblems)
	return slices.ContainsFunc(found, lessons.Problem.Error)
}

// LessonsError is an error of Config.ReadLessons that is the lessons' fault,
// with a sentence for whoever brought them.
type LessonsError struct{ Message string }

func (e *LessonsError) Error() string { return e.Message }
