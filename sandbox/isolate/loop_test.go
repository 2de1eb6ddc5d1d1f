package isolate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeEngine makes isolates that run Go functions.
type fakeEngine struct {
	mu   sync.Mutex
	made []*fake
	fail error
}

func (*fakeEngine) Name() string { return "fake" }
func (*fakeEngine) Close() error { return nil }

func (e *fakeEngine) New(_ context.Context, spec Spec) (Isolate, error) {
	if e.fail != nil {
		return nil, e.fail
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	f := &fake{host: spec.Host}
	e.made = append(e.made, f)
	return f, nil
}

type fake struct {
	host   Host
	idle   int
	closed int
}

func (f *fake) Call(string, ...Value) (Value, error) {
	for !f.host.Interrupted() {
	}
	return nil, ErrInterrupted
}
func (f *fake) Load(string, string, bool) error { return nil }
func (f *fake) Memory() Memory                  { return Memory{} }
func (f *fake) Pages() []byte                   { return nil }
func (f *fake) Idle()                           { f.idle++ }
func (f *fake) Close() error                    { f.closed++; return nil }

func newTestLoop(t *testing.T, p *Pool, cfg LoopConfig) (*Loop, *fake) {
	t.Helper()
	e := &fakeEngine{}
	cfg.Pool, cfg.Engine = p, e
	l, err := NewLoop(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l, e.made[0]
}

func TestLoopOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(2)
		defer p.Close()
		l, f := newTestLoop(t, p, LoopConfig{})
		a := &Account{}
		var got []string
		say := func(s string) Turn {
			return func(Isolate) error { got = append(got, s); return nil }
		}
		a.Quiet = say("quiet")
		post := func(f Turn) {
			if err := l.Post(a, f); err != nil {
				t.Error(err)
			}
		}
		post(func(Isolate) error {
			l.After(20*time.Millisecond, say("20"))
			l.After(10*time.Millisecond, say("10 first"))
			l.After(10*time.Millisecond, say("10 second"))
			gone := l.After(15*time.Millisecond, say("stopped"))
			l.After(0, func(Isolate) error {
				if !gone.Stop() || gone.Stop() {
					t.Error("Stop did not tell once that the timer was still to come")
				}
				return nil
			})
			r := l.Reserve()
			go func() {
				time.Sleep(30 * time.Millisecond)
				r.Post(say("reserved"))
				r.Post(say("again"))
			}()
			if l.Account() != a || l.Pending(a) != 7 {
				t.Errorf("account %p, %d pending", l.Account(), l.Pending(a))
			}
			return nil
		})
		post(say("posted"))
		time.Sleep(time.Second)
		synctest.Wait()
		if want := []string{"posted", "10 first", "10 second", "20", "reserved", "quiet"}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if f.idle != 1 {
			t.Errorf("idle %d times", f.idle)
		}
		if err := l.Close(); err != nil || f.closed != 1 {
			t.Errorf("%v, closed %d times", err, f.closed)
		}
		if err := l.Post(a, say("late")); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}

func TestClosedAccountsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		defer p.Close()
		l, _ := newTestLoop(t, p, LoopConfig{})
		defer l.Close()
		a, b := &Account{Run: "a"}, &Account{Run: "b"}
		ran := map[string]int{}
		start := func(a *Account) {
			a.Quiet = func(Isolate) error { ran["quiet "+a.Run]++; return nil }
			if err := l.Post(a, func(Isolate) error {
				l.After(time.Millisecond, func(Isolate) error { ran[a.Run]++; return nil })
				r := l.Reserve()
				go func() {
					time.Sleep(2 * time.Millisecond)
					r.Post(func(Isolate) error { ran[a.Run]++; return nil })
				}()
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
		start(a)
		start(b)
		synctest.Wait()
		l.CloseAccount(a)
		time.Sleep(time.Second)
		synctest.Wait()
		if want := map[string]int{"b": 2, "quiet b": 1}; !reflect.DeepEqual(ran, want) {
			t.Errorf("got %v, want %v", ran, want)
		}
		if err := l.Post(a, nil); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if n := l.Pending(a); n != 0 {
			t.Errorf("%d still pending", n)
		}
	})
}

// TestFair checks that a loop with many turns does not hold up the others.
func TestFair(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	const loops, turns = 5, 20
	var mu sync.Mutex
	var got []int
	var wg sync.WaitGroup
	block := make(chan struct{})
	first, _ := newTestLoop(t, p, LoopConfig{})
	defer first.Close()
	if err := first.Post(&Account{}, func(Isolate) error { <-block; return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range loops {
		l, _ := newTestLoop(t, p, LoopConfig{})
		defer l.Close()
		for range turns {
			wg.Add(1)
			if err := l.Post(&Account{}, func(Isolate) error {
				defer wg.Done()
				mu.Lock()
				defer mu.Unlock()
				got = append(got, i)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(block)
	wg.Wait()
	for i, n := range got {
		if n != i%loops {
			t.Fatalf("turn %d was loop %d's: %v", i, n, got)
		}
	}
}

func TestCPULimit(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	var failed, broken error
	over := make(chan struct{})
	l, _ := newTestLoop(t, p, LoopConfig{
		Failed: func(_ *Account, err error) { failed = err },
		Broken: func(err error) { broken = err; close(over) },
	})
	defer l.Close()
	a := &Account{Limit: 20 * time.Millisecond}
	if err := l.Post(a, func(iso Isolate) error {
		_, err := iso.Call("spin")
		return fmt.Errorf("turn: %w", err)
	}); err != nil {
		t.Fatal(err)
	}
	<-over
	if !errors.Is(failed, ErrInterrupted) || !errors.Is(broken, ErrInterrupted) || !errors.Is(l.StopCause(), ErrCPU) {
		t.Errorf("failed %v, broken %v, cause %v", failed, broken, l.StopCause())
	}
	if used := a.CPU(); used < 20*time.Millisecond || used > time.Second {
		t.Errorf("used %v", used)
	}
}

// TestWaitingIsFree checks that time outside of turns is not charged.
func TestWaitingIsFree(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	l, _ := newTestLoop(t, p, LoopConfig{})
	defer l.Close()
	quiet := make(chan struct{})
	a := &Account{Limit: time.Second, Quiet: func(Isolate) error { close(quiet); return nil }}
	if err := l.Post(a, func(Isolate) error {
		l.After(100*time.Millisecond, func(Isolate) error { return nil })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	<-quiet
	if used := a.CPU(); used > 50*time.Millisecond {
		t.Errorf("waiting 100 ms cost %v", used)
	}
}

func TestShutdownInsideTurn(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	l, f := newTestLoop(t, p, LoopConfig{})
	ran := false
	if err := l.Post(&Account{}, func(Isolate) error {
		l.Shutdown()
		if f.closed != 0 {
			t.Error("the isolate was freed under a turn")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_ = l.Post(&Account{}, func(Isolate) error { ran = true; return nil }) // may already be closed
	<-l.Done()
	if f.closed != 1 || ran || l.Context().Err() == nil {
		t.Errorf("closed %d times, ran %v, context %v", f.closed, ran, l.Context().Err())
	}
}

func TestNewLoopFails(t *testing.T) {
	want := errors.New("no")
	if _, err := NewLoop(t.Context(), LoopConfig{Engine: &fakeEngine{fail: want}}); !errors.Is(err, want) {
		t.Error(err)
	}
}

// TestHammer posts, times, reserves and closes from everywhere at once.
func TestHammer(t *testing.T) {
	p := NewPool(4)
	defer p.Close()
	var wg sync.WaitGroup
	for range 50 {
		l, f := newTestLoop(t, p, LoopConfig{IdleAfter: time.Microsecond})
		for range 4 {
			wg.Go(func() {
				a := &Account{Limit: time.Second}
				for i := range 50 {
					err := l.Post(a, func(Isolate) error {
						l.After(time.Duration(i)*time.Microsecond, func(Isolate) error { return nil }).Stop()
						l.After(time.Microsecond, func(Isolate) error { return nil })
						r := l.Reserve()
						wg.Go(func() { r.Post(nil) })
						return nil
					})
					if err != nil && !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
				}
				l.CloseAccount(a)
			})
		}
		wg.Go(func() {
			if err := l.Close(); err != nil || f.closed != 1 {
				t.Errorf("%v, closed %d times", err, f.closed)
			}
		})
	}
	wg.Wait()
}

func TestFrames(t *testing.T) {
	got := Frames("TypeError: x\nat y\n    at f (a.js:1:2)\n\n   at b.js:3:4\nnoise")
	if want := "    at y\n    at f (a.js:1:2)\n    at b.js:3:4"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExceptionText(t *testing.T) {
	for _, test := range []struct {
		e    Exception
		want string
	}{{Exception{Name: "A", Message: "b"}, "A: b"}, {Exception{Name: "A"}, "A"}, {Exception{Message: "b"}, "b"}} {
		if got := test.e.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
