package pool

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func settings(t *testing.T, text string) Config {
	t.Helper()
	c, err := Parse("pool.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const good = `{ "min": 2, "max": 8, "target": 0.6, "health": { "every_s": 5, "unhealthy_after": 2 } }`

// hundred is a server that answers 100 requests a second.
var hundred = []float64{0.01}

func TestParseSaysWhere(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{\n\"min\": 5,\n\"max\": 4\n}", "pool.json:3: max is 4 and min is 5; max must not be smaller than min."},
		{"{\n\"min\": 5,\n\"max\": 6\n}", "pool.json:1: target is missing"},
		{"{\n\"min\": 5\n}", "pool.json:1: max is missing"},
		{"{\"min\": 1, \"max\": 2,\n\"target\": 60}", "pool.json:2: target is 60; it must lie between 0.01 and 1."},
		{"{\"min\": 1, \"max\": 2, \"target\": 1, \"health\": {\n\"every\": 5}}", "pool.json:2: There is no setting health.every."},
		{"{\"min\": 1, \"max\": 2,\n\"controller\": \"k8s\"}", "pool.json:2: controller must be one of group, fixed, kubernetes, not the text \"k8s\"."},
		{"{\"min\": 1, \"max\": 2, \"target\": 1,\n\"health\": 5}", "pool.json:2: health must be an object"},
	} {
		if _, err := Parse("pool.json", []byte(c.text)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.text, err, c.want)
		}
	}
	if _, err := Parse("", []byte(`{"min":3,"max":1}`)); err == nil || !strings.HasPrefix(err.Error(), "max is 1") {
		t.Errorf("without a file: %v", err)
	}
}

func TestArrivals(t *testing.T) {
	rates := []Rate{{0, 0}, {10, 50}, {20, 100}, {30, 0}}
	even := Even(rates, 60)
	if len(even) != 1500 || !slices.IsSorted(even) || even[0] < 10 || even[1499] > 30 {
		t.Errorf("%d even arrivals from %v to %v", len(even), even[0], even[len(even)-1])
	}
	a, b, c := Random(rates, 60, 1), Random(rates, 60, 1), Random(rates, 60, 2)
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("the seed should decide, and nothing else")
	}
	// 1500 expected; the deviation of a Poisson count is its root.
	if n := float64(len(a)); math.Abs(n-1500) > 4*math.Sqrt(1500) {
		t.Errorf("%v random arrivals", n)
	}
	if !slices.IsSorted(a) || a[0] < 10 || a[len(a)-1] > 30 {
		t.Errorf("they go from %v to %v", a[0], a[len(a)-1])
	}
}

// One server that answers 100 a second gets 200: after ten seconds a thousand
// stand in line. The first to leave does so when its patience ends.
func TestOverloadQueues(t *testing.T) {
	c := settings(t, `{"controller": "fixed", "min": 1, "max": 1}`)
	r := Play(c, Load{Arrivals: Even([]Rate{{0, 200}}, 10), Work: hundred}, 10)
	if q := r.Moments[9].Queue; q < 990 || q > 1001 {
		t.Errorf("%d in line", q)
	}
	if r.Answered < 999 || r.Errors != 0 || r.Requests != 2000 {
		t.Errorf("got %+v", r)
	}
	// Little's law: in line = rate × time in line.
	r = Play(c, Load{Arrivals: Even([]Rate{{0, 200}}, 10), Work: hundred, Patience: 2}, 10)
	if r.Errors < 550 || r.Errors > 650 || r.Longest < 1.99 || r.Longest > 2.01 {
		t.Errorf("%d gave up, the longest after %v", r.Errors, r.Longest)
	}
	for _, m := range r.Moments {
		for _, w := range m.Waits {
			if w > 2.0101 || w < 0.0099 {
				t.Fatalf("somebody waited %v", w)
			}
		}
	}
}

// M/M/1 has a closed form: time in the system = 1/(μ-λ).
func TestAgreesWithQueueingTheory(t *testing.T) {
	const end = 4000
	work := append([]float64(nil), Random([]Rate{{0, 1}}, 50_000, 7)...) // distances of a Poisson process are exponential
	for i := len(work) - 1; i > 0; i-- {
		work[i] = (work[i] - work[i-1]) / 10
	}
	c := settings(t, `{"controller": "fixed", "min": 1, "max": 1}`)
	r := Play(c, Load{Arrivals: Random([]Rate{{0, 7}}, end, 3), Work: work}, end)
	var sum, n float64
	for _, m := range r.Moments {
		for _, w := range m.Waits {
			sum, n = sum+w, n+1
		}
	}
	if mean := sum / n; mean < 0.30 || mean > 0.37 {
		t.Errorf("7 requests a second at a server that answers 10: %.3f s each, theory says %.3f", mean, 1.0/3)
	}
}

func TestGroupBootsInTime(t *testing.T) {
	rush := Load{Arrivals: Even([]Rate{{0, 100}, {60, 200}, {120, 300}, {180, 400}, {240, 500}}, 300), Work: hundred, Patience: 2}
	r := Play(settings(t, good), rush, 300)
	if r.Errors != 0 || r.Peak > 8 || r.Peak < 6 {
		t.Errorf("%d errors with %d servers", r.Errors, r.Peak)
	}
	// Each boot is 40 s long, and comes after the rise that it answers.
	boots := map[string]float64{}
	for _, e := range r.Events {
		name, _, _ := strings.Cut(e.Say, " boots")
		if e.Kind == "boot" {
			boots[name] = e.At
		}
		if name, _, is := strings.Cut(e.Say, " is ready"); is && e.At-boots[name] != 40 {
			t.Errorf("%s was ready %v s after it began to boot", name, e.At-boots[name])
		}
	}
	if len(boots) < 4 {
		t.Errorf("events %v", r.Events)
	}
	late := Play(settings(t, `{"min": 4, "max": 4, "target": 0.95}`), rush, 300)
	if share := float64(late.Errors) / float64(late.Requests); share < 0.02 {
		t.Errorf("a group that may not grow loses %.3f", share)
	}
}

func TestDeathLeavesTheRotation(t *testing.T) {
	l := Load{Arrivals: Even([]Rate{{0, 60}}, 900), Work: hundred, Patience: 2, Crashes: []float64{100}}
	r := Play(settings(t, good), l, 900)
	if !slices.Equal(r.Left, []int{2}) {
		t.Errorf("it left after %v probes", r.Left)
	}
	// Every second request of ten seconds met it.
	if r.Errors < 295 || r.Errors > 305 {
		t.Errorf("%d errors", r.Errors)
	}
	kinds := []string{}
	for _, e := range r.Events {
		kinds = append(kinds, e.Kind)
	}
	if want := []string{"crash", "probe", "probe", "out", "boot", "ready"}; !slices.Equal(kinds, want) {
		t.Errorf("events %v", r.Events)
	}
	if m := r.Moments[899]; m.Ready != 2 || m.Dead != 0 {
		t.Errorf("at the end %+v", m)
	}
	fixed := Play(settings(t, `{"controller": "fixed", "min": 2, "max": 8, "health": { "every_s": 5, "unhealthy_after": 2 } }`), l, 900)
	if m := fixed.Moments[899]; m.Ready != 1 || m.Servers != 1 {
		t.Errorf("nobody replaces a rented server: %+v", m)
	}
	never := Play(settings(t, `{"min": 2, "max": 2, "target": 1, "health": { "every_s": 3600, "unhealthy_after": 1 } }`), l, 900)
	if never.Errors < 23_000 {
		t.Errorf("a pool that never looks loses %d", never.Errors)
	}
}

// A cluster has room on its other server: pods are back when they have
// started, not when a server has booted.
func TestClusterPlacesPods(t *testing.T) {
	c := settings(t, `{"controller": "kubernetes", "min": 4, "max": 8, "target": 0.6, "servers": 2, "pods_per_server": 4, "pod_start_s": 3, "boot_s": 40,
		"health": { "every_s": 5, "unhealthy_after": 2 } }`)
	l := Load{Arrivals: Even([]Rate{{0, 60}}, 200), Work: hundred, Patience: 2, Crashes: []float64{50}}
	r := Play(c, l, 200)
	if m := r.Moments[49]; m.Ready != 4 || m.Servers != 2 {
		t.Errorf("before: %+v", m)
	}
	if m := r.Moments[59]; m.Ready != 2 || m.Dead != 2 {
		t.Errorf("unnoticed: %+v", m)
	}
	// Noticed at 60, placed at once, answering at 63; no server boots.
	if m := r.Moments[64]; m.Ready != 4 || m.Servers != 1 || m.Dead != 0 {
		t.Errorf("replaced: %+v, events %v", m, r.Events)
	}
	for _, e := range r.Events {
		if e.Kind == "boot" {
			t.Errorf("at %v: %s", e.At, e.Say)
		}
	}
	// Without room the pods wait for a server.
	c.Pods = 2
	r = Play(c, l, 200)
	if m := r.Moments[70]; m.Ready != 2 || m.Booting != 2 {
		t.Errorf("without room: %+v", m)
	}
	if m := r.Moments[104]; m.Ready != 4 || m.Servers != 2 {
		t.Errorf("after the boot: %+v, events %v", m, r.Events)
	}
}

func TestKillWhileItRuns(t *testing.T) {
	s := New(settings(t, good), Load{Arrivals: Even([]Rate{{0, 150}}, 60), Work: hundred})
	s.Advance(20)
	s.Crash()
	s.Advance(60)
	r := s.Result()
	i := slices.IndexFunc(r.Events, func(e Event) bool { return e.Kind == "crash" })
	if i < 0 || r.Events[i].At != 20 || r.Errors == 0 {
		t.Errorf("got %+v", r.Events)
	}
}

// Whether it is played at once or bit by bit, the same happens; and nobody is lost count of.
func TestDeterministicAndConserving(t *testing.T) {
	l := Load{Arrivals: Random([]Rate{{0, 90}, {30, 400}, {60, 40}}, 90, 5), Work: []float64{0.008, 0.012, 0.02}, Patience: 2, Crashes: []float64{40}}
	for _, text := range []string{good, `{"controller": "kubernetes", "min": 2, "max": 9, "target": 0.7}`, `{"controller": "fixed", "min": 3, "max": 3}`} {
		c := settings(t, text).Faster(8)
		whole := Play(c, l, 100)
		s := New(c, l)
		for at := 0.0; at <= 100; at += 0.2 {
			s.Advance(at)
		}
		s.Advance(100)
		bits := s.Result()
		bits.Moments = bits.Moments[:100]
		if !reflect.DeepEqual(whole, bits) {
			t.Errorf("%s: in bits %d errors, at once %d", text, bits.Errors, whole.Errors)
		}
		if whole.Answered+whole.Errors != whole.Requests || whole.Requests != len(l.Arrivals) {
			t.Errorf("%s: %d answered and %d errors of %d", text, whole.Answered, whole.Errors, whole.Requests)
		}
		var paid float64
		for _, m := range whole.Moments {
			paid += float64(m.Servers)
		}
		if math.Abs(paid-whole.Seconds) > 0.1*whole.Seconds {
			t.Errorf("%s: %v server seconds, by the moments %v", text, whole.Seconds, paid)
		}
	}
}

func TestNoVisitors(t *testing.T) {
	r := Play(settings(t, good), Load{}, 3600)
	if math.Abs(r.Seconds-7200) > 1e-6 || r.Requests != 0 || len(r.Moments) != 3600 {
		t.Errorf("got %v s, %d requests, %d moments", r.Seconds, r.Requests, len(r.Moments))
	}
}
