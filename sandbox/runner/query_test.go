package runner

import (
	"errors"
	"testing"

	"coldstart/sandbox/query"
)

// A sql child that dies, lies or cannot be stopped is replaced, and whoever
// asked it is told which it was.
func TestQuery(t *testing.T) {
	ring := testRing(t, Config{Runners: 1})
	ask := func(text string) (query.Reply, error) {
		return ring.Query(t.Context(), query.Request{Op: query.Exec, Queries: []query.Query{{Text: text}}})
	}
	for i, c := range []struct {
		text string
		want error
	}{{"fine", nil}, {"die", query.ErrDied}, {"lie", query.ErrDied}, {"hang", query.ErrTime}, {"fine", nil}} {
		r, err := ask(c.text)
		if !errors.Is(err, c.want) || c.want == nil && r.Results[0].Values[0] != c.text {
			t.Errorf("%s: %+v %v", c.text, r, err)
		}
		if _, restarts, _ := ring.Snapshot(); restarts != min(i, 3) {
			t.Errorf("%s: %d children died", c.text, restarts)
		}
	}
}
