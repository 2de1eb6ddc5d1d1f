package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"coldstart/lessons"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/live"
	"coldstart/web/view"
)

// lesson is the one that the address names.
func (c *call) lesson() (*lessons.Lesson, error) {
	track, slug := c.param("track"), c.param("lesson")
	catalog, err := c.site.catalogFor(c.r.Context(), c.session)
	if err != nil {
		return nil, err
	}
	if catalog.Lesson(track, slug) == nil {
		again, err := c.site.setsAgain(c.r.Context(), track)
		if err == nil && again {
			catalog, err = c.site.catalogFor(c.r.Context(), c.session)
		}
		if err != nil {
			return nil, err
		}
	}
	if l := catalog.Lesson(track, slug); l != nil {
		return l, nil
	}
	if t := catalog.Track(track); t != nil {
		for _, e := range t.Entries {
			if e.Slug == slug {
				return nil, &Error{Status: http.StatusNotFound, Heading: e.Title + " is not written yet", Message: "This lesson is planned. The home page lists those that are ready."}
			}
		}
	}
	return nil, fail(http.StatusNotFound, "There is no lesson at this address.")
}

// studying is everything a lesson page is drawn from.
type studying struct {
	lesson  *lessons.Lesson // in the revision that the draft began with
	present *lessons.Lesson
	text    *lessons.Text
	project classroom.Project
	checks  []classroom.Check
	answers map[string]classroom.Answer
	hints   map[int]int
	runs    []classroom.Run // newest first
	labs    labsOf
}

func (s *Site) studying(c *call) (studying, error) {
	l, err := c.lesson()
	if err != nil {
		return studying{}, err
	}
	x := studying{lesson: l, present: l, labs: labsOf{s: s, project: l.ID}, project: s.starter(c.session, l)}
	langs := languages(c.r.Header.Get("Accept-Language"))
	if x.text = l.In(langs...); !c.session.stored {
		return x, nil
	}
	ctx, store, workspace := c.r.Context(), s.config.Store, c.session.workspace.ID
	p, err := store.Project(ctx, workspace, l.ID, 0)
	switch {
	case err == nil:
		x.project = p
		if x.lesson, err = s.begun(ctx, l, p.LessonRevision); err != nil {
			return x, err
		}
		x.text = x.lesson.In(langs...)
	case !errors.Is(err, classroom.ErrNotFound):
		return x, err
	}
	if x.checks, err = store.Checks(ctx, workspace, l.ID); err != nil {
		return x, err
	}
	if x.answers, err = store.Answers(ctx, workspace, l.ID); err != nil {
		return x, err
	}
	if x.hints, err = store.Hints(ctx, workspace, l.ID); err != nil {
		return x, err
	}
	if x.runs, err = store.Runs(ctx, workspace, l.ID, classroom.KeepRuns); err != nil {
		return x, err
	}
	if x.labs, err = s.labsOf(ctx, workspace, l.ID); err != nil {
		return x, err
	}
	return x, nil
}

// languages are the tags of an Accept-Language header in order; weights are
// ignored, as browsers send them falling.
func languages(header string) []string {
	var tags []string
	for entry := range strings.SplitSeq(header, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(entry), ";")
		if tag != "" && len(tag) < 20 && len(tags) < 10 {
			tags = append(tags, strings.ToLower(tag))
		}
	}
	return tags
}

// lessonPage draws a lesson with what the learner has done in it.
func (s *Site) lessonPage(c *call) error {
	x, err := s.studying(c)
	if err != nil {
		return err
	}
	l, q := x.lesson, c.r.URL.Query()
	catalog, err := s.catalogFor(c.r.Context(), c.session)
	if err != nil {
		return err
	}
	p := view.LessonText(catalog, l, x.learned(), x.text)
	description, lang := p.Description, p.Lang
	p.Shell = c.shell()
	p.Description, p.Lang = description, lang
	p.Project, p.Slug, p.Revision = l.ID, x.project.Slug, x.project.Revision
	p.Print = l.URL() + "/print"
	p.Public, p.Actions, p.Limits = s.base(c.r)+"/w/"+x.project.Slug, actions(l), s.limitsOf(l)
	p.Text = x.lesson.Hash
	if err := s.updateBanner(c.r.Context(), &p, x, q.Has("updated")); err != nil {
		return err
	}
	if err := s.inClass(c, &p); err != nil {
		return err
	}
	p.Keep = c.session.stored && p.Hand == nil && !teacher(c.session.workspace)
	p.Result = s.result(c, x, q.Get("run"))
	if tab := q.Get("tab"); slices.Contains([]string{"response", "logs", "timeline", "isolate", "checks"}, tab) {
		p.Result.Tab = tab
	}
	var fault *trace.Fault
	if run := p.Result.Run; run != nil {
		fault = run.Summary.Fault
		if chosen := x.run(q.Get("run")); chosen != nil {
			p.Request = request(chosen.Method, chosen.Path, chosen.Headers, chosen.Sent)
			p.Words = words(run)
		}
	}
	p.Files = view.FilesOf(x.project.Files, p.Open, fault)
	return c.page(http.StatusOK, view.Lesson(p))
}

func request(method, path string, headers [][2]string, body string) view.Request {
	return view.Request{Method: method, Path: path, Headers: headers, Body: body}
}

func actions(l *lessons.Lesson) view.Actions {
	at := l.URL()
	return view.Actions{
		Run: at + "/run", Check: at + "/check", Answer: at + "/answer", Reset: at + "/reset", Solve: at + "/solve", Undo: at + "/undo",
		Share: "/share", Save: "/api/projects/" + l.ID, Export: "/api/projects/" + l.ID + "/export.zip", Live: "/api/live",
	}
}

// limitsOf are a lesson's limits with the defaults filled in, as far as the host
// allows them; the defaults for no lesson.
func (s *Site) limitsOf(l *lessons.Lesson) trace.Limits {
	var asked trace.Limits
	if l != nil {
		asked = l.Limits
	}
	return asked.Clamp(s.config.Ceiling)
}

// learned is what the learner did in the lesson, as its page shows it.
func (x studying) learned() view.Learned {
	by := view.Learned{Answers: map[string]view.Answer{}, Tasks: map[int]view.TaskResult{}, Hints: x.hints, Measures: figures(x.runs), Figures: x.labs.figures()}
	by.Lab = func(name string, args map[string]string) *view.Lab {
		return x.labs.view(name, x.lesson.URL()+"/lab", args, nil)
	}
	numbers := x.labs.numbers()
	for _, q := range x.text.Questions {
		a, ok := x.answers[q.ID]
		if !ok {
			continue
		}
		grade, err := q.Grade(a.Answer, lookup(by.Measures, numbers))
		if err != nil {
			continue // the question has changed since: it is open again
		}
		by.Answers[q.ID] = view.Answer{Given: a.Answer, Grade: grade}
	}
	for _, c := range x.checks {
		if by.Tasks[c.Task].State == view.CheckFailed {
			continue
		}
		result := view.TaskResult{State: view.CheckPassed}
		if !c.Passed {
			result = view.TaskResult{State: view.CheckFailed, Message: detail(c).Message}
		}
		by.Tasks[c.Task] = result
	}
	return by
}

// detail is what a check said when it ran.
func detail(c classroom.Check) live.CheckEvent {
	var e live.CheckEvent
	if json.Unmarshal(c.Detail, &e) != nil {
		return live.CheckEvent{} // of an older form; the verdict itself is in its own column
	}
	return e
}

// lessonURL is the lesson's page with something to show.
func lessonURL(l *lessons.Lesson, key, value, fragment string) string {
	u := l.URL()
	if key != "" {
		u += "?" + url.Values{key: {value}}.Encode()
	}
	return u + "#" + fragment
}

// lookup finds a figure of the learner's own runs, in ms, or of labs by its name.
func lookup(own map[string]int64, numbers map[string]float64) func(string) (float64, bool) {
	return func(name string) (float64, bool) {
		if us, ok := own[name]; ok {
			return float64(us) / 1000, true
		}
		n, ok := numbers[name]
		return n, ok
	}
}
