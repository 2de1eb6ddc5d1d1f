package sandbox

import (
	"context"

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
}

// Follow tells f of what happens to a project from now on, each event once it
// is over. f must not block. stop ends it; f may be called a last time meanwhile.
func (s *Sandbox) Follow(key Key, f func(Happened)) (stop func()) {
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

// event is an event of the platform, for whoever follows the project.
func (s *Sandbox) event(ctx context.Context, ev platform.Event) (*trace.Summary, []byte, error) {
	sum, result, err := s.give(ctx, ev)
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
		f(Happened{Type: ev.Type, Worker: ev.Worker, Payload: ev.Payload, Result: result, Summary: sum})
	}
	return sum, result, nil
}
