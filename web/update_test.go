package web

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"coldstart/lessons"
	"coldstart/web/classroom"
	"coldstart/web/view"
)

// updatedLessons is the test's lessons as their author has them later: another
// text, question, starter and checks, and a task more.
func updatedLessons(t *testing.T) *lessons.Catalog {
	t.Helper()
	changed := maps.Clone(testLessons)
	text := string(testLessons["01-serverless/10-hello/lesson.md"].Data)
	text = strings.Replace(text, "- [x] the first\n- [ ] the second\n", "- [x] the only one\n", 1) // the second option is gone
	text = strings.Replace(text, "Say hello.\n\n:::hint", "Say hello to all.\n\n## 2. Once more\n\nAgain.\n\n:::hint", 1)
	for name, data := range map[string]string{
		"lesson.md": text, "_files/src/index.js": "another starter\n", "_files/src/new.js": "a file more\n", "_solution/src/index.js": "another solution\n",
		"checks.js": `test("1: greets everybody", async () => {}); test("2: again", async () => {});`,
	} {
		changed["01-serverless/10-hello/"+name] = &fstest.MapFile{Data: []byte(data)}
	}
	catalog, problems := lessons.Load(changed)
	if l := catalog.ByID("hello"); l == nil || len(l.Tasks) != 2 {
		t.Fatal(problems)
	}
	return catalog
}

// begun is a server on which somebody began the lesson, passed its task and
// answered its questions before the author changed it.
func begun(t *testing.T) (*server, *browser) {
	t.Helper()
	s := newServer(t, nil)
	b := s.browser()
	b.get(hello)
	if r := b.json("PUT", "/api/projects/hello", obj{"base": 0, "files": obj{"src/index.js": "my own work", "notes.txt": "mine too"}}); r.status != 200 {
		t.Fatal(r.status, r.body)
	}
	for _, question := range []string{"predict-1", "quiz-1"} {
		if r := b.form(hello+"/answer", "question", question, "answer", "1"); r.status >= 400 {
			t.Fatalf("answer %s: %d", question, r.status)
		}
	}
	if err := s.store.SaveChecks(t.Context(), s.workspaceOf(b), "hello", []classroom.Check{{Name: "1: greets", Task: 1, Passed: true}}, classroom.ChecksDone); err != nil {
		t.Fatal(err)
	}
	before := b.get(hello).body
	if strings.Contains(before, newer) || strings.Count(before, " data-answered") != 2 || !strings.Contains(before, "my own work") {
		t.Fatalf("before the update: %d answers", strings.Count(before, " data-answered"))
	}
	return s, b
}

const (
	hello = "/learn/serverless/hello"
	newer = "You go on with the revision that you began with."
)

// shows demands that a page has some texts and lacks others.
func shows(t *testing.T, when, page string, has, lacks []string) {
	t.Helper()
	for _, want := range has {
		if !strings.Contains(page, want) {
			t.Errorf("%s: %q is missing", when, want)
		}
	}
	for _, bad := range lacks {
		if strings.Contains(page, bad) {
			t.Errorf("%s: %q is there", when, bad)
		}
	}
}

// A lesson that its author changes never breaks work in progress: the draft
// goes on with the text, tasks, questions, checks and solution that it began
// with, until the learner takes the newer revision, and undo goes back.
func TestDraftFinishesOnItsRevision(t *testing.T) {
	s, b := begun(t)
	s.site.SetCatalog(updatedLessons(t), nil)
	old := []string{"my own work", "mine too", "the second", "Say hello.", "1 of 1 task"}
	fresh := []string{"the only one", "Once more", "Say hello to all.", "another starter"}

	page := b.get(hello).body
	shows(t, "after the update", page, append(old, newer, "Update, keep my code", "Keep the one I began with", "changes task 1, task 2 (new), the questions"), fresh)
	if n := strings.Count(page, " data-answered"); n != 2 {
		t.Errorf("%d answers stand of two", n)
	}
	if other := s.browser().get(hello).body; !strings.Contains(other, "Once more") || strings.Contains(other, newer) {
		t.Error("who begins now does not begin with the newer revision")
	}
	if solution := b.get("/api/projects/hello/solution").body; strings.Contains(solution, "another solution") {
		t.Error("the solution is of a revision that the learner has not taken")
	}
	if r := b.form(hello+"/answer", "question", "predict-1", "answer", "1"); r.status >= 400 {
		t.Errorf("an option that the learner's page has is refused: %d", r.status)
	}
	shows(t, "on paper", b.get(hello+"/print").body, []string{"the second"}, fresh)
	shows(t, "home", b.get("/").body, nil, []string{"1 of 2 tasks"})
	if export := b.get("/progress.csv").body; !strings.Contains(export, "lesson,done,1,1") {
		t.Errorf("the progress counts tasks that the learner does not have: %s", export)
	}

	if r := b.form(hello + "/reset"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	shows(t, "after Reset", b.get(hello).body, []string{newer, "the second"}, fresh)
	if r := b.form(hello + "/undo"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	shows(t, "after its undo", b.get(hello).body, append(old, newer), fresh)

	if r := b.form(hello + "/keep"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	shows(t, "having kept it", b.get(hello).body, append(old, "You finish on the revision of this lesson that you began with.", "Update, keep my code"), append(fresh, newer))

	r := b.form(hello + "/update")
	if r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	shows(t, "having taken it", b.get(r.header.Get("Location")).body,
		[]string{"my own work", "mine too", "a file more", "the only one", "Once more", "Undo the update", "1 of 2 tasks"}, []string{newer, "the second", "You finish on"})
	if n := strings.Count(b.get(hello).body, " data-answered"); n != 1 {
		t.Errorf("%d answers stand; the quiz is as it was, the prediction is not", n)
	}
	if r := b.form(hello + "/undo"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	shows(t, "having undone the update", b.get(hello).body, append(old, newer), append(fresh, "a file more"))
}

// What a draft began with is in the store, so that another server, or this one
// tomorrow, gives the learner the same text; what nobody needs goes.
func TestRevisionsAreKeptWhileADraftNeedsThem(t *testing.T) {
	s, b := begun(t)
	old := s.site.catalog.Load().ByID("hello").Hash
	s.site.SetCatalog(updatedLessons(t), nil)
	s.site.revisions.mu.Lock()
	s.site.revisions.replaced, s.site.revisions.of = nil, nil // as after a start
	s.site.revisions.mu.Unlock()
	shows(t, "after a start", b.get(hello).body, []string{newer, "the second"}, []string{"Once more"})

	kept := func() error {
		s.site.keepRevisions()
		_, err := s.store.LessonRevision(t.Context(), "hello", old)
		return err
	}
	if err := kept(); err != nil {
		t.Fatal("a draft needs it:", err)
	}
	if r := b.form(hello + "/update"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	if err := kept(); err != nil {
		t.Fatal("undo needs it:", err)
	}
	if r := b.form(hello + "/reset"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	if err := kept(); err == nil {
		t.Error("nobody needs the old revision, and it is kept")
	}
	if _, err := s.store.LessonRevision(t.Context(), "hello", s.site.catalog.Load().ByID("hello").Hash); err != nil {
		t.Error("the draft goes on with the present one:", err)
	}
}

// A page that was open when the lesson changed goes on with what it shows.
func TestFirstEditIsOfTheRevisionThatThePageShows(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	b.get(hello)
	old := s.site.catalog.Load().ByID("hello").Hash
	s.site.SetCatalog(updatedLessons(t), nil)
	if r := b.json("PUT", "/api/projects/hello", obj{"base": 0, "text": old, "files": obj{"src/index.js": "typed"}}); r.status != 200 || !strings.Contains(r.body, fmt.Sprintf(`"text":%q`, old)) {
		t.Fatal(r.status, r.body)
	}
	shows(t, "the page loaded again", b.get(hello).body, []string{newer, "the second", "typed"}, []string{"Once more"})
}

// A revision that is not kept, of a database from before, is the present one;
// the files stay.
func TestRevisionThatIsNotKept(t *testing.T) {
	s, b := begun(t)
	if _, err := s.store.Save(t.Context(), s.workspaceOf(b), "hello", classroom.Change{Base: classroom.AnyRevision, Files: classroom.Files{"src/index.js": []byte("my own work")}, Kind: classroom.KindUpdate, LessonRevision: "long gone"}); err != nil {
		t.Fatal(err)
	}
	shows(t, "not kept", b.get(hello).body, []string{"what it was then is not kept", "my own work", "Update, keep my code"}, []string{newer})
}

// The grid of a class counts what a learner passes in a revision that has more
// tasks than the present one.
func TestGridCountsTasksOfAnEarlierRevision(t *testing.T) {
	now := time.Now()
	work := map[string]*classroom.Work{"l": {Checks: []classroom.Check{
		{Name: "1: a", Task: 1, Passed: true, Tries: 1, Began: now},
		{Name: "2: gone", Task: 2, Passed: true, Tries: 1, Began: now},
		{Name: "3: gone", Task: 3, Tries: 4, Began: now.Add(-time.Hour)},
	}}}
	all := []view.GridLesson{{ID: "l", Columns: []view.GridColumn{{Label: "P", Piece: "predict-1"}, {Label: "1", Task: 1}}}}
	row := gridRow("c", classroom.Member{ID: "m"}, work, all, now)
	if row.Passed != 2 || len(row.Cells) != 2 || row.Stuck != time.Hour {
		t.Errorf("%d passed in %d cells, stuck for %s; want 2 in 2 cells, stuck for 1h", row.Passed, len(row.Cells), row.Stuck)
	}
}
