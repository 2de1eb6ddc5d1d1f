package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// City is a place on the map.
type City struct {
	Name     string
	Lat, Lon float64 // degrees, north and east
	Edge     float64 // km to the nearest place that runs code; a guess for a large network
}

// Cities are where the visitors of the edge lab are; data can stand in each.
// Coordinates are rounded to a tenth of a degree.
func Cities() []City {
	return []City{
		{"Amsterdam", 52.4, 4.9, 10},
		{"Madrid", 40.4, -3.7, 30},
		{"Lagos", 6.5, 3.4, 40},
		{"Mumbai", 19.1, 72.9, 50},
		{"São Paulo", -23.6, -46.6, 40},
		{"Tokyo", 35.7, 139.7, 30},
		{"Lima", -12.0, -77.0, 60},
		{"Sydney", -33.9, 151.2, 50},
	}
}

// FindCity finds a city by its name.
func FindCity(name string) (City, bool) {
	all := Cities()
	if i := slices.IndexFunc(all, func(c City) bool { return c.Name == name }); i >= 0 {
		return all[i], true
	}
	return City{}, false
}

// earth is the mean radius, in km.
const earth = 6371.0

// Distance is that along the ground, in km: the great circle between two places.
func Distance(a, b City) float64 {
	r := math.Pi / 180
	dLat, dLon := (b.Lat-a.Lat)*r, (b.Lon-a.Lon)*r
	h := math.Pow(math.Sin(dLat/2), 2) + math.Cos(a.Lat*r)*math.Cos(b.Lat*r)*math.Pow(math.Sin(dLon/2), 2)
	return 2 * earth * math.Asin(math.Min(1, math.Sqrt(h)))
}

// Network is the modelled part of the edge lab.
type Network struct {
	Data     string  `json:"data"`         // the city of the database, and of the central server
	Calls    int     `json:"calls"`        // to the database, one after the other
	Cached   float64 `json:"cached"`       // share of them that the edge answers from a cache, 0 to 1
	Factor   float64 `json:"factor"`       // by which cables are longer than the great circle
	LastMile float64 `json:"last_mile_ms"` // between a visitor and the network, there and back
}

// lightInGlass is in km a millisecond.
const lightInGlass = 200.0

// RoundTrip is how long a signal takes there and back over km of great circle, in ms.
func (n Network) RoundTrip(km float64) float64 { return 2 * km * n.Factor / lightInGlass }

// Wait is what one visitor waits, in ms, without the handler's own time.
type Wait struct {
	City    City
	Km      float64 // to the data
	Edge    float64 // code near the visitor
	Central float64 // code next to the data
}

// Waits works out the model for all cities.
func (n Network) Waits() []Wait {
	data, ok := FindCity(n.Data)
	if !ok {
		data = Cities()[0]
	}
	var out []Wait
	for _, c := range Cities() {
		km := Distance(c, data)
		out = append(out, Wait{
			City: c, Km: km,
			Edge:    n.LastMile + n.RoundTrip(c.Edge) + float64(n.Calls)*(1-n.Cached)*n.RoundTrip(km),
			Central: n.LastMile + n.RoundTrip(km),
		})
	}
	return out
}

// Edge is what the edge lab found: a measured handler in a modelled network.
type Edge struct {
	Network Network   `json:"network"`
	Warm    []float64 `json:"warm_ms"` // the handler in a warm isolate, each run
	Cold    []float64 `json:"cold_ms"` // start, load and handler in a new isolate, each run
	Own     bool      `json:"own"`     // the learner's Worker, not the lab's
	// Yours is what the learner's own function says of each city; nil without one.
	Yours   []OwnWait `json:"yours,omitempty"`
	Trouble string    `json:"trouble,omitempty"` // why there is no Yours
	Machine string    `json:"machine"`
	At      time.Time `json:"at"`
}

// OwnWait is what a learner's wait() answers for a city, in ms.
type OwnWait struct {
	Edge    float64 `json:"edge"`
	Central float64 `json:"central"`
}

const (
	edgeWarm = 40
	edgeCold = 10
)

// MeasureEdge measures the learner's Worker: its first requests in new
// isolates, and warm ones. own nil measures a Worker that answers at once.
func (l *Labs) MeasureEdge(ctx context.Context, key sandbox.Key, own *trace.Project, told func(string)) (*Edge, error) {
	e := &Edge{Own: own != nil}
	if own == nil {
		key = sandbox.Key{Learner: "lab", Project: "edge"}
		own = &trace.Project{Files: map[string][]byte{"visits.js": visits}, Main: "visits.js"}
	}
	err := l.Turn(ctx, told, func(ctx context.Context) error { return l.measureEdge(ctx, key, *own, e, told) })
	if err != nil {
		return nil, err
	}
	e.Machine, e.At = l.machine(), l.cfg.Now()
	return e, nil
}

func (l *Labs) measureEdge(ctx context.Context, key sandbox.Key, p trace.Project, e *Edge, told func(string)) (err error) {
	kind, err := l.isolates(ctx, key, p, Room{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kind.Close()) }()
	door, at := kind.door, sandbox.Key{Learner: "visitors", Project: "lab"}
	if err := door.Deploy(ctx, at, kind.deploy); err != nil {
		return err
	}
	told("Measuring the handler.")
	for i := range edgeCold + edgeWarm + 2 {
		if i < edgeCold {
			if err := door.Evict(ctx, at, ""); err != nil {
				return err
			}
		}
		sum, err := visit(ctx, door, shopper(at))
		if err != nil {
			return err
		}
		if sum.Outcome != "ok" {
			if sum.Fault != nil {
				return faulty(sum.Fault)
			}
			return &CodeError{sum.Outcome}
		}
		handle := float64(sum.Phase(trace.PhaseHandle)+sum.Phase(trace.PhaseStream)) / 1000
		switch {
		case sum.Temperature == trace.Cold:
			e.Cold = append(e.Cold, handle+float64(sum.Phase(trace.PhaseStart)+sum.Phase(trace.PhaseLoad))/1000)
		case i >= edgeCold+2:
			e.Warm = append(e.Warm, handle)
		}
	}
	return nil
}

// Median of the warm handler, in ms; 0 before it was measured.
func (e *Edge) Median() float64 { return quantile(slices.Clone(e.Warm), 0.5) }

// OwnWaits asks the learner's wait(place, distances, load) of one file for
// each city.
func (l *Labs) OwnWaits(ctx context.Context, key sandbox.Key, p trace.Project, file string, e *Edge) error {
	type city struct {
		Edge float64 `json:"edge"`
		Data float64 `json:"data"`
	}
	q := map[string]any{"load": map[string]any{"calls": e.Network.Calls, "cached": e.Network.Cached}}
	var cities []city
	for _, w := range e.Network.Waits() {
		cities = append(cities, city{w.City.Edge, w.Km})
	}
	q["cities"] = cities
	var answer struct {
		Missing bool      `json:"missing"`
		Own     []OwnWait `json:"own"`
	}
	e.Yours, e.Trouble = nil, ""
	err := l.Ask(ctx, key, p, fmt.Sprintf(waitEntry, "./"+file), q, &answer)
	var code *CodeError
	switch {
	case errors.As(err, &code):
		e.Trouble = code.Message
	case err != nil:
		return err
	case answer.Missing:
		e.Trouble = file + " exports no function wait"
	case len(answer.Own) == len(cities):
		e.Yours = answer.Own
	}
	return nil
}

const waitEntry = `import * as own from %q;
export default {
  async fetch(request) {
    const { cities, load } = await request.json();
    if (typeof own.wait !== "function") return Response.json({ missing: true });
    const of = (place, city) => Number(own.wait(place, { ...city }, { ...load })) || 0;
    return Response.json({ own: cities.map((c) => ({ edge: of("edge", c), central: of("central", c) })) });
  },
};
`

// ColdMedian is that of first requests in new isolates, in ms; 0 before it was measured.
func (e *Edge) ColdMedian() float64 { return quantile(slices.Clone(e.Cold), 0.5) }
