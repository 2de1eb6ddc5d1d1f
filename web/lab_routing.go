package web

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// routingLab explains the route table, by the code that routes.
func (s *Site) routingLab() experiment {
	return &labOf[lab.Routing]{
		labInfo: labInfo{PerProject: true, LabInfo: view.LabInfo{
			ID: "routing", Title: "Routing", Heading: "Which Worker wins?", Verb: "Send",
			Lead:        "Every address goes through the route table, then to a Worker. See for each pattern why it won or lost, and what one broken Worker does to the others.",
			Description: "Addresses, patterns and Workers: who answers, and why nobody else.",
			Fields: []view.LabField{
				{Name: "urls", Label: "Addresses, one a line", Value: lab.RoutingURLs, Kind: view.LabArea, Most: 8000},
				{Name: "documented", Label: "With the surprises that Cloudflare lists as known issues", Kind: view.LabSwitch},
			},
		}},
		Run: func(ctx context.Context, r *labRun[lab.Routing]) (*lab.Routing, error) { return s.route(ctx, r, "") },
		Act: func(ctx context.Context, r *labRun[lab.Routing]) (*lab.Routing, error) {
			what, worker, _ := strings.Cut(r.Action, ":")
			if what != "break" {
				return nil, &live.InputError{Message: "This lab cannot do that. Load the page again."}
			}
			return s.route(ctx, r, worker)
		},
		Draw: func(record *lab.Routing, values map[string]string) templ.Component {
			if record == nil {
				var first view.Routing
				for _, url := range lab.URLs(values["urls"]) {
					first.Rows = append(first.Rows, view.RoutingRow{URL: url})
				}
				return view.RoutingView(first)
			}
			return view.RoutingView(routingView(record))
		},
	}
}

func (s *Site) route(ctx context.Context, r *labRun[lab.Routing], broken string) (*lab.Routing, error) {
	own, err := s.lessonProject(r.Project)
	if err != nil {
		return nil, err
	}
	out, err := s.labs.Route(ctx, r.Project.Workspace, lab.RoutingIn{Own: own, URLs: r.Values["urls"], Documented: r.Values["documented"] == "on", Broken: broken})
	return out, s.told(err)
}

// lessonProject is what the learner has of a lesson's project, changed or not; nil on a lab's own page.
func (s *Site) lessonProject(p classroom.Project) (*trace.Project, error) {
	if len(p.Files) == 0 {
		return nil, nil
	}
	own, err := live.Sources(p, s.config.Ceiling)
	return &own, err
}

func routingView(d *lab.Routing) view.Routing {
	out := view.Routing{Workers: d.Workers, Broken: d.Broken, Documented: d.Documented}
	for i, row := range d.Rows {
		v := view.RoutingRow{URL: row.URL, Worker: row.Match.Worker, Why: row.Match.Why}
		for n, t := range row.Match.Tried {
			if i == 0 {
				out.Patterns = append(out.Patterns, view.RoutePattern{Pattern: t.Pattern, Worker: t.Worker})
			}
			v.Trials = append(v.Trials, view.RouteTrial{Matches: t.Matches, Wins: n == row.Match.Winner, Why: t.Why})
		}
		if a := row.Answer; a != nil {
			v.Status, v.Alive, v.Answer, v.Took, v.Cold = a.Status, row.Alive, a.Body, a.Wall, a.Cold
			if a.Fault != "" {
				v.Answer = a.Fault
			}
			for _, c := range a.Calls {
				if c.Worker != "" {
					v.Calls = append(v.Calls, view.RoutingCall{Worker: c.Worker, Took: c.End - c.Start, Failed: c.Error != ""})
				}
			}
		}
		out.Rows = append(out.Rows, v)
	}
	whose := "Workers that the lab brings along"
	if d.Own {
		whose = "your Workers"
	}
	order := "Cloudflare publishes \"most specific wins\" but not its algorithm; this order is ours: the host first, then the length of the path."
	if d.Documented {
		order = "This is our order, changed by the known issue that a/b* beats a/b/*."
	}
	out.How = "Each address is looked up by the code that routes requests here, then really sent once to " + whose + ". " + order + " " + d.Stamp.String() + "."
	return out
}
