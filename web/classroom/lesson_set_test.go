package classroom

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

func TestLessonSets(t *testing.T) {
	s, clock := newStore(t)
	ada, bob := newWorkspace(t, s), newWorkspace(t, s)
	set, err := s.SaveLessonSet(t.Context(), LessonSet{ID: NewLessonSetID(), Owner: ada.ID, Title: "Edge", Size: 10}, []byte("one"))
	if err != nil || set.Revision != 1 {
		t.Fatalf("%+v, %v", set, err)
	}
	first := set.Created
	for range KeepLessonSets {
		clock.add(time.Second)
		if set, err = s.SaveLessonSet(t.Context(), LessonSet{ID: set.ID, Owner: ada.ID, Title: "Edges", Size: 20}, []byte("two\x00")); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.LessonSets(t.Context())
	if err != nil || len(all) != 1 || all[0] != set || !set.Created.Equal(first) || set.Revision != KeepLessonSets+1 {
		t.Errorf("%+v, %v; saved %+v", all, err, set)
	}
	if _, err := s.LessonSetArchive(t.Context(), set.ID, 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("the oldest of %d revisions: %v", KeepLessonSets+1, err)
	}
	if data, err := s.LessonSetArchive(t.Context(), set.ID, set.Revision); string(data) != "two\x00" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	if kept, err := s.LessonSetRevisions(t.Context(), set.ID); len(kept) != KeepLessonSets || !kept[set.Revision].Equal(set.Changed) || err != nil {
		t.Errorf("%v, %v", kept, err)
	}
	if _, err := s.SaveLessonSet(t.Context(), LessonSet{ID: set.ID, Owner: bob.ID, Size: 1}, nil); !errors.Is(err, ErrTaken) {
		t.Errorf("another's set: %v", err)
	}
	if _, err := s.SaveLessonSet(t.Context(), LessonSet{ID: NewLessonSetID(), Owner: bob.ID, Size: MaxLessonSetBytes}, nil); !errors.Is(err, ErrCrowded) {
		t.Errorf("too much: %v", err)
	}
	if _, err := s.RemoveLessonSet(t.Context(), bob.ID, set.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("another removes it: %v", err)
	}
	if _, err := s.Save(t.Context(), bob.ID, set.ID+"-near", Change{Files: files("x"), Kind: KindBegin, Lesson: set.ID + "-near", LessonRevision: "a"}); err != nil {
		t.Fatal(err)
	}
	if gone, err := s.RemoveLessonSet(t.Context(), ada.ID, set.ID); gone || err != nil {
		t.Errorf("removed while somebody works in it: %v, %v", gone, err)
	}
	if all, err := s.LessonSets(t.Context()); err != nil || len(all) != 1 || all[0].Removed.IsZero() {
		t.Errorf("%+v, %v", all, err)
	}
	idle, err := s.SaveLessonSet(t.Context(), LessonSet{ID: NewLessonSetID(), Owner: ada.ID, Size: 1}, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := s.RemoveLessonSet(t.Context(), ada.ID, idle.ID); !gone || err != nil {
		t.Errorf("removing one that nobody began: %v, %v", gone, err)
	}
}

func TestLessonUpload(t *testing.T) {
	s, _ := newStore(t)
	ada := newWorkspace(t, s)
	if _, err := s.LessonUpload(t.Context(), ada.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	for _, state := range []string{`{"state":"running"}`, `{"state":"kept"}`} {
		if err := s.SaveLessonUpload(t.Context(), ada.ID, LessonUpload{ID: "u", State: json.RawMessage(state)}); err != nil {
			t.Fatal(err)
		}
		if u, err := s.LessonUpload(t.Context(), ada.ID); err != nil || string(u.State) != state || u.Changed.IsZero() {
			t.Errorf("%+v, %v", u, err)
		}
	}
}
