package live

import (
	"context"
	"errors"
	"slices"
	"time"

	"coldstart/sandbox"
	"coldstart/web/classroom"
)

// Labs runs labs. A name that is no lab is an *InputError.
type Labs interface {
	// Lab runs one until it has its result or ctx ends. What was measured is
	// kept by Labs.
	Lab(ctx context.Context, r LabRun) error
}

// LabRun is one run of a lab, or with an Action one short answer beside any run.
type LabRun struct {
	Lab     string
	Project classroom.Project
	Action  string
	Values  map[string]string // as the page sent them: nothing is checked but their size
	Acts    <-chan LabAct     // what the pages ask of it while it runs
	Emit    func(LabEvent)    // tells the pages; to be called from one goroutine. Hub names the run and the lab
}

// LabAct is something to do in a lab that runs.
type LabAct struct {
	Action string
	Values map[string]string
}

// LabSpec says which lab to run, and how.
type LabSpec struct {
	ID       string // as RunSpec.ID
	Lab      string
	Action   string // "" to measure
	Values   map[string]string
	Revision int64 // of the project; 0 for the newest
	Watched  bool  // ends soon after the project's last page has gone
}

// What a page may send with a lab.
const (
	maxValues = 100
	maxValue  = 64 << 10 // bytes of one
	maxActs   = 32       // that wait in a running lab
)

// errLeft ends a lab that nobody looks at any more.
var errLeft = errors.New("the learner left")

// leftAfter is how long a lab goes on without a page: a reload takes less.
const leftAfter = 3 * time.Second

// Lab runs a lab and tells the project's pages. Errors as with Run; that a lab
// ended early is told to the pages and is no error.
func (h *Hub) Lab(ctx context.Context, key sandbox.Key, spec LabSpec) error {
	if !validID(spec.ID) {
		return &InputError{Message: badID}
	}
	if len(spec.Values) > maxValues {
		return &InputError{Message: "A lab's form has at most 100 fields."}
	}
	for _, v := range spec.Values {
		if len(v) > maxValue {
			return &InputError{Message: "A field of a lab's form holds at most 64 kB."}
		}
	}
	_, err := h.job(ctx, key, spec.ID, func(ctx context.Context, s *stream) ([]classroom.Run, error) {
		return nil, h.lab(ctx, s, spec)
	})
	return err
}

func (h *Hub) lab(ctx context.Context, s *stream, spec LabSpec) error {
	p, err := h.Store.Project(ctx, s.key.Learner, s.key.Project, spec.Revision)
	if errors.Is(err, classroom.ErrNotFound) && spec.Revision == 0 { // a lab's own page: no code of the learner's to measure
		p, err = classroom.Project{Workspace: s.key.Learner, ID: s.key.Project}, nil
	}
	if err != nil {
		return err
	}
	if h.Labs == nil {
		return &InputError{Message: "This server runs no labs."}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if spec.Watched {
		ended := make(chan struct{})
		defer func() { cancel(nil); <-ended }()
		go func() {
			defer close(ended)
			s.leftAlone(ctx, cancel)
		}()
	}
	acts := make(chan LabAct, maxActs)
	s.listen(spec.ID, acts)
	run := LabRun{Lab: spec.Lab, Project: p, Action: spec.Action, Values: spec.Values, Acts: acts, Emit: func(e LabEvent) {
		e.Run, e.Lab = spec.ID, spec.Lab
		if spec.Action != "" {
			e.Action = spec.Action
		}
		s.publish(ServerMessage{Type: "lab", ID: spec.ID, Lab: &e})
	}}
	err = h.Labs.Lab(ctx, run)
	end := LabEvent{Done: true, Say: "Done."}
	if spec.Action != "" {
		end.Say = ""
	}
	var input *InputError
	switch {
	case errors.As(err, &input):
		end.Say = input.Message
	case errors.Is(context.Cause(ctx), errCanceled):
		end.Say = "Stopped. What was measured stays."
	case err != nil:
		end.Say = h.stopped(ctx, err).Message
	}
	// An act that answers this very event must find that the lab has ended.
	s.listen(spec.ID, nil)
	s.end(spec.ID, h.Now())
	run.Emit(end)
	if input != nil && !spec.Watched {
		return err // a form's page hears no event
	}
	return nil
}

// listen names who takes the acts for a job; nil for nobody any more.
func (s *stream) listen(id string, acts chan<- LabAct) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if acts == nil {
		delete(s.acts, id)
		return
	}
	s.acts[id] = acts
}

// What became of an act.
const (
	actNew     = iota // no lab runs under its id: it stands for itself
	actTaken          // the lab that runs has it
	actLate           // the lab has ended
	actRefused        // the lab has too many before it, or it is too big
)

// act gives an act to the lab that runs under an id.
func (s *stream) act(id string, a LabAct) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	acts := s.acts[id]
	if acts == nil {
		if slices.Contains(s.recent, id) {
			return actLate
		}
		return actNew
	}
	if len(a.Values) > maxValues {
		return actRefused
	}
	select {
	case acts <- a:
		return actTaken
	default:
		return actRefused
	}
}

// leftAlone cancels once nobody has followed the stream for a while.
func (s *stream) leftAlone(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(leftAfter / 3)
	defer tick.Stop()
	for alone := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if alone++; s.watched() {
			alone = 0
		}
		if alone == 3 {
			cancel(errLeft)
			return
		}
	}
}
