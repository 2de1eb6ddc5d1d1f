package lessons

import (
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
