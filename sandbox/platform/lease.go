package platform

import (
	"context"
	"sync"
	"time"
)

// What the platform starts by itself, a batch of messages or an alarm, belongs
// for a while to the server that runs it, and the store says until when. A
// server that lives says so again in time; when one died, another takes over.

// settleWithin bounds keeping what came of a run, also of one that the
// platform's end cut short.
const settleWithin = 10 * time.Second

// leased runs f, and renew as often as a lease needs it meanwhile.
func (p *Platform) leased(f, renew func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(p.cfg.Lease / 3)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				renew()
			}
		}
	})
	f()
	close(done)
	wg.Wait()
}

// until is when a lease that begins now ends.
func (p *Platform) until() time.Time { return p.cfg.Now().Add(p.cfg.Lease) }

// settling is the context in which what came of a run is kept.
func (p *Platform) settling() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(p.ctx), settleWithin)
}

// sweeps takes over, once a minute, what other servers left behind.
func (p *Platform) sweeps() {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-t.C:
			p.sweep()
		}
	}
}

// sweep looks for messages and alarms of the projects that are deployed here
// and that nobody here waits for.
func (p *Platform) sweep() {
	p.mu.Lock()
	var queues []Namespace
	var alarms []Project
	for pr, d := range p.deployed {
		objects := false
		for _, w := range d.Workers {
			objects = objects || len(w.Durables) > 0
			for _, c := range w.Consumers {
				queues = append(queues, Namespace{pr, "queue", c.Queue})
			}
		}
		if objects {
			alarms = append(alarms, pr)
		}
	}
	p.mu.Unlock()
	for _, ns := range queues {
		p.deliver(ns)
	}
	for _, pr := range alarms {
		if p.ctx.Err() == nil {
			p.resumeAlarms(pr, false)
		}
	}
}
