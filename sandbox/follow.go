package sandbox

import (
	"context"
	"fmt"
	"time"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
)

// Happened is an event that the platform itself gave to a Worker: a batch of a
// queue, a cron trigger, an alarm.
type Happened struct {
	Type    string // queue, scheduled, alarm
	Worker  string
	Payload []byte // as Run.Payload
	Result  []byte // as Response.Result
	Summary *trace.Summary
	Events  []trace.Event // of this run, in order, as Run.Watch gets them
}

// Follow tells f of what happens to a project from now on, each event once it
// is over. A project that is followed keeps its pace: see platform's Asked. f must
// not block. stop ends it; f may be called a last time meanwhile.
func (s *Sandbox) Follow(key Key, f func(Happened)) (stop func()) {
	s.platform.Asked(platform.Project{Learner: key.Learner, Project: key.Project})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follows++
	n := s.follows
	if s.followers[key] == nil {
		s.followers[key] = map[int]func(Happened){}
	}
	s.followers[key][n] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if delete(s.followers[key], n); len(s.followers[key]) == 0 {
			delete(s.followers, key)
		}
	}
}

// followed reports whether somebody follows a project.
func (s *Sandbox) followed(pr platform.Project) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.followers[Key{Learner: pr.Learner, Project: pr.Project}]) > 0
}

// asked tells the platform of a visitor, and the visitor's page what was slower
// before.
func (e *execution) asked() {
	quiet := e.s.platform.Asked(platform.Project{Learner: e.project.key.Learner, Project: e.project.key.Project, Space: e.chain.fresh})
	if quiet == 0 {
		return
	}
	e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindLog, Log: &trace.Log{
		Level: "info",
		Text:  fmt.Sprintf("Nobody asked this project for anything for %s, so its alarms, queues and cron triggers ran less often. Now they run as before.", roughly(quiet)),
	}})
}

// roughly is a time of a minute or more, as one says it.
func roughly(d time.Duration) string {
	n, unit := int(d/time.Minute), "minute"
	switch {
	case d >= 48*time.Hour:
		n, unit = int(d/(24*time.Hour)), "day"
	case d >= 2*time.Hour:
		n, unit = int(d/time.Hour), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprint(n, " ", unit)
}

// event is an event of the platform, for whoever follows the project.
func (s *Sandbox) event(ctx context.Context, ev platform.Event) (*trace.Summary, []byte, error) {
	var seen []trace.Event
	var watch func(trace.Event)
	if ev.Project.Space == "" {
		watch = s.cfg.Own(Key{Learner: ev.Project.Learner, Project: ev.Project.Project}, ev.Type)
		if own := watch; s.followed(ev.Project) {
			watch = func(e trace.Event) {
				seen = append(seen, e)
				if own != nil {
					own(e)
				}
			}
		}
	}
	sum, result, err := s.give(ctx, ev, watch)
	if err != nil || ev.Project.Space != "" {
		return sum, result, err
	}
	s.mu.Lock()
	var list []func(Happened)
	for _, f := range s.followers[Key{Learner: ev.Project.Learner, Project: ev.Project.Project}] {
		list = append(list, f)
	}
	s.mu.Unlock()
	for _, f := range list {
		f(Happened{Type: ev.Type, Worker: ev.Worker, Payload: ev.Payload, Result: result, Summary: sum, Events: seen})
	}
	return sum, result, nil
}
