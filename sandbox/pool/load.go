package pool

import "math/rand/v2"

// Rate is how many requests a second arrive from a second on.
type Rate struct{ From, PerSecond float64 }

// Even are arrivals at even distances, as many as the rates say until end.
func Even(rates []Rate, end float64) []float64 {
	step := func() float64 { return 1 }
	return arrivals(rates, end, 0.5, step)
}

// Random are arrivals of visitors who know nothing of each other: a Poisson
// process. The same seed gives the same ones.
func Random(rates []Rate, end float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	return arrivals(rates, end, r.ExpFloat64(), r.ExpFloat64)
}

// arrivals walks along the integral of the rates: the first arrival is where
// it reaches to, the others each a step on.
func arrivals(rates []Rate, end, to float64, step func() float64) []float64 {
	out := []float64{}
	var reached float64
	for i, r := range rates {
		from, until := r.From, end
		if i+1 < len(rates) {
			until = min(rates[i+1].From, end)
		}
		if until <= from {
			continue
		}
		if r.PerSecond > 0 {
			for reached+(until-from)*r.PerSecond > to {
				from += (to - reached) / r.PerSecond
				reached = to
				out = append(out, from)
				to += step()
			}
			reached += (until - from) * r.PerSecond
		}
	}
	return out
}
