package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
)

// What is deployed is held in memory, because any request may need it. A
// learner can make projects faster than anybody uses them, so there is a bound:
// beyond Config.Code, projects that nobody asked for a while are dropped, the
// longest unused first, if the host keeps the very same code. Of those with
// cron triggers or queues the triggers stay. The next request, cron or message
// brings a dropped project back before it runs; what it stored was never here.

// Bounds of dropping and bringing back.
const (
	unusedFor  = time.Minute // longer than a run can be between its choice and its isolate
	restoreMax = 10 * time.Second
)

// Deploy implements Door.
func (s *Sandbox) Deploy(_ context.Context, key Key, d *trace.Deployment) error {
	if key.Learner == "" || key.Project == "" {
		return errors.New("sandbox: deploy without a learner or a project")
	}
	own, err := s.own(d)
	if err != nil {
		return err
	}
	return s.put(key, own, false)
}

// own is a deployment as it is kept here: within the host's ceilings, each
// Worker under a version that names all that its isolates are made from.
func (s *Sandbox) own(d *trace.Deployment) (*trace.Deployment, error) {
	if d == nil || d.Fault != nil || len(d.Workers) == 0 {
		return nil, errors.New("sandbox: deploy of a project that did not build")
	}
	own := &trace.Deployment{Warnings: d.Warnings}
	for _, w := range d.Workers {
		w.Limits = w.Limits.Clamp(s.cfg.Ceiling)
		h := sha256.New()
		fmt.Fprintf(h, "%s\n%s\n%+v\n%+v", w.Version, w.Code, w.Limits, w.Bindings) // the version leaves limits out
		w.Version = hex.EncodeToString(h.Sum(nil)[:16])
		if slices.ContainsFunc(own.Workers, func(o trace.Worker) bool { return o.Name == w.Name }) {
			return nil, fmt.Errorf("sandbox: deploy of two Workers named %q", w.Name)
		}
		own.Workers = append(own.Workers, w)
	}
	return own, nil
}

// put makes own what answers for key. again says that it was brought back:
// then what was deployed meanwhile stays.
func (s *Sandbox) put(key Key, own *trace.Deployment, again bool) error {
	routes, assets := platform.RoutesOf(own.Workers), map[string]*platform.Assets{}
	for i := range own.Workers {
		if a := platform.AssetsOf(&own.Workers[i]); a != nil {
			assets[own.Workers[i].Version] = a
		}
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	p := s.project(key)
	p.used = time.Now()
	if again && p.whole() {
		s.mu.Unlock()
		return nil
	}
	s.code -= int64(p.size)
	p.deploy, p.routes, p.assets, p.size, p.bare, p.pinned = own, routes, assets, sizeOf(own), false, false
	s.code += int64(p.size)
	var done doings
	for k, g := range p.groups {
		if w := p.worker(k.worker); w == nil || w.Version != k.version {
			s.retire(g, "a new version", &done)
		}
	}
	s.mu.Unlock()
	done.do()
	s.platform.Deploy(platform.Project{Learner: key.Learner, Project: key.Project}, bare(own))
	return nil
}

// bare is a deployment without its code: enough for triggers and routes.
func bare(d *trace.Deployment) *trace.Deployment {
	out := &trace.Deployment{Workers: slices.Clone(d.Workers)}
	for i := range out.Workers {
		w := &out.Workers[i]
		w.Code, w.SourceMap, w.Wasm, w.Assets, w.Sources = "", nil, nil, nil, nil
	}
	return out
}

// whole reports whether the project's Workers can be started. s.mu is held.
func (p *project) whole() bool { return p != nil && p.deploy != nil && !p.bare }

// chosen finds a project that is about to be used, bringing it back if need
// be. s.mu is held, and released meanwhile.
func (s *Sandbox) chosen(key Key) (*project, error) {
	p := s.projects[key]
	if !p.whole() && s.cfg.Restore != nil {
		s.mu.Unlock()
		err := s.restore(key)
		s.mu.Lock()
		if err != nil {
			return nil, fmt.Errorf("sandbox: bring back project %q: %w", key.Project, err)
		}
		p = s.projects[key]
	}
	if !p.whole() {
		return nil, ErrNotDeployed
	}
	p.used = time.Now()
	return p, nil
}

// restore asks the host for a project, once for all who wait for it.
func (s *Sandbox) restore(key Key) error {
	_, err, _ := s.restores.Do(key.Learner+"\x00"+key.Project, func() (any, error) {
		ctx, cancel := context.WithTimeout(s.ctx, restoreMax)
		defer cancel()
		d, err := s.cfg.Restore(ctx, key)
		if err != nil || d == nil {
			return nil, err
		}
		own, err := s.own(d)
		if err != nil {
			return nil, err
		}
		return nil, s.put(key, own, true)
	})
	return err
}

// shed drops projects that nobody used since then until what is left fits.
func (s *Sandbox) shed(since time.Time) {
	type candidate struct {
		p    *project
		used time.Time
	}
	var list []candidate
	s.mu.Lock()
	if s.code > s.cfg.Code {
		for _, p := range s.projects {
			if p.spare(since) {
				list = append(list, candidate{p, p.used})
			}
		}
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b candidate) int { return a.used.Compare(b.used) })
	for _, c := range list {
		s.mu.Lock()
		fits := s.code <= s.cfg.Code
		s.mu.Unlock()
		if fits || s.ctx.Err() != nil {
			return
		}
		s.drop(c.p, since)
	}
}

// spare reports whether the project's code may be dropped: isolates that are kept
// warm keep it while they live, the wish for them does not. s.mu is held.
func (p *project) spare(since time.Time) bool {
	if !p.whole() || p.pinned || !p.used.Before(since) {
		return false
	}
	for _, g := range p.groups {
		if len(g.isolates) > 0 {
			return false
		}
	}
	return true
}

// drop takes a project out of memory if the host keeps the same.
func (s *Sandbox) drop(p *project, since time.Time) {
	s.mu.Lock()
	d := p.deploy
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(s.ctx, restoreMax)
	defer cancel()
	kept, err := s.cfg.Restore(ctx, p.key)
	if err != nil {
		if s.ctx.Err() == nil {
			s.cfg.Log.Error("deployed project not looked up", "project", p.key.Project, "error", err)
		}
		return
	}
	same := s.same(kept, d)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.deploy != d || s.projects[p.key] != p || !p.spare(since) {
		return // somebody came meanwhile
	}
	if !same {
		p.pinned = true
		return
	}
	s.code -= int64(p.size)
	p.size = 0
	if !triggered(d) {
		delete(s.projects, p.key)
		return
	}
	p.deploy, p.assets, p.bare, p.groups = bare(d), nil, true, map[groupKey]*group{}
	p.size = sizeOf(p.deploy)
	s.code += int64(p.size)
}

// same reports whether kept would be deployed as d is.
func (s *Sandbox) same(kept, d *trace.Deployment) bool {
	if kept == nil {
		return false
	}
	own, err := s.own(kept)
	return err == nil && slices.EqualFunc(own.Workers, d.Workers, func(a, b trace.Worker) bool { return a.Name == b.Name && a.Version == b.Version })
}

// triggered reports whether something else than a request starts the Workers.
func triggered(d *trace.Deployment) bool {
	return slices.ContainsFunc(d.Workers, func(w trace.Worker) bool { return len(w.Crons)+len(w.Consumers) > 0 })
}
