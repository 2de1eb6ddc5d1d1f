package lab

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/pool"
	"coldstart/sandbox/trace"
)

func testPool(t *testing.T) pool.Config {
	t.Helper()
	c, err := pool.Parse("pool.json", []byte(`{"min": 2, "max": 8, "target": 0.6, "health": {"every_s": 5, "unhealthy_after": 2}, "slots": 2}`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The isolates go from none to some and back to none, survive the death of
// their process, and everybody who came is accounted for, on both sides.
func TestScaleFromNoneToNone(t *testing.T) {
	labs := realLabs(t)
	crash := make(chan struct{}, 1)
	traffic := Traffic{Shape: "rush", Peak: 100, Clock: 60, Inside: 4, Seed: 1, Pool: testPool(t), Prices: Meter{VMHour: 0.0416, PerMillion: 0.3, PerMillionCPU: 0.02}}
	rates, end := traffic.rates()
	arrivals := pool.Random(rates, end, 1)
	most, shown := 0, 0
	a, err := labs.Scale(t.Context(), learner, nil, traffic, crash, func(a *Autoscale, say string) {
		shown++
		if n := len(a.Real.Beats); n > 0 {
			most = max(most, a.Real.Beats[n-1].Copies)
		}
		if a.Real.Answered > 0 && len(a.Events) == 0 && len(crash) == 0 {
			crash <- struct{}{}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Side{"real": a.Real, "model": a.Model} {
		if s.Requests != len(arrivals) || s.Answered+s.Errors != s.Requests {
			t.Errorf("%s: %d came of %d, %d answered, %d errors", name, s.Requests, len(arrivals), s.Answered, s.Errors)
		}
		in := 0
		for _, b := range s.Beats {
			in += b.Arrived
		}
		if in != s.Requests || s.Cost <= 0 || s.P99 < s.P50 || s.P50 < 50 {
			t.Errorf("%s: %d in beats, %+v", name, in, s.Cost)
		}
	}
	if last := a.Real.Beats[len(a.Real.Beats)-1]; most == 0 || last.Copies != 0 {
		t.Errorf("isolates: at most %d, last %+v", most, last)
	}
	if len(a.Work) != workSamples || slices.Min(a.Work) < 45 {
		t.Errorf("a request took %v ms", a.Work)
	}
	kinds := func(events []pool.Event) (out []string) {
		for _, e := range events {
			out = append(out, e.Kind)
		}
		return out
	}
	if got := kinds(a.Noted); !slices.Contains(got, "crash") || !slices.Contains(got, "ready") || got[len(got)-1] != "stop" || a.Real.Cold < 2 {
		t.Errorf("%d cold starts, noted %v", a.Real.Cold, a.Noted)
	}
	if !slices.Contains(kinds(a.Events), "crash") || !slices.Contains(kinds(a.Events), "out") {
		t.Errorf("the model's events %v", a.Events)
	}
	if !a.Whole || a.Machine == "" || shown < 5 {
		t.Errorf("whole %v on %q after %d drawings", a.Whole, a.Machine, shown)
	}
}

func TestScaleOfCodeThatFails(t *testing.T) {
	labs := realLabs(t)
	traffic := Traffic{Peak: 10, Clock: 60, Inside: 4, Pool: testPool(t)}
	for _, c := range []struct{ code, want string }{
		{"export default {", "index.js"},
		{"export default { fetch() { throw new Error('enough') } };", "enough"},
	} {
		_, err := labs.Scale(t.Context(), learner, project(c.code), traffic, nil, func(*Autoscale, string) {})
		var code *CodeError
		if !errors.As(err, &code) {
			t.Errorf("%s: %v", c.code, err)
		}
	}
}

// stalling answers at once, but not while it stands still.
type stalling struct {
	sandbox.Door
	from, until time.Time
}

func (d *stalling) Invoke(ctx context.Context, _ sandbox.Run) (*sandbox.Response, error) {
	if now := time.Now(); !now.Before(d.from) && now.Before(d.until) {
		select {
		case <-time.After(d.until.Sub(now)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	sum := &trace.Summary{Outcome: "ok", Status: 200, Isolate: "i", CPU: 1000}
	return &sandbox.Response{Head: trace.ResponseHead{Status: 200}, Body: io.NopCloser(strings.NewReader("x")), Summary: func(context.Context) (*trace.Summary, error) { return sum, nil }}, nil
}

// A server that stands still for a second is met by everybody who comes in
// that second. A generator that waited for its answers would meet it once.
func TestNobodyWhoWaitedIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := &stalling{from: time.Now().Add(2 * time.Second), until: time.Now().Add(3 * time.Second)}
		c := newCrowd(door, sandbox.Key{}, pool.Even([]pool.Rate{{From: 0, PerSecond: 100}}, 5))
		c.start(t.Context())
		c.wait()
		var s Side
		c.fill(&s, Meter{PerMillion: 1e6, PerMillionCPU: 1e6})
		if s.Requests != 500 || s.Answered != 500 || !c.quiet() {
			t.Fatalf("got %+v", s)
		}
		slow := 0
		for i, w := range c.waits {
			for _, ms := range w {
				if ms > 10 {
					slow++
				}
			}
			at := float64(i) * beat.Seconds()
			if b := s.Beats[i]; at >= 2 && at < 3 {
				// The middle of them waited until the second was over.
				if want := (3 - at - beat.Seconds()/2) * 1000; b.P50 < want-20 || b.P50 > want+20 {
					t.Errorf("at %v the middle one waited %v ms, not %v", at, b.P50, want)
				}
			} else if b.P99 > 1 {
				t.Errorf("at %v somebody waited %v ms", at, b.P99)
			}
		}
		if slow != 99 && slow != 98 { // of a hundred; the last came 5 ms before the end
			t.Errorf("%d visitors met the stall", slow)
		}
		if s.Cost < 999.9 || s.Cost > 1000.1 { // a dollar each, and one for each millisecond of CPU time
			t.Errorf("it cost %v", s.Cost)
		}
		if s.Cold != 0 || s.P50 > 1 || s.P99 < 900 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		door := &stalling{from: time.Now(), until: time.Now().Add(time.Hour)}
		c := newCrowd(door, sandbox.Key{}, []float64{0.5, 0.6})
		begin := time.Now()
		c.start(t.Context())
		c.wait()
		var s Side
		c.fill(&s, Meter{})
		if s.Errors != 2 || time.Since(begin) != 2600*time.Millisecond {
			t.Errorf("after %v: %+v", time.Since(begin), s)
		}
	})
}
