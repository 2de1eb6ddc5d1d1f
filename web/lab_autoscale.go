package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"coldstart/sandbox/jsonline"
	"coldstart/sandbox/pool"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// defaultPool is the pool of the lab's own page.
const defaultPool = `{
  "controller": "group",
  "min": 2,
  "max": 8,
  "target": 0.6,
  "health": { "every_s": 5, "unhealthy_after": 2 },
  "boot_s": 40,
  "slots": 2
}`

// autoscaleLab sends a crowd to a Worker, and to a modelled pool of servers.
func (s *Site) autoscaleLab() experiment {
	return &labOf[lab.Autoscale]{
		labInfo: labInfo{PerProject: true, LabInfo: view.LabInfo{
			ID: "autoscale", Title: "Autoscale", Heading: "None, some, none", Verb: "Let them in",
			Lead:        "Visitors arrive whether or not the last ones were answered. Isolates of a Worker take them, here and now; a pool of servers takes the same ones in a model.",
			Description: "A crowd meets real isolates and a modelled pool of servers.",
			Fields: []view.LabField{
				{Name: "shape", Label: "Visitors", Value: "crowd", Kind: view.LabChoice, Options: []view.LabOption{{Value: "crowd", Label: "a sudden crowd"}, {Value: "rush", Label: "five stairs up"}, {Value: "twice", Label: "twice, with silence between"}}},
				{Name: "peak", Label: "At most", Value: "120", Kind: view.LabNumber, Min: 1, Max: 500, Unit: "a second"},
				{Name: "inside", Label: "Inside one isolate", Value: "4", Kind: view.LabNumber, Min: 1, Max: 64, Unit: "at once"},
				{Name: "controller", Label: "Against", Kind: view.LabChoice, Options: []view.LabOption{{Value: "", Label: "the pool as pool.json says"}, {Value: pool.Group, Label: "an autoscaling group"}, {Value: pool.Fixed, Label: "rented servers"}, {Value: pool.Cluster, Label: "a Kubernetes-like cluster"}}},
				{Name: "clock", Value: "15", Kind: view.LabNumber, Min: 10, Max: 60},
				{Name: "capacity", Value: "0", Kind: view.LabNumber, Min: 0, Max: 10_000},
				{Name: "seed", Value: "1", Kind: view.LabNumber, Min: 0, Max: 1e6},
				{Name: "file", Kind: view.LabText},
				{Name: "pool", Label: "pool.json, the modelled servers", Value: defaultPool, Kind: view.LabArea, Most: 8000, Unless: "file"},
			},
		}},
		Run: s.runAutoscale,
		Act: func(context.Context, *labRun[lab.Autoscale]) (*lab.Autoscale, error) {
			return nil, &live.InputError{Message: "Nothing runs yet. Let them in, then kill a machine."}
		},
		Draw: func(a *lab.Autoscale, values map[string]string) templ.Component {
			if a == nil {
				a = &lab.Autoscale{Traffic: traffic(values), Step: 0.25}
			}
			v := autoscaleView(a)
			if values["file"] == "" {
				if _, err := pool.Parse("pool.json", []byte(values["pool"])); err != nil {
					v.Trouble = err.Error()
				}
			}
			return view.AutoscaleView(v)
		},
		Values: func(a *lab.Autoscale) map[string]string {
			return map[string]string{
				"shape": a.Traffic.Shape, "peak": fmt.Sprint(a.Traffic.Peak), "inside": fmt.Sprint(a.Traffic.Inside), "pool": a.PoolText, "controller": a.Traffic.Controller,
			}
		},
		Check: func(a *lab.Autoscale) any {
			return map[string]any{"whole": a.Whole, "isolates": scaled(a.Real), "pool": scaled(a.Model), "n": a.Real.Requests}
		},
	}
}

// scaled are the figures of a side that checks read.
func scaled(s lab.Side) map[string]any {
	after := 0
	if n := len(s.Beats); n > 0 {
		after = s.Beats[n-1].Copies
	}
	return map[string]any{
		"after":    after, // copies in the end
		"requests": s.Requests, "answered": s.Answered, "errors": s.Errors, "cold": s.Cold, "peak": s.Peak,
		"p50_ms": s.P50, "p99_ms": s.P99, "dollars": s.Cost,
	}
}

// traffic is what the lab's fields say, without the pool.
func traffic(values map[string]string) lab.Traffic {
	t := lab.Traffic{
		Shape: values["shape"], Peak: labNumber(values, "peak"), Clock: labNumber(values, "clock"), Capacity: labNumber(values, "capacity"),
		Inside: int(labNumber(values, "inside")), Seed: uint64(labNumber(values, "seed")),
	}
	prices := lab.ShippedPrices()
	vm, workers := prices.Plan("vm"), prices.Plan("workers")
	t.Prices = lab.Meter{VMHour: vm.PerHour, PerMillion: workers.PerMillion, PerMillionCPU: workers.PerMillionCPU, AsOf: prices.Read}
	return t
}

func (s *Site) runAutoscale(ctx context.Context, r *labRun[lab.Autoscale]) (*lab.Autoscale, error) {
	t := traffic(r.Values)
	name, text := "pool.json", r.Values["pool"]
	if file := r.Values["file"]; file != "" {
		data, ok := r.Project.Files[file]
		if !ok {
			return nil, &live.InputError{Message: fmt.Sprintf("The lab reads %s, which is not there. Reset the lesson, or make the file.", file)}
		}
		name, text = file, string(data)
	}
	var err error
	if t.Pool, err = pool.Parse(name, []byte(text)); err != nil {
		return nil, misread(err)
	}
	t.Controller = r.Values["controller"]
	t.Pool.Controller = cmp.Or(t.Controller, t.Pool.Controller)
	own, err := s.wholeProject(r.Project)
	if err != nil {
		return nil, err
	}
	crash := make(chan struct{}, 1)
	defer r.heed(func(a live.LabAct) {
		if a.Action != "kill" {
			return
		}
		select {
		case crash <- struct{}{}:
		default: // one is on its way
		}
	})()
	a, err := s.labs.Scale(ctx, live.Key(r.Project), own, t, crash, func(a *lab.Autoscale, say string) { r.Show(a, say) })
	if a != nil {
		a.PoolText = text
	}
	return a, s.told(err)
}

// wholeProject is the learner's project, nil on a lab's own page, where there is none.
func (s *Site) wholeProject(p classroom.Project) (*trace.Project, error) {
	if len(p.Files) == 0 {
		return nil, nil
	}
	own, err := live.Sources(p, s.config.Ceiling)
	return &own, err
}

// misread makes a fault in a settings file into a sentence for the learner.
func misread(err error) error {
	var at *jsonline.Error
	if errors.As(err, &at) {
		return &live.InputError{Message: at.Error()}
	}
	return err
}

func autoscaleView(a *lab.Autoscale) view.Autoscale {
	v := view.Autoscale{
		Action: "/labs/autoscale", Beats: view.Beats{Step: a.Step, Live: a.Running, Until: a.Traffic.Until()},
		Real: autoSide("isolates", a.Real), Model: autoSide("pool", a.Model), Pool: poolSentence(a.Traffic),
	}
	for _, l := range []struct {
		side   string
		events []pool.Event
	}{{"isolates", a.Noted}, {"pool", a.Events}} {
		for _, e := range l.events {
			v.Events = append(v.Events, view.AutoEvent{At: e.At, Side: l.side, Say: e.Say, Hard: e.Kind == "crash"})
		}
	}
	slices.SortStableFunc(v.Events, func(x, y view.AutoEvent) int { return cmp.Compare(x.At, y.At) })
	v.Until = max(v.Until, float64(len(a.Real.Beats))*a.Step)
	if a.Machine != "" {
		whose := "the lab's own Worker, which waits 50 ms"
		if a.Own {
			whose = "your Worker"
		}
		v.How = fmt.Sprintf("Measured: %d requests to %s in a sandbox of its own, sent at Poisson times (seed %d) whether or not earlier ones were answered, and timed from when they were due; who waits 2 s gives up. %s, on %s.",
			a.Real.Requests, whose, a.Traffic.Seed, a.At.UTC().Format("2 January 2006, 15:04 UTC"), a.Machine)
	}
	return v
}

// poolSentence says what is modelled, and what the clock and the meters assume.
func poolSentence(t lab.Traffic) string {
	takes := "as long as your Worker did when nobody else was there (10 measured requests)"
	if t.Capacity > 0 {
		takes = fmt.Sprintf("so long that each copy answers %g a second", t.Capacity)
	}
	return strings.Join([]string{
		"Modelled: " + poolKind(t.Pool) + ", event by event, with a perfect load balancer; a request takes " + takes + ".",
		fmt.Sprintf("Slow things pass %g times as fast here, on both sides: a boot of 40 s takes %.1f s, and an isolate idle for a minute goes after %.0f s.", t.Clock, 40/t.Clock, 60/t.Clock),
		fmt.Sprintf("Prices of %s: $%g an hour and server; $%g a million requests and $%g a million ms of CPU time, without base fee and allowance.", t.Prices.AsOf, t.Prices.VMHour, t.Prices.PerMillion, t.Prices.PerMillionCPU),
	}, " ")
}

// poolKind says what a pool is made of.
func poolKind(c pool.Config) string {
	switch c.Controller {
	case pool.Fixed:
		return fmt.Sprintf("%d rented servers that nobody replaces", c.Min)
	case pool.Cluster:
		return fmt.Sprintf("%d to %d pods, %d on a server, which a controller places and replaces", c.Min, c.Max, c.Pods)
	case pool.Group:
		return fmt.Sprintf("an autoscaling group of %d to %d servers", c.Min, c.Max)
	}
	return "the pool"
}

func autoSide(name string, s lab.Side) view.AutoSide {
	out := view.AutoSide{Name: name, Requests: s.Requests, Answered: s.Answered, Errors: s.Errors, Cold: s.Cold, Peak: s.Peak, Busy: s.Busy, P50: s.P50, P99: s.P99, Cost: s.Cost}
	for _, b := range s.Beats {
		out.Beats = append(out.Beats, view.AutoBeat(b))
	}
	return out
}
