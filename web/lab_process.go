package web

import (
	"context"

	"github.com/a-h/templ"

	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// processLab starts, asks and kills a server as a process of this host.
func (s *Site) processLab() experiment {
	return &labOf[lab.Server]{
		labInfo: labInfo{LabInfo: view.LabInfo{
			ID: "process", Title: "Process", Heading: "A server with a number", Verb: "Start",
			Lead:        "A server that counts visits in its memory, as a real Node process of this host: with a PID, a port and a place to knock. Start it, send requests, kill it, and knock again.",
			Description: "A real Node process to start, ask and kill.",
		}},
		Run: func(ctx context.Context, r *labRun[lab.Server]) (*lab.Server, error) {
			out, err := s.labs.Serve(ctx, r.Project.Workspace, last(r))
			return s.serving(r, out), err
		},
		Act: func(ctx context.Context, r *labRun[lab.Server]) (*lab.Server, error) {
			if r.Last == nil || r.Last.ID == "" {
				return nil, &live.InputError{Message: "No process was started yet. Press Start."}
			}
			switch r.Action {
			case "request":
				out, err := s.labs.Knock(ctx, r.Project.Workspace, *r.Last)
				return s.serving(r, out), err
			case "kill":
				out, err := s.labs.Kill(r.Project.Workspace, *r.Last)
				return s.serving(r, out), err
			}
			return nil, &live.InputError{Message: "This lab cannot do that. Load the page again."}
		},
		Draw: func(d *lab.Server, _ map[string]string) templ.Component {
			if d == nil {
				d = &lab.Server{}
			}
			return view.ServerView(s.serverView(*d))
		},
		Check: func(d *lab.Server) any { return d.Steps },
	}
}

func last(r *labRun[lab.Server]) lab.Server {
	if r.Last == nil {
		return lab.Server{}
	}
	return *r.Last
}

// serving notes whose process it is, so that a drawing knows whether it lives.
func (s *Site) serving(r *labRun[lab.Server], d lab.Server) *lab.Server {
	d.Learner = r.Project.Workspace
	return &d
}

func (s *Site) serverView(d lab.Server) view.Server {
	out := view.Server{Action: "/labs/process", PID: d.PID, Port: d.Port, Bytes: d.Bytes, Off: d.Off, Alive: s.labs.Serving(d.Learner, d.ID)}
	for _, x := range d.Steps {
		out.Steps = append(out.Steps, view.ServerStep{Do: x.Do, PID: x.PID, Answer: x.Answer, Took: x.Took})
	}
	if len(d.Steps) > 0 {
		out.How = "Measured, once each: a start until the process listens, a request over a connection of its own until its last byte. It runs the lab’s own server, never yours, and ends after 90 seconds without a request. " + d.Stamp.String() + "."
	}
	return out
}
