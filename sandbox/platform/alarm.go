package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"coldstart/sandbox/trace"
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
	worker, class, object string // object is what half gives of its id
}

// alarm is an alarm as the store has it. Its text is when it was set for; of one
// that was begun, also how often it failed and when it may ring again: when the
// lease of the server that rings it ends, or when it is to be tried again.
type alarm struct {
	at    int64 // Unix milliseconds
	begun bool
	tries int    // how often it has failed
	due   int64  // Unix milliseconds
	props string // of the object that set it; beside the text
}

func (a alarm) text() []byte {
	if !a.begun {
		return strconv.AppendInt(nil, a.at, 10)
	}
	return fmt.Append(nil, a.at, " ", a.tries, " ", a.due)
}

func parseAlarm(r *Record) (a alarm, ok bool) {
	a.props = string(r.Meta)
	switch n, _ := fmt.Sscan(string(r.Value), &a.at, &a.tries, &a.due); n {
	case 1:
		a.due = a.at
	case 3:
		a.begun = true
	default:
		return a, false
	}
	return a, true
}

// waiting is an alarm that this server waits for.
type waiting struct {
	alarm
	timer *time.Timer
	held  bool // it is due and waits for its project's pace
}

func (k alarmKey) namespace() Namespace { return Namespace{k.project, "alarm", ""} }

func (k alarmKey) record() string { return k.worker + "\n" + k.class + "\n" + k.object }

func alarmOf(c Caller, a args) (alarmKey, error) {
	if _, err := storageOf(c, a); err != nil {
		return alarmKey{}, err
	}
	return alarmKey{c.Project, c.Worker.Name, c.Class, half(c.Object)}, nil
}

func storageGetAlarm(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	k, err := alarmOf(c, a)
	if err != nil {
		return nil, err
	}
	n, there, err := p.alarmNow(ctx, k)
	if err != nil || !there || n.begun { // one that rings is set no more
		return nil, p.trouble("storage.getAlarm", err)
	}
	return n.at, nil
}

// alarmNow reads an object's alarm.
func (p *Platform) alarmNow(ctx context.Context, k alarmKey) (n alarm, there bool, err error) {
	r, err := p.cfg.Store.Get(ctx, k.namespace(), k.record())
	if err != nil || r == nil {
		return n, false, err
	}
	n, there = parseAlarm(r)
	return n, there, nil
}

func storageSetAlarm(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	k, err := alarmOf(c, a)
	if err != nil {
		return nil, err
	}
	at := a.integer(1)
	ch := Change{Record: Record{Key: k.record(), Value: strconv.AppendInt(nil, at, 10), Meta: []byte(c.Props)}, Delete: at <= 0}
	if err := p.cfg.Store.Write(ctx, k.namespace(), []Change{ch}, p.durableLimit(c.Worker.Limits)); err != nil {
		return nil, p.trouble("storage.setAlarm", err)
	}
	p.schedule(k, alarm{at: at, due: at, props: c.Props}, at)
	return nil, nil
}

// schedule sets an object's timer to when, in Unix milliseconds; an alarm at 0
// stops it.
func (p *Platform) schedule(k alarmKey, a alarm, when int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.alarms[k]; old != nil {
		old.timer.Stop()
		delete(p.alarms, k)
	}
	if a.at <= 0 || p.ctx.Err() != nil {
		return
	}
	n := &waiting{alarm: a}
	n.timer = time.AfterFunc(time.UnixMilli(when).Sub(p.cfg.Now()), func() {
		p.mu.Lock()
		due := p.alarms[k] == n
		p.mu.Unlock()
		if !due {
			return
		}
		if d, woken := p.early(k.project); d > 0 {
			p.delay(k, n, d, woken)
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
			if taken, mine := p.take(k, n.alarm); mine {
				p.ring(k, n.tries, taken)
			}
		}
	})
	p.alarms[k] = n
}

// delay lets a timer go off again after d, or at once when somebody asked since
// that was said, unless its alarm was set anew meanwhile.
func (p *Platform) delay(k alarmKey, n *waiting, d time.Duration, woken <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-woken:
		d = 0
	default:
	}
	if p.alarms[k] == n && p.ctx.Err() == nil {
		n.held = true
		n.timer.Reset(d)
	}
}

// turnInto makes an alarm another one in the store, or with nil takes it away,
// and reports whether it was still as this server knows it.
func (p *Platform) turnInto(ctx context.Context, k alarmKey, old alarm, to *alarm) (bool, error) {
	c := Change{Record: Record{Key: k.record()}, Delete: to == nil}
	if to != nil {
		c.Value, c.Meta = to.text(), []byte(to.props)
	}
	return p.cfg.Store.Swap(ctx, k.namespace(), old.text(), c)
}

// take reports whether this server rings an alarm: of all servers of the data,
// one marks it as begun. That is before its handler runs, so that the handler
// may set the next one. If the server dies meanwhile, that counts as a failure.
func (p *Platform) take(k alarmKey, a alarm) (taken alarm, mine bool) {
	taken = alarm{a.at, true, a.tries + 1, p.until().UnixMilli(), a.props}
	to := &taken
	if a.tries > alarmTries {
		to = nil
	}
	mine, err := p.turnInto(p.ctx, k, a, to)
	switch {
	case p.ctx.Err() != nil:
		return taken, false
	case err != nil:
		p.cfg.Log.Error("alarm not begun", "error", err)
		p.unlessAnew(k, a, p.cfg.Now().Add(alarmAgain).UnixMilli())
	case !mine: // another server was quicker, or set it anew
		if now, there, err := p.alarmNow(p.ctx, k); err == nil && there {
			p.unlessAnew(k, now, now.due)
		}
	}
	return taken, mine && err == nil && to != nil
}

// ring runs an alarm that was taken after it had failed so many times.
func (p *Platform) ring(k alarmKey, tries int, taken alarm) {
	payload, err := json.Marshal(map[string]int64{"retryCount": int64(tries), "scheduledTime": taken.due})
	if err != nil {
		return
	}
	var sum *trace.Summary
	p.leased(func() {
		id := trace.ObjectID(k.worker, k.class, k.object)
		sum, _, err = p.invoke(Event{Project: k.project, Worker: k.worker, Type: "alarm", Class: k.class, Object: id, Props: taken.props, Payload: payload})
	}, func() {
		longer := taken
		longer.due = p.until().UnixMilli()
		if mine, err := p.turnInto(p.ctx, k, taken, &longer); mine && err == nil {
			taken = longer
		}
	})
	var next *alarm
	switch failed := err != nil || sum.Fault != nil; {
	case failed && p.ctx.Err() != nil: // cut short: as if it had not begun
		next = &alarm{taken.at, true, tries, p.cfg.Now().UnixMilli(), taken.props}
	case failed && tries < alarmTries:
		next = &alarm{taken.at, true, tries + 1, p.cfg.Now().Add(alarmAgain << tries).UnixMilli(), taken.props}
	}
	ctx, done := p.settling()
	defer done()
	mine, err := p.turnInto(ctx, k, taken, next)
	if err != nil && p.ctx.Err() == nil { // it rings again when the lease ends
		p.cfg.Log.Error("alarm not settled", "error", err)
	}
	if mine && err == nil && next != nil {
		p.unlessAnew(k, *next, next.due)
	}
}

// unlessAnew sets an alarm's timer, unless the alarm was set anew.
func (p *Platform) unlessAnew(k alarmKey, a alarm, when int64) {
	p.mu.Lock()
	_, anew := p.alarms[k]
	p.mu.Unlock()
	if !anew {
		p.schedule(k, a, when)
	}
}

// resumeAlarms sets the timers of alarms that the store holds: with all of every
// one, of which there may be as many as a project has objects, else of the first
// alarmPage.
func (p *Platform) resumeAlarms(pr Project, all bool) {
	for after, more := "", true; more; more = more && all {
		list, err := p.cfg.Store.List(p.ctx, Namespace{pr, "alarm", ""}, Query{After: after, Limit: alarmPage, Values: true})
		if err != nil {
			p.cfg.Log.Error("alarms not read", "error", err)
			return
		}
		more = len(list) == alarmPage
		for _, r := range list {
			after = r.Key
			parts := strings.SplitN(r.Key, "\n", 3)
			if a, ok := parseAlarm(&r); ok && len(parts) == 3 {
				p.unlessAnew(alarmKey{pr, parts[0], parts[1], parts[2]}, a, a.due)
			}
		}
	}
}

// alarmPage is how many alarms are read at a time.
const alarmPage = 1000
