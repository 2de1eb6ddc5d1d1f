package lessons

import (
	"os"
	"strings"
	"testing"
)

func TestNewTrackAndLesson(t *testing.T) {
	if got, err := NewLesson(t.TempDir(), "first-worker"); err != nil || got != "10-first-track/10-first-worker" {
		t.Errorf("without a track: %q, %v", got, err)
	}
	if _, err := NewLesson(t.TempDir(), "First Worker"); err == nil || !strings.Contains(err.Error(), "not a folder name") {
		t.Errorf("without a track, and with a bad name: %v", err)
	}
	root := t.TempDir()
	for _, c := range []struct{ kind, name, want string }{
		{"track", "event-sourcing", "10-event-sourcing"},
		{"lesson", "first-worker", "10-event-sourcing/10-first-worker"},
		{"lesson", "event-sourcing/second", "10-event-sourcing/20-second"},
		{"lesson", "10-event-sourcing/15-between", "10-event-sourcing/15-between"},
		{"track", "more", "20-more"},
		{"lesson", "more/one", "20-more/10-one"},
	} {
		make := NewTrack
		if c.kind == "lesson" {
			make = NewLesson
		}
		got, err := make(root, c.name)
		if err != nil || got != c.want {
			t.Errorf("%s %s: %q, %v; want %q", c.kind, c.name, got, err, c.want)
		}
	}
	cat, ps := Load(os.DirFS(root))
	for _, p := range ps {
		t.Error(p)
	}
	if n := len(cat.Lessons()); n != 4 {
		t.Errorf("%d lessons", n)
	}
	if l := cat.ByID("first-worker"); l == nil || l.Title != "First worker" || len(l.Tasks) != 1 || len(l.Diff) != 1 {
		t.Errorf("%+v", l)
	}
	for _, c := range []struct{ name, want string }{
		{"event-sourcing/first-worker", "already there"}, {"third", "which track?"}, {"none/third", "no track \"none\""}, {"more/Bad Name", "not a folder name"},
	} {
		if _, err := NewLesson(root, c.name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := NewLesson(root+"/20-more", "in-here"); err != nil {
		t.Error(err)
	}
}
