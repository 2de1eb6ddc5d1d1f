package sandbox

import (
	"context"

	"coldstart/sandbox/platform"
)

// Forget ends a namespace: its isolates are closed and what it stored is
// dropped. fresh is as in Run.Fresh; "" forgets what was deployed as well, but
// not the data of the project's ordinary runs.
func (s *Sandbox) Forget(ctx context.Context, key Key, fresh string) error {
	if err := s.Evict(ctx, key, fresh); err != nil {
		return err
	}
	if fresh != "" {
		s.platform.Drop(platform.Project{Learner: key.Learner, Project: key.Project, Space: fresh})
		return nil
	}
	s.mu.Lock()
	if p := s.projects[key]; p != nil {
		s.code -= int64(p.size)
		delete(s.projects, key)
	}
	s.mu.Unlock()
	s.platform.Forget(platform.Project{Learner: key.Learner, Project: key.Project})
	return nil
}
