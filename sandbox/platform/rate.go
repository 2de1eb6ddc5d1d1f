package platform

import (
	"context"
	"crypto/sha256"
	"time"
)

// Bounds of what is counted. A project that counts more keys at a time begins
// again with its own and with nobody else's.
const (
	rateKeys     = 1000
	rateProjects = 4096
)

// rateKey is a limiter and a key, which may be long.
type rateKey [sha256.Size]byte

// rates are a project's counters.
type rates struct {
	until time.Time // the last of them is over
	keys  map[rateKey]*rate
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
	now, k := p.cfg.Now(), rateKey(sha256.Sum256([]byte(a.str(0)+"\x00"+key)))
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.rates[c.Project]
	if n == nil {
		n = p.newRates(c.Project, now)
	}
	r := n.keys[k]
	if r == nil || !now.Before(r.until) {
		if r == nil && len(n.keys) >= rateKeys {
			clear(n.keys)
		}
		r = &rate{until: now.Add(time.Duration(period) * time.Second)}
		n.keys[k] = r
		if n.until.Before(r.until) {
			n.until = r.until
		}
	}
	r.count++
	return r.count <= limit, nil
}

// newRates makes room for a project's counters. p.mu is held.
func (p *Platform) newRates(pr Project, now time.Time) *rates {
	if len(p.rates) >= rateProjects {
		for o, n := range p.rates {
			if !now.Before(n.until) || len(p.rates) >= rateProjects {
				delete(p.rates, o)
			}
		}
	}
	n := &rates{keys: map[rateKey]*rate{}}
	p.rates[pr] = n
	return n
}

// analytics accepts a data point. It is shown as the run's call; nothing is kept.
func analytics(context.Context, *Platform, Caller, args) (any, error) { return nil, nil }
