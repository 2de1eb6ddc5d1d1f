package platform

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Alarms of Durable Objects: one time per object, kept in the store and, while
// the project is deployed here, in a timer.

// alarmTries is how often a failing alarm is tried again, with twice the wait each time.
const (
	alarmTries = 6
	alarmAgain = 2 * time.Second
)

type alarmKey struct {
	project               Project
	worker, class, object string
}

// alarm is what this server waits for.
type alarm struct {
	at    int64 // as the store has it, in Unix milliseconds
	tries int   // how often it has failed; after the first time the store has it no more
	timer *time.Timer
}

func (k alarmKey) record() string { return k.worker + "\n" + k.class + "\n" + k.object }

func alarmOf(c Caller, a args) (alarmKey, error) {
	if _, err := storageOf(c, a); err != nil {
		return alarmKey{}, err
	}
	return alarmKey{c.Project, c.Worker.Name, c.Class, c.Object}, nil
}

func storageGetAlarm(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	k, err := alarmOf(c, a)
	if err != nil {
		return nil, err
	}
	r, err := p.cfg.Store.Get(ctx, Namespace{k.project, "alarm", ""}, k.record())
	if err != nil || r == nil {
		return nil, p.trouble("storage.getAlarm", err)
	}
	at, _ := strconv.ParseInt(string(r.Value), 10, 64) // we wrote it
	return at, nil
}

func storageSetAlarm(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	k, err := alarmOf(c, a)
	if err != nil {
		return nil, err
	}
	at := a.integer(1)
	ch := Change{Record: Record{Key: k.record(), Value: strconv.AppendInt(nil, at, 10)}, Delete: at <= 0}
	if err := p.cfg.Store.Write(ctx, Namespace{k.project, "alarm", ""}, []Change{ch}, p.durableLimit(c.Worker.Limits)); err != nil {
		return nil, p.trouble("storage.setAlarm", err)
	}
	p.schedule(k, at, at, 0)
	return nil, nil
}

// schedule sets an object's timer to when, in Unix milliseconds; at 0 stops it.
func (p *Platform) schedule(k alarmKey, at, when int64, tries int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.alarms[k]; old != nil {
		old.timer.Stop()
		delete(p.alarms, k)
	}
	if at <= 0 || p.ctx.Err() != nil {
		return
	}
	n := &alarm{at: at, tries: tries}
	n.timer = time.AfterFunc(time.UnixMilli(when).Sub(p.cfg.Now()), func() {
		p.mu.Lock()
		due := p.alarms[k] == n
		p.mu.Unlock()
		if !due {
			return
		}
		if d := p.early(k.project); d > 0 {
			p.delay(k, n, d)
			return
		}
		p.mu.Lock()
		if due = p.alarms[k] == n; due {
			delete(p.alarms, k)
			p.wg.Add(1)
		}
		p.mu.Unlock()
		if due {
			defer p.wg.Done()
			if p.take(k, n) {
				p.ring(k, n)
			}
		}
	})
	p.alarms[k] = n
}

// delay lets a timer go off again, unless its alarm was set anew meanwhile.
func (p *Platform) delay(k alarmKey, n *alarm, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alarms[k] == n && p.ctx.Err() == nil {
		n.timer.Reset(d)
	}
}

// take reports whether this server rings an alarm: of all servers of the data,
// one unsets it. That is before its handler runs, so that the handler may set
// the next one.
func (p *Platform) take(k alarmKey, n *alarm) bool {
	if n.tries > 0 {
		return true // it was taken here
	}
	mine, err := p.cfg.Store.Swap(p.ctx, Namespace{k.project, "alarm", ""}, strconv.AppendInt(nil, n.at, 10), Change{Record: Record{Key: k.record()}, Delete: true})
	switch {
	case p.ctx.Err() != nil:
		return false
	case err != nil:
		p.cfg.Log.Error("alarm not unset", "error", err)
		p.again(k, n.at, 0, alarmAgain)
	case !mine: // another server was quicker, or set it anew
		p.resumeAlarms(k.project)
	}
	return mine && err == nil
}

// ring runs an alarm that was taken.
func (p *Platform) ring(k alarmKey, n *alarm) {
	payload, err := json.Marshal(map[string]int{"retryCount": n.tries})
	if err != nil {
		return
	}
	sum, _, err := p.cfg.Invoke(p.ctx, Event{Project: k.project, Worker: k.worker, Type: "alarm", Class: k.class, Object: k.object, Payload: payload})
	if p.ctx.Err() != nil || err == nil && sum.Fault == nil || n.tries >= alarmTries {
		return
	}
	p.again(k, n.at, n.tries+1, alarmAgain<<n.tries)
}

// again sets an alarm's timer once more, unless the alarm was set anew.
func (p *Platform) again(k alarmKey, at int64, tries int, after time.Duration) {
	p.mu.Lock()
	_, anew := p.alarms[k]
	p.mu.Unlock()
	if !anew {
		p.schedule(k, at, p.cfg.Now().Add(after).UnixMilli(), tries)
	}
}

// resumeAlarms sets the timers of alarms that the store holds.
func (p *Platform) resumeAlarms(pr Project) {
	list, err := p.cfg.Store.List(p.ctx, Namespace{pr, "alarm", ""}, Query{Limit: 1000, Values: true})
	if err != nil {
		p.cfg.Log.Error("alarms not read", "error", err)
		return
	}
	for _, r := range list {
		parts := strings.SplitN(r.Key, "\n", 3)
		at, err := strconv.ParseInt(string(r.Value), 10, 64)
		if err != nil || len(parts) != 3 {
			continue
		}
		k := alarmKey{pr, parts[0], parts[1], parts[2]}
		p.mu.Lock()
		have := p.alarms[k] != nil
		p.mu.Unlock()
		if !have {
			p.schedule(k, at, at, 0)
		}
	}
}
