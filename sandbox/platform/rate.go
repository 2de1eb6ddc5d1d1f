package platform

import (
	"context"
	"time"
)

// rateMax bounds how many counters are kept.
const rateMax = 10_000

type rateKey struct {
	project Project
	id, key string
}

// rate counts calls within one period.
type rate struct {
	until time.Time
	count int64
}

func rateLimit(_ context.Context, p *Platform, c Caller, a args) (any, error) {
	key, limit, period := a.str(1), a.integer(2), a.integer(3)
	if len(key) > 2048 || limit <= 0 || period <= 0 || period > 3600 {
		return nil, plainError("The rate limit binding needs a key, a limit and a period of 10 or 60 seconds.")
	}
	now := p.cfg.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	k := rateKey{c.Project, a.str(0), key}
	r := p.rates[k]
	if r == nil || !now.Before(r.until) {
		if r == nil && len(p.rates) >= rateMax {
			for o, v := range p.rates {
				if !now.Before(v.until) || len(p.rates) >= rateMax {
					delete(p.rates, o)
				}
			}
		}
		r = &rate{until: now.Add(time.Duration(period) * time.Second)}
		p.rates[k] = r
	}
	r.count++
	return r.count <= limit, nil
}

// analytics accepts a data point. It is shown as the run's call; nothing is kept.
func analytics(context.Context, *Platform, Caller, args) (any, error) { return nil, nil }
