package web

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// rolloutLab sends visitors to two versions, and takes one of them back.
func (s *Site) rolloutLab() experiment {
	return &labOf[lab.Rollout]{
		labInfo: labInfo{LabInfo: view.LabInfo{
			ID: "rollout", Title: "Rollout", Heading: "A few visitors first", Verb: "Open the shop",
			Lead:        "A new version is deployed beside the old one, under live load. Give it a small share, watch what it does, then give it all or take it back: no visitor waits for a build. The guard gives it 5, 25, 50 and 100 %, and takes it back when two answers fail.",
			Description: "Two versions share live visitors; one of them fails, and is rolled back.",
			Fields: []view.LabField{
				{Name: "plan", Label: "Who decides", Value: lab.PlanGuard, Kind: view.LabChoice, Options: []view.LabOption{{Value: lab.PlanGuard, Label: "a guard, in steps"}, {Value: lab.PlanHand, Label: "me, with the buttons"}}},
				{Name: "rate", Label: "Visits", Value: "60", Kind: view.LabNumber, Min: 5, Max: 200, Unit: "a second"},
				{Name: "sticky", Label: "A visitor stays with one version", Kind: view.LabSwitch},
				{Name: "seconds", Value: "28", Kind: view.LabNumber, Min: 3, Max: 35},
				{Name: "seed", Value: "1", Kind: view.LabNumber, Min: 0, Max: 1e6},
				{Name: "old", Label: "The version that is out there", Value: lab.OldRelease, Kind: view.LabArea, Most: 8000, Folded: true},
				{Name: "new", Label: "The new version", Value: lab.NewRelease, Kind: view.LabArea, Most: 8000},
			},
		}},
		Run: s.runRollout,
		Act: func(context.Context, *labRun[lab.Rollout]) (*lab.Rollout, error) {
			return nil, &live.InputError{Message: "Nobody is in the shop yet. Open it, then set the share."}
		},
		Draw: func(r *lab.Rollout, values map[string]string) templ.Component {
			if r == nil {
				r = &lab.Rollout{Release: release(values), Step: 0.25}
			}
			return view.RolloutView(rolloutView(r))
		},
		Values: func(r *lab.Rollout) map[string]string {
			sticky := ""
			if r.Release.Sticky {
				sticky = "on"
			}
			return map[string]string{"plan": r.Release.Plan, "rate": fmt.Sprint(r.Release.Rate), "sticky": sticky, "old": r.Release.Old, "new": r.Release.New}
		},
		Check: func(r *lab.Rollout) any {
			return map[string]any{
				"whole": r.Whole, "share": r.Percent(), "visitors": r.Visitors, "hurt": r.Hurt, "mixed": r.Mixed,
				"old": scaled(r.Old), "new": scaled(r.New),
			}
		},
	}
}

// release is what the lab's fields say.
func release(values map[string]string) lab.Release {
	return lab.Release{
		Old: values["old"], New: values["new"], Plan: values["plan"], Rate: labNumber(values, "rate"),
		Sticky: values["sticky"] == "on", Seed: uint64(labNumber(values, "seed")), Seconds: labNumber(values, "seconds"),
	}
}

func (s *Site) runRollout(ctx context.Context, r *labRun[lab.Rollout]) (*lab.Rollout, error) {
	shares := make(chan float64, 1)
	defer r.heed(func(a live.LabAct) {
		percent, err := strconv.ParseFloat(a.Values["percent"], 64)
		if a.Action != "share" || err != nil || percent != percent || percent < 0 || percent > 100 {
			return
		}
		select {
		case <-shares: // not taken yet, and no longer what is wanted
		default:
		}
		shares <- percent
	})()
	out, err := s.labs.Rollout(ctx, r.Project.Workspace, release(r.Values), shares, func(now *lab.Rollout, say string) { r.Show(now, say) })
	return out, s.told(err)
}

func rolloutView(r *lab.Rollout) view.Rollout {
	v := view.Rollout{
		Action: "/labs/rollout", Beats: view.Beats{Step: r.Step, Live: r.Running, Until: r.Release.Seconds},
		Old: autoSide("old version", r.Old), New: autoSide("new version", r.New),
		Visitors: r.Visitors, Hurt: r.Hurt, Mixed: r.Mixed, Percents: []int{1, 10, 50, 100},
	}
	v.Until = max(v.Until, float64(len(r.Old.Beats))*r.Step)
	for _, sh := range r.Shares {
		v.Shares = append(v.Shares, view.PlotPoint{X: sh.At, Y: sh.Percent})
	}
	for _, e := range r.Events {
		side, say, ok := strings.Cut(e.Say, ": ")
		if !ok {
			side, say = "shop", e.Say
		}
		v.Events = append(v.Events, view.AutoEvent{At: e.At, Side: side, Say: say})
	}
	if r.Machine != "" {
		v.How = fmt.Sprintf("Measured: %d visits to two Workers in a sandbox of its own, sent at Poisson times (seed %d) by %d visitors whether or not earlier ones were answered, and timed from when they were due; an answer over 499, or none within 2 s, has failed. %s.",
			r.Old.Requests+r.New.Requests, r.Release.Seed, r.Visitors, r.Stamp)
	}
	return v
}
