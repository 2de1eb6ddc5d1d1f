package view

import (
	"strings"
	"testing"

	"coldstart/lessons"
	"coldstart/sandbox/trace"
)

func TestPartsOfALesson(t *testing.T) {
	text := &lessons.Text{Pieces: []lessons.Piece{
		{Kind: lessons.PieceProse, HTML: `<p>Somebody goes first.</p><p>Cold is <span class="measure cold" data-measure="cold.p50">not measured yet</span>, one more costs <span class="measure" data-measure="iso.each">not measured yet</span>.</p>`},
		{Kind: lessons.PieceTask, Task: &lessons.Task{N: 1, Title: "One", Body: "<p>Do it.</p>", Points: 40}},
		{Kind: lessons.PieceHint, Hint: &lessons.Hint{N: 1, Task: 1, HTML: "<p>a</p>"}},
		{Kind: lessons.PieceHint, Hint: &lessons.Hint{N: 2, Task: 1, HTML: "<p>b</p>"}},
		{Kind: lessons.PieceProse, HTML: "<h2>Look closer</h2>"},
		{Kind: lessons.PieceHint, Hint: &lessons.Hint{N: 1, HTML: "<p>c</p>"}},
	}}
	parts := Parts(text, Learned{
		Tasks: map[int]TaskResult{1: {State: CheckFailed, Message: "Expected 7."}}, Measures: map[string]int64{"cold.p50": 412},
	})
	if len(parts) != 4 {
		t.Fatalf("%d parts: %+v", len(parts), parts)
	}
	want := `<p class="lesson_lead">Somebody goes first.</p><p>Cold is <span class="measure cold" data-measure="cold.p50">412 µs</span>, one more costs <span class="measure" data-temp="" data-measure="iso.each">not measured yet</span>.</p>`
	if string(parts[0].HTML) != want {
		t.Errorf("prose is %s", parts[0].HTML)
	}
	task := parts[1].Task
	if task.Points != 40 || task.State != CheckFailed || task.Href != "#check-1" || len(task.Parts) != 2 || len(task.Parts[1].Hints) != 2 {
		t.Errorf("task is %+v", task)
	}
	if task.Parts[1].Hints[1].Note == "" || len(parts[3].Hints) != 1 || parts[3].Hints[0].Note != "" {
		t.Error("the last of several hints says what it is, a single one does not")
	}
}

// What was answered comes back as it was answered, and right answers are not
// in the page before that.
func TestQuestions(t *testing.T) {
	choice := &lessons.Question{ID: "q", Kind: lessons.Choice, Ask: "?", Options: []lessons.Option{{HTML: "a", Why: "not a"}, {HTML: "b", Right: true, Why: "yes b"}, {HTML: "c", Why: "not c"}}, Why: "because"}
	order := &lessons.Question{ID: "o", Kind: lessons.Order, Predict: true, Options: []lessons.Option{{HTML: "first"}, {HTML: "second"}, {HTML: "third"}}}
	match := &lessons.Question{ID: "m", Kind: lessons.Match, Options: []lessons.Option{{HTML: "/", Partner: 0}, {HTML: "/api", Partner: 1}}, Partners: []lessons.HTML{"<b>a</b>", "b"}}

	markup := render(t, question(*questionOf(choice, Learned{}), "#"))
	for _, secret := range []string{"because", "yes b", "choice-right", "i-check"} {
		if strings.Contains(markup, secret) {
			t.Errorf("%q is in the page before the answer", secret)
		}
	}
	grade := func(q *lessons.Question, given ...string) Learned {
		g, err := q.Grade(given, nil)
		if err != nil {
			t.Fatal(err)
		}
		return Learned{
			Answers: map[string]Answer{q.ID: {Given: given, Grade: g}},
			Took:    map[string][]Measured{q.ID: {{Took: 38, Temp: trace.Warm}}},
		}
	}
	wrong := questionOf(choice, grade(choice, "0"))
	if wrong.Right || wrong.Options[0].Verdict != "wrong" || !wrong.Options[0].Chosen || wrong.Options[0].Why != "not a" || wrong.Options[1].Verdict != "" || wrong.Options[1].Why != "" {
		t.Errorf("a wrong answer shows its own reason and nothing else: %+v", wrong.Options)
	}
	if wrong.Options[0].Took != 38 {
		t.Error("the measured figure is missing")
	}
	right := questionOf(choice, grade(choice, "1"))
	if !right.Right || right.Options[1].Verdict != "right" || right.Options[2].Why != "not c" || right.Says != "because" {
		t.Errorf("a right answer shows every reason: %+v", right)
	}

	asked := questionOf(order, Learned{})
	if asked.Options[0].Value == "0" && asked.Options[1].Value == "1" {
		t.Errorf("the options to order stand in the right order: %+v", asked.Options)
	}
	put := questionOf(order, grade(order, "1", "0", "2"))
	places := map[string]Option{}
	for _, o := range put.Options {
		places[o.Value] = o
	}
	if places["1"].Place != 1 || places["0"].Place != 2 || places["2"].Place != 3 || places["2"].Verdict != "right" || places["0"].Verdict != "wrong" {
		t.Errorf("order came back as %+v", put.Options)
	}
	given := questionOf(match, grade(match, "0", "0"))
	if given.Targets[0] != "a" || given.Options[0].Verdict != "right" || given.Options[1].Verdict != "wrong" || given.Options[1].Target != "a" {
		t.Errorf("match came back as %+v", given)
	}
}

// A prediction of a figure that nobody has measured yet is neither right nor wrong.
func TestPredictionWaits(t *testing.T) {
	q := &lessons.Question{ID: "fit", Predict: true, Kind: lessons.Number, Measure: "iso.fit", Unit: "copies"}
	answered := func(g lessons.Grade) Learned {
		return Learned{Answers: map[string]Answer{"fit": {Given: []string{"900"}, Grade: g}}}
	}
	if got := questionOf(q, answered(lessons.Grade{})); !got.Waits || got.Says != "<p>Kept. Your own runs will tell.</p>" {
		t.Errorf("without a figure: %+v", got)
	}
	if got := questionOf(q, answered(lessons.Grade{Known: true, Want: 1234.4})); got.Waits || got.Says != "<p>Measured here: 1,234 copies.</p>" {
		t.Errorf("with a figure: %+v", got)
	}
	mark := Question{Kind: Mark, Axis: "requests", Min: 0.5, Max: 1e9}
	if got := numberLabel(mark); got != "Requests, 0.5 to 1,000,000,000" {
		t.Errorf("label %q", got)
	}
}

// Every shipped lesson becomes a page, and every lesson of the plan a row.
func TestShippedLessons(t *testing.T) {
	catalog, _ := lessons.Load(lessons.Shipped())
	rows := 0
	for _, track := range Tracks(catalog, nil) {
		rows += len(track.Lessons)
	}
	if len(catalog.Tracks) != 5 || rows != 32 {
		t.Errorf("%d tracks with %d lessons and challenges, want 5 with 32", len(catalog.Tracks), rows)
	}
	for _, l := range catalog.Lessons() {
		known := Learned{Answers: map[string]Answer{}} // explanations may hold sources, too
		for _, q := range l.Questions {
			known.Answers[q.ID] = Answer{Grade: lessons.Grade{Right: true, Known: true}}
		}
		p := LessonText(catalog, l, known, &l.Text)
		p.Files = FilesOf(l.Starter, p.Open, nil)
		if p.Number < 1 || p.Number > p.Of || len(p.Files) == 0 || p.Files[0].Path != l.Open {
			t.Errorf("%s: lesson %d of %d, %d files", l.ID, p.Number, p.Of, len(p.Files))
		}
		markup := render(t, Lesson(p))
		for _, source := range p.Sources {
			if !strings.Contains(markup, `id="`+source.ID+`"`) || !strings.Contains(markup, `href="#`+source.ID+`"`) {
				t.Errorf("%s: source %s is not joined to the text", l.ID, source.ID)
			}
		}
	}
}

func TestFilesOf(t *testing.T) {
	fault := &trace.Fault{Frames: []trace.Frame{{File: "src/b.ts", Line: 3}}}
	files := FilesOf(map[string][]byte{"wrangler.jsonc": []byte("{}"), "src/b.ts": []byte("b"), "src/a.ts": []byte("a"), "src/index.ts": []byte("i"), "logo.png": {0xff}}, "src/index.ts", fault)
	var got []string
	for _, f := range files {
		got = append(got, f.Path)
	}
	if want := "src/index.ts src/a.ts src/b.ts wrangler.jsonc"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if files[2].Fault == nil || files[0].Fault != nil {
		t.Error("the fault is not on its own file")
	}
}
