package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// replicas are several platforms on one store, and what they were told to run.
type replicas struct {
	all   []*Platform
	store *Memory

	mu  sync.Mutex
	ran map[string]int
}

func newReplicas(t *testing.T, n int) *replicas {
	r := &replicas{ran: map[string]int{}, store: NewMemory()}
	for range n {
		r.all = append(r.all, New(Config{Store: r.store, Invoke: func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
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

// left is how many records of a kind the store has.
func (r *replicas) left(t *testing.T, ns Namespace) int {
	t.Helper()
	list, err := r.store.List(t.Context(), ns, Query{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
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
	r.until(t, "every alarm", func() bool { return r.count() >= 50 && r.left(t, Namespace{pr, "alarm", ""}) == 0 })
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

// Whoever deploys a project waits for all of its alarms, also where they are more
// than are read at a time.
func TestEveryAlarmIsResumed(t *testing.T) {
	r := newReplicas(t, 2)
	pr := Project{Learner: "l", Project: "p"}
	w := trace.Worker{Name: "w", Limits: trace.Default()}
	const n = alarmPage + 300
	at := float64(time.Now().Add(time.Hour).UnixMilli())
	for i := range n {
		object := fmt.Sprintf("o%04d", i)
		call(t, r.all[0], Caller{Project: pr, Worker: &w, Class: "C", Object: object}, "storage.setAlarm", object, at)
	}
	r.all[1].Deploy(pr, &trace.Deployment{Workers: []trace.Worker{w}})
	r.all[1].mu.Lock()
	defer r.all[1].mu.Unlock()
	if len(r.all[1].alarms) != n {
		t.Errorf("of %d alarms it waits for %d", n, len(r.all[1].alarms))
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
		if _, mine := other.take(k, n.alarm); mine {
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
	other.schedule(k, alarm{at: first, due: first}, first)
	call(t, r.all[0], c, "storage.setAlarm", "o", 0.0)
	if got := due(); got != 0 {
		t.Errorf("off, it waits for %d", got)
	}
}

// dying is what a server does with its store once it has died: nothing.
type dying struct {
	Store
	dead chan struct{} // closed when it died
}

func (d dying) err() error {
	select {
	case <-d.dead:
		return errors.New("this server died")
	default:
		return nil
	}
}

func (d dying) List(ctx context.Context, ns Namespace, q Query) ([]Record, error) {
	return outlived(d, func() ([]Record, error) { return d.Store.List(ctx, ns, q) })
}

func (d dying) Swap(ctx context.Context, ns Namespace, old []byte, c Change) (bool, error) {
	return outlived(d, func() (bool, error) { return d.Store.Swap(ctx, ns, old, c) })
}

func (d dying) Move(ctx context.Context, ns Namespace, list []Move) ([]bool, error) {
	return outlived(d, func() ([]bool, error) { return d.Store.Move(ctx, ns, list) })
}

func outlived[T any](d dying, f func() (T, error)) (T, error) {
	if err := d.err(); err != nil {
		var none T
		return none, err
	}
	return f()
}

// What a server was running when it died is run by another one when the lease
// is over, and counts as tried once.
func TestLeaseIsTakenOver(t *testing.T) {
	for kind, want := range map[string]string{"queue": `"attempts":2`, "alarm": `"retryCount":1`} {
		t.Run(kind, func(t *testing.T) {
			store, dead, gone := NewMemory(), make(chan struct{}), make(chan struct{})
			pr, w := Project{Learner: "l", Project: "p"}, trace.Worker{Name: "w", Limits: trace.Default(), Durables: []string{"C"}, Consumers: []trace.Consumer{{Queue: "q", BatchSize: 1, Retries: 3}}, Bindings: []trace.Binding{{Name: "Q", Type: "queue", ID: "q"}}}
			first := New(Config{Store: dying{store, dead}, Lease: time.Second, Invoke: func(ctx context.Context, e Event) (*trace.Summary, []byte, error) {
				close(dead) // in the middle of the run
				<-gone
				return &trace.Summary{}, []byte(`{"outcome":"ok","ackAll":true}`), nil
			}})
			ran := make(chan Event, 10)
			second := New(Config{Store: store, Lease: time.Second, Invoke: func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
				ran <- e
				return &trace.Summary{}, []byte(`{"outcome":"ok","ackAll":true}`), nil
			}})
			defer func() {
				close(gone)
				for _, p := range []*Platform{first, second} {
					if err := p.Close(); err != nil {
						t.Error(err)
					}
				}
				if len(ran) > 0 {
					t.Errorf("it ran again: %s", (<-ran).Payload)
				}
			}()
			d := &trace.Deployment{Workers: []trace.Worker{w}}
			second.Deploy(pr, d)
			r := &replicas{all: []*Platform{first, second}, store: store}
			r.until(t, "an end to waiting for nothing", func() bool {
				second.mu.Lock()
				defer second.mu.Unlock()
				return len(second.queues) == 0
			})
			first.Deploy(pr, d)
			if kind == "queue" {
				call(t, first, Caller{Project: pr, Worker: &w}, "queue.send", "q", "m", "json", -1.0)
			} else {
				call(t, first, Caller{Project: pr, Worker: &w, Class: "C", Object: "o"}, "storage.setAlarm", "o", float64(time.Now().UnixMilli()))
			}
			wait(t, dead)
			second.sweep()
			e := wait(t, ran)
			if e.Type != kind || !strings.Contains(string(e.Payload), want) {
				t.Errorf("the other server runs %s %s, which has no %s", e.Type, e.Payload, want)
			}
		})
	}
}

func wait[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(time.Minute):
		t.Fatal("it did not come")
	}
	return v
}

// A run that takes longer than a lease keeps it, and is not run elsewhere.
func TestLeaseIsRenewed(t *testing.T) {
	for _, kind := range []string{"queue", "alarm"} {
		t.Run(kind, func(t *testing.T) {
			store := NewMemory()
			pr, w := Project{Learner: "l", Project: "p"}, trace.Worker{Name: "w", Limits: trace.Default(), Durables: []string{"C"}}
			ns := Namespace{pr, kind, ""}
			if kind == "queue" {
				ns.Name = "q"
				w.Consumers = []trace.Consumer{{Queue: "q", BatchSize: 1, Retries: 3}}
				w.Bindings = []trace.Binding{{Name: "Q", Type: "queue", ID: "q"}}
			}
			var due []int64
			p := New(Config{Store: store, Lease: 60 * time.Millisecond, Invoke: func(ctx context.Context, _ Event) (*trace.Summary, []byte, error) {
				for len(due) < 3 { // until it was renewed twice
					list, err := store.List(ctx, ns, Query{Limit: 2, Values: true})
					if err != nil || len(list) != 1 {
						t.Errorf("%d records, %v", len(list), err)
						break
					}
					n := list[0].due()
					if kind == "alarm" {
						a, _ := parseAlarm(&list[0])
						n = a.due
					}
					if len(due) == 0 || n > due[len(due)-1] {
						due = append(due, n)
					}
					<-time.After(time.Millisecond)
				}
				return &trace.Summary{}, []byte(`{"outcome":"ok","ackAll":true}`), nil
			}})
			p.Deploy(pr, &trace.Deployment{Workers: []trace.Worker{w}})
			if kind == "queue" {
				call(t, p, Caller{Project: pr, Worker: &w}, "queue.send", "q", "m", "json", -1.0)
			} else {
				call(t, p, Caller{Project: pr, Worker: &w, Class: "C", Object: "o"}, "storage.setAlarm", "o", float64(time.Now().UnixMilli()))
			}
			r := &replicas{all: []*Platform{p}, store: store}
			r.until(t, "the end", func() bool { return r.left(t, ns) == 0 })
			r.close(t)
			if len(due) != 3 {
				t.Errorf("it was due at %v", due)
			}
		})
	}
}

// A server that stops gives what it was running back: the next one need not
// wait for the end of a lease, and it does not count as tried.
func TestLeaseIsGivenBack(t *testing.T) {
	store := NewMemory()
	pr, w := Project{Learner: "l", Project: "p"}, trace.Worker{Name: "w", Limits: trace.Default(), Durables: []string{"C"}, Consumers: []trace.Consumer{{Queue: "q", BatchSize: 1, Retries: 3}}, Bindings: []trace.Binding{{Name: "Q", Type: "queue", ID: "q"}}}
	began := make(chan struct{}, 2)
	first := New(Config{Store: store, Lease: time.Hour, Invoke: func(ctx context.Context, _ Event) (*trace.Summary, []byte, error) {
		began <- struct{}{}
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}})
	d := &trace.Deployment{Workers: []trace.Worker{w}}
	first.Deploy(pr, d)
	call(t, first, Caller{Project: pr, Worker: &w}, "queue.send", "q", "m", "json", -1.0)
	call(t, first, Caller{Project: pr, Worker: &w, Class: "C", Object: "o"}, "storage.setAlarm", "o", float64(time.Now().UnixMilli()))
	wait(t, began)
	wait(t, began)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	ran := make(chan string, 2)
	second := New(Config{Store: store, Lease: time.Hour, Invoke: func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
		ran <- string(e.Payload)
		return &trace.Summary{}, []byte(`{"outcome":"ok","ackAll":true}`), nil
	}})
	defer second.Close()
	second.Deploy(pr, d)
	got := wait(t, ran) + wait(t, ran)
	if !strings.Contains(got, `"retryCount":0`) || !strings.Contains(got, `"attempts":1`) {
		t.Errorf("given back, they come as %s", got)
	}
}

// A server whose lease was over settles nothing: another has the message now.
func TestLateServerSettlesNothing(t *testing.T) {
	r := newReplicas(t, 2)
	pr, w := Project{Learner: "l", Project: "p"}, trace.Worker{Name: "w", Limits: trace.Default(), Bindings: []trace.Binding{{Name: "Q", Type: "queue", ID: "q"}}}
	ns := Namespace{pr, "queue", "q"}
	call(t, r.all[0], Caller{Project: pr, Worker: &w}, "queue.send", "q", "m", "json", -1.0)
	r.all[1].cfg.Lease = time.Hour
	var taken []*batch
	for _, p := range r.all { // the second as if the first one's lease were over
		list, err := r.store.List(t.Context(), ns, Query{Limit: 10, Values: true})
		if err != nil {
			t.Fatal(err)
		}
		b, err := p.takeMessages(ns, list)
		if err != nil || len(b.at) != 1 || b.about[0].Attempts != len(taken)+1 {
			t.Fatalf("taken %+v, %v", b, err)
		}
		taken = append(taken, b)
	}
	drop := func(int) (*Record, string) { return nil, "" }
	if taken[0].move(t.Context(), r.all[0], drop); r.left(t, ns) != 1 {
		t.Error("the late server dropped the other's message")
	}
	if taken[1].move(t.Context(), r.all[1], drop); r.left(t, ns) != 0 {
		t.Error("the message was not dropped by the server that has it")
	}
}

// Messages sent to several servers at once are delivered once each.
func TestMessagesAreDeliveredOnce(t *testing.T) {
	store := NewMemory()
	var mu sync.Mutex
	ran := map[string]int{}
	r := &replicas{store: store}
	pr, w := Project{Learner: "l", Project: "p"}, trace.Worker{Name: "w", Limits: trace.Default(), Consumers: []trace.Consumer{{Queue: "q", BatchSize: 5, BatchWait: 1, Retries: 3}}, Bindings: []trace.Binding{{Name: "Q", Type: "queue", ID: "q"}}}
	for range 3 {
		p := New(Config{Store: store, Invoke: func(_ context.Context, e Event) (*trace.Summary, []byte, error) {
			var in struct{ Messages []struct{ Encoded string } }
			if err := json.Unmarshal(e.Payload, &in); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range in.Messages {
				ran[m.Encoded]++
			}
			return &trace.Summary{}, []byte(`{"outcome":"ok","ackAll":true}`), nil
		}})
		p.Deploy(pr, &trace.Deployment{Workers: []trace.Worker{w}})
		r.all = append(r.all, p)
	}
	t.Cleanup(func() { r.close(t) })
	for i := range 60 {
		call(t, r.all[i%3], Caller{Project: pr, Worker: &w}, "queue.send", "q", fmt.Sprint("m", i), "json", -1.0)
	}
	r.until(t, "every message", func() bool { return r.left(t, Namespace{pr, "queue", "q"}) == 0 })
	mu.Lock()
	defer mu.Unlock()
	if len(ran) != 60 {
		t.Errorf("%d messages came", len(ran))
	}
	for m, n := range ran {
		if n != 1 {
			t.Errorf("%s came %d times", m, n)
		}
	}
}

// An alarm that fails is tried again once, wherever.
func TestAlarmIsTriedAgainOnce(t *testing.T) {
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
			if got[0][2:] != "0" || got[1][2:] != "1" {
				t.Errorf("it ran as %v", got)
			}
			return
		}
		if time.Now().After(end) || len(got) > 2 {
			t.Fatalf("it ran as %v", got)
		}
	}
}
