package view

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"coldstart/lessons"
	"coldstart/sandbox/trace"
)

// Learned is what a learner did in one lesson, as its page shows it. The zero
// value is a newcomer's.
type Learned struct {
	Answers  map[string]Answer     // by question id
	Tasks    map[int]TaskResult    // by number
	Hints    map[int]int           // opened so far, by task; 0 for those before the first task
	Measures map[string]int64      // figures of the learner's own runs, in µs by name: cold.p50
	Figures  map[string]string     // figures that are no times, ready to be shown: iso.each
	Took     map[string][]Measured // per option of a prediction, what the learner's runs measured, by question id
	// Lab is a lab with the lesson's values for its fields, nil for one that is
	// not there. Itself nil: none is.
	Lab func(name string, values map[string]string) *Lab
}

// Answer is one answered question.
type Answer struct {
	Given []string // as posted: see lessons.Question.Grade
	Grade lessons.Grade
}

// TaskResult is how a task stands.
type TaskResult struct {
	State   CheckState
	Message string
}

// Measured is one figure with its temperature.
type Measured struct {
	Took int64 // µs; 0 for none
	Temp trace.Temperature
}

// Parts turns a lesson's text into the parts of its page.
func Parts(t *lessons.Text, by Learned) []Part {
	var parts []Part
	var task *Task // the newest: hints of its number go into it
	for _, piece := range t.Pieces {
		switch piece.Kind {
		case lessons.PieceProse:
			parts = append(parts, Part{HTML: fillMeasures(piece.HTML, by)})
		case lessons.PieceTask:
			task = taskOf(piece.Task, by)
			parts = append(parts, Part{Task: task})
		case lessons.PieceHint:
			hint := Hint{N: piece.Hint.N, HTML: fillMeasures(piece.Hint.HTML, by), Open: piece.Hint.N <= by.Hints[piece.Hint.Task]}
			into := &parts
			if task != nil && piece.Hint.Task == task.N {
				into = &task.Parts
			}
			if last := len(*into) - 1; last >= 0 && (*into)[last].Hints != nil {
				(*into)[last].Hints = append((*into)[last].Hints, hint)
			} else {
				*into = append(*into, Part{Hints: []Hint{hint}})
			}
		case lessons.PieceQuestion:
			parts = append(parts, Part{Question: questionOf(piece.Question, by)})
		case lessons.PieceLab:
			parts = append(parts, Part{Lab: labOf(piece.Lab, by)})
		}
	}
	if len(parts) > 0 {
		parts[0].HTML = lead(parts[0].HTML)
	}
	for i := range parts {
		lastHint(parts[i].Hints)
		if parts[i].Task != nil {
			for _, p := range parts[i].Task.Parts {
				lastHint(p.Hints)
			}
		}
	}
	return parts
}

// termCard is the explanation beside a term of the glossary; it holds no other span.
var termCard = regexp.MustCompile(`<span class="term_card".*?</span>`)

// lead sets the first paragraph of a lesson in larger type when it is one short sentence.
func lead(h HTML) HTML {
	first, rest, ok := strings.Cut(string(h), "</p>")
	body, isParagraph := strings.CutPrefix(strings.TrimSpace(first), "<p>")
	if !ok || !isParagraph || len([]rune(plain(HTML(termCard.ReplaceAllString(body, ""))))) > 90 {
		return h
	}
	return HTML(`<p class="lesson_lead">` + body + "</p>" + rest)
}

// lastHint says of the last of several hints that it gives nearly all away.
func lastHint(hs []Hint) {
	if len(hs) > 1 {
		hs[len(hs)-1].Note = "nearly the answer"
	}
}

func taskOf(t *lessons.Task, by Learned) *Task {
	task := &Task{N: t.N, Title: HTML(t.Title), Points: t.Points, Parts: []Part{{HTML: fillMeasures(t.Body, by)}}}
	if got, ok := by.Tasks[t.N]; ok {
		task.State, task.Message = got.State, got.Message
		if got.State == CheckFailed {
			task.Href = fmt.Sprintf("#check-%d", t.N)
		}
	}
	return task
}

func questionOf(q *lessons.Question, by Learned) *Question {
	out := &Question{
		ID: q.ID, Quiz: !q.Predict, Kind: QuestionKind(q.Kind), Ask: HTML(q.Ask), Multiple: q.Multiple,
		Unit: q.Unit, Axis: q.Axis, Log: q.Log,
	}
	if q.Kind == lessons.Mark {
		out.Min, out.Max = q.From, q.To
	}
	for _, p := range q.Partners {
		out.Targets = append(out.Targets, plain(HTML(p)))
	}
	answer, answered := by.Answers[q.ID]
	for _, i := range q.Shown() {
		o := Option{Value: strconv.Itoa(i), Label: HTML(q.Options[i].HTML)}
		if answered {
			answerOption(&o, q, i, answer)
			if took := by.Took[q.ID]; i < len(took) {
				o.Took, o.Temp = took[i].Took, took[i].Temp
			}
		}
		out.Options = append(out.Options, o)
	}
	if answered {
		out.Want = answer.Grade.Want
		out.Answered, out.Right, out.Says = true, answer.Grade.Right, HTML(q.Why)
		switch {
		case !answer.Grade.Known:
			out.Waits, out.Says = true, "<p>Kept. Your own runs will tell.</p>"
		case q.Measure != "":
			out.Says = HTML("<p>Measured here: "+escape(strings.TrimSpace(measured(answer.Grade.Want)+" "+q.Unit))+".</p>") + out.Says
		}
		if len(answer.Given) == 1 {
			out.Value = answer.Given[0]
		}
	}
	return out
}

// answerOption fills in what was answered for option i and what came of it.
func answerOption(o *Option, q *lessons.Question, i int, a Answer) {
	index := strconv.Itoa(i)
	part := i < len(a.Grade.Parts) && a.Grade.Parts[i]
	switch q.Kind {
	case lessons.Choice:
		o.Chosen = slices.Contains(a.Given, index)
		switch {
		case o.Chosen && q.Options[i].Right:
			o.Verdict = "right"
		case o.Chosen:
			o.Verdict = "wrong"
		case q.Options[i].Right && (q.Multiple || q.Predict):
			o.Verdict = "missed"
		}
		if o.Chosen || a.Grade.Right {
			o.Why = HTML(q.Options[i].Why)
		}
	case lessons.Order:
		o.Place = slices.Index(a.Given, index) + 1
		o.Verdict = "wrong"
		if place := o.Place - 1; place >= 0 && place < len(a.Grade.Parts) && a.Grade.Parts[place] {
			o.Verdict = "right"
		}
	case lessons.Match:
		if i < len(a.Given) {
			if k, err := strconv.Atoi(a.Given[i]); err == nil && k >= 0 && k < len(q.Partners) {
				o.Target = plain(HTML(q.Partners[k]))
			}
		}
		o.Verdict = "wrong"
		if part {
			o.Verdict = "right"
		}
	}
}

func labOf(l *lessons.Lab, by Learned) *Lab {
	lab := &Lab{LabInfo: LabInfo{ID: l.Name, Title: capital(l.Name)}}
	if by.Lab != nil {
		if here := by.Lab(l.Name, l.Args); here != nil {
			lab = here
		}
	}
	lab.Config, lab.Fallback = jsonText(l.Args), HTML(l.HTML)
	return lab
}

var measureSpan = regexp.MustCompile(`<span class="measure( cold| warm)?" data-measure="([^"]+)">([^<]*)</span>`)

// fillMeasures puts the learner's own figures where a lesson asks for them. What
// is not measured yet has no temperature: its span is plain, and keeps the class
// that its figure will have in data-temp.
func fillMeasures(h lessons.HTML, by Learned) HTML {
	if !strings.Contains(string(h), "data-measure") {
		return HTML(h)
	}
	return HTML(measureSpan.ReplaceAllStringFunc(string(h), func(span string) string {
		m := measureSpan.FindStringSubmatch(span)
		temp, name, text := m[1], m[2], m[3]
		if us, ok := by.Measures[name]; ok {
			text = Duration(us)
		} else if figure, ok := by.Figures[name]; ok {
			text = escape(figure)
		} else {
			return fmt.Sprintf(`<span class="measure" data-temp="%s" data-measure="%s">%s</span>`, strings.TrimSpace(temp), name, text)
		}
		return fmt.Sprintf(`<span class="measure%s" data-measure="%s">%s</span>`, temp, name, text)
	}))
}

// Sources turns a lesson's source notes into the list at its end.
func Sources(notes []lessons.Source) []Source {
	var out []Source
	for _, n := range notes {
		out = append(out, Source{ID: "source-" + n.ID, Text: n.Text, Date: n.Date, Href: n.URL})
	}
	return out
}

// Diffs turns a lesson's solution into what its page shows.
func Diffs(files []lessons.FileDiff) []Diff {
	var out []Diff
	for _, f := range files {
		d := Diff{Path: f.Path, Added: f.Added, Removed: f.Removed}
		for _, l := range f.Lines {
			n := l.New
			if l.Op == '-' {
				n = l.Old
			}
			d.Lines = append(d.Lines, DiffLine{Op: l.Op, N: n, Text: l.Text})
		}
		out = append(out, d)
	}
	return out
}

// Tracks turns the catalog into the tracks of the home page. state is asked for
// each lesson that exists and may set its State, Part, Cold and Warm; nil for a newcomer.
func Tracks(c *lessons.Catalog, state func(*lessons.Lesson, *LessonRow)) []Track {
	var out []Track
	for _, t := range c.Tracks {
		track := Track{ID: t.Slug, Title: t.Title, Summary: t.Summary}
		for _, e := range t.Entries {
			row := LessonRow{Title: e.Title, Challenge: e.Kind == "challenge", State: Coming}
			if e.Lesson != nil {
				row.Href, row.Minutes, row.State = e.Lesson.URL(), e.Lesson.Minutes, Unseen
				if state != nil {
					state(e.Lesson, &row)
				}
			}
			track.Lessons = append(track.Lessons, row)
		}
		out = append(out, track)
	}
	return out
}

// LessonText fills in everything of a lesson page that comes from the lesson
// itself: names, place in the track, parts, sources, starter, solution, request.
// t is its text in the learner's language. The caller adds the learner's own:
// Shell, project, files, result, actions.
func LessonText(c *lessons.Catalog, l *lessons.Lesson, by Learned, t *lessons.Text) LessonPage {
	p := LessonPage{
		Shell: Shell{Title: t.Title, Description: t.Summary, Lang: t.Lang},
		ID:    l.ID, Track: Link{Text: l.Track.Title, Href: "/#" + l.Track.Slug}, Title: t.Title,
		Number: l.Number, Minutes: l.Minutes, Challenge: l.Kind == "challenge",
		Parts: Parts(t, by), Sources: Sources(t.Notes), Open: l.Open, Solution: Diffs(l.Diff),
		Request: Request{Method: l.Request.Method, Path: l.Request.Path, Headers: l.Request.Headers, Body: l.Request.Body},
		Starter: map[string]string{},
	}
	for _, e := range l.Track.Entries {
		if e.Kind == l.Kind {
			p.Of++
		}
	}
	for name, data := range l.Starter {
		if utf8.Valid(data) { // other files are part of the project, not of the editor
			p.Starter[name] = string(data)
		}
	}
	if prev, next := c.Around(l); prev != nil || next != nil {
		p.Previous, p.Next = turn(prev, t.Lang), turn(next, t.Lang)
	}
	return p
}

func turn(l *lessons.Lesson, lang string) *Link {
	if l == nil {
		return nil
	}
	return &Link{Text: l.In(lang).Title, Href: l.URL()}
}

// FilesOf lists a draft's text files in the order of their tabs: the one that
// opens first, then code by path, then configuration. fault marks where a run
// stopped; nil for nowhere.
func FilesOf(files map[string][]byte, open string, fault *trace.Fault) []File {
	var out []File
	for name, data := range files {
		if !utf8.Valid(data) {
			continue
		}
		f := File{Path: name, Text: string(data)}
		if fault != nil && len(fault.Frames) > 0 && fault.Frames[0].File == name {
			f.Fault = &fault.Frames[0]
		}
		out = append(out, f)
	}
	rank := func(f File) int {
		switch {
		case f.Path == open:
			return 0
		case strings.HasSuffix(f.Path, ".json"), strings.HasSuffix(f.Path, ".jsonc"), strings.HasSuffix(f.Path, ".toml"):
			return 2
		}
		return 1
	}
	slices.SortFunc(out, func(a, b File) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a.Path, b.Path)
	})
	return out
}
