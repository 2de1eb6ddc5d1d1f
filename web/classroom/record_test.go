package classroom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
)

var _ platform.Store = (*Records)(nil)

// TestRecordsActAsMemoryDoes plays random operations on both and compares.
func TestRecordsActAsMemoryDoes(t *testing.T) {
	s, _ := newStore(t)
	ctx, db, mem := t.Context(), s.Records(), platform.NewMemory()
	s.now = time.Now // the memory's clock
	r := rand.New(rand.NewPCG(1, 2))
	errOver := errors.New("over")
	keys := []string{"a", "a/1", "a/2", "b", "é", "\x00", "a\xff", "zz", "", "%", "a_", "A"}
	key := func() string { return keys[r.IntN(len(keys))] }
	names := []string{"n0", "n1", strings.Repeat("n", 520)} // of the last, each record counts a part
	for i := range 600 {
		ns := platform.Namespace{Project: platform.Project{Learner: "l", Project: fmt.Sprint("p", r.IntN(2))}, Kind: "kv", Name: names[r.IntN(3)]}
		switch r.IntN(6) {
		case 5:
			var list []platform.Move
			for range 1 + r.IntN(3) {
				m := platform.Move{From: key()}
				if r.IntN(3) > 0 {
					m.To = &platform.Record{Key: key(), Value: make([]byte, r.IntN(40)), Meta: []byte("m")}
				}
				if r.IntN(3) == 0 {
					m.Name = names[r.IntN(3)]
				}
				list = append(list, m)
			}
			a, err1 := db.Move(ctx, ns, list)
			b, err2 := mem.Move(ctx, ns, list)
			if !slices.Equal(a, b) || err1 != nil || err2 != nil {
				t.Fatalf("step %d: move %v: %v %v, %v %v", i, list, a, b, err1, err2)
			}
		case 4:
			k := key()
			var old []byte
			if have, err := mem.Get(ctx, ns, k); err == nil && have != nil && r.IntN(4) > 0 {
				old = have.Value
			} else if r.IntN(3) == 0 {
				old = []byte{1}
			}
			c := platform.Change{Record: platform.Record{Key: k, Value: make([]byte, r.IntN(40)), Meta: []byte("m")}, Delete: r.IntN(3) == 0}
			a, err1 := db.Swap(ctx, ns, old, c)
			b, err2 := mem.Swap(ctx, ns, old, c)
			if a != b || err1 != nil || err2 != nil {
				t.Fatalf("step %d: swap %q: %v %v, %v %v", i, k, a, b, err1, err2)
			}
		case 0, 1:
			var batch []platform.Change
			for range 1 + r.IntN(3) {
				c := platform.Change{Record: platform.Record{Key: key(), Value: make([]byte, r.IntN(40)), Meta: []byte("m")}, Delete: r.IntN(4) == 0}
				switch r.IntN(4) {
				case 0:
					c.Expires = 1 // long ago
				case 1:
					c.Expires = time.Now().Add(time.Hour).UnixMilli()
				}
				batch = append(batch, c)
			}
			// A record that is born expired counts or not; nobody can read it.
			expired := slices.ContainsFunc(batch, func(c platform.Change) bool { return c.Expires == 1 })
			var seen [2]platform.Usage
			check := func(n int) func(platform.Usage) error {
				if expired {
					return nil
				}
				return func(u platform.Usage) error {
					seen[n] = u
					if u.Bytes > 150 {
						return errOver
					}
					return nil
				}
			}
			a, b := db.Write(ctx, ns, batch, check(0)), mem.Write(ctx, ns, batch, check(1))
			if !errors.Is(a, b) || (a == nil) != (b == nil) {
				t.Fatalf("step %d: write gives %v and %v", i, a, b)
			}
			if seen[0] != seen[1] {
				t.Fatalf("step %d: usage %+v and %+v", i, seen[0], seen[1])
			}
		case 2:
			k := key()
			a, err1 := db.Get(ctx, ns, k)
			b, err2 := mem.Get(ctx, ns, k)
			if diff := cmp.Diff(b, a, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(platform.Record{}, "Size")); diff != "" || err1 != nil || err2 != nil {
				t.Fatalf("step %d: get %q: %v %v (-memory +database)\n%s", i, k, err1, err2, diff)
			}
		case 3:
			q := platform.Query{Prefix: []string{"", "a", "a/", "é", "x"}[r.IntN(5)], Limit: 1 + r.IntN(5), Values: r.IntN(2) == 0}
			if r.IntN(2) == 0 {
				q.After = key()
			}
			a, err1 := db.List(ctx, ns, q)
			b, err2 := mem.List(ctx, ns, q)
			if diff := cmp.Diff(b, a, cmpopts.EquateEmpty()); diff != "" || err1 != nil || err2 != nil {
				t.Fatalf("step %d: list %+v: %v %v (-memory +database)\n%s", i, q, err1, err2, diff)
			}
		}
	}
}

func TestRecordsGoWithTheirProject(t *testing.T) {
	s, _ := newStore(t)
	ctx, w, db := t.Context(), newWorkspace(t, s), s.Records()
	if _, err := s.Save(ctx, w.ID, "p", Change{Files: files("x")}); err != nil {
		t.Fatal(err)
	}
	put := func(space string) platform.Namespace {
		ns := platform.Namespace{Project: platform.Project{Learner: w.ID, Project: "p", Space: space}, Kind: "kv", Name: "NOTES"}
		if err := db.Write(ctx, ns, []platform.Change{{Record: platform.Record{Key: "k", Value: []byte("v")}}}, nil); err != nil {
			t.Fatal(err)
		}
		return ns
	}
	has := func(ns platform.Namespace) bool {
		r, err := db.Get(ctx, ns, "k")
		if err != nil {
			t.Fatal(err)
		}
		return r != nil
	}
	own, check := put(""), put("check-1")
	if !has(own) || !has(check) {
		t.Fatal("what was put is not there")
	}
	if err := db.Drop(ctx, check.Project); err != nil || !has(own) || has(check) {
		t.Errorf("after a check's end: %v, own %v, check %v", err, has(own), has(check))
	}
	if err := s.DeleteProject(ctx, w.ID, "p"); err != nil || has(own) {
		t.Errorf("after the project's end: %v, %v", err, has(own))
	}
	if err := db.Write(context.Background(), platform.Namespace{}, nil, nil); err == nil {
		t.Error("a record without a project is taken")
	}
}

// Of many who swap the same value at once, through several connections to the
// database, one succeeds.
func TestSwapHasOneWinner(t *testing.T) {
	c := newDatabase(t)
	var all []*Records
	for range 2 {
		s, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		all = append(all, s.Records())
	}
	ns := platform.Namespace{Project: platform.Project{Learner: "l", Project: "p"}, Kind: "alarm"}
	var old []byte
	for round := range 5 {
		value := []byte(fmt.Sprint(round))
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				ok, err := all[i%2].Swap(t.Context(), ns, old, platform.Change{Record: platform.Record{Key: "k", Value: value}})
				if err != nil {
					t.Error(err)
				}
				if ok {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d has %d winners", round, won.Load())
		}
		old = value
	}
}

// Two servers on one database deliver each message once and ring each alarm
// once, whichever of them was asked.
func TestServersShareTheirEvents(t *testing.T) {
	c := newDatabase(t)
	var mu sync.Mutex
	ran := map[string]int{}
	pr := platform.Project{Learner: "l", Project: "p"}
	w := trace.Worker{
		Name: "w", Limits: trace.Default(), Durables: []string{"C"}, Consumers: []trace.Consumer{{Queue: "q", BatchSize: 4, BatchWait: 1, Retries: 3}},
		Bindings: []trace.Binding{{Name: "Q", Type: "queue", ID: "q"}},
	}
	var all []*platform.Platform
	var records *Records
	for range 2 {
		s, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		records = s.Records()
		p := platform.New(platform.Config{Store: records, Invoke: func(_ context.Context, e platform.Event) (*trace.Summary, []byte, error) {
			var in struct{ Messages []struct{ Encoded string } }
			if err := json.Unmarshal(e.Payload, &in); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range in.Messages {
				ran[m.Encoded]++
			}
			if e.Type == "alarm" {
				ran[e.Object]++
			}
			return &trace.Summary{}, []byte(`{"outcome":"ok","ackAll":true}`), nil
		}})
		defer p.Close()
		all = append(all, p)
	}
	call := func(i int, c platform.Caller, op string, args ...any) {
		c.Project, c.Worker = pr, &w
		if _, err := all[i%2].Call(t.Context(), c, op, args); err != nil {
			t.Fatal(err)
		}
	}
	soon := float64(time.Now().Add(time.Second).UnixMilli())
	for i := range 12 {
		call(i, platform.Caller{}, "queue.send", "q", fmt.Sprint("message ", i), "json", 0.0)
		call(i, platform.Caller{Class: "C", Object: fmt.Sprint("object ", i)}, "storage.setAlarm", fmt.Sprint("object ", i), soon)
	}
	for _, p := range all { // now both know of everything
		p.Deploy(pr, &trace.Deployment{Workers: []trace.Worker{w}})
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		left := 0
		for _, ns := range []platform.Namespace{{Project: pr, Kind: "queue", Name: "q"}, {Project: pr, Kind: "alarm"}} {
			list, err := records.List(t.Context(), ns, platform.Query{Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			left += len(list)
		}
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d are left", left)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ran) != 24 {
		t.Errorf("%d events, not 24: %v", len(ran), ran)
	}
	for what, n := range ran {
		if n != 1 {
			t.Errorf("%s came %d times", what, n)
		}
	}
}
