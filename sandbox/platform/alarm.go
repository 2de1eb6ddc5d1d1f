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

type alarm struct {
	at    int64 // Unix milliseconds
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
	p.schedule(k, at, 0)
	return nil, nil
}

// schedule sets an object's timer; at 0 stops it.
func (p *Platform) schedule(k alarmKey, at int64, tries int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.alarms[k]; old != nil {
		old.timer.Stop()
		delete(p.alarms, k)
	}
	if at <= 0 || p.ctx.Err() != nil {
		return
	}
	n := &alarm{at: at}
	n.timer = time.AfterFunc(time.UnixMilli(at).Sub(p.cfg.Now()), func() {
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
			p.ring(k, tries)
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

// ring runs an alarm. It is unset before its handler runs, so that the handler
// may set the next one.
func (p *Platform) ring(k alarmKey, tries int) {
	ns := Namespace{k.project, "alarm", ""}
	if err := p.cfg.Store.Write(p.ctx, ns, []Change{{Record: Record{Key: k.record()}, Delete: true}}, nil); err != nil {
		p.cfg.Log.Error("alarm not unset", "error", err)
	}
	payload, err := json.Marshal(map[string]int{"retryCount": tries})
	if err != nil {
		return
	}
	sum, _, err := p.cfg.Invoke(p.ctx, Event{Project: k.project, Worker: k.worker, Type: "alarm", Class: k.class, Object: k.object, Payload: payload})
	if p.ctx.Err() != nil || err == nil && sum.Fault == nil || tries >= alarmTries {
		return
	}
	p.mu.Lock()
	_, again := p.alarms[k]
	p.mu.Unlock()
	if !again {
		p.schedule(k, p.cfg.Now().Add(alarmAgain<<tries).UnixMilli(), tries+1)
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
			p.schedule(k, at, 0)
		}
	}
}
