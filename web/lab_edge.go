package web

import (
	"context"
	"fmt"

	"github.com/a-h/templ"

	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// edgeLab puts a measured handler into a modelled network.
func (s *Site) edgeLab() experiment {
	var cities []view.LabOption
	for _, c := range lab.Cities() {
		cities = append(cities, view.LabOption{Value: c.Name, Label: c.Name})
	}
	return &labOf[lab.Edge]{
		labInfo: labInfo{PerProject: true, LabInfo: view.LabInfo{
			ID: "edge", Title: "Edge", Heading: "Near the user, or near the data?", Verb: "Measure", Live: true,
			Lead:        "Your handler is measured here. Around it lies a model of the world: great circles, light in glass, and a database in one city. Change how often the code calls it.",
			Description: "Code near visitors or near the data: a world map with a measured handler.",
			Fields: []view.LabField{
				{Name: "data", Label: "Database in", Value: cities[0].Value, Kind: view.LabChoice, Options: cities},
				{Name: "calls", Label: "Calls to it, one after the other", Value: "4", Kind: view.LabNumber, Min: 0, Max: 50},
				{Name: "cached", Label: "Answered from the edge's cache", Value: "0", Kind: view.LabNumber, Min: 0, Max: 100, Unit: "%"},
				{Name: "factor", Label: "Cables are longer by", Value: "1.5", Kind: view.LabNumber, Min: 1, Max: 4, Step: 0.1, Unit: "times"},
				{Name: "last_mile", Label: "Last mile", Value: "10", Kind: view.LabNumber, Min: 0, Max: 500, Unit: "ms"},
				{Name: "own", Kind: view.LabText},
			},
		}},
		Run: func(ctx context.Context, r *labRun[lab.Edge]) (*lab.Edge, error) {
			own, err := s.wholeProject(r.Project)
			if err != nil {
				return nil, err
			}
			e, err := s.labs.MeasureEdge(ctx, live.Key(r.Project), own, func(say string) { r.Say("%s", say) })
			if err != nil {
				return nil, s.told(err)
			}
			return e, s.ownWaits(ctx, r, e)
		},
		Act: func(ctx context.Context, r *labRun[lab.Edge]) (*lab.Edge, error) {
			if r.Action != "change" {
				return nil, &live.InputError{Message: "This lab cannot do that. Load the page again."}
			}
			e := r.Last
			if e == nil {
				e = &lab.Edge{}
			}
			return e, s.ownWaits(ctx, r, e)
		},
		Draw: func(e *lab.Edge, values map[string]string) templ.Component {
			now := lab.Edge{}
			if e != nil {
				now = *e
			}
			if n := network(values); n != now.Network {
				now.Network, now.Yours, now.Trouble = n, nil, ""
			}
			return view.EdgeView(edgeView(now))
		},
		Values: func(e *lab.Edge) map[string]string {
			n := e.Network
			return map[string]string{
				"data": n.Data, "calls": fmt.Sprint(n.Calls), "cached": fmt.Sprint(100 * n.Cached),
				"factor": fmt.Sprint(n.Factor), "last_mile": fmt.Sprint(n.LastMile),
			}
		},
		Check: func(e *lab.Edge) any {
			return map[string]any{"handler_ms": e.Median(), "n": len(e.Warm)}
		},
	}
}

// network is what the lab's fields say.
func network(values map[string]string) lab.Network {
	return lab.Network{
		Data: values["data"], Calls: int(labNumber(values, "calls")), Cached: labNumber(values, "cached") / 100,
		Factor: labNumber(values, "factor"), LastMile: labNumber(values, "last_mile"),
	}
}

// ownWaits fills in the fields' network and what the learner's function says of it.
func (s *Site) ownWaits(ctx context.Context, r *labRun[lab.Edge], e *lab.Edge) error {
	e.Network, e.Yours, e.Trouble = network(r.Values), nil, ""
	file := r.Values["own"]
	own, err := s.wholeProject(r.Project)
	if file == "" || own == nil || err != nil {
		return err
	}
	return s.labs.OwnWaits(ctx, live.Key(r.Project), *own, file, e)
}

func edgeView(e lab.Edge) view.Edge {
	n := e.Network
	v := view.Edge{
		Data: n.Data, Handler: e.Median(), Yours: e.Yours != nil, Trouble: e.Trouble,
		Model: fmt.Sprintf("Modelled, not measured: great-circle distance, %g times as long in cables, at 200 km a millisecond, there and back; %g ms for the last mile; each visitor's nearest location is a guess of 10 to 60 km; calls next door take no time. Real networks add queues and lost packets.", n.Factor, n.LastMile),
	}
	for i, w := range n.Waits() {
		c := view.EdgeCity{Name: w.City.Name, Lat: w.City.Lat, Lon: w.City.Lon, Km: w.Km, Edge: w.Edge, Central: w.Central}
		if v.Yours && i < len(e.Yours) {
			c.YourEdge, c.YourCentral = e.Yours[i].Edge, e.Yours[i].Central
		}
		v.Cities = append(v.Cities, c)
	}
	if len(e.Warm) > 0 {
		whose := "the lab's own visit counter"
		if e.Own {
			whose = "your Worker"
		}
		v.How = fmt.Sprintf("Measured: %s, the median of %d warm requests; cold it takes %.2f ms more (median of %d). %s, on %s.",
			whose, len(e.Warm), max(e.ColdMedian()-e.Median(), 0), len(e.Cold), e.At.UTC().Format("2 January 2006, 15:04 UTC"), e.Machine)
	}
	return v
}
