package platform

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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

// What a wish took is owed and charged, as far as it can be true, and is paid
// back at a tenth of a second each second.
func TestLanesKeepAccount(t *testing.T) {
	now := time.Now()
	charged := map[string]time.Duration{}
	l := newLanes(func() time.Time { return now }, func(learner string, cpu time.Duration) { charged[learner] += cpu })
	t.Cleanup(l.close)
	use := func(learner string, says, lasts time.Duration) (owed time.Duration) {
		t.Helper()
		if err := l.do(t.Context(), learner, func() time.Duration { time.Sleep(lasts); return says }); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			l.mu.Lock()
			n := l.learners[learner]
			done := !n.running
			owed = l.owed(n)
			l.mu.Unlock()
			if done { // its account is closed
				return owed
			}
		}
		t.Fatal("it is not over")
		return 0
	}
	const cpu = 10 * time.Millisecond
	for n := range time.Duration(3) {
		if owed := use("a", cpu, cpu); owed != (n+1)*cpu || charged["a"] != owed {
			t.Errorf("%d times %v: %v is owed and %v charged", n+1, cpu, owed, charged["a"])
		}
	}
	// A process that is a stranger's tells what it took.
	began := time.Now()
	if owed := use("b", time.Hour, 0); owed <= 0 || owed > time.Since(began) || charged["b"] != owed {
		t.Errorf("who says an hour owes %v and is charged %v", owed, charged["b"])
	}
	if owed := use("c", -time.Hour, 0); owed != 0 || charged["c"] != 0 {
		t.Errorf("who says less than nothing owes %v and is charged %v", owed, charged["c"])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, after := range []struct{ pass, owed time.Duration }{{100 * time.Millisecond, 20 * time.Millisecond}, {100 * time.Millisecond, cpu}, {time.Minute, 0}} {
		now = now.Add(after.pass)
		if owed := l.owed(l.learners["a"]); owed != after.owed {
			t.Errorf("%v later %v is owed, want %v", after.pass, owed, after.owed)
		}
	}
}

// Of those who wait the least indebted is next, and debts are remembered
// however many learners come.
func TestLeastIndebtedIsNext(t *testing.T) {
	now := time.Now()
	l := newLanes(func() time.Time { return now }, func(string, time.Duration) {})
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, debt := range map[string]time.Duration{"a": 20, "b": 10, "c": 15, "d": 30} {
		l.learners[name] = &lane{debt: debt * time.Millisecond, at: now, waiting: []*laned{{}}}
	}
	for _, want := range []string{"b", "c", "a", "d", ""} {
		name, n := l.next()
		if name != want {
			t.Errorf("%q is next, want %q", name, want)
		}
		if n != nil {
			n.waiting = nil
		}
	}
	for i := range laneMost {
		l.learners[fmt.Sprint(i)] = &lane{at: now}
	}
	if l.forget(); len(l.learners) != 4 {
		t.Errorf("%d learners are remembered, want the four that owe", len(l.learners))
	}
}

// So many lanes are open as bound, beside those that have been long at one
// wish, and there is an end to those as well.
func TestLanesAreBounded(t *testing.T) {
	l := newLanes(time.Now, func(string, time.Duration) {})
	var began atomic.Int64
	goOn := make(chan struct{})
	var wg sync.WaitGroup
	for i := range laneAll + 2*laneCount {
		wg.Go(func() {
			if err := l.do(t.Context(), fmt.Sprint(i), func() time.Duration { began.Add(1); <-goOn; return 0 }); err != nil {
				t.Error(err)
			}
		})
	}
	bounded := func() {
		t.Helper()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.serving-l.long > laneCount || l.serving > laneAll {
			t.Fatalf("%d lanes, of which %d have been at it for long", l.serving, l.long)
		}
	}
	for end := time.Now().Add(20 * time.Second); began.Load() < laneAll; time.Sleep(time.Millisecond) {
		if bounded(); time.Now().After(end) {
			t.Fatalf("%d have begun", began.Load())
		}
	}
	time.Sleep(2 * laneLong) // those in the last lanes are long at it too
	if bounded(); began.Load() != laneAll {
		t.Errorf("%d have begun", began.Load())
	}
	close(goOn)
	wg.Wait()
	l.mu.Lock()
	for i := range laneMost { // who were here and owe nothing
		l.learners[fmt.Sprint("x", i)] = &lane{at: time.Now()}
	}
	l.mu.Unlock()
	if err := l.do(t.Context(), "one more", func() time.Duration { return 0 }); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	if n := len(l.learners); n > laneMost {
		t.Errorf("%d learners are remembered", n)
	}
	l.mu.Unlock()
	l.close()
}
