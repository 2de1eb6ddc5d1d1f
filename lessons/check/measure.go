package check

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"

	"coldstart/sandbox/trace"
)

// sample is what one measured run took.
type sample struct {
	ms, cpu, loadCPU float64
	memory           int64
	phases           map[trace.Phase]float64
	status           int
}

func sampleOf(s *trace.Summary, status int) sample {
	out := sample{ms: served(s), cpu: ms(s.CPU), loadCPU: ms(s.LoadCPU), memory: s.Memory, status: status, phases: map[trace.Phase]float64{}}
	for _, p := range trace.Phases {
		out.phases[p] = ms(s.Phase(p))
	}
	return out
}

// Repeats are the figures of runs that a learner repeated, as measure gives them.
func Repeats(runs []*trace.Summary) map[string]any {
	set := make([]sample, len(runs))
	for i, s := range runs {
		set[i] = sampleOf(s, s.Status)
	}
	return figures(set)
}

// measure sends one request n times and tells medians. Against the starter, or
// against the project with another of its files as entry, the two take turns,
// so that a busy machine slows both alike. One run of each is thrown away first.
func (s *session) measure(ctx context.Context, t *running, raw []json.RawMessage) (any, error) {
	var n int
	var request string
	var o sendOptions
	if err := errors.Join(arg("measure", raw, 1, &n), arg("measure", raw, 2, &request), arg("measure", raw, 3, &o)); err != nil {
		return nil, misuse("measure takes a count, a request and options: measure(20, \"/\", { cold: true })")
	}
	if n < 1 || n > 200 {
		return nil, misuse("measure takes a count from 1 to 200")
	}
	own, name := t.project, "starter"
	var other *project
	if o.Against == "starter" || o.Of == "starter" {
		p, err := s.starter(ctx)
		if err != nil {
			return nil, err
		}
		if o.Of == "starter" {
			own = p
		} else {
			other = p
		}
	}
	if o.Against != "" && o.Against != "starter" {
		p, err := s.entry(ctx, o.Against)
		if err != nil {
			return nil, err
		}
		other, name = p, "other"
	}
	var mine, theirs []sample
	for i := range n + 1 {
		for _, p := range []*project{own, other} {
			if p == nil {
				continue
			}
			ask := o
			if name == "other" && p == other {
				ask.Worker = "" // a file as entry is a project of one Worker
			}
			got, err := s.sample(ctx, t, p, request, ask)
			if err != nil {
				return nil, err
			}
			switch {
			case i == 0:
			case p == own:
				mine = append(mine, got)
			default:
				theirs = append(theirs, got)
			}
		}
	}
	out := figures(mine)
	if other != nil {
		out[name] = figures(theirs)
	}
	return out, nil
}

func (s *session) sample(ctx context.Context, t *running, p *project, request string, o sendOptions) (sample, error) {
	r, err := s.run(p, t, request, o)
	if err != nil {
		return sample{}, err
	}
	a, err := s.invoke(ctx, r)
	if err != nil {
		return sample{}, err
	}
	if p == t.project {
		s.remember(t, describe(r, o), a)
	}
	return sampleOf(a.summary, a.head.Status), nil
}

// figures are a set of samples as numbers: times in ms, memory in bytes.
func figures(set []sample) map[string]any {
	times := make([]float64, len(set))
	cpu := make([]float64, len(set))
	loads := make([]float64, len(set))
	memory := make([]float64, len(set))
	statuses := make([]int, len(set))
	for i, s := range set {
		times[i], cpu[i], loads[i], memory[i], statuses[i] = s.ms, s.cpu, s.loadCPU, float64(s.memory), s.status
	}
	phases := map[string]float64{}
	for _, p := range trace.Phases {
		each := make([]float64, len(set))
		for i, s := range set {
			each[i] = s.phases[p]
		}
		phases[string(p)] = quantile(each, 0.5)
	}
	return map[string]any{
		"n": len(set), "p50": quantile(times, 0.5), "p99": quantile(times, 0.99), "min": quantile(times, 0), "max": quantile(times, 1),
		"samples": times, "cpu": quantile(cpu, 0.5), "load_cpu": quantile(loads, 0.5), "memory": quantile(memory, 0.5), "phases": phases, "statuses": statuses,
	}
}

// quantile is the nearest-rank quantile; 0 for no samples.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}
