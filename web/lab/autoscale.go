package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/pool"
	"coldstart/sandbox/trace"
)

// Traffic says what the autoscale lab sends, and to what.
type Traffic struct {
	Shape    string      `json:"shape"`    // crowd, rush, twice
	Peak     float64     `json:"peak"`     // requests a second, at most
	Clock    float64     `json:"clock"`    // how much faster than in life idle times, probes and boots pass
	Capacity float64     `json:"capacity"` // requests a second that a modelled copy answers; 0: as its slots would, by the measured time of a request
	Inside   int         `json:"inside"`   // requests that one isolate takes at the same time
	Seed     uint64      `json:"seed"`
	Pool     pool.Config `json:"pool"` // at the ordinary clock
	// Controller is the one that was asked for in the place of the pool's own, "" for none;
	// Pool has it already.
	Controller string `json:"controller,omitempty"`
	Prices     Meter  `json:"prices"`
}

// Meter is what the cost meters count with, in dollars.
type Meter struct {
	VMHour        float64 `json:"vm_hour"`
	PerMillion    float64 `json:"per_million"`        // requests
	PerMillionCPU float64 `json:"per_million_cpu_ms"` // milliseconds of CPU time
	AsOf          string  `json:"as_of"`
}

// Autoscale is what the autoscale lab found: a real side, isolates of the
// learner's Worker, and a modelled one, on the same arrivals.
type Autoscale struct {
	Traffic Traffic      `json:"traffic"`
	Step    float64      `json:"step"` // seconds of a Beat
	Real    Side         `json:"real"`
	Model   Side         `json:"model"`
	Events  []pool.Event `json:"events"`  // of the model
	Noted   []pool.Event `json:"noted"`   // of the isolates
	Work    []float64    `json:"work_ms"` // what a request took in a warm isolate before the run, in ms
	Own     bool         `json:"own"`     // the learner's Worker, not the lab's
	// PoolText is the pool.json that Traffic.Pool was read from; the caller keeps it here.
	PoolText string    `json:"pool_json"`
	Machine  string    `json:"machine"`
	At       time.Time `json:"at"`
	Whole    bool      `json:"whole"`
	Running  bool      `json:"-"` // figures still come
}

// Side is one of the two that answered.
type Side struct {
	Beats    []Beat  `json:"beats"`
	Requests int     `json:"requests"`
	Answered int     `json:"answered"`
	Errors   int     `json:"errors"`
	Cold     int     `json:"cold"`
	Peak     int     `json:"peak"`           // copies at once
	Busy     int     `json:"busy,omitempty"` // requests being worked on at once, at most
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Cost     float64 `json:"cost"` // dollars
}

// Beat is one step of time on one side.
type Beat struct {
	Arrived  int     `json:"in,omitempty"`
	Answered int     `json:"out,omitempty"`
	Errors   int     `json:"err,omitempty"`
	Queue    int     `json:"queue,omitempty"`
	Copies   int     `json:"copies,omitempty"`  // that answer
	Booting  int     `json:"booting,omitempty"` // and dead ones that nobody has noticed
	Cold     int     `json:"cold,omitempty"`    // cold starts
	P50      float64 `json:"p50,omitempty"`     // ms, of those who arrived in it; 0 when none was answered
	P99      float64 `json:"p99,omitempty"`
	Cost     float64 `json:"cost,omitempty"` // dollars until its end
}

// Bounds of the autoscale lab.
const (
	beat         = 250 * time.Millisecond
	patience     = 2 * time.Second // that a visitor has
	idleFor      = time.Minute     // until an unused isolate goes, at the ordinary clock
	decideEvery  = 10.0            // seconds between decisions of a pool's controller, at the ordinary clock
	mostIsolates = 16
	mostInside   = 64
	mostInFlight = 2000
	workSamples  = 10
	showEvery    = 200 * time.Millisecond
)

// Ceiling is what the sandbox of a lab must allow a Worker.
func Ceiling() trace.Limits {
	l := trace.Ceiling()
	l.Isolates, l.Requests, l.Queue = mostIsolates, mostInside, mostInFlight
	return l
}

// rates is a shape of traffic, and when it ends, in seconds.
func (t Traffic) rates() ([]pool.Rate, float64) {
	switch t.Shape {
	case "rush": // five stairs of a minute each
		step := 60 / t.Clock
		var out []pool.Rate
		for i := range 5 {
			out = append(out, pool.Rate{From: float64(i) * step, PerSecond: t.Peak * float64(i+1) / 5})
		}
		return out, 5 * step
	case "twice": // with a silence that is longer than an isolate's patience
		quiet := idleFor.Seconds()/t.Clock + 2
		return []pool.Rate{{From: 0.5, PerSecond: t.Peak}, {From: 3.5}, {From: 3.5 + quiet, PerSecond: t.Peak}}, 6.5 + quiet
	}
	return []pool.Rate{{From: 1, PerSecond: t.Peak / 20}, {From: 4, PerSecond: t.Peak}, {From: 10, PerSecond: t.Peak / 3}}, 13
}

// Until is how long a run takes at least, in seconds: the visitors, and then
// silence until the last isolate has gone.
func (t Traffic) Until() float64 {
	_, end := t.rates()
	return math.Ceil(end + idleFor.Seconds()/t.Clock + 1)
}

//go:embed nap.js
var nap []byte

// Scale runs the autoscale lab. own is the learner's project, built as key;
// nil for the lab's Worker. crash tells that a machine is to die, the isolates'
// and a modelled one, whenever it gives a value. told gets what is known so
// far, from one goroutine, five times a second.
func (l *Labs) Scale(ctx context.Context, key sandbox.Key, own *trace.Project, t Traffic, crash <-chan struct{}, told func(*Autoscale, string)) (*Autoscale, error) {
	a := &Autoscale{Traffic: t, Step: beat.Seconds(), Own: own != nil, At: l.cfg.Now()}
	if own == nil {
		key = sandbox.Key{Learner: "lab", Project: "autoscale"}
		own = &trace.Project{Files: map[string][]byte{"nap.js": nap}, Main: "nap.js"}
	}
	err := l.Turn(ctx, func(say string) { told(a, say) }, func(ctx context.Context) error {
		told(a, "Starting.")
		s := &scaling{labs: l, a: a, crash: crash, told: told}
		if err := s.open(ctx, key, *own); err != nil {
			return err
		}
		a.Running = true
		err := errors.Join(s.run(ctx), s.door.Close())
		a.Running = false
		return err
	})
	if len(a.Real.Beats) == 0 {
		return nil, err
	}
	a.Machine, a.At, a.Whole = l.machine(), l.cfg.Now(), err == nil
	return a, err
}

// scaling is one run of the autoscale lab.
type scaling struct {
	labs  *Labs
	a     *Autoscale
	crash <-chan struct{}
	told  func(*Autoscale, string)
	door  sandbox.Door
	sim   *pool.Sim
	real  *crowd
	key   sandbox.Key
}

// open builds the project and deploys it in a sandbox of the lab's own.
func (s *scaling) open(ctx context.Context, key sandbox.Key, p trace.Project) error {
	d, err := s.labs.Build(ctx, key, p)
	if err != nil {
		return err
	}
	if s.door, err = s.labs.sandboxOf(ctx, Room{}); err != nil {
		return err
	}
	scaled := trace.Deployment{Workers: slices.Clone(d.Workers)}
	for i := range scaled.Workers {
		w := &scaled.Workers[i].Limits
		w.Isolates, w.Queue, w.Requests = mostIsolates, mostInFlight, s.a.Traffic.Inside
		w.IdleAfter = time.Duration(float64(idleFor) / s.a.Traffic.Clock)
	}
	s.key = sandbox.Key{Learner: "visitors", Project: "lab"}
	if err := s.door.Deploy(ctx, s.key, &scaled); err != nil {
		return errors.Join(err, s.door.Close())
	}
	return nil
}

// warmUp measures what a request takes in a warm isolate, and leaves none behind.
func (s *scaling) warmUp(ctx context.Context) error {
	for i := range workSamples + 2 {
		sum, err := visit(ctx, s.door, shopper(s.key))
		if err != nil {
			return err
		}
		if sum.Outcome != "ok" {
			message := sum.Outcome
			if sum.Fault != nil {
				message = sum.Fault.Message
			}
			return &CodeError{message}
		}
		if i >= 2 {
			s.a.Work = append(s.a.Work, float64(sum.Phase(trace.PhaseHandle)+sum.Phase(trace.PhaseStream))/1000)
		}
	}
	return s.door.Evict(ctx, s.key, "")
}

func (s *scaling) run(ctx context.Context) error {
	if err := s.warmUp(ctx); err != nil {
		return err
	}
	t := s.a.Traffic
	rates, end := t.rates()
	arrivals := pool.Random(rates, end, t.Seed)
	s.sim = pool.New(t.Pool.Faster(t.Clock), pool.Load{
		Arrivals: arrivals, Work: s.work(), Patience: patience.Seconds(), Decide: decideEvery / t.Clock, Step: beat.Seconds(),
	})
	ctx, cancel := context.WithCancel(ctx)
	s.real = newCrowd(s.door, s.key, arrivals)
	s.real.start(ctx)
	defer func() { cancel(); s.real.wait() }()
	tick := time.NewTicker(showEvery)
	defer tick.Stop()
	for last := end + idleFor.Seconds()/t.Clock + 5; ; {
		select {
		case <-ctx.Done():
			s.look()
			return context.Cause(ctx)
		case <-s.crash:
			s.kill()
			continue
		case <-tick.C:
		}
		now := s.look()
		s.told(s.a, s.where(now, end))
		if quiet := s.real.quiet() && s.copies() == 0; now >= end && quiet || now >= last {
			s.look()
			return nil
		}
	}
}

// work is what a request takes of a modelled copy's slot, in seconds.
func (s *scaling) work() []float64 {
	if c := s.a.Traffic.Capacity; c > 0 {
		return []float64{float64(s.a.Traffic.Pool.Slots) / c}
	}
	var out []float64
	for _, ms := range s.a.Work {
		out = append(out, ms/1000)
	}
	return out
}

func (s *scaling) copies() int { return len(s.door.Isolates(s.key)) }

// where says in a sentence where the run stands.
func (s *scaling) where(now, end float64) string {
	n := plural(s.copies(), "isolate", "isolates")
	if now < end {
		return fmt.Sprintf("%.0f s of %.0f: %s.", now, end, n)
	}
	return fmt.Sprintf("Nobody comes any more: %s.", n)
}

// look brings both sides up to now, in seconds since the begin.
func (s *scaling) look() float64 {
	stats := s.door.Stats()
	now := s.real.sample(s.copies(), stats.Queued)
	s.real.fill(&s.a.Real, s.a.Traffic.Prices)
	s.a.Noted = s.real.events()
	s.sim.Advance(now)
	r := s.sim.Result()
	s.a.Events = r.Events
	s.a.Model = modelled(r, s.a.Traffic.Prices)
	s.a.Machine, s.a.At = s.labs.machine(), s.labs.cfg.Now()
	return now
}

// kill ends the process that holds the isolates, and one server of the model.
func (s *scaling) kill() {
	for _, r := range s.door.Stats().Runners {
		if r.Role == "run" && r.Isolates > 0 {
			s.real.note("crash", fmt.Sprintf("the process dies with its %s (kill -9)", plural(r.Isolates, "isolate", "isolates")))
			s.real.killed()
			kill(r.PID)
		}
	}
	s.sim.Advance(s.real.now())
	s.sim.Crash()
}

// modelled is a pool's result as a side.
func modelled(r pool.Result, m Meter) Side {
	out := Side{Requests: r.Requests, Answered: r.Answered, Errors: r.Errors, Busy: r.Busy, Cost: r.Seconds / 3600 * m.VMHour}
	var all []float64
	var paid float64
	for _, p := range r.Moments {
		ms := make([]float64, len(p.Waits))
		for i, w := range p.Waits {
			ms[i] = w * 1000
		}
		all = append(all, ms...)
		paid += float64(p.Servers) * beat.Seconds() / 3600 * m.VMHour
		out.Peak = max(out.Peak, p.Ready)
		out.Beats = append(out.Beats, Beat{
			Arrived: p.Arrived, Answered: p.Answered, Errors: p.Errors, Queue: p.Queue, Copies: p.Ready, Booting: p.Booting + p.Dead,
			P50: quantile(ms, 0.5), P99: quantile(ms, 0.99), Cost: paid,
		})
	}
	out.P50, out.P99 = quantile(all, 0.5), quantile(all, 0.99)
	return out
}

// quantile is the nearest-rank quantile, 0 without samples. It sorts them.
func quantile(samples []float64, q float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	slices.Sort(samples)
	i := int(math.Ceil(q*float64(len(samples)))) - 1
	return samples[min(max(i, 0), len(samples)-1)]
}
