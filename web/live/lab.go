package live

import (
	"context"
	"errors"
	"time"

	"coldstart/sandbox"
	"coldstart/web/classroom"
)

// Labs runs a lab for a project and calls emit, from one goroutine, with what
// is known so far; Hub names the run and the lab. What was measured is kept
// by Labs. A name that is no lab is an *InputError.
type Labs interface {
	Lab(ctx context.Context, p classroom.Project, lab string, emit func(LabEvent)) error
}

// errLeft ends a lab that nobody looks at any more.
var errLeft = errors.New("the learner left")

// leftAfter is how long a lab goes on without a page: a reload takes less.
const leftAfter = 3 * time.Second

// Lab runs a lab with a saved revision of a project and tells the project's
// pages. With watched set it ends soon after the last page has gone. Errors as
// with Run; that a lab ended early is told to the pages and is no error.
func (h *Hub) Lab(ctx context.Context, key sandbox.Key, id, lab string, revision int64, watched bool) error {
	if !validID(id) {
		return &InputError{Message: badID}
	}
	_, err := h.job(ctx, key, id, func(ctx context.Context, s *stream) ([]classroom.Run, error) {
		return nil, h.lab(ctx, s, id, lab, revision, watched)
	})
	return err
}

func (h *Hub) lab(ctx context.Context, s *stream, id, lab string, revision int64, watched bool) error {
	p, err := h.Store.Project(ctx, s.key.Learner, s.key.Project, revision)
	if errors.Is(err, classroom.ErrNotFound) && revision == 0 { // a lab's own page: no code of the learner's to measure
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
	if watched {
		ended := make(chan struct{})
		defer func() { cancel(nil); <-ended }()
		go func() {
			defer close(ended)
			s.leftAlone(ctx, cancel)
		}()
	}
	err = h.Labs.Lab(ctx, p, lab, func(e LabEvent) {
		e.Run, e.Lab = id, lab
		s.publish(ServerMessage{Type: "lab", ID: id, Lab: &e})
	})
	end := LabEvent{Run: id, Lab: lab, Done: true, Say: "Measured."}
	var input *InputError
	switch {
	case errors.As(err, &input):
		end.Say = input.Message
	case errors.Is(context.Cause(ctx), errCanceled):
		end.Say = "Stopped. What was measured stays."
	case err != nil:
		end.Say = h.stopped(ctx, err).Message
	}
	s.publish(ServerMessage{Type: "lab", ID: id, Lab: &end})
	return nil
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
