package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// Isolation is what the isolation lab tried, and what stopped it.
type Isolation struct {
	Process  int         `json:"process"` // id of the process in which both tenants live
	Tenants  []Tenant    `json:"tenants"`
	Attempts []Attempt   `json:"attempts"`
	Phases   []Neighbour `json:"phases"`
	Walls    []string    `json:"walls,omitempty"` // around the runner's process, on this host
	Limits   Fences      `json:"limits"`
	Stamp
}

// Fences are the limits that the learner gives the tenant who tries everything.
type Fences struct {
	CPU    int64 `json:"cpu_ms"`     // ms that a request may compute
	Memory int64 `json:"memory_mib"` // MiB of an isolate
	Wall   int64 `json:"wall_ms"`    // ms from a request's begin to its answer's last byte
}

// StandardFences are the limits to begin with.
func StandardFences() Fences { return Fences{CPU: 50, Memory: 24, Wall: 1000} }

func (f Fences) cpu() time.Duration  { return time.Duration(f.CPU) * time.Millisecond }
func (f Fences) wall() time.Duration { return time.Duration(f.Wall) * time.Millisecond }
func (f Fences) memory() int64       { return f.Memory << 20 }

// Tenant is one of the two.
type Tenant struct {
	Name    string `json:"name"`
	Isolate string `json:"isolate"`
	Private int64  `json:"private_bytes"`
}

// Attempt is one thing that a tenant tried.
type Attempt struct {
	Group string `json:"group"` // fences limits
	Name  string `json:"name"`
	Tried string `json:"tried"` // one sentence
	Got   string `json:"got"`   // "" before it was tried
	Wall  string `json:"wall"`  // what is there to stop it
	Held  bool   `json:"held"`  // it came out as it should
	Took  int64  `json:"took_us"`
}

// Neighbour is how long a quiet tenant's visitors waited in one phase.
type Neighbour struct {
	Name    string  `json:"name"`
	Samples []int64 `json:"samples_us"` // from when each should have been sent
	Loud    int     `json:"loud"`       // loops that were under way or stopped meanwhile
	Limit   int64   `json:"limit_us"`   // CPU time that a loop may use; 0 for no loops
}

// IsolationGroups are the parts of the lab, in its order.
var IsolationGroups = []string{"fences", "limits", "neighbour"}

// Phases are those of the noisy neighbour.
var Phases = []string{"alone", "loops, limits on", "loops, limits off"}

const (
	fenceRunner = 192 << 20             // of goja's runner, which is all that stops its isolates
	quietEvery  = 15 * time.Millisecond // between two of the quiet tenant's visitors
	quietVisits = 100                   // a phase
	loudAtOnce  = 4                     // loops side by side
)

// Fence runs the chosen parts of the lab in sandboxes of its own, with the
// limits that were chosen. told gets what is known so far and a sentence.
func (l *Labs) Fence(ctx context.Context, groups []string, limits Fences, told func(*Isolation, string)) (*Isolation, error) {
	out := &Isolation{Limits: limits}
	err := l.Turn(ctx, func(say string) { told(nil, say) }, func(ctx context.Context) error {
		f := &fencing{labs: l, out: out, told: told}
		return f.all(ctx, groups)
	})
	out.Stamp = Stamp{l.machine(), l.cfg.Now()}
	return out, err
}

// fencing is one run of the isolation lab.
type fencing struct {
	labs *Labs
	out  *Isolation
	told func(*Isolation, string)

	door  sandbox.Door
	build *trace.Deployment
	a, b  sandbox.Key
}

func (f *fencing) all(ctx context.Context, groups []string) (err error) {
	f.told(f.out, "A sandbox starts for this lab alone.")
	if f.build, err = f.labs.Build(ctx, sandbox.Key{Learner: "lab", Project: "fences"}, shipped("fences")); err != nil {
		return err
	}
	if f.door, err = f.labs.sandboxOf(ctx, Room{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.door.Close()) }()
	f.a, f.b = sandbox.Key{Learner: "tenant-a", Project: "lab"}, sandbox.Key{Learner: "tenant-b", Project: "lab"}
	for _, k := range []sandbox.Key{f.a, f.b} {
		if err := deploy(ctx, f.door, k, f.build, trace.Limits{CPU: f.out.Limits.cpu(), Memory: f.out.Limits.memory(), Queue: 2 * quietVisits}); err != nil {
			return err
		}
	}
	if err := f.meet(ctx); err != nil {
		return err
	}
	for _, g := range IsolationGroups {
		if !slices.Contains(groups, g) {
			continue
		}
		part := map[string]func(context.Context) error{"fences": f.fences, "limits": f.walls, "neighbour": f.neighbour}[g]
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// deploy puts the lab's Worker there for a tenant.
func deploy(ctx context.Context, door sandbox.Door, key sandbox.Key, build *trace.Deployment, limits trace.Limits) error {
	d := &trace.Deployment{Workers: slices.Clone(build.Workers)}
	for i := range d.Workers {
		d.Workers[i].Limits = limits
	}
	return door.Deploy(ctx, key, d)
}

func request(key sandbox.Key, probe string) sandbox.Run {
	return sandbox.Run{Key: key, Method: "GET", URL: "https://tenant.example/" + probe}
}

// try asks a tenant's Worker for a probe.
func (f *fencing) try(ctx context.Context, key sandbox.Key, probe string) (Answer, error) {
	return ask(ctx, f.door, request(key, probe))
}

// meet has both tenants answer once, and says where they live.
func (f *fencing) meet(ctx context.Context) error {
	for _, t := range []struct {
		name string
		key  sandbox.Key
	}{{"A", f.a}, {"B", f.b}} {
		if _, err := f.try(ctx, t.key, "visit"); err != nil {
			return err
		}
		for _, i := range f.door.Isolates(t.key) {
			f.out.Tenants = append(f.out.Tenants, Tenant{t.name, i.ID, i.Private})
		}
	}
	st := f.door.Stats()
	f.out.Walls = st.Walls
	for _, r := range st.Runners {
		if r.Role == "run" && r.Isolates > 0 {
			f.out.Process = r.PID
		}
	}
	f.told(f.out, "Two tenants have moved in.")
	return nil
}

// Attempts are everything that the lab tries within some limits, in its order,
// without what came of it. fencing.note fills in the rest.
func Attempts(limits Fences) []Attempt {
	return []Attempt{
		{Group: "fences", Name: "a global", Tried: "A sets globalThis.secret; B reads it.", Wall: "B's isolate has a memory and a globalThis of its own"},
		{Group: "fences", Name: "a prototype", Tried: "A adds a method to Array.prototype; B looks for it.", Wall: "every isolate has its own copy of each built-in"},
		{Group: "fences", Name: "a module's variable", Tried: "A keeps a note in a variable; B runs the same file and reads it.", Wall: "the same file is evaluated once for each isolate"},
		{Group: "fences", Name: "a storage key", Tried: "A puts a key into the namespace \"notes\"; B gets it from a namespace of the same name.", Wall: "the runner only asks: the server looks into the asking project's own storage"},
		{Group: "fences", Name: "a timer", Tried: "A waits for a timer; B clears every number a timer could have.", Wall: "timers belong to the isolate that set them"},
		{Group: "fences", Name: "the network", Tried: "B fetches an address of this machine.", Wall: "the runner has no network; the server dials only what it allows"},
		{Group: "fences", Name: "the file system", Tried: "B imports node:fs and reads a file of this machine.", Wall: "the runner has no files: what Workers get under that name is not the machine's"},
		{Group: "fences", Name: "outliving an eviction", Tried: "A's isolate is evicted; A's next request looks for what it left.", Wall: "memory goes with the isolate; what is stored stays"},
		{Group: "limits", Name: "an endless loop", Tried: "A loops for ever.", Wall: fmt.Sprintf("the CPU meter: %d ms of a request, then the engine is interrupted", limits.CPU)},
		{Group: "limits", Name: "endless recursion", Tried: "A's function calls itself for ever.", Wall: "the engine's stack ends before the process's"},
		{Group: "limits", Name: "a memory bomb", Tried: "A keeps a megabyte, and another, and another.", Wall: fmt.Sprintf("the edge of its Wasm memory: %d MiB, and not a byte more", limits.Memory)},
		{Group: "limits", Name: "an endless wait", Tried: "A awaits a timer of an hour, for almost no CPU time.", Wall: fmt.Sprintf("the clock: %d ms from the request's begin, then it is ended", limits.Wall)},
		{Group: "limits", Name: "the same bomb in goja", Tried: "The same code, on an engine that shares one heap with all its isolates.", Wall: fmt.Sprintf("only the last one: nobody can tell whose memory it is, so a runner that holds more than %d MiB is killed with everybody in it", fenceRunner>>20)},
	}
}

// note tells what came of the attempt of a name.
func (f *fencing) note(name, got string, held bool, took int64) {
	all := Attempts(f.out.Limits)
	a := all[slices.IndexFunc(all, func(a Attempt) bool { return a.Name == name })]
	a.Got, a.Held, a.Took = got, held, took
	f.out.Attempts = append(f.out.Attempts, a)
	verdict := "held"
	if !held {
		verdict = "not held"
	}
	f.told(f.out, a.Name+": "+verdict)
}

// fences tries to look over the fence between two tenants.
func (f *fencing) fences(ctx context.Context) error {
	if _, err := f.try(ctx, f.a, "plant"); err != nil {
		return err
	}
	for _, p := range []struct{ probe, name string }{
		{"global", "a global"}, {"prototype", "a prototype"}, {"module", "a module's variable"}, {"storage", "a storage key"},
	} {
		own, err := f.try(ctx, f.a, p.probe)
		if err != nil {
			return err
		}
		theirs, err := f.try(ctx, f.b, p.probe)
		if err != nil {
			return err
		}
		f.note(p.name, fmt.Sprintf("A finds %s, B finds %s", own.Body, theirs.Body), own.Body == "tea" && theirs.Body == "null", theirs.Wall)
	}
	if err := f.timer(ctx); err != nil {
		return err
	}
	for _, p := range []struct{ probe, name string }{{"network", "the network"}, {"files", "the file system"}} {
		a, err := f.try(ctx, f.b, p.probe)
		if err != nil {
			return err
		}
		f.note(p.name, cut(a.Body, 160), a.Status != 200, a.Wall)
	}
	return f.evict(ctx)
}

// timer has B clear timers while A waits for one.
func (f *fencing) timer(ctx context.Context) error {
	type end struct {
		a   Answer
		err error
	}
	waited := make(chan end, 1)
	go func() {
		a, err := f.try(ctx, f.a, "timer")
		waited <- end{a, err}
	}()
	cleared, err := f.try(ctx, f.b, "clear")
	e := <-waited // before anything else: nobody else may wait for it
	if err = errors.Join(err, e.err); err != nil {
		return err
	}
	f.note("a timer", cleared.Body+" by B; A says: "+e.a.Body, e.a.Body == "it fired", e.a.Wall)
	return nil
}

// evict shows what goes with an isolate, and what stays.
func (f *fencing) evict(ctx context.Context) error {
	before, err := f.try(ctx, f.a, "visit")
	if err != nil {
		return err
	}
	if err := f.door.Evict(ctx, f.a, ""); err != nil {
		return err
	}
	after, err := f.try(ctx, f.a, "visit")
	if err != nil {
		return err
	}
	global, err := f.try(ctx, f.a, "global")
	if err != nil {
		return err
	}
	kept, err := f.try(ctx, f.a, "storage")
	if err != nil {
		return err
	}
	f.note("outliving an eviction",
		fmt.Sprintf("before %s, after %s; the global is %s, the stored key %s", before.Body, after.Body, global.Body, kept.Body),
		after.Body == "visit 1" && global.Body == "null" && kept.Body == "tea", after.Wall)
	return nil
}

// walls lets a tenant run into each limit, and looks after its neighbour.
func (f *fencing) walls(ctx context.Context) error {
	set, most := f.out.Limits, Ceiling()
	for _, p := range []struct {
		probe, outcome, name string
		limits               trace.Limits // the one that is run into, the others out of its way
	}{
		{"spin", "cpu", "an endless loop", trace.Limits{CPU: set.cpu(), Memory: set.memory(), Wall: most.Wall}},
		{"deep", "ok", "endless recursion", trace.Limits{CPU: set.cpu(), Memory: set.memory(), Wall: most.Wall}},
		{"hoard", "memory", "a memory bomb", trace.Limits{CPU: most.CPU, Memory: set.memory(), Wall: most.Wall}},
		{"sleep", "wall", "an endless wait", trace.Limits{CPU: most.CPU, Memory: set.memory(), Wall: set.wall()}},
	} {
		if err := deploy(ctx, f.door, f.a, f.build, p.limits); err != nil {
			return err
		}
		restarts, seen := f.door.Stats().Restarts, f.isolatesOf(f.b)
		a, err := f.try(ctx, f.a, p.probe)
		if err != nil {
			return err
		}
		b, err := f.try(ctx, f.b, "visit")
		if err != nil {
			return err
		}
		alive := b.Outcome == "ok" && slices.Contains(seen, b.Isolate) && f.door.Stats().Restarts == restarts
		// On a slow machine the time may be over before the stack is.
		stopped := a.Outcome == p.outcome || p.probe == "deep" && a.Outcome == "cpu"
		f.note(p.name, said(a)+after(alive, " B's isolate lives on.", " B's isolate is gone."), stopped && alive, a.Wall)
	}
	return f.bomb(ctx)
}

func after(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// said is what an attempt came to.
func said(a Answer) string {
	if a.Fault != "" {
		return a.Fault
	}
	return cut(a.Body, 120) + "."
}

func (f *fencing) isolatesOf(key sandbox.Key) []string {
	var ids []string
	for _, i := range f.door.Isolates(key) {
		ids = append(ids, i.ID)
	}
	return ids
}

// bomb is the memory bomb in an engine without a ceiling, in a runner of its own.
func (f *fencing) bomb(ctx context.Context) (err error) {
	f.told(f.out, "The same memory bomb, in goja: an engine without a ceiling, in a process of its own.")
	door, err := f.labs.sandboxOf(ctx, Room{Engine: "goja", Memory: fenceRunner})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, door.Close()) }()
	build, err := door.Build(ctx, f.a, shipped("fences")) // for that engine
	if err == nil && build.Fault != nil {
		err = fmt.Errorf("lab: its code does not build for goja: %s", build.Fault.Message)
	}
	if err != nil {
		return err
	}
	for _, k := range []sandbox.Key{f.a, f.b} {
		if err := deploy(ctx, door, k, build, trace.Limits{CPU: 2 * time.Second, Memory: f.out.Limits.memory()}); err != nil {
			return err
		}
	}
	before, err := ask(ctx, door, request(f.b, "visit"))
	if err != nil {
		return err
	}
	a, err := ask(ctx, door, request(f.a, "hoard"))
	if err != nil {
		return err
	}
	b, err := ask(ctx, door, request(f.b, "visit"))
	if err != nil {
		return err
	}
	died := b.Isolate != before.Isolate
	f.note("the same bomb in goja", said(a)+after(died, " B's isolate died with it.", " B's isolate lives on."), a.Outcome != "ok" && b.Outcome == "ok", a.Wall)
	return nil
}

// neighbour measures how long a quiet tenant's visitors wait: alone, beside loops that
// are stopped at their limit, and beside loops that may go on.
func (f *fencing) neighbour(ctx context.Context) error {
	for _, p := range []struct {
		name  string
		limit time.Duration
	}{{Phases[0], 0}, {Phases[1], f.out.Limits.cpu()}, {Phases[2], Ceiling().CPU}} {
		f.told(f.out, "A quiet tenant's visitors, "+p.name+".")
		if p.limit > 0 {
			if err := deploy(ctx, f.door, f.a, f.build, trace.Limits{CPU: p.limit, Memory: f.out.Limits.memory(), Requests: 1, Isolates: loudAtOnce}); err != nil {
				return err
			}
		}
		n, err := f.phase(ctx, p.limit)
		if err != nil {
			return err
		}
		n.Name, n.Limit = p.name, p.limit.Microseconds()
		f.out.Phases = append(f.out.Phases, n)
		f.told(f.out, "")
	}
	return nil
}

// phase sends the quiet tenant's visitors at fixed times, whether or not
// earlier ones were answered, so that a wait is counted for everyone who would have waited.
func (f *fencing) phase(ctx context.Context, limit time.Duration) (Neighbour, error) {
	var n Neighbour
	loud, stop := context.WithCancel(ctx)
	var loops, visits sync.WaitGroup
	var mu sync.Mutex
	if limit > 0 {
		for range loudAtOnce {
			loops.Go(func() {
				for loud.Err() == nil {
					a, err := f.try(loud, f.a, "spin")
					mu.Lock()
					if n.Loud++; err == nil && a.Outcome != "cpu" && a.Outcome != "busy" {
						err = fmt.Errorf("lab: a loop ended with %q: %s", a.Outcome, a.Fault)
					}
					mu.Unlock()
					if err != nil {
						return // the phase is over, or its figures will tell
					}
				}
			})
		}
	}
	failed := make(chan error, quietVisits)
	began := time.Now()
	tick := time.NewTimer(0)
	defer tick.Stop()
	n.Samples = make([]int64, quietVisits)
	for sent := range quietVisits {
		due := began.Add(time.Duration(sent+4) * quietEvery) // the loops begin first
		tick.Reset(time.Until(due))
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		visits.Go(func() {
			a, err := f.try(ctx, f.b, "visit")
			n.Samples[sent] = time.Since(due).Microseconds()
			if err == nil && a.Outcome != "ok" {
				err = fmt.Errorf("lab: the quiet tenant was refused: %s", a.Fault)
			}
			if err != nil {
				failed <- err
			}
		})
	}
	// Whoever is late by now has waited long enough to tell.
	stop()
	if limit > 0 {
		if err := f.door.Evict(context.WithoutCancel(ctx), f.a, ""); err != nil {
			return n, err
		}
	}
	visits.Wait()
	loops.Wait()
	select {
	case err := <-failed:
		return n, err
	default:
	}
	return n, ctx.Err()
}
