package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// replicas are several platforms on one store, and what they were told to run.
type replicas struct {
	all []*Platform

	mu  sync.Mutex
	ran map[string]int
}

func newReplicas(t *testing.T, n int) *replicas {
	r := &replicas{ran: map[string]int{}}
	store := NewMemory()
	for range n {
		r.all = append(r.all, New(Config{Store: store, Invoke: func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.ran[fmt.Sprint(e.Type, " ", e.Project.Project, " ", e.Object, string(e.Payload))]++
			return &trace.Summary{}, nil, nil
		}}))
	}
	t.Cleanup(func() { r.close(t) })
	return r
}

// close waits for everything that was begun.
func (r *replicas) close(t *testing.T) {
	for _, p := range r.all {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	r.all = nil
}

func (r *replicas) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s did not come; ran %v", what, r.ran)
		}
	}
}

func (r *replicas) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ran)
}

// pending is how many timers of alarms wait anywhere.
func (r *replicas) pending() int {
	n := 0
	for _, p := range r.all {
		p.mu.Lock()
		n += len(p.alarms)
		p.mu.Unlock()
	}
	return n
}

func TestCronFiresAtOneReplica(t *testing.T) {
	r := newReplicas(t, 3)
	var want int
	for i := range 20 {
		pr := Project{Learner: "l", Project: fmt.Sprint("p", i)}
		for _, p := range r.all {
			p.Deploy(pr, &trace.Deployment{Workers: []trace.Worker{{Name: "w", Crons: []string{"* * * * *", "*/2 * * * *"}}}})
		}
	}
	begin := time.Now().Truncate(time.Hour).Add(-24 * time.Hour)
	for minute := range 4 {
		for _, p := range r.all {
			p.fire(begin.Add(time.Duration(minute) * time.Minute))
		}
		want += 20 * (2 - minute%2)
		r.until(t, "every cron", func() bool { return r.count() >= want })
	}
	r.all[2].fire(begin.Add(2 * time.Minute)) // its clock is behind
	r.close(t)
	if r.count() != want {
		t.Errorf("%d events for %d minutes of triggers", r.count(), want)
	}
	for event, n := range r.ran {
		if n != 1 {
			t.Errorf("%s ran %d times", event, n)
		}
	}
}

func TestAlarmRingsAtOneReplica(t *testing.T) {
	r := newReplicas(t, 3)
	pr := Project{Learner: "l", Project: "p"}
	w := trace.Worker{Name: "w", Limits: trace.Default()}
	set := func(p *Platform, object string, at time.Time) {
		call(t, p, Caller{Project: pr, Worker: &w, Class: "C", Object: object}, "storage.setAlarm", object, float64(at.UnixMilli()))
	}
	soon := time.Now().Add(200 * time.Millisecond)
	for i := range 50 {
		set(r.all[i%3], fmt.Sprint("o", i), soon)
	}
	for _, p := range r.all { // each knows every alarm from now on
		p.Deploy(pr, &trace.Deployment{Workers: []trace.Worker{w}})
	}
	r.until(t, "every alarm", func() bool { return r.count() >= 50 && r.pending() == 0 })
	r.close(t)
	if r.count() != 50 {
		t.Errorf("%d alarms rang, not 50: %v", r.count(), r.ran)
	}
	for event, n := range r.ran {
		if n != 1 {
			t.Errorf("%s rang %d times", event, n)
		}
	}
}

// An alarm that one replica set anew, or off, does not ring at another one,
// which waits for the new time instead.
func TestAlarmIsMovedByAnotherReplica(t *testing.T) {
	r := newReplicas(t, 2)
	w := trace.Worker{Name: "w", Limits: trace.Default()}
	c := Caller{Project: Project{Learner: "l", Project: "p"}, Worker: &w, Class: "C", Object: "o"}
	k := alarmKey{c.Project, "w", "C", "o"}
	first, second := time.Now().Add(time.Hour).UnixMilli(), time.Now().Add(2*time.Hour).UnixMilli()
	call(t, r.all[0], c, "storage.setAlarm", "o", float64(first))
	other := r.all[1]
	other.Deploy(c.Project, &trace.Deployment{})
	// due is what the other replica waits for, once its old timer has gone off.
	due := func() int64 {
		other.mu.Lock()
		n := other.alarms[k]
		delete(other.alarms, k)
		other.mu.Unlock()
		if n == nil || n.at != first {
			t.Fatalf("the other replica waits for %+v", n)
		}
		n.timer.Stop()
		if other.take(k, n) {
			t.Error("it rings at the old time")
		}
		other.mu.Lock()
		defer other.mu.Unlock()
		if other.alarms[k] == nil {
			return 0
		}
		return other.alarms[k].at
	}
	call(t, r.all[0], c, "storage.setAlarm", "o", float64(second))
	if got := due(); got != second {
		t.Errorf("moved to %d, it waits for %d", second, got)
	}
	other.schedule(k, first, first, 0)
	call(t, r.all[0], c, "storage.setAlarm", "o", 0.0)
	if got := due(); got != 0 {
		t.Errorf("off, it waits for %d", got)
	}
}

// An alarm that fails is tried again where it failed, and nowhere else.
func TestAlarmIsTriedAgainWhereItFailed(t *testing.T) {
	var mu sync.Mutex
	var ran []string
	store := NewMemory()
	for i := range 2 {
		p := New(Config{Store: store, Invoke: func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
			var in struct{ RetryCount int }
			if err := json.Unmarshal(e.Payload, &in); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ran = append(ran, fmt.Sprint(i, " ", in.RetryCount))
			if in.RetryCount == 0 {
				return &trace.Summary{Fault: &trace.Fault{}}, nil, nil
			}
			return &trace.Summary{}, nil, nil
		}})
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
		if i == 0 {
			w := trace.Worker{Name: "w", Limits: trace.Default()}
			call(t, p, Caller{Project: Project{Learner: "l", Project: "p"}, Worker: &w, Class: "C", Object: "o"}, "storage.setAlarm", "o", float64(time.Now().UnixMilli()+100))
		} else {
			p.Deploy(Project{Learner: "l", Project: "p"}, &trace.Deployment{})
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		mu.Lock()
		got := append([]string(nil), ran...)
		mu.Unlock()
		if len(got) == 2 {
			if got[0][:1] != got[1][:1] || got[0][2:] != "0" || got[1][2:] != "1" {
				t.Errorf("it ran as %v", got)
			}
			return
		}
		if time.Now().After(end) || len(got) > 2 {
			t.Fatalf("it ran as %v", got)
		}
	}
}
