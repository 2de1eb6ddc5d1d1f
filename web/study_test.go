package web

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"coldstart/lessons"
	"coldstart/web/classroom"
)

func TestSearchPage(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	for path, want := range map[string]string{
		"/search":                                "Titles, texts and tasks",
		"/search?q=hello":                        `href="/learn/serverless/hello"`,
		"/search?q=helo":                         `Did you mean <a href="/search?q=hello">hello</a>?`,
		"/search?q=%3Cscript%3Ealert(1)":         "No lesson matches “&lt;script&gt;alert(1)”.",
		"/search?q=" + strings.Repeat("é", 5000): "No lesson matches",
	} {
		r := b.get(path)
		if r.status != 200 || !strings.Contains(r.body, want) {
			t.Errorf("%.60s: %d, without %s", path, r.status, want)
		}
	}
	if r := b.get("/search?q=hello"); len(r.header.Values("Set-Cookie")) > 0 {
		t.Error("looking for something begins a session")
	}
	found := decode[struct {
		Hits []hitJSON
		All  int
		Near string
	}](t, b.get("/api/search?q=say+hel"))
	lessons := slices.DeleteFunc(slices.Clone(found.Hits), func(h hitJSON) bool { return h.Kind != "lesson" }) // the manual has the words too
	if len(lessons) != 1 || found.Hits[0] != (hitJSON{"lesson", "Hello", "/learn/serverless/hello", "Serverless", "Say hello."}) || found.All < len(found.Hits) {
		t.Errorf("%+v", found)
	}
}

func TestPrintPage(t *testing.T) {
	s := newServer(t, nil)
	r := s.browser().get("/learn/serverless/hello/print")
	for _, want := range []string{"Words before.", "Task 1", "Which one is slow?", "starter &lt;b&gt;&amp;"} {
		if !strings.Contains(r.body, want) {
			t.Errorf("the printed lesson lacks %q", want)
		}
	}
	for _, not := range []string{"Return a Response.", "<textarea", "solution\n"} {
		if strings.Contains(r.body, not) {
			t.Errorf("the printed lesson holds %q", not)
		}
	}
}

func TestProgressIsTheLearnersOwn(t *testing.T) {
	s := newServer(t, nil)
	ada, bob := s.browser(), s.browser()
	ada.deployed("x")
	bob.get("/")
	if err := s.store.SaveChecks(t.Context(), s.workspaceOf(ada), "hello", []classroom.Check{{Name: "1: greets", Task: 1, Passed: true}}, classroom.ChecksDone); err != nil {
		t.Fatal(err)
	}
	type progress struct {
		Done    int
		Total   int
		Lessons []progressRow
	}
	p := decode[progress](t, ada.get("/progress.json"))
	if p.Done != 1 || p.Total != 1 || p.Lessons[0].State != "done" || p.Lessons[0].Tasks != 1 || p.Lessons[0].Ended == nil {
		t.Errorf("Ada's: %+v", p)
	}
	if p := decode[progress](t, bob.get("/progress.json")); p.Done != 0 || p.Lessons[0].State != "unseen" || p.Lessons[0].Began != nil {
		t.Errorf("Bob's: %+v", p)
	}
	r := ada.get("/progress.csv")
	rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][1] != "Hello" || rows[1][3] != "done" || len(rows[1]) != len(rows[0]) {
		t.Errorf("%v %v", rows, err)
	}
	if page := ada.get("/progress"); !strings.Contains(page.body, "1 of 1 done") || !strings.Contains(page.body, "1 of 1</td>") {
		t.Error("the page does not say what is done")
	}
}

func TestCellIsNoFormula(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "Hello": "Hello", "": "", "@x": "'@x"} {
		if got := csvCell(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// A task of a challenge counts with all of its points once every check of it
// passes, and not before.
func TestPointsOfAChallenge(t *testing.T) {
	l := &lessons.Lesson{Kind: "challenge", Text: lessons.Text{Tasks: []*lessons.Task{{N: 1, Points: 40}, {N: 2, Points: 20}, {N: 3, Points: 40}}}}
	passed := tasksPassed([]classroom.Check{
		{Name: "1: a", Task: 1, Passed: true},
		{Name: "1: b", Task: 1, Passed: true},
		{Name: "2: a", Task: 2, Passed: true},
		{Name: "2: b", Task: 2},
		{Name: "a guard"},
	})
	if got := points(l, passed); got != 40 {
		t.Errorf("%d points, want the 40 of task 1", got)
	}
}
