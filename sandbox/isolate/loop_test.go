package isolate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
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

func TestTimersCountFromTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		defer p.Close()
		l, _ := newTestLoop(t, p, LoopConfig{})
		defer l.Close()
		var got []string
		say := func(s string) Turn {
			return func(Isolate) error { got = append(got, s); return nil }
		}
		if err := l.Post(&Account{}, func(Isolate) error {
			l.After(3*time.Millisecond, say("3"))
			time.Sleep(10 * time.Millisecond) // a turn that takes long
			l.After(time.Millisecond, say("1"))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if want := []string{"1", "3"}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
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
	const loops, turns = 5, 10
	var mu sync.Mutex
	var got [loops]int
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
				spin(2 * lead)
				mu.Lock()
				defer mu.Unlock()
				got[i]++
				if got[i] == turns && slices.Min(got[:]) < turns-2 {
					t.Errorf("loop %d has had all of its turns; all: %v", i, got)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(block)
	wg.Wait()
}

// spin uses CPU time.
func spin(d time.Duration) {
	clock := threadClock()
	for begin := clock.now(); clock.now()-begin < d; {
	}
}

// TestLongTurnsLeaveRoom checks that loops in the middle of long turns do not
// keep one that has used little from its turn, and that among those that wait
// who has used least goes first.
func TestLongTurnsLeaveRoom(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	a := &Account{}
	hold, held := make(chan struct{}), make(chan struct{})
	long, _ := newTestLoop(t, p, LoopConfig{})
	if err := long.Post(a, func(Isolate) error { close(held); <-hold; return nil }); err != nil {
		t.Fatal(err)
	}
	<-held
	short, _ := newTestLoop(t, p, LoopConfig{})
	done := make(chan struct{})
	if err := short.Post(a, func(Isolate) error { close(done); return nil }); err != nil {
		t.Fatal(err)
	}
	<-done // though the only ordinary thread is taken

	// A loop that has used much does not get the spare thread.
	var mu sync.Mutex
	var order []string
	say := func(s string) Turn {
		return func(Isolate) error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, s)
			return nil
		}
	}
	heavy, _ := newTestLoop(t, p, LoopConfig{})
	spun := make(chan struct{})
	for _, f := range []Turn{func(Isolate) error { spin(3 * lead); return nil }, func(Isolate) error { close(spun); return nil }} {
		if err := heavy.Post(a, f); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-spun:
		t.Fatal("a loop that has used much got the spare thread")
	case <-waitFor(p, heavy):
	}
	last := make(chan struct{})
	if err := heavy.Post(a, say("heavy")); err != nil {
		t.Fatal(err)
	}
	if err := heavy.Post(a, func(Isolate) error { close(last); return nil }); err != nil {
		t.Fatal(err)
	}
	quick := make(chan struct{})
	if err := short.Post(a, say("light")); err != nil {
		t.Fatal(err)
	}
	if err := short.Post(a, func(Isolate) error { close(quick); return nil }); err != nil {
		t.Fatal(err)
	}
	<-quick
	close(hold)
	<-last
	if got := fmt.Sprint(order); got != "[light heavy]" {
		t.Errorf("order %s", got)
	}
	for _, l := range []*Loop{long, short, heavy} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestWaitingLendsItsThread checks that turns that wait for something else than
// the CPU, however many, keep no other loop from its turn, and that the pool has
// its own number of threads again afterwards.
func TestWaitingLendsItsThread(t *testing.T) {
	p := NewPool(1)
	a := &Account{}
	hold := make(chan struct{})
	var loops []*Loop
	var told []*waiter
	for range 5 {
		w := &waiter{waits: make(chan struct{})}
		l, _ := newTestLoop(t, p, LoopConfig{})
		l.iso = w
		loops, told = append(loops, l), append(told, w)
		held := make(chan struct{})
		if err := l.Post(a, func(Isolate) error {
			close(held)
			l.Aside(func() { <-hold })
			w.said = append(w.said, "on")
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		<-held // though the ordinary thread and the spare one are with loops that wait
	}
	other, _ := newTestLoop(t, p, LoopConfig{})
	done := make(chan struct{})
	if err := other.Post(a, func(Isolate) error { close(done); return nil }); err != nil {
		t.Fatal(err)
	}
	<-done
	for _, w := range told {
		<-w.waits
	}
	close(hold)
	for i, l := range append(loops, other) {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if i < len(told) {
			if got := strings.Join(told[i].said, " "); got != "waits runs on" {
				t.Errorf("the isolate was told %q", got)
			}
		}
	}
	p.mu.Lock()
	working, surplus := p.working, p.surplus
	p.mu.Unlock()
	if working != 0 || surplus > len(loops) {
		t.Errorf("%d threads work, %d must end", working, surplus)
	}
	p.Close() // returns only once all have ended
}

// waiter is told that it waits.
type waiter struct {
	fake
	waits chan struct{} // closed when it does
	said  []string
}

func (w *waiter) Waiting(on bool) {
	if on {
		w.said = append(w.said, "waits")
		close(w.waits)
	} else {
		w.said = append(w.said, "runs")
	}
}

// waitFor is closed once l waits in the pool's queue with CPU time used.
func waitFor(p *Pool, l *Loop) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		for {
			p.mu.Lock()
			waits := len(p.queue) == 1 && p.queue[0] == l && l.share.virtual > lead
			p.mu.Unlock()
			if waits {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return c
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

// Timers of a run that is over are gone at once, not when they are due, which may
// be weeks later; those of others stay in their order.
func TestClosedAccountsLeaveNoTimers(t *testing.T) {
	p := NewPool(1)
	defer p.Close()
	l, _ := newTestLoop(t, p, LoopConfig{})
	defer l.Close()
	a, b := &Account{}, &Account{}
	fired := make(chan int, 3)
	for i := range 30 {
		of, d := a, 1000*time.Hour
		if i%10 == 9 {
			of, d = b, time.Duration(50-i)*time.Millisecond
		}
		if err := l.Post(of, func(Isolate) error {
			l.After(d, func(Isolate) error {
				fired <- i
				return nil
			})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	closed := make(chan int)
	if err := l.Post(&Account{}, func(Isolate) error {
		l.CloseAccount(a)
		l.mu.Lock()
		left := len(l.timers)
		l.mu.Unlock()
		closed <- left
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if left := <-closed; left != 3 || l.Pending(a) != 0 {
		t.Errorf("%d timers are left, and %d pending; want the other account's 3, and none", left, l.Pending(a))
	}
	for _, want := range []int{29, 19, 9} {
		if got := <-fired; got != want {
			t.Errorf("timer %d fired, want %d", got, want)
		}
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
