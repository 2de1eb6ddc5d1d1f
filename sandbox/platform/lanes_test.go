package platform

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// Who used much of late shares one lane with all such, and whoever owes least
// goes first; a learner has one lane at a time.
func TestLanes(t *testing.T) {
	now := time.Now()
	l := newLanes(func() time.Time { return now }, func(string, time.Duration) {})
	t.Cleanup(l.close)
	for _, hog := range []string{"h1", "h2", "h3"} {
		l.learners[hog] = &lane{debt: time.Hour, at: now}
	}
	began, goOn := make(chan string, 9), make(chan struct{})
	var wg sync.WaitGroup
	ask := func(learner string) {
		wg.Go(func() {
			if err := l.do(t.Context(), learner, func() time.Duration { began <- learner; <-goOn; return 0 }); err != nil {
				t.Error(err)
			}
		})
	}
	waiting := func(n int) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			l.mu.Lock()
			have := 0
			for _, o := range l.learners {
				have += len(o.waiting)
			}
			l.mu.Unlock()
			if have == n {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d wait, want %d", have, n)
			}
		}
	}
	ask("h1")
	if got := <-began; got != "h1" {
		t.Fatal(got)
	}
	ask("h2")
	ask("h3")
	waiting(2)
	ask("new")
	ask("new")
	if got := <-began; got != "new" {
		t.Errorf("%s began before a learner who owes nothing", got)
	}
	waiting(3) // two that owe, and the second wish of the new one
	// A wish that is given up before its turn is never begun.
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if err := l.do(ctx, "h2", func() time.Duration { t.Error("begun though nobody waits"); return 0 }); !errors.Is(err, gone) {
		t.Error(err)
	}
	close(goOn)
	wg.Wait()
	rest := map[string]int{}
	for len(began) > 0 {
		rest[<-began]++
	}
	if rest["h2"] != 1 || rest["h3"] != 1 || rest["new"] != 1 {
		t.Errorf("then began %v", rest)
	}
	l.mu.Lock() // a thread may still be at its account
	defer l.mu.Unlock()
	if now = now.Add(11 * time.Hour); l.owed(l.learners["h1"]) != 0 {
		t.Errorf("after eleven hours one still owes %v of an hour", l.owed(l.learners["h1"]))
	}
}
