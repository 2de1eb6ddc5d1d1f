package web

import (
	"context"
	"errors"

	"github.com/a-h/templ"

	"coldstart/sandbox/box"
	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// snapshotLab freezes, forks and rewinds an isolate.
func (s *Site) snapshotLab() experiment {
	return &labOf[lab.Snapshot]{
		labInfo: labInfo{LabInfo: view.LabInfo{
			ID: "snapshot", Title: "Snapshot", Heading: "Freeze, fork, rewind", Verb: "Take the tour",
			Lead:        "An isolate is a few pages of memory on top of a snapshot that all share. So it can be kept, copied while it lives, and put back to before its last request. The tour does each once; then the buttons are yours.",
			Description: "An isolate’s memory kept, copied and put back, page by page.",
			Fields:      []view.LabField{{Name: "code", Label: "Worker", Value: lab.SnapshotCode, Kind: view.LabArea, Most: 8000}},
		}},
		Run: func(ctx context.Context, r *labRun[lab.Snapshot]) (*lab.Snapshot, error) {
			out, err := s.labs.Tour(ctx, r.Project.Workspace, r.Values["code"], func(now *lab.Snapshot) { r.Show(now, "") })
			return out, s.told(err)
		},
		Act: func(ctx context.Context, r *labRun[lab.Snapshot]) (*lab.Snapshot, error) {
			if r.Last == nil {
				return nil, &live.InputError{Message: "No isolate is there yet. Take the tour first."}
			}
			switch r.Action {
			case "request", "freeze", "fork", "rewind":
			default:
				return nil, &live.InputError{Message: "This lab cannot do that. Load the page again."}
			}
			out, err := s.labs.Snap(ctx, r.Project.Workspace, *r.Last, r.Action, r.Values["isolate"])
			return out, s.told(err)
		},
		Draw: func(record *lab.Snapshot, _ map[string]string) templ.Component {
			if record == nil {
				record = &lab.Snapshot{}
			}
			return view.SnapshotView(snapshotView(record))
		},
	}
}

func snapshotView(d *lab.Snapshot) view.Snapshot {
	out := view.Snapshot{Action: "/labs/snapshot", Full: len(d.Isolates) >= 4}
	if d.Machine != "" {
		out.Done = len(d.Steps)
	}
	for _, i := range d.Isolates {
		out.Isolates = append(out.Isolates, view.SnapshotIsolate{ID: i.ID, Name: i.Name, Frozen: i.Frozen, Pages: i.Pages})
	}
	for _, st := range d.Steps {
		out.Steps = append(out.Steps, view.SnapshotStep{Do: st.Do, Isolate: st.Isolate, Answer: st.Answer, Took: st.Took, Pages: st.Pages, Written: st.Written})
	}
	for _, st := range lab.TourSteps[min(len(d.Steps), len(lab.TourSteps)):] { // what is still to come
		out.Steps = append(out.Steps, view.SnapshotStep{Do: st.Do, Isolate: st.Isolate})
	}
	if out.Done == 0 {
		return out
	}
	out.How = "Measured, once each: a request until its last byte; a freeze, fork or rewind inside the runner. Pages are of 4 kB and told apart by the kernel and by comparing bytes; stack and scratch space that no later request reads do not count. What a Worker stores elsewhere, in KV say, is not part of its isolate and is not rewound. " + d.Stamp.String() + "."
	return out
}

// told makes what a lab cannot do into a sentence for the learner.
func (s *Site) told(err error) error {
	var code *lab.CodeError
	var gone *lab.GoneError
	var refused *lab.RefusedError
	var missing *box.MissingError
	switch {
	case errors.As(err, &code):
		return &live.InputError{Message: "Your code does not run: " + code.Message}
	case errors.As(err, &gone):
		return &live.InputError{Message: gone.Error()}
	case errors.As(err, &refused):
		return &live.InputError{Message: "The sandbox refused: " + refused.Error() + "."}
	case errors.As(err, &missing):
		return &live.InputError{Message: "Not on this host, because " + missing.Why + "."}
	}
	return err
}
