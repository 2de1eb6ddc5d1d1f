package lab

import (
	"slices"
	"testing"
	"time"
)

// drive runs a race whose laps take what they are said to.
func drive(want int, limit time.Duration, laps ...time.Duration) (done []int, order [][]int) {
	p := newPace(len(laps), want, limit)
	now := time.Unix(0, 0)
	for {
		turns := p.next(now)
		if len(turns) == 0 {
			break
		}
		order = append(order, turns)
		for _, i := range turns {
			now = now.Add(laps[i])
			p.took(i, laps[i])
		}
	}
	for i := range laps {
		done = append(done, p.done(i))
	}
	return done, order
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
			done, order := drive(30, 28*s, c.laps...)
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
