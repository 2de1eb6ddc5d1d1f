package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// Snapshot is what the snapshot lab did and what its isolates look like now.
type Snapshot struct {
	Steps    []SnapshotStep    `json:"steps"`
	Isolates []SnapshotIsolate `json:"isolates"`
	Stamp
}

// SnapshotStep is one thing that was done.
type SnapshotStep struct {
	Do      string `json:"do"`      // request freeze fork rewind
	Isolate string `json:"isolate"` // name of the isolate it was done to
	Answer  string `json:"answer,omitempty"`
	Failed  bool   `json:"failed,omitempty"`  // Answer is why the request was stopped
	Took    int64  `json:"took_us"`           // a request: its wall time
	Pages   int    `json:"pages,omitempty"`   // freeze, fork, rewind: that the frozen state holds beyond the engine's snapshot
	Written int    `json:"written,omitempty"` // pages that differ from the frozen state afterwards
}

// SnapshotIsolate is a live isolate of the lab.
type SnapshotIsolate struct {
	ID     string `json:"id"`
	Name   string `json:"name"` // original, fork 1 …
	Frozen bool   `json:"frozen,omitempty"`
	Pages  []byte `json:"pages,omitempty"` // a byte a page: 0 untouched, 1 shared, 2 private, 3 written since it was frozen
}

// SnapshotCode is the Worker that the lab begins with.
const SnapshotCode = `let visits = 0;
const guests = [];

export default {
  async fetch(request) {
    guests.push(request.headers.get("user-agent"));
    return new Response("visit " + ++visits);
  },
};
`

// What the lab keeps.
const (
	snapshotSteps = 40
	snapshotIdle  = 10 * time.Minute
)

// freezer is a sandbox whose isolates can be frozen.
type freezer interface {
	sandbox.Door
	Freeze(ctx context.Context, key sandbox.Key, isolate string) (sandbox.Frozen, error)
	Rewind(ctx context.Context, key sandbox.Key, isolate string) (sandbox.Frozen, error)
	Fork(ctx context.Context, key sandbox.Key, isolate string) (string, sandbox.Frozen, error)
	Written(ctx context.Context, key sandbox.Key, isolate string) ([]byte, error)
}

// TourSteps are what a tour does, in its order, without what comes of it.
var TourSteps = []SnapshotStep{
	{Do: "request", Isolate: "original"},
	{Do: "request", Isolate: "original"},
	{Do: "freeze", Isolate: "original"},
	{Do: "request", Isolate: "original"},
	{Do: "fork", Isolate: "original"},
	{Do: "request", Isolate: "fork 1"},
	{Do: "request", Isolate: "original"},
	{Do: "rewind", Isolate: "original"},
	{Do: "request", Isolate: "original"},
}

// Tour deploys code for a learner and takes an isolate of it through
// everything once: two requests, a freeze, a request, a fork, a request to
// each, a rewind, a request. told gets what was done after each step.
func (l *Labs) Tour(ctx context.Context, learner, code string, told func(*Snapshot)) (*Snapshot, error) {
	s, err := l.snapshots(learner, &Snapshot{})
	if err != nil {
		return nil, err
	}
	p := trace.Project{Files: map[string][]byte{"worker.js": []byte(code)}, Main: "worker.js", Limits: trace.Limits{IdleAfter: snapshotIdle}}
	if _, err := l.stage(ctx, s.key, p, nil); err != nil {
		return nil, err
	}
	if err := errors.Join(s.door.Evict(ctx, s.key, ""), s.makeRoom(ctx)); err != nil {
		return nil, err
	}
	for i, step := range TourSteps {
		name := step.Isolate
		if i == 0 {
			name = "" // the first request makes the isolate
		}
		if err := s.step(ctx, step.Do, name); err != nil {
			return s.known, err
		}
		told(s.known)
	}
	return s.known, nil
}

// Snap does one thing to an isolate of the lab, by its name.
func (l *Labs) Snap(ctx context.Context, learner string, known Snapshot, do, name string) (*Snapshot, error) {
	s, err := l.snapshots(learner, &known)
	if err != nil {
		return nil, err
	}
	known.Steps, known.Isolates = slices.Clone(known.Steps), slices.Clone(known.Isolates)
	return s.known, s.step(ctx, do, name)
}

// snapshots is the lab at work.
type snapshots struct {
	labs  *Labs
	door  freezer
	key   sandbox.Key
	known *Snapshot
}

func (l *Labs) snapshots(learner string, known *Snapshot) (*snapshots, error) {
	door, ok := l.cfg.Door.(freezer)
	if !ok {
		return nil, errors.New("lab: the sandbox cannot freeze isolates")
	}
	return &snapshots{l, door, snapshotKey(learner), known}, nil
}

func snapshotKey(learner string) sandbox.Key {
	return sandbox.Key{Learner: learner, Project: "lab-snapshot"}
}

// GoneError says that an isolate of the lab is no longer there.
type GoneError struct{ Name string }

func (e *GoneError) Error() string {
	return fmt.Sprintf("The isolate %q is gone: idle for too long, stopped by a limit, or evicted. Begin again.", e.Name)
}

// RefusedError is why the sandbox would not do something.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap gives the sandbox's own error.
func (e *RefusedError) Unwrap() error { return e.Err }

// step does one thing and records it.
func (s *snapshots) step(ctx context.Context, do, name string) error {
	var iso *SnapshotIsolate
	if at := slices.IndexFunc(s.known.Isolates, func(i SnapshotIsolate) bool { return i.Name == name }); at >= 0 {
		iso = &s.known.Isolates[at]
		if !s.lives(iso.ID) {
			s.known.Isolates = slices.Delete(s.known.Isolates, at, at+1)
			return &GoneError{name}
		}
	} else if name != "" {
		return &GoneError{name}
	}
	step := SnapshotStep{Do: do, Isolate: name}
	var frozen sandbox.Frozen
	var err error
	switch do {
	case "request":
		iso, err = s.request(ctx, &step, iso)
	case "freeze":
		frozen, err = s.door.Freeze(ctx, s.key, iso.ID)
		iso.Frozen = err == nil
	case "rewind":
		frozen, err = s.door.Rewind(ctx, s.key, iso.ID)
	case "fork":
		var id string
		if id, frozen, err = s.door.Fork(ctx, s.key, iso.ID); err == nil {
			s.known.Isolates = append(s.known.Isolates, SnapshotIsolate{ID: id, Name: s.forkName(), Frozen: true})
			iso = &s.known.Isolates[len(s.known.Isolates)-1]
		}
	default:
		return fmt.Errorf("lab: the snapshot lab cannot %q", do)
	}
	if err != nil {
		if do != "request" && ctx.Err() == nil {
			return &RefusedError{err}
		}
		return err
	}
	if do != "request" {
		step.Took, step.Pages = frozen.Took.Microseconds(), frozen.Pages
	}
	if iso != nil {
		if err := s.look(ctx, iso); err != nil {
			return err
		}
		step.Written = bytes.Count(iso.Pages, []byte{3})
	}
	s.known.Steps = append(s.known.Steps, step)
	if over := len(s.known.Steps) - snapshotSteps; over > 0 {
		s.known.Steps = slices.Delete(s.known.Steps, 0, over)
	}
	s.known.Stamp = s.labs.stamp()
	return nil
}

// request asks an isolate; nil makes the first one.
func (s *snapshots) request(ctx context.Context, step *SnapshotStep, iso *SnapshotIsolate) (*SnapshotIsolate, error) {
	run := sandbox.Run{Key: s.key, Method: "GET", URL: "https://tenant.example/", Headers: [][2]string{{"user-agent", "the snapshot lab"}}}
	if iso != nil {
		run.Isolate = iso.ID
	}
	a, err := ask(ctx, s.door, run)
	if err != nil {
		return nil, err
	}
	step.Took, step.Answer = a.Wall, a.Body
	if a.Fault != "" {
		step.Answer, step.Failed = a.Fault, true
	}
	if iso == nil {
		step.Isolate = "original"
		s.known.Isolates = []SnapshotIsolate{{ID: a.Isolate, Name: step.Isolate}}
		iso = &s.known.Isolates[0]
	}
	if a.Isolate != iso.ID || !s.lives(iso.ID) { // it died of it
		s.known.Isolates = slices.DeleteFunc(s.known.Isolates, func(i SnapshotIsolate) bool { return i.Name == step.Isolate })
		return nil, nil
	}
	return iso, nil
}

// makeRoom lets the learner's idle isolates of other labs go, which count
// against the same limit and which this page cannot evict.
func (s *snapshots) makeRoom(ctx context.Context) error {
	for _, project := range []string{"lab-routing", "lab-dialects", "lab-dialects-own", "lab-events"} {
		if err := s.door.Evict(ctx, sandbox.Key{Learner: s.key.Learner, Project: project}, ""); err != nil {
			return err
		}
	}
	return nil
}

// lives reports whether an isolate is still there.
func (s *snapshots) lives(id string) bool {
	return slices.ContainsFunc(s.door.Isolates(s.key), func(i trace.IsolateState) bool { return i.ID == id })
}

// look reads the page map.
func (s *snapshots) look(ctx context.Context, iso *SnapshotIsolate) (err error) {
	if iso.Frozen {
		iso.Pages, err = s.door.Written(ctx, s.key, iso.ID)
	} else {
		iso.Pages, err = s.door.Pages(ctx, s.key, iso.ID)
	}
	return err
}

// forkName is the first name that is free.
func (s *snapshots) forkName() string {
	for n := 1; ; n++ {
		name := fmt.Sprint("fork ", n)
		if !slices.ContainsFunc(s.known.Isolates, func(i SnapshotIsolate) bool { return i.Name == name }) {
			return name
		}
	}
}
