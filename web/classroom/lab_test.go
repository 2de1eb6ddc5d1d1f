package classroom

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestLabKeepsTheNewestOfEachWorkspace(t *testing.T) {
	s, _ := newStore(t)
	one, other := newWorkspace(t, s), newWorkspace(t, s)
	if _, err := s.Lab(t.Context(), one.ID, "density"); !errors.Is(err, ErrNotFound) {
		t.Errorf("before it ran: %v", err)
	}
	for _, record := range []string{`{"n":1}`, `{"n":2}`} {
		if err := s.SaveLab(t.Context(), one.ID, "density", json.RawMessage(record)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Lab(t.Context(), one.ID, "density"); err != nil || string(got) != `{"n":2}` {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := s.Lab(t.Context(), other.ID, "density"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another workspace: %v", err)
	}
}
