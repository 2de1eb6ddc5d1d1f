package view

import "math"

func sampleAutoscale() Autoscale {
	a := Autoscale{
		Action: "#", Beats: Beats{Step: 0.5, Until: 12},
		Real:   AutoSide{Name: "isolates", Requests: 160, Answered: 160, Cold: 2, Peak: 2, Busy: 6, P50: 52, P99: 61, Cost: 0.00005},
		Model:  AutoSide{Name: "pool", Requests: 160, Answered: 150, Errors: 10, Peak: 4, Busy: 8, P50: 340, P99: 1900, Cost: 0.0004},
		Events: []AutoEvent{{At: 1.2, Side: "isolates", Say: "the first isolate is there"}, {At: 4, Side: "pool", Say: "server 1 dies, 2 requests with it", Hard: true}},
		Pool:   "Modelled: the pool.", How: "Measured: 160 requests.",
	}
	for i := range 24 {
		mine, theirs := AutoBeat{Cost: 0.000002 * float64(i)}, AutoBeat{Copies: 2, Cost: 0.000017 * float64(i)}
		if i >= 2 && i < 18 {
			mine.Arrived, mine.Answered, mine.Copies, mine.P50, mine.P99 = 10, 10, 1+i/10, 52, 58
			theirs.Arrived, theirs.Answered, theirs.Queue, theirs.Copies, theirs.Booting, theirs.P50, theirs.P99 = 10, 8, i, 2+i/9, 2-i/9, 60*float64(i), 100*float64(i)
		}
		if i == 2 || i == 10 {
			mine.Cold = 1
		}
		a.Real.Beats, a.Model.Beats = append(a.Real.Beats, mine), append(a.Model.Beats, theirs)
	}
	return a
}

func sampleRollout() Rollout {
	r := Rollout{
		Action: "#", Beats: Beats{Step: 0.5, Until: 12}, Percents: []int{1, 10, 50, 100},
		Old:      AutoSide{Name: "old version", Requests: 190, Answered: 190, Cold: 1, P50: 0.6, P99: 4.1},
		New:      AutoSide{Name: "new version", Requests: 34, Answered: 30, Errors: 4, Cold: 1, P50: 0.7, P99: 5.2},
		Shares:   []PlotPoint{{0, 0}, {3, 5}, {7, 25}, {9.2, 0}},
		Events:   []AutoEvent{{At: 3, Side: "guard", Say: "5 % of the visits get the new version"}, {At: 9.2, Side: "guard", Say: "back to the old version"}},
		Visitors: 90, Hurt: 4, Mixed: 1, How: "Measured: 224 visits.",
	}
	for i := range 24 {
		was, next := AutoBeat{Answered: 10, P50: 0.6, P99: 3}, AutoBeat{}
		if i >= 6 && i < 19 {
			was.Answered, next.Answered, next.Errors, next.P99 = 9, 1+i/14*2, i/14, 4
		}
		r.Old.Beats, r.New.Beats = append(r.Old.Beats, was), append(r.New.Beats, next)
	}
	return r
}

func sampleCost() Cost {
	return Cost{
		From: 1e4, To: 1e10, Shape: "requests of 7 ms of CPU time", Read: "2026-11-21", Trouble: "Yours is not drawn: src/cost.js:3: use is not defined",
		Plans: []CostPlan{
			{ID: "vm", Name: "VM", Bill: func(float64) float64 { return 30.37 }, Cross: math.NaN(), Source: "a price list"},
			{ID: "requests", Name: "By the request", Bill: func(r float64) float64 { return 5 + max(0, r-1e7)/1e6*0.44 }, Cross: 67.66e6, Source: "another one", Own: []PlotPoint{{1e6, 5}, {1e8, 44.6}, {1e9, 900}}},
		},
	}
}

func sampleEdge() Edge {
	return Edge{
		Data: "Amsterdam", Handler: 0.4, Yours: true, Model: "Modelled, not measured: the network.", How: "Measured: your Worker, the median of 40 warm requests.",
		Cities: []EdgeCity{
			{Name: "Amsterdam", Lat: 52.4, Lon: 4.9, Edge: 10.2, Central: 10, YourEdge: 0.2},
			{Name: "Sydney", Lat: -33.9, Lon: 151.2, Km: 16644, Edge: 1009, Central: 260, YourEdge: 999, YourCentral: 250},
			{Name: "Lima", Lat: -12, Lon: -77, Km: 10522, Edge: 120, Central: 168, YourEdge: 110, YourCentral: 158},
		},
	}
}
