package sandbox

import (
	"context"
	"errors"
	"fmt"

	"coldstart/sandbox/runner"
)

// Frozen says what freezing, rewinding or forking an isolate took.
type Frozen = runner.State

// Freeze keeps the state of an isolate that has no request, in its runner, in
// place of what was kept before. It is gone with the isolate and its forks.
func (s *Sandbox) Freeze(ctx context.Context, key Key, isolate string) (Frozen, error) {
	i, err := s.isolateOf(key, isolate)
	if err != nil {
		return Frozen{}, err
	}
	return i.runner.Freeze(ctx, i.number)
}

// Rewind puts an isolate back to what Freeze kept; what it stored elsewhere
// since then stays stored.
func (s *Sandbox) Rewind(ctx context.Context, key Key, isolate string) (Frozen, error) {
	i, err := s.isolateOf(key, isolate)
	if err != nil {
		return Frozen{}, err
	}
	return i.runner.Rewind(ctx, i.number)
}

// Written is the page map of a frozen isolate, with 3 for pages that differ
// from what was kept, besides the states of Door.Pages.
func (s *Sandbox) Written(ctx context.Context, key Key, isolate string) ([]byte, error) {
	i, err := s.isolateOf(key, isolate)
	if err != nil {
		return nil, err
	}
	return i.runner.Written(ctx, i.number)
}

// Fork makes another isolate of the same Worker that begins with what Freeze
// kept, and gives its id. It counts as one of the learner's isolates.
func (s *Sandbox) Fork(ctx context.Context, key Key, isolate string) (string, Frozen, error) {
	i, err := s.isolateOf(key, isolate)
	if err != nil {
		return "", Frozen{}, err
	}
	s.mu.Lock()
	if i.gone || i.retiring {
		s.mu.Unlock()
		return "", Frozen{}, errors.New("the isolate is gone")
	}
	if most := i.group.worker.Limits.Isolates; i.learner.isolates >= most {
		s.mu.Unlock()
		return "", Frozen{}, fmt.Errorf("you have %d isolates, which is the limit; evict some first", most)
	}
	to := s.create(i.group, i.learner)
	if to == nil || to.runner != i.runner {
		var done doings
		if to != nil {
			s.remove(to, "evicted", "it could not be forked", false, &done)
		}
		s.mu.Unlock()
		done.do()
		return "", Frozen{}, errors.New("the runner has no room; try again")
	}
	to.active++ // nothing may evict it, and no run may enter, before it is there
	to.retiring = true
	s.mu.Unlock()
	st, err := i.runner.Fork(ctx, i.number, to.number, to.id, to.slot)
	to.wasSent()
	var done doings
	s.mu.Lock()
	to.active--
	to.retiring = false
	switch {
	case err != nil:
		s.remove(to, "evicted", "it could not be forked", true, &done)
	case i.retiring: // a new version came meanwhile
		s.remove(to, "evicted", "a new version", true, &done)
	default:
		s.tell(to, "idle", "", &done)
	}
	s.mu.Unlock()
	done.do()
	return to.id, st, err
}

func (s *Sandbox) isolateOf(key Key, isolate string) (*iso, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.isolates[isolate]
	if i == nil || i.group.project.key != key {
		return nil, fmt.Errorf("sandbox: no isolate %q in this project", isolate)
	}
	return i, nil
}
