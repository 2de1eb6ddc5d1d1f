package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"time"

	"coldstart/sandbox"
	boxes "coldstart/sandbox/box"
	"coldstart/sandbox/trace"
)

// benchCmd measures the platform of this machine through the same door as the site.
type benchCmd struct {
	JSON     bool          `help:"Print one JSON object and nothing else on stdout."`
	N        int           `help:"Samples per figure." default:"200"`
	Isolates int           `help:"Live isolates to start for the density figure." default:"1000"`
	Class    int           `help:"Play the start of a class of so many learners instead." placeholder:"LEARNERS"`
	Burst    time.Duration `help:"With --class: within this time everybody joins and presses Run." default:"2s"`
	Steady   time.Duration `help:"With --class: how long they go on afterwards." default:"60s"`
	Rate     float64       `help:"With --class: runs a second while they go on." default:"30"`
	DB       string        `name:"db" help:"With --class: an empty database of PostgreSQL for the server." placeholder:"URL"`
	Lesson   string        `help:"With --class: what they open." default:"workers/hello-worker" placeholder:"TRACK/LESSON"`
	Peer     string        `help:"Compare with this workerd binary instead." type:"path" placeholder:"WORKERD"`
}

const helloWorker = `export default { fetch() { return new Response("hello"); } };` + "\n"

// quantiles of a sample, in microseconds.
type quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	N   int     `json:"n"`
}

func quantile(sorted []float64, q float64) float64 {
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[max(0, min(i, len(sorted)-1))]
}

func summarize(us []float64) quantiles {
	slices.Sort(us)
	return quantiles{P50: quantile(us, .5), P99: quantile(us, .99), N: len(us)}
}

// benchResult is what --json prints.
type benchResult struct {
	Cold      quantiles `json:"cold_start_us"`      // snapshot restore to first byte, as the runner measured it: start + load + handle
	ColdDoor  quantiles `json:"cold_invoke_us"`     // the same runs seen from the door: frames and scheduling included
	Warm      quantiles `json:"warm_request_us"`    // the door's Invoke to the last byte
	WarmPart  quantiles `json:"warm_handle_us"`     // handle phase alone
	Private   float64   `json:"isolate_private_kb"` // median private memory of an idle isolate after one request
	Live      int       `json:"isolates_live"`
	RSS       float64   `json:"isolates_rss_mb"` // resident memory of all run children with that many live
	StartEach float64   `json:"isolate_each_us"` // wall time per isolate while starting them
	Machine   string    `json:"machine"`
}

// Run measures and prints.
func (c *benchCmd) Run(ctx context.Context, g *globals) error {
	if c.N < 10 || c.Isolates < 1 || c.Isolates > 20000 {
		return fmt.Errorf("bench: --n wants at least 10, --isolates 1 to 20000")
	}
	if c.Class != 0 {
		return c.class(ctx, g)
	}
	if c.Peer != "" {
		return comparePeer(ctx, g, c.Peer, c.JSON)
	}
	say := g.Stdout
	if c.JSON {
		say = io.Discard
	}
	box, err := g.openSandbox(ctx, sandboxOptions{isolates: c.Isolates + 100})
	if err != nil {
		return err
	}
	defer box.Close()
	b := &bench{door: box}
	var r benchResult
	r.Machine = machine()
	fmt.Fprintf(say, "machine          %s\n", r.Machine)
	if err := b.cold(ctx, c.N, &r); err != nil {
		return err
	}
	fmt.Fprintf(say, "cold start       p50 %6.0f µs   p99 %6.0f µs   n=%d   (restore → first byte, in the runner)\n", r.Cold.P50, r.Cold.P99, r.Cold.N)
	fmt.Fprintf(say, "cold invoke      p50 %6.0f µs   p99 %6.0f µs   n=%d   (the same, seen from the parent)\n", r.ColdDoor.P50, r.ColdDoor.P99, r.ColdDoor.N)
	if err := b.warm(ctx, c.N*5, &r); err != nil {
		return err
	}
	fmt.Fprintf(say, "warm request     p50 %6.0f µs   p99 %6.0f µs   n=%d   (parent → isolate → last byte)\n", r.Warm.P50, r.Warm.P99, r.Warm.N)
	fmt.Fprintf(say, "warm handle      p50 %6.0f µs   p99 %6.0f µs   n=%d   (the handler alone)\n", r.WarmPart.P50, r.WarmPart.P99, r.WarmPart.N)
	if err := b.density(ctx, c.Isolates, &r); err != nil {
		return err
	}
	fmt.Fprintf(say, "idle isolate     %.0f kB private after one request (median)\n", r.Private)
	fmt.Fprintf(say, "density          %d live isolates in %.0f MB resident, %.0f µs each to start\n", r.Live, r.RSS, r.StartEach)
	if c.JSON {
		return json.NewEncoder(g.Stdout).Encode(r)
	}
	return nil
}

// class plays the start of a class.
func (c *benchCmd) class(ctx context.Context, g *globals) error {
	plan := classPlan{Learners: c.Class, Burst: c.Burst, Steady: c.Steady, Rate: c.Rate, DB: c.DB, Lesson: c.Lesson}
	if err := plan.check(); err != nil {
		return err
	}
	say := g.Stdout
	if c.JSON {
		say = io.Discard
	}
	result, err := simulateClass(ctx, g, plan, say)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(g.Stdout).Encode(result)
	}
	result.print(g.Stdout)
	return nil
}

type bench struct{ door sandbox.Door }

// deploy makes the hello Worker answer for key.
func (b *bench) deploy(ctx context.Context, key sandbox.Key) error {
	d, err := b.door.Build(ctx, key, trace.Project{Files: map[string][]byte{"worker.js": []byte(helloWorker)}, Main: "worker.js"})
	if err != nil {
		return err
	}
	if d.Fault != nil {
		return fmt.Errorf("bench: %s", d.Fault.Message)
	}
	return b.door.Deploy(ctx, key, d)
}

// once runs one request to its end.
func (b *bench) once(ctx context.Context, key sandbox.Key, cold bool) (*trace.Summary, time.Duration, error) {
	begin := time.Now()
	resp, err := b.door.Invoke(ctx, sandbox.Run{Key: key, Type: "fetch", Method: "GET", URL: "https://bench.example/", Length: -1, Cold: cold})
	if err != nil {
		return nil, 0, err
	}
	if resp.Body != nil {
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return nil, 0, err
		}
		resp.Body.Close()
	}
	wall := time.Since(begin)
	s, err := resp.Summary(ctx)
	if err == nil && s.Outcome != "ok" {
		err = fmt.Errorf("bench: a run ended as %s: %v", s.Outcome, s.Fault)
	}
	return s, wall, err
}

func (b *bench) cold(ctx context.Context, n int, r *benchResult) error {
	key := sandbox.Key{Learner: "bench", Project: "cold"}
	if err := b.deploy(ctx, key); err != nil {
		return err
	}
	var in, door []float64
	for i := range n + 10 {
		s, wall, err := b.once(ctx, key, true)
		if err != nil {
			return err
		}
		if s.Temperature != trace.Cold {
			return fmt.Errorf("bench: a run that should be cold was %s", s.Temperature)
		}
		if i >= 10 { // the first few warm the processors' caches
			in = append(in, float64(s.Phase(trace.PhaseStart)+s.Phase(trace.PhaseLoad)+s.Phase(trace.PhaseHandle)))
			door = append(door, float64(wall.Microseconds()))
		}
	}
	r.Cold, r.ColdDoor = summarize(in), summarize(door)
	return nil
}

func (b *bench) warm(ctx context.Context, n int, r *benchResult) error {
	key := sandbox.Key{Learner: "bench", Project: "warm"}
	if err := b.deploy(ctx, key); err != nil {
		return err
	}
	var all, handle []float64
	for i := range n + 50 {
		s, wall, err := b.once(ctx, key, false)
		if err != nil {
			return err
		}
		if i >= 50 {
			all = append(all, float64(wall.Nanoseconds())/1e3)
			handle = append(handle, float64(s.Phase(trace.PhaseHandle)))
		}
	}
	r.Warm, r.WarmPart = summarize(all), summarize(handle)
	return nil
}

// density starts isolates, each of a learner of its own, and asks Linux what they hold.
func (b *bench) density(ctx context.Context, n int, r *benchResult) error {
	keys := make([]sandbox.Key, n)
	begin := time.Now()
	for i := range n {
		keys[i] = sandbox.Key{Learner: fmt.Sprintf("bench-%d", i), Project: "density"}
		if err := b.deploy(ctx, keys[i]); err != nil {
			return err
		}
		if _, _, err := b.once(ctx, keys[i], false); err != nil {
			return err
		}
	}
	r.StartEach = float64(time.Since(begin).Microseconds()) / float64(n)
	time.Sleep(time.Second) // an isolate becomes idle 250 ms after its last turn
	private, err := b.private(ctx, keys)
	if err != nil {
		return err
	}
	stats := b.door.Stats()
	for _, child := range stats.Runners {
		if child.Role == "run" {
			r.RSS += float64(child.RSS) / (1 << 20)
		}
	}
	slices.Sort(private)
	r.Live, r.Private = stats.Isolates, quantile(private, .5)
	if r.Live < n {
		return fmt.Errorf("bench: started %d isolates, %d are live", n, r.Live)
	}
	return nil
}

// private asks about a hundred idle isolates for their page maps and gives what each holds for itself, in kB.
func (b *bench) private(ctx context.Context, keys []sandbox.Key) ([]float64, error) {
	var kb []float64
	for i := 0; i < len(keys); i += max(1, len(keys)/100) {
		live := b.door.Isolates(keys[i])
		if len(live) == 0 {
			return nil, fmt.Errorf("bench: isolate %d is gone", i)
		}
		pages, err := b.door.Pages(ctx, keys[i], live[0].ID)
		if err != nil {
			return nil, err
		}
		kb = append(kb, float64(bytes.Count(pages, []byte{2})*4))
	}
	return kb, nil
}

// machine says what the figures were measured on.
func machine() string { return boxes.Machine() + ", " + runtime.Version() }
