package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/pool"
)

func told(events []pool.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, e.Say)
	}
	return strings.Join(all, "\n")
}

// The guard finds the version that fails for some items and takes it back;
// every visit is counted once, and the old version never had to stop.
func TestRolloutGuard(t *testing.T) {
	labs := realLabs(t)
	r, err := labs.Rollout(t.Context(), "ada", Release{Old: OldRelease, New: NewRelease, Plan: PlanGuard, Rate: 100, Sticky: true, Seed: 1, Seconds: 5}, nil, func(*Rollout, string) {})
	if err != nil {
		t.Fatal(err)
	}
	events := told(r.Events)
	for _, want := range []string{"guard: 5 % of the visits get the new version", "of the new version failed within", "guard: back to the old version"} {
		if !strings.Contains(events, want) {
			t.Errorf("no event %q in\n%s", want, events)
		}
	}
	for name, s := range map[string]Side{"old": r.Old, "new": r.New} {
		if s.Requests == 0 || s.Requests != s.Answered+s.Errors {
			t.Errorf("%s version: %d visits, %d answered, %d failed", name, s.Requests, s.Answered, s.Errors)
		}
	}
	if r.Percent() != 0 || r.New.Errors < guardFailed || r.Hurt == 0 || r.Mixed != 0 || !r.Whole {
		t.Errorf("share %g, %d failed, %d hurt, %d mixed, whole %v", r.Percent(), r.New.Errors, r.Hurt, r.Mixed, r.Whole)
	}
}

// By hand the share is what was said, and visitors that belong to no version
// meet both.
func TestRolloutByHand(t *testing.T) {
	labs := realLabs(t)
	shares := make(chan float64, 1)
	shares <- 50
	r, err := labs.Rollout(t.Context(), "ada", Release{Old: OldRelease, New: OldRelease, Plan: PlanHand, Rate: 200, Seed: 1, Seconds: 3}, shares, func(*Rollout, string) {})
	if err != nil {
		t.Fatal(err)
	}
	if r.Percent() != 50 || len(r.Shares) != 2 || r.Mixed < r.Visitors/4 || r.New.Requests < 100 || r.Old.Requests < 100 {
		t.Errorf("shares %v, %d of %d mixed, %d and %d visits", r.Shares, r.Mixed, r.Visitors, r.Old.Requests, r.New.Requests)
	}
	if _, err := labs.Rollout(t.Context(), "ada", Release{Old: OldRelease, New: "export default {", Plan: PlanHand, Rate: 10, Seconds: 3}, nil, func(*Rollout, string) {}); err == nil || !strings.HasPrefix(err.Error(), "The new version: ") {
		t.Errorf("a version that does not build: %v", err)
	}
}

// The guard's decisions, from nothing but what was answered.
func TestGuardDecides(t *testing.T) {
	for _, test := range []struct {
		answered, failed int
		want             []float64
	}{
		{guardEnough, 0, []float64{0, 5, 25, 50, 100}},
		{guardEnough, 1, []float64{0, 5, 25, 50, 100}}, // one is a coincidence
		{guardEnough, guardFailed, []float64{0, 5, 0}},
		{guardEnough - 1, 0, []float64{0, 5, 25, 50}}, // too few to know: each step takes twice as long
	} {
		t.Run(fmt.Sprint(test.answered, test.failed), func(t *testing.T) {
			d := &rollout{r: &Rollout{Release: Release{Seconds: 36}, Shares: []Share{{}}}, old: &crowd{}, next: &crowd{}}
			on := true
			for now := 0.0; now < 36 && on; now++ { // the guard's clock is ours; each second has its answers
				d.old.begin = time.Now().Add(-time.Duration(now * float64(time.Second)))
				on = d.guard(now)
				if now > 6 && int(now)%6 == 2 {
					d.next.mu.Lock()
					b := d.next.beat(now)
					b.Answered, b.Errors = test.answered, test.failed
					d.next.mu.Unlock()
				}
			}
			var got []float64
			for _, s := range d.r.Shares {
				got = append(got, s.Percent)
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("shares %v, want %v: %s", got, test.want, told(d.old.events()))
			}
		})
	}
}
