package web

import (
	"context"
	"fmt"
	"strings"

	"github.com/a-h/templ"

	"coldstart/sandbox/trace"
	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// raceLab starts the same handler in several kinds of box.
func (s *Site) raceLab() experiment {
	all := lab.Entries()
	contenders := view.LabField{Name: "contenders", Label: "Contenders", Kind: view.LabSeveral}
	var keys []string
	for _, e := range all {
		contenders.Options = append(contenders.Options, view.LabOption{Value: e.Key, Label: e.Name})
		keys = append(keys, e.Key)
	}
	contenders.Value = strings.Join(keys, " ")
	return &labOf[lab.Race]{
		labInfo: labInfo{LabInfo: view.LabInfo{
			ID: "race", Title: "Race", Heading: "The race", Verb: "Race",
			Lead:        "One handler, started from nothing in several kinds of box, then asked once more while it is still awake. Which gap surprises you: the one between the boxes, or the one inside each?",
			Description: "The same handler in isolates, processes and containers, started in turns.",
			Fields: []view.LabField{
				contenders,
				{Name: "samples", Label: "Starts of each", Kind: view.LabNumber, Value: "30", Min: 5, Max: 100},
				{Name: "own", Label: "Use my code, in isolates only", Kind: view.LabSwitch, Lesson: true},
			},
		}},
		Run: s.runRace,
		Draw: func(r *lab.Race, values map[string]string) templ.Component {
			if r == nil {
				plan := lab.PlannedRace(lab.RaceKeys(values["contenders"]))
				r = &plan
			}
			return view.RaceView(raceView(r))
		},
		Figures: raceFigures,
		Numbers: raceNumbers,
		Check:   func(r *lab.Race) any { return r.Samples() },
	}
}

func (s *Site) runRace(ctx context.Context, r *labRun[lab.Race]) (*lab.Race, error) {
	var own *trace.Project
	if r.Values["own"] == "on" {
		if len(r.Project.Files) == 0 {
			return nil, &live.InputError{Message: "This page has no code of yours. Open the lab in a lesson to race your own."}
		}
		p, err := live.Sources(r.Project, s.config.Ceiling)
		if err != nil {
			return nil, err
		}
		own = &p
	}
	rounds := int(labNumber(r.Values, "samples"))
	race, err := s.labs.Race(ctx, live.Key(r.Project), own, lab.RaceKeys(r.Values["contenders"]), rounds, func(race lab.Race, say string) {
		if len(race.Contenders) == 0 {
			r.Say("%s", say)
			return
		}
		r.Show(&race, say)
	})
	for _, c := range race.Contenders {
		if err == nil || len(c.Starts) >= 2 {
			return &race, err
		}
	}
	return nil, err
}

// raceView is what was measured as the page shows it.
func raceView(r *lab.Race) view.Race {
	out := view.Race{Own: r.Own, Rounds: r.Rounds}
	for _, c := range r.Contenders {
		l := c.Middle()
		out.Contenders = append(out.Contenders, view.RaceContender{
			Name: c.Name, Note: c.Note, Isolate: c.Isolate, Off: c.Off, Cold: c.Cold(), Warm: c.Warm,
			Made: l.Made, Loaded: l.Loaded, First: l.First, Each: c.Each, Short: c.Short, Unweighed: c.Unweighed, Walls: wallsView(c.Walls),
		})
	}
	if r.Machine != "" {
		what := "the lab’s visit counter"
		if r.Own {
			what = "your code"
		}
		out.How = fmt.Sprintf("Measured from asking for the box to the first byte of its answer, in turns, each round another contender first; one round before that was thrown away. All run %s. Memory: what one more box adds to the pages that Linux counts, shared ones once. %s, on %s; when it began, %s.",
			what, r.At.UTC().Format("2 January 2006, 15:04 UTC"), r.Machine, loadOf(r.Before))
	}
	return out
}

// loadOf is the end of a machine's description: "load 0.4".
func loadOf(machine string) string {
	if _, load, ok := strings.Cut(machine, "load "); ok {
		return "load " + load
	}
	return "its load is not known"
}

// raceFigures are race.isolate, race.node …: the median start of each.
func raceFigures(r *lab.Race) map[string]string {
	out := map[string]string{}
	for _, c := range r.Contenders {
		switch {
		case c.Off != "":
			out["race."+c.Key] = "(" + c.Off + ")"
		case len(c.Starts) > 0:
			out["race."+c.Key] = view.Duration(c.Middle().First)
		}
	}
	return out
}

func raceNumbers(r *lab.Race) map[string]float64 {
	out := map[string]float64{}
	for _, c := range r.Contenders {
		if len(c.Starts) > 0 {
			out["race."+c.Key] = float64(c.Middle().First)
		}
	}
	return out
}
