package lab

import (
	"slices"
	"time"
)

// pace shares a race's time among its contenders so that as many of them as
// possible get all their rounds. All run in turns; when what is left will not
// do for all, the slowest sits out, and resumes once the others are through.
type pace struct {
	want  int           // laps of each that count
	time  time.Duration // for all of them, from the end of the warm-up on
	until time.Time     // when all must be over, however long the warm-up took; zero for no such time
	begin time.Time     // of what counts; zero during the warm-up
	sits  []bool
	out   []bool // does not race any more
	laps  [][]time.Duration
	turn  int
}

func newPace(contenders, want int, limit time.Duration) *pace {
	return &pace{want: want, time: limit, sits: make([]bool, contenders), out: make([]bool, contenders), laps: make([][]time.Duration, contenders)}
}

// leastLaps is how many laps a slow contender gets before it sits out, if the
// quicker ones then still get through; otherwise it sits out after its first.
const leastLaps = 5

// next are the contenders of the next round in their order; none when the race is over.
func (p *pace) next(now time.Time) []int {
	if p.begin.IsZero() && p.warmed() {
		p.begin = now
		if !p.until.IsZero() {
			p.time = min(p.time, p.until.Sub(now))
		}
	}
	if p.over(now) {
		return nil
	}
	if !p.begin.IsZero() {
		p.bench(p.begin.Add(p.time).Sub(now))
	}
	var turns []int
	for _, sitting := range []bool{false, true} {
		for i := range p.laps {
			if at := (i + p.turn) % len(p.laps); p.sits[at] == sitting && !p.out[at] && p.done(at) < p.want {
				turns = append(turns, at)
			}
		}
		if len(turns) > 0 {
			break
		}
	}
	p.turn++
	return turns
}

// over reports whether the time is up; the warm-up has no end of its own.
func (p *pace) over(now time.Time) bool {
	return !p.begin.IsZero() && !now.Before(p.begin.Add(p.time))
}

// bench lets the slowest sit out while the rest will not be through in what is left.
func (p *pace) bench(left time.Duration) {
	clear(p.sits)
	for {
		var need time.Duration
		slowest, racing := -1, 0
		for i := range p.laps {
			if p.out[i] || p.sits[i] || p.done(i) >= p.want {
				continue
			}
			racing++
			need += p.lap(i) * time.Duration(p.want-p.done(i))
			if p.done(i) > 0 && (slowest < 0 || p.slower(i, slowest)) {
				slowest = i
			}
		}
		if need <= left {
			return
		}
		if slowest < 0 || racing < 2 { // nobody would get through: all go on in turns
			clear(p.sits)
			return
		}
		if p.done(slowest) < leastLaps && need-p.lap(slowest)*time.Duration(p.want-leastLaps) <= left {
			return // there is time for its first few
		}
		p.sits[slowest] = true
	}
}

// slower orders contenders by their laps; of equal ones, whoever has more can wait.
func (p *pace) slower(i, j int) bool {
	a, b := p.lap(i), p.lap(j)
	return a > b || a == b && p.done(i) > p.done(j)
}

// warmed reports whether all have run the lap that is thrown away.
func (p *pace) warmed() bool {
	for i, l := range p.laps {
		if !p.out[i] && len(l) == 0 {
			return false
		}
	}
	return true
}

// warm reports whether a contender's next lap counts.
func (p *pace) warm(i int) bool { return len(p.laps[i]) > 0 }

// done is how many laps of a contender count; -1 before its warm-up.
func (p *pace) done(i int) int { return len(p.laps[i]) - 1 }

// took notes a lap.
func (p *pace) took(i int, d time.Duration) { p.laps[i] = append(p.laps[i], d) }

// drop ends the race for one.
func (p *pace) drop(i int) { p.out[i] = true }

// lap is what one of a contender's laps takes, by the median.
func (p *pace) lap(i int) time.Duration {
	laps := p.laps[i]
	if len(laps) > 1 {
		laps = laps[1:]
	}
	if len(laps) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(laps))
	return s[len(s)/2]
}

// round is how many laps of all that race have been run, without the warm-up.
func (p *pace) round() int {
	most := 0
	for i := range p.laps {
		if !p.out[i] {
			most = max(most, p.done(i))
		}
	}
	return most
}
