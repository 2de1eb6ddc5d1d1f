package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"coldstart/lessons"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/live"
	"coldstart/web/view"
)

// lesson is the one that the address names.
func (c *call) lesson() (*lessons.Lesson, error) {
	track, slug := c.param("track"), c.param("lesson")
	catalog := c.site.catalog.Load()
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
	lesson  *lessons.Lesson
	text    *lessons.Text
	project classroom.Project
	checks  []classroom.Check
	answers map[string]classroom.Answer
	hints   map[int]int
	runs    []classroom.Run // newest first
	figures map[string]int64
}

func (s *Site) studying(c *call) (studying, error) {
	l, err := c.lesson()
	if err != nil {
		return studying{}, err
	}
	x := studying{lesson: l, text: l.In(languages(c.r.Header.Get("Accept-Language"))...), project: s.starter(c.session, l)}
	if !c.session.stored {
		return x, nil
	}
	ctx, store, workspace := c.r.Context(), s.config.Store, c.session.workspace.ID
	p, err := store.Project(ctx, workspace, l.ID, 0)
	switch {
	case err == nil:
		x.project = p
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
	x.figures = figures(x.runs)
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
	p := view.LessonPage{
		Shell: c.shell(), ID: l.ID, Project: l.ID, Slug: x.project.Slug, Revision: x.project.Revision,
		Track: view.Link{Text: l.Track.Title, Href: "/#" + l.Track.Slug}, Title: x.text.Title, Number: l.Number, Of: siblings(l),
		Minutes: l.Minutes, Challenge: l.Kind == "challenge", Parts: x.parts(), Open: l.Open,
		Request: request(l.Request.Method, l.Request.Path, l.Request.Headers, l.Request.Body),
		Public:  s.base(c.r) + "/w/" + x.project.Slug, Actions: actions(l), Limits: limitsOf(l),
	}
	p.Description, p.Lang = x.text.Summary, x.text.Lang
	if x.project.Revision > 0 && x.project.LessonRevision != l.Hash {
		p.Banner = "This lesson was updated since you began. Your files are as you left them; Reset takes the new ones."
	}
	prev, next := s.catalog.Load().Around(l)
	p.Previous, p.Next = turn(prev), turn(next)
	p.Starter, p.Files = texts(l.Starter), x.files()
	for _, d := range l.Diff {
		p.Solution = append(p.Solution, diff(d))
	}
	p.Result = s.result(c, x, q.Get("run"))
	if tab := q.Get("tab"); slices.Contains([]string{"response", "logs", "timeline", "isolate", "checks"}, tab) {
		p.Result.Tab = tab
	}
	if run := p.Result.Run; run != nil {
		if f := run.Summary.Fault; f != nil && len(f.Frames) > 0 {
			for i := range p.Files {
				if p.Files[i].Path == f.Frames[0].File {
					p.Files[i].Fault = &f.Frames[0]
				}
			}
		}
		if chosen := x.run(q.Get("run")); chosen != nil {
			p.Request = request(chosen.Method, chosen.Path, chosen.Headers, chosen.Sent)
			p.Words = words(run)
		}
	}
	return c.page(http.StatusOK, view.Lesson(p))
}

func request(method, path string, headers [][2]string, body string) view.Request {
	return view.Request{Method: method, Path: path, Headers: headers, Body: body}
}

func siblings(l *lessons.Lesson) (n int) {
	for _, e := range l.Track.Entries {
		if e.Kind == l.Kind {
			n++
		}
	}
	return n
}

func turn(l *lessons.Lesson) *view.Link {
	if l == nil {
		return nil
	}
	return &view.Link{Text: l.Title, Href: l.URL()}
}

func actions(l *lessons.Lesson) view.Actions {
	at := l.URL()
	return view.Actions{
		Run: at + "/run", Check: at + "/check", Answer: at + "/answer", Reset: at + "/reset", Solve: at + "/solve",
		Save: "/api/projects/" + l.ID, Live: "/api/live",
	}
}

// limitsOf are a lesson's limits with the defaults filled in.
func limitsOf(l *lessons.Lesson) trace.Limits {
	out := trace.Default()
	if l.Limits.CPU > 0 {
		out.CPU = l.Limits.CPU
	}
	if l.Limits.Wall > 0 {
		out.Wall = l.Limits.Wall
	}
	if l.Limits.Memory > 0 {
		out.Memory = l.Limits.Memory
	}
	return out
}

// texts are the files that a page can show and edit.
func texts(files map[string][]byte) map[string]string {
	out := make(map[string]string, len(files))
	for name, data := range files {
		if utf8.Valid(data) {
			out[name] = string(data)
		}
	}
	return out
}

// files are the tabs: the one that is open first leads, the others follow by name.
func (x studying) files() []view.File {
	var out []view.File
	for _, name := range x.project.Files.Names() {
		if data := x.project.Files[name]; utf8.Valid(data) {
			out = append(out, view.File{Path: name, Text: string(data)})
		}
	}
	slices.SortStableFunc(out, func(a, b view.File) int {
		switch x.lesson.Open {
		case a.Path:
			return -1
		case b.Path:
			return 1
		}
		return 0
	})
	return out
}

func diff(d lessons.FileDiff) view.Diff {
	out := view.Diff{Path: d.Path, Added: d.Added, Removed: d.Removed}
	for _, line := range d.Lines {
		n := line.New
		if line.Op == '-' {
			n = line.Old
		}
		out.Lines = append(out.Lines, view.DiffLine{Op: line.Op, N: n, Text: line.Text})
	}
	return out
}

// parts arranges the lesson's pieces: a task holds its text and its hints.
func (x studying) parts() []view.Part {
	var parts []view.Part
	var task *view.Task
	for _, piece := range x.text.Pieces {
		switch piece.Kind {
		case lessons.PieceProse:
			parts = append(parts, view.Part{HTML: x.fill(piece.HTML)})
		case lessons.PieceTask:
			task = x.task(piece.Task)
			parts = append(parts, view.Part{Task: task})
		case lessons.PieceHint:
			into := &parts
			if task != nil && piece.Hint.Task == task.N {
				into = &task.Parts
			}
			hint := view.Hint{N: piece.Hint.N, HTML: x.fill(piece.Hint.HTML), Open: piece.Hint.N <= x.hints[piece.Hint.Task]}
			if n := len(*into); n > 0 && len((*into)[n-1].Hints) > 0 {
				(*into)[n-1].Hints = append((*into)[n-1].Hints, hint)
			} else {
				*into = append(*into, view.Part{Hints: []view.Hint{hint}})
			}
		case lessons.PieceQuestion:
			parts = append(parts, view.Part{Question: x.question(piece.Question)})
		case lessons.PieceLab:
			config, err := json.Marshal(piece.Lab.Args)
			if err != nil {
				panic("web: lab arguments cannot be encoded: " + err.Error()) // strings only
			}
			parts = append(parts, view.Part{Lab: &view.Lab{ID: piece.Lab.Name, Config: string(config), Fallback: x.fill(piece.Lab.HTML)}})
		}
	}
	return parts
}

func (x studying) task(t *lessons.Task) *view.Task {
	out := &view.Task{N: t.N, Title: x.fill(t.Title), Points: t.Points}
	if t.Body != "" {
		out.Parts = append(out.Parts, view.Part{HTML: x.fill(t.Body)})
	}
	for _, c := range x.checks {
		if c.Task != t.N {
			continue
		}
		if !c.Passed {
			out.State, out.Href, out.Message = view.CheckFailed, "#check-"+strconv.Itoa(t.N), detail(c).Message
			break
		}
		out.State = view.CheckPassed
	}
	return out
}

// detail is what a check said when it ran.
func detail(c classroom.Check) live.CheckEvent {
	var e live.CheckEvent
	if json.Unmarshal(c.Detail, &e) != nil {
		return live.CheckEvent{} // of an older form; the verdict itself is in its own column
	}
	return e
}

var markup = regexp.MustCompile(`<[^>]*>`)

// plain is markup as text.
func plain(h lessons.HTML) string {
	return html.UnescapeString(markup.ReplaceAllString(string(h), ""))
}

func (x studying) question(q *lessons.Question) *view.Question {
	a, answered := x.answers[q.ID]
	out := &view.Question{ID: q.ID, Quiz: !q.Predict, Kind: view.QuestionKind(q.Kind), Ask: x.fill(q.Ask), Multiple: q.Multiple, Unit: q.Unit, Answered: answered}
	if q.Kind == lessons.Mark {
		out.Min, out.Max = q.From, q.To
	}
	for _, partner := range q.Partners {
		out.Targets = append(out.Targets, plain(partner))
	}
	if answered {
		out.Right, out.Says = a.Correct, x.fill(q.Why)
		if (q.Kind == lessons.Number || q.Kind == lessons.Mark) && len(a.Answer) == 1 {
			out.Value = a.Answer[0]
		}
	}
	for _, i := range q.Shown() {
		o := view.Option{Value: strconv.Itoa(i), Label: x.fill(q.Options[i].HTML)}
		if answered {
			x.judge(&o, q, i, a.Answer)
		}
		out.Options = append(out.Options, o)
	}
	return out
}

// judge puts the learner's answer and its verdict on one option.
func (x studying) judge(o *view.Option, q *lessons.Question, i int, answer []string) {
	option := q.Options[i]
	right := false
	switch q.Kind {
	case lessons.Choice:
		o.Chosen = slices.Contains(answer, o.Value)
		switch {
		case o.Chosen && option.Right:
			o.Verdict = "right"
		case o.Chosen:
			o.Verdict = "wrong"
		case option.Right:
			o.Verdict = "missed"
		}
		if o.Chosen || option.Right {
			o.Why = x.fill(option.Why)
		}
		return
	case lessons.Order:
		o.Place = slices.Index(answer, o.Value) + 1
		right = o.Place == i+1
	case lessons.Match:
		if i < len(answer) {
			if n, err := strconv.Atoi(answer[i]); err == nil && n >= 0 && n < len(q.Partners) {
				o.Target, right = plain(q.Partners[n]), n == option.Partner
			}
		}
	}
	o.Why, o.Verdict = x.fill(option.Why), "wrong"
	if right {
		o.Verdict = "right"
	}
}

var measured = regexp.MustCompile(`(<span class="measure[^"]*" data-measure="([a-z0-9_.]+)">)` + lessons.MeasureText + `(</span>)`)

// fill puts the learner's own figures where a lesson's text asks for them.
func (x studying) fill(h lessons.HTML) view.HTML {
	return view.HTML(measured.ReplaceAllStringFunc(string(h), func(span string) string {
		m := measured.FindStringSubmatch(span)
		if us, ok := x.figures[m[2]]; ok {
			return m[1] + html.EscapeString(duration(us)) + m[3]
		}
		return span
	}))
}

// duration writes microseconds as a person reads them.
func duration(us int64) string {
	switch {
	case us < 1000:
		return fmt.Sprintf("%d µs", us)
	case us < 10_000:
		return fmt.Sprintf("%.2f ms", float64(us)/1e3)
	case us < 1_000_000:
		return fmt.Sprintf("%.1f ms", float64(us)/1e3)
	}
	return fmt.Sprintf("%.2f s", float64(us)/1e6)
}

// lessonURL is the lesson's page with something to show.
func lessonURL(l *lessons.Lesson, key, value, fragment string) string {
	u := l.URL()
	if key != "" {
		u += "?" + url.Values{key: {value}}.Encode()
	}
	return u + "#" + fragment
}
