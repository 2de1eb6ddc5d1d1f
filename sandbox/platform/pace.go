package platform

import (
	"time"

	limiter "golang.org/x/time/rate"
)

// An alarm may set the next alarm and a consumer may send to its own queue, so
// a project can keep itself busy for ever without a visitor. What the platform
// starts by itself is therefore paced: a burst for honest use, then a trickle.
const (
	paceBurst = 100
	paceEvery = 2 * time.Second
	paceMax   = 10_000 // projects remembered
)

func (p *Platform) pace(pr Project) *limiter.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.paces[pr]
	if l == nil {
		if len(p.paces) >= paceMax {
			for k, v := range p.paces {
				if v.Tokens() >= paceBurst { // nothing is lost by forgetting it
					delete(p.paces, k)
				}
			}
		}
		l = limiter.NewLimiter(limiter.Every(paceEvery), paceBurst)
		p.paces[pr] = l
	}
	return l
}

// early is how long a project's next own event has to wait; 0 takes its turn.
func (p *Platform) early(pr Project) time.Duration {
	r := p.pace(pr).Reserve()
	d := r.Delay()
	if d > 0 {
		r.Cancel()
	}
	return d
}

// turn waits for a project's next own event, and reports false when the
// platform closes before.
func (p *Platform) turn(pr Project) bool { return p.pace(pr).Wait(p.ctx) == nil }
