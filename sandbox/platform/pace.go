package platform

import (
	"time"

	"coldstart/sandbox/trace"
)

// An alarm may set the next alarm and a consumer may send to its own queue, so
// a project can keep itself busy for ever without a visitor. What the platform
// starts by itself is therefore paced, for each project and for all of a
// learner's together: a burst for honest use, then a trickle. Where nobody has
// asked for a while, the trickle thins out, the more the longer ago that was:
// who leaves a thousand such projects behind leaves next to no load. Whoever
// asks again brings a project back to its pace at once, and is told. An event that
// computes for long counts as several.
const (
	paceBurst    = 100
	paceEvery    = 2 * time.Second
	learnerBurst = 400
	learnerEvery = 200 * time.Millisecond
	paceFull     = time.Minute           // for so long after somebody asked, the full pace
	paceThin     = 1800                  // at most so many times slower: then a project has an event an hour
	paceMax      = 10_000                // projects and learners remembered
	paceCPU      = 20 * time.Millisecond // each of them counts as an event,
	paceCost     = 20                    // of which one is no more than so many
)

// pace is what a project may start by itself, or without the name of a project
// all that its learner's may.
type pace struct {
	burst  float64
	every  time.Duration // at full pace
	tokens float64
	at     time.Time     // of tokens
	asked  time.Time     // when somebody last asked, or it began
	held   bool          // since then, something waited for longer than at full pace
	woken  chan struct{} // closed when somebody asks and something was held
}

// next is how long it takes now until there is a token more.
func (n *pace) next(now time.Time) time.Duration {
	return time.Duration(float64(n.every) * min(max(1, float64(now.Sub(n.asked))/float64(paceFull)), paceThin))
}

// fill adds the tokens of the time since the last look.
func (n *pace) fill(now time.Time) {
	n.tokens = min(n.burst, n.tokens+max(0, float64(now.Sub(n.at)))/float64(n.next(now)))
	n.at = now
}

// wait is how long it takes until there is a whole token.
func (n *pace) wait(now time.Time) time.Duration {
	return max(0, time.Duration((1-n.tokens)*float64(n.next(now))))
}

// pace finds or makes a pace, filled until now. p.mu is held.
func (p *Platform) pace(pr Project, burst float64, every time.Duration, now time.Time) *pace {
	n := p.paces[pr]
	if n == nil {
		if len(p.paces) >= paceMax {
			for k, o := range p.paces {
				if o.fill(now); o.tokens >= o.burst { // nothing is lost by forgetting it
					delete(p.paces, k)
				}
			}
		}
		n = &pace{burst: burst, every: every, tokens: burst, at: now, asked: now, woken: make(chan struct{})}
		p.paces[pr] = n
	}
	n.fill(now)
	return n
}

// early is how long a project's next own event has to wait, unless woken is
// closed before; 0 takes its turn.
func (p *Platform) early(pr Project) (wait time.Duration, woken <-chan struct{}) {
	watched := p.cfg.Watched(pr)
	now := p.cfg.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	one, all := p.pace(pr, paceBurst, paceEvery, now), p.pace(Project{Learner: pr.Learner}, learnerBurst, learnerEvery, now)
	if watched {
		one.asked, all.asked = now, now
	}
	if wait = max(one.wait(now), all.wait(now)); wait > 0 {
		one.held = one.held || one.next(now) > one.every
		return wait, one.woken
	}
	one.tokens--
	all.tokens--
	return 0, nil
}

// invoke gives an own event that had its turn, and counts what it took.
func (p *Platform) invoke(ev Event) (*trace.Summary, []byte, error) {
	sum, result, err := p.cfg.Invoke(p.ctx, ev)
	if sum == nil {
		return sum, result, err
	}
	more := min(float64(sum.CPU+sum.Beside+sum.LoadCPU)/float64(paceCPU.Microseconds()), paceCost) - 1
	if more > 0 {
		now := p.cfg.Now()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pace(ev.Project, paceBurst, paceEvery, now).tokens -= more
		p.pace(Project{Learner: ev.Project.Learner}, learnerBurst, learnerEvery, now).tokens -= more
	}
	return sum, result, err
}

// turn waits for a project's next own event, and reports false when the
// platform closes before.
func (p *Platform) turn(pr Project) bool {
	for p.ctx.Err() == nil {
		wait, woken := p.early(pr)
		if wait == 0 {
			return true
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-woken:
		case <-p.ctx.Done():
		}
		t.Stop()
	}
	return false
}

// Asked tells that somebody asked for a project: what it starts by itself goes
// on at full pace. It gives for how long nobody had, if that held something
// back, else 0.
func (p *Platform) Asked(pr Project) (quiet time.Duration) {
	now := p.cfg.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if all := p.paces[Project{Learner: pr.Learner}]; all != nil {
		all.fill(now)
		all.asked = now
	}
	n := p.paces[pr]
	if n == nil {
		return 0
	}
	n.fill(now)
	quiet, n.asked = now.Sub(n.asked), now
	if !n.held {
		return 0
	}
	n.held = false
	close(n.woken)
	n.woken = make(chan struct{})
	for k, a := range p.alarms {
		if k.project == pr && a.held {
			a.held = false
			a.timer.Reset(0)
		}
	}
	return quiet
}
