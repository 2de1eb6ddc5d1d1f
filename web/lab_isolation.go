package web

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// isolationLab tries the fences between two tenants, and the limits around each.
func (s *Site) isolationLab() experiment {
	standard := lab.StandardFences()
	return &labOf[lab.Isolation]{
		labInfo: labInfo{PerProject: true, LabInfo: view.LabInfo{
			ID: "isolation", Title: "Isolation", Heading: "Good fences", Verb: "Try",
			Lead:        "Two tenants share one process. One looks for what the other left, loops, hoards and makes noise. See for each attempt which wall stopped it.",
			Description: "Two tenants in one process: probes, loops, memory bombs, a noisy neighbour.",
			Fields: []view.LabField{
				{Name: "show", Label: "What is tried", Value: strings.Join(lab.IsolationGroups, " "), Kind: view.LabSeveral, Options: []view.LabOption{
					{Value: "fences", Label: "fences between tenants"}, {Value: "limits", Label: "limits"}, {Value: "neighbour", Label: "noisy neighbour"},
				}},
				{Name: "cpu", Label: "CPU limit", Kind: view.LabNumber, Value: fmt.Sprint(standard.CPU), Min: 20, Max: 1000, Slide: 10, Unit: "ms"},
				{Name: "memory", Label: "Memory limit", Kind: view.LabNumber, Value: fmt.Sprint(standard.Memory), Min: 16, Max: 48, Slide: 1, Unit: "MiB"},
				{Name: "wall", Label: "Time limit", Kind: view.LabNumber, Value: fmt.Sprint(standard.Wall), Min: 200, Max: 5000, Slide: 100, Unit: "ms"},
			},
		}},
		Run: func(ctx context.Context, r *labRun[lab.Isolation]) (*lab.Isolation, error) {
			groups := strings.Fields(r.Values["show"])
			if len(groups) == 0 {
				return nil, &live.InputError{Message: "Nothing is tried: choose at least one part."}
			}
			out, err := s.labs.Fence(ctx, groups, fencesOf(r.Values), func(i *lab.Isolation, say string) {
				if i == nil {
					r.Say("%s", say)
					return
				}
				r.Show(i, say)
			})
			if len(out.Tenants) == 0 {
				out = nil // it did not begin
			}
			return out, s.told(err)
		},
		Draw: func(record *lab.Isolation, values map[string]string) templ.Component {
			if record == nil {
				record = &lab.Isolation{}
			}
			now := *record
			if now.Machine == "" { // not over: what is still to come has its place
				now.Limits = fencesOf(values)
				now.Attempts, now.Phases = planned(now, strings.Fields(values["show"]))
				if now.Tenants == nil {
					now.Tenants = []lab.Tenant{{Name: "A"}, {Name: "B"}}
				}
			}
			return view.IsolationView(isolationView(&now))
		},
		Values: func(i *lab.Isolation) map[string]string {
			if i.Limits == (lab.Fences{}) {
				return nil // measured when nobody chose them
			}
			return map[string]string{"cpu": fmt.Sprint(i.Limits.CPU), "memory": fmt.Sprint(i.Limits.Memory), "wall": fmt.Sprint(i.Limits.Wall)}
		},
		Figures: func(i *lab.Isolation) map[string]string { return isolationView(i).Figures() },
	}
}

// fencesOf are the limits that the lab's fields hold.
func fencesOf(values map[string]string) lab.Fences {
	return lab.Fences{CPU: int64(labNumber(values, "cpu")), Memory: int64(labNumber(values, "memory")), Wall: int64(labNumber(values, "wall"))}
}

// planned are the attempts and phases of the groups that were chosen, those
// that are over and those that are to come.
func planned(d lab.Isolation, groups []string) (attempts []lab.Attempt, phases []lab.Neighbour) {
	attempts, phases = slices.Clone(d.Attempts), slices.Clone(d.Phases)
	for _, a := range lab.Attempts(d.Limits) {
		known := slices.ContainsFunc(attempts, func(b lab.Attempt) bool { return b.Name == a.Name })
		if !known && slices.Contains(groups, a.Group) {
			attempts = append(attempts, a)
		}
	}
	if slices.Contains(groups, "neighbour") {
		for _, name := range lab.Phases[len(phases):] {
			phases = append(phases, lab.Neighbour{Name: name})
		}
	}
	return attempts, phases
}

func isolationView(d *lab.Isolation) view.Isolation {
	out := view.Isolation{Process: d.Process}
	for _, t := range d.Tenants {
		out.Tenants = append(out.Tenants, view.IsolationTenant{Name: t.Name, Isolate: t.Isolate, Private: t.Private})
	}
	for _, g := range []struct{ key, name string }{{"fences", "Over the fence"}, {"limits", "Into the limits"}} {
		group := view.IsolationGroup{Name: g.name}
		for _, a := range d.Attempts {
			if a.Group == g.key {
				group.Attempts = append(group.Attempts, view.Attempt{Name: a.Name, Tried: a.Tried, Got: a.Got, Wall: a.Wall, Held: a.Held, Took: a.Took})
			}
		}
		if len(group.Attempts) > 0 {
			out.Groups = append(out.Groups, group)
		}
	}
	for _, n := range d.Phases {
		out.Neighbour = append(out.Neighbour, view.Neighbour{Name: n.Name, Samples: n.Samples, Loud: n.Loud, Limit: n.Limit})
	}
	if d.Machine != "" {
		out.How = "Every attempt really runs, once, the limits that it is not about out of its way, in a sandbox that is started for this lab and stopped after it; the memory bomb in goja has a process of its own. A visitor’s wait counts from when the visit was due, every 15 ms, also when earlier ones hang. \"Limits off\" raises the CPU limit to 2 s, which no loop lives to see. Around the process stand: " + strings.Join(d.Walls, ", ") + ". " + d.Stamp.String() + "."
	}
	return out
}
