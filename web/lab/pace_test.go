package lab

import (
	"slices"
	"testing"
	"time"
)

// drive runs a race whose laps take what they are said to, until the time is up
// or until some moment after its first warm-up began; 0 for none.
func drive(want int, limit, until time.Duration, laps ...time.Duration) (done []int, order [][]int, took time.Duration) {
	p := newPace(len(laps), want, limit)
	begin := time.Unix(0, 0)
	now := begin
	if until > 0 {
		p.until = begin.Add(until)
	}
	for {
		turns := p.next(now)
		if len(turns) == 0 {
			break
		}
		order = append(order, turns)
		for _, i := range turns {
			if p.over(now) {
				break
			}
			now = now.Add(laps[i])
			p.took(i, laps[i])
		}
	}
	for i := range laps {
		done = append(done, p.done(i))
	}
	return done, order, now.Sub(begin)
}

func TestPace(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name string
		laps []time.Duration
		want []int // laps that count
	}{
		{"there is time for all", []time.Duration{s / 100, s / 10, s / 2}, []int{30, 30, 30}},
		{"the slowest pays, with what is left", []time.Duration{s / 100, s / 10, s}, []int{30, 30, 24}},
		{"the two slowest pay", []time.Duration{s / 100, s, s}, []int{30, 14, 14}},
		{"one alone", []time.Duration{2 * s}, []int{14}},
	} {
		t.Run(c.name, func(t *testing.T) {
			done, order, _ := drive(30, 28*s, 0, c.laps...)
			for i := range done {
				if done[i] < c.want[i]-1 || done[i] > c.want[i]+1 {
					t.Errorf("counting laps %v, want about %v", done, c.want)
				}
			}
			if done[0] != c.want[0] && len(c.laps) > 1 {
				t.Errorf("the quickest has %d", done[0])
			}
			if first := order[1][0]; len(c.laps) > 1 && first == order[2][0] && len(order[1]) == len(order[2]) {
				t.Errorf("contender %d begins two rounds one after the other", first)
			}
		})
	}
}

// On a machine so busy that the warm-up alone takes long, the rounds end in time
// for what comes after them, and the quickest still have all of theirs.
func TestPaceUntil(t *testing.T) {
	const s = time.Second
	done, _, took := drive(30, 28*s, 33*s, s/50, s/10, 4*s, 6*s)
	if done[0] != 30 || done[1] != 30 || done[2] < 2 || done[3] < 1 {
		t.Errorf("counting laps %v", done)
	}
	if took < 30*s || took >= 33*s+6*s { // the lap that is under way may end
		t.Errorf("it took %v", took)
	}
	if done, _, took := drive(30, 28*s, 5*s, s, 6*s); done[0] != 0 || done[1] != 0 || took != 7*s {
		t.Errorf("after a warm-up that took all the time: %v, %v", done, took)
	}
}

func TestPaceWithoutOne(t *testing.T) {
	p := newPace(2, 3, time.Minute)
	now := time.Unix(0, 0)
	p.drop(0)
	for range 10 {
		turns := p.next(now)
		if slices.Contains(turns, 0) {
			t.Fatal("it races although it was dropped")
		}
		for _, i := range turns {
			p.took(i, time.Second)
		}
	}
	if p.done(1) != 3 {
		t.Errorf("the other has %d laps", p.done(1))
	}
}
