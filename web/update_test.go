package web

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"coldstart/lessons"
	"coldstart/web/classroom"
)

// A lesson that its author changes never breaks work in progress: files and
// what was passed stay, an answer to a question that is another one now is open
// again, and the new starter comes with Reset only.
func TestLessonUpdateKeepsWorkInProgress(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	const page = "/learn/serverless/hello"
	b.get(page)
	if r := b.json("PUT", "/api/projects/hello", obj{"base": 0, "files": obj{"src/index.js": "my own work", "notes.txt": "mine too"}}); r.status != 200 {
		t.Fatal(r.status, r.body)
	}
	for _, question := range []string{"predict-1", "quiz-1"} {
		if r := b.form(page+"/answer", "question", question, "answer", "1"); r.status >= 400 {
			t.Fatalf("answer %s: %d", question, r.status)
		}
	}
	if err := s.store.SaveChecks(t.Context(), s.workspaceOf(b), "hello", []classroom.Check{{Name: "1: greets", Task: 1, Passed: true}}, true); err != nil {
		t.Fatal(err)
	}
	const banner = "This lesson was updated since you began"
	before := b.get(page).body
	if strings.Contains(before, banner) || strings.Count(before, " data-answered") != 2 || !strings.Contains(before, "my own work") {
		t.Fatalf("before the update: %d answers", strings.Count(before, " data-answered"))
	}

	changed := maps.Clone(testLessons)
	text := string(testLessons["01-serverless/10-hello/lesson.md"].Data)
	text = strings.Replace(text, "- [x] the first\n- [ ] the second\n", "- [x] the only one\n", 1) // the second option is gone
	text = strings.Replace(text, "Say hello.\n\n:::hint", "Say hello.\n\n## 2. Once more\n\nAgain.\n\n:::hint", 1)
	changed["01-serverless/10-hello/lesson.md"] = &fstest.MapFile{Data: []byte(text)}
	changed["01-serverless/10-hello/_files/src/index.js"] = &fstest.MapFile{Data: []byte("another starter\n")}
	changed["01-serverless/10-hello/_files/src/index.js"] = &fstest.MapFile{Data: []byte("another starter\n")}
	changed["01-serverless/10-hello/_files/src/new.js"] = &fstest.MapFile{Data: []byte("a file more\n")}
	changed["01-serverless/10-hello/checks.js"] = &fstest.MapFile{Data: []byte(`test("1: greets everybody", async () => {}); test("2: again", async () => {});`)}
	catalog, problems := lessons.Load(changed)
	if catalog.ByID("hello") == nil || len(catalog.ByID("hello").Tasks) != 2 {
		t.Fatal(problems)
	}
	s.site.SetCatalog(catalog, problems)

	after := b.get(page)
	if after.status != 200 || !strings.Contains(after.body, banner) {
		t.Errorf("after the update: %d, and the page does not say so", after.status)
	}
	if !strings.Contains(after.body, "my own work") || !strings.Contains(after.body, "mine too") {
		t.Error("the learner's files are not as they were")
	}
	if n := strings.Count(after.body, " data-answered"); n != 1 {
		t.Errorf("%d answers stand; the quiz is as it was, the prediction is not", n)
	}
	if !strings.Contains(after.body, "1 of 2 tasks") {
		t.Error("what was passed is lost, or the new task is not counted")
	}
	files := func() string { return b.get("/api/projects/hello").body }
	if !strings.Contains(after.body, "Update, keep my code") || strings.Contains(files(), "a file more") {
		t.Error("the update is not offered, or was taken without being asked for")
	}
	if r := b.form(page + "/update"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	for _, want := range []string{"my own work", "mine too", "a file more"} {
		if now := files(); !strings.Contains(now, want) {
			t.Errorf("after the update the files should hold %q: %s", want, now)
		}
	}
	if strings.Contains(b.get(page).body, banner) {
		t.Error("the update is taken, and the page still says that there is one")
	}
	if r := b.form(page + "/undo"); r.status >= 400 || strings.Contains(files(), "a file more") {
		t.Error("Undo does not take the update back")
	}
	if r := b.form(page + "/reset"); r.status >= 400 {
		t.Fatal(r.status, r.body)
	}
	if now := b.get(page).body; !strings.Contains(now, "another starter") || strings.Contains(now, banner) {
		t.Error("Reset does not bring the new starter")
	}
	if r := b.form(page + "/undo"); r.status >= 400 || !strings.Contains(b.get(page).body, "my own work") {
		t.Error("Undo does not bring the learner's files back")
	}
}
