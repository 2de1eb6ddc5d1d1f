package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/pool"
	"coldstart/web/lab"
)

// busyLabs are labs that burn the machine. Each calls burns once it does so; the
// short test has the first one only.
var busyLabs = []struct {
	name string
	run  func(ctx context.Context, labs *lab.Labs, burns func()) error
}{
	{"race", func(ctx context.Context, labs *lab.Labs, burns func()) error {
		_, err := labs.Race(ctx, sandbox.Key{Learner: "burner", Project: "lab-race"}, nil, []string{"isolate", "node"}, 100, func(_ lab.Race, say string) {
			if strings.HasPrefix(say, "Round ") {
				burns()
			}
		})
		return err
	}},
	{"density", func(ctx context.Context, labs *lab.Labs, burns func()) error {
		_, err := labs.Fill(ctx, sandbox.Key{Learner: "burner", Project: "lab-density"}, nil, []string{lab.Process}, lab.MostAlive, func(d lab.Density, _ string) {
			if len(d.Lines) > 0 && len(d.Line(lab.Isolate).Samples) > 0 {
				burns()
			}
		})
		return err
	}},
	{"autoscale", func(ctx context.Context, labs *lab.Labs, burns func()) error {
		traffic := traffic(map[string]string{"shape": "crowd", "peak": "120", "clock": "15", "capacity": "0", "inside": "4", "seed": "1"})
		var err error
		if traffic.Pool, err = pool.Parse("pool.json", []byte(defaultPool)); err != nil {
			return err
		}
		_, err = labs.Scale(ctx, sandbox.Key{Learner: "burner", Project: "lab-autoscale"}, nil, traffic, nil, func(a *lab.Autoscale, _ string) {
			if float64(len(a.Real.Beats))*a.Step > 4 { // the crowd is there
				burns()
			}
		})
		return err
	}},
}

// Thirty learners press Run at once, again and again, while somebody's lab
// starts processes and isolates as fast as it can. Boxes of labs are nice, so
// the learners wait hardly longer than without. Under a load of others that
// comes and goes one comparison may fail by chance; three do not.
func TestThirtyLearnersBesideALab(t *testing.T) {
	s, stop := newRealServer(t, filepath.Join(t.TempDir(), "c.db"))
	defer stop()
	l := s.site.catalog.Load().ByID("first-request")
	const learners, most = 30, 2.5
	browsers := make([]*browser, learners)
	for i := range browsers {
		browsers[i] = s.browser()
		browsers[i].get(l.URL())
		if r := browsers[i].form(l.URL()+"/run", "method", "GET", "path", "/"); r.status != http.StatusSeeOther {
			t.Fatalf("run: %d %s", r.status, r.body)
		}
	}
	// everyone presses Run twice; the median of what they waited, in ms.
	everyone := func() float64 {
		var wg sync.WaitGroup
		waited := make([]float64, 2*learners)
		for i, b := range browsers {
			wg.Go(func() {
				for k := range 2 {
					begin := time.Now()
					r, err := b.client.Do(b.request(http.MethodPost, l.URL()+"/run", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"method": {"GET"}, "path": {"/"}}.Encode())))
					if err != nil || r.StatusCode != http.StatusSeeOther {
						t.Error("run: ", err)
						return
					}
					_ = r.Body.Close()
					waited[2*i+k] = float64(time.Since(begin).Microseconds()) / 1000
				}
			})
		}
		wg.Wait()
		slices.Sort(waited)
		return waited[learners]
	}
	for n, busy := range busyLabs {
		if testing.Short() && n > 0 {
			t.Logf("%s: only without -short", busy.name)
			continue
		}
		for attempt := 1; ; attempt++ {
			before := everyone()
			ctx, cancel := context.WithCancel(t.Context())
			burning, ended := make(chan struct{}), make(chan error, 1)
			var once sync.Once
			go func() {
				for { // on a slow machine the learners may outlast a lab
					err := busy.run(ctx, s.site.labs, func() { once.Do(func() { close(burning) }) })
					if ctx.Err() != nil || err != nil && !errors.Is(err, lab.ErrTime) {
						ended <- err
						return
					}
				}
			}()
			select {
			case <-burning:
			case err := <-ended:
				t.Fatalf("%s ended early: %v", busy.name, err)
			}
			during := everyone()
			cancel()
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("%s, which was left: %v", busy.name, err)
			}
			after := everyone()
			t.Logf("%s: median wait %.1f ms before, %.1f ms beside it, %.1f ms after", busy.name, before, during, after)
			if t.Failed() || during < most*max(before, after) {
				break
			}
			if attempt == 3 {
				t.Fatalf("%s: learners wait %.1f ms beside it, %.1f and %.1f ms without", busy.name, during, before, after)
			}
		}
	}
}
