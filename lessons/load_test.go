package lessons

import (
	"strings"
	"testing"
)

func TestShippedLessonsLoadWithoutErrors(t *testing.T) {
	cat, problems := Load(Shipped())
	for _, p := range problems {
		t.Errorf("%s", p)
	}
	want := []string{"serverless", "workers", "routing", "isolates", "ship-it"}
	if len(cat.Tracks) != len(want) {
		t.Fatalf("%d tracks, want %d", len(cat.Tracks), len(want))
	}
	lessons, challenges := 0, 0
	for i, tr := range cat.Tracks {
		if tr.Slug != want[i] {
			t.Errorf("track %d is %q, want %q", i, tr.Slug, want[i])
		}
		for _, e := range tr.Entries {
			if e.Kind == "challenge" {
				challenges++
			} else {
				lessons++
			}
			if e.Title == "" || e.Slug == "" {
				t.Errorf("track %s: entry without title or address: %+v", tr.Slug, e)
			}
		}
	}
	if lessons != 28 || challenges != 4 {
		t.Errorf("%d lessons and %d challenges, want 28 and 4", lessons, challenges)
	}
}

// A mark keeps ids, addresses and the links between lessons apart from those of
// others, and a catalog shows marked tracks beside its own.
func TestMarkedLessons(t *testing.T) {
	files := folder(map[string]string{"10-track/30-next/lesson.md": "---\nid: next\ntitle: Next\n---\nBack to [first](../20-first).\n", "10-track/30-next/_files/a.ts": "export {};\n"})
	own, _ := Load(files)
	marked, problems := Config{Mark: "t1234567"}.Load(files)
	for _, p := range problems {
		if p.Error() {
			t.Error(p)
		}
	}
	both := own.With(marked.Tracks...)
	for id, url := range map[string]string{"first": "/learn/track/first", "t1234567-first": "/learn/track-t1234567/first", "t1234567-next": "/learn/track-t1234567/next"} {
		if l := both.ByID(id); l == nil || l.URL() != url || both.Lesson(l.Track.Slug, l.Slug) != l {
			t.Errorf("%s: %+v", id, l)
		}
	}
	if html := string(marked.ByID("t1234567-next").Pieces[0].HTML); !strings.Contains(html, `href="/learn/track-t1234567/first"`) {
		t.Errorf("a link between marked lessons: %s", html)
	}
	if own.ByID("t1234567-first") != nil || len(own.Tracks) != 1 {
		t.Error("the catalog itself has changed")
	}
	only := marked.Tracks[0].Only(func(l *Lesson) bool { return l.Slug == "next" })
	if len(only.Entries) != 1 || len(marked.Tracks[0].Entries) != 2 {
		t.Errorf("only: %+v", only.Entries)
	}
}
