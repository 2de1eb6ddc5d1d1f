package sandbox

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

// eater fills its isolate beyond what the tests let a runner hold.
const eater = `export default { async fetch(request) {
	if (request.url.endsWith("/small")) return new Response("small");
	if (request.url.endsWith("/log")) console.log("here");
	const all = [];
	for (let i = 0; i < 110; i++) { all.push(new Uint8Array(1 << 20).fill(1)); if (i % 8 == 0) await scheduler.wait(1); }
	await scheduler.wait(5000);
	return new Response("ate " + all.length);
} };`

// waiter answers once the held store lets it read.
var waiter = map[string]string{
	"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","kv_namespaces":[{"binding":"KV","id":"kv"}]}`,
	"worker.js":      `export default { async fetch(request, env) { if (request.url.endsWith("/log")) console.log("here"); await env.KV.get("key"); return new Response("done"); } };`,
}

// heldStore keeps readers waiting until it is opened.
type heldStore struct {
	platform.Store
	opened chan struct{} // one value lets one reader go, closing it all
	asked  chan struct{} // gets a value for each reader, as far as there is room
}

func (h heldStore) Get(ctx context.Context, ns platform.Namespace, key string) (*platform.Record, error) {
	select {
	case h.asked <- struct{}{}:
	default:
	}
	select {
	case <-h.opened:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return h.Store.Get(ctx, ns, key)
}

// openTight is a sandbox with one small runner. Readers of its store wait until
// the runner that serves first is gone.
func openTight(t *testing.T) (s *Sandbox, pid int) {
	t.Helper()
	opened := make(chan struct{})
	memory := int64(96 << 20)
	if instrumented {
		memory = 144 << 20 // a child at rest holds nearly 60 MB then, and most of what is full must be the eater's
	}
	s = open(t, func(c *Config) {
		c.Runners, c.Memory, c.Store = 1, memory, heldStore{platform.NewMemory(), opened, nil}
	})
	p, err := s.ring.Runner(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-p.Dead()
		close(opened)
	}()
	return s, p.PID()
}

func wantFault(t *testing.T, a answer, kind trace.FaultKind, text string) {
	t.Helper()
	if f := a.sum.Fault; f == nil || f.Kind != kind || !strings.Contains(f.Message, text) {
		t.Errorf("%q %+v, want a fault of kind %s with %q", a.body, f, kind, text)
	}
}

// serving is the process that serves the ordinary runs.
func serving(t *testing.T, s *Sandbox) int {
	t.Helper()
	p, err := s.ring.Runner(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return p.PID()
}

// await waits until so many runs are under way.
func await(t *testing.T, s *Sandbox, n int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); s.Stats().Running < n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d runs are not under way", n)
		}
	}
}

// A run that fills its runner is found among others: they begin again and
// notice nothing, it is told, and from then on it kills only what it has alone.
func TestMemoryCulpritIsFound(t *testing.T) {
	s, first := openTight(t)
	lim := trace.Limits{Memory: 128 << 20, CPU: 2 * time.Second, Wall: 20 * time.Second}
	deploy(t, s, key("eater"), worker(eater), lim)
	others := []string{"a", "b", "c"}
	for _, o := range others {
		deploy(t, s, key(o), waiter, lim)
	}
	var wg sync.WaitGroup
	for _, o := range others {
		wg.Go(func() {
			if a, err := try(s, key(o), "/"); err != nil || a.body != "done" {
				t.Errorf("%s: %q %v %+v", o, a.body, err, a.sum)
			}
		})
	}
	await(t, s, len(others))
	wg.Go(func() {
		a, err := try(s, key("eater"), "/")
		if err != nil {
			t.Error(err)
			return
		}
		wantFault(t, a, trace.FaultMemory, "your code filled")
	})
	wg.Wait()
	if st := s.Stats(); st.Restarts != 2 {
		t.Errorf("%d children died, want the runner and the one that the culprit had alone", st.Restarts)
	}
	second := serving(t, s)
	if first == second {
		t.Error("the runner did not die, so nothing was tested")
	}
	wantFault(t, get(t, s, key("eater"), "/log"), trace.FaultMemory, "your code filled")
	if a := get(t, s, key("eater"), "/small"); a.body != "small" {
		t.Errorf("its small request: %q %+v", a.body, a.sum.Fault)
	}
	if a := get(t, s, key("a"), "/"); a.body != "done" {
		t.Errorf("afterwards: %q %+v", a.body, a.sum.Fault)
	}
	if third := serving(t, s); third != second {
		t.Error("a culprit that is known took another runner down")
	}
}

// A run that had an effect is not repeated, so at first nobody knows; the next
// run of that learner is apart and tells.
func TestMemorySuspectIsToldTheTruth(t *testing.T) {
	s, first := openTight(t)
	lim := trace.Limits{Memory: 128 << 20, CPU: 2 * time.Second, Wall: 20 * time.Second}
	deploy(t, s, key("eater"), worker(eater), lim)
	deploy(t, s, key("a"), waiter, lim)
	var wg sync.WaitGroup
	for i, k := range []Key{key("a"), key("eater")} {
		await(t, s, i)
		wg.Go(func() {
			a, err := try(s, k, "/log")
			if err != nil {
				t.Error(err)
				return
			}
			wantFault(t, a, trace.FaultPlatform, "It is not known whose code filled it.")
		})
	}
	wg.Wait()
	before := serving(t, s)
	if first == before {
		t.Error("the runner did not die, so nothing was tested")
	}
	wantFault(t, get(t, s, key("eater"), "/log"), trace.FaultMemory, "your code filled")
	for range 2 { // the first is apart and ends the suspicion
		if a := get(t, s, key("a"), "/"); a.body != "done" {
			t.Errorf("the other: %q %+v", a.body, a.sum.Fault)
		}
	}
	if serving(t, s) != before {
		t.Error("a suspect took another runner down")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.learnerOf("a").apart) || !s.learnerOf("eater").guilty {
		t.Errorf("kept apart: %+v %+v", s.learnerOf("a"), s.learnerOf("eater"))
	}
}

// What cannot be tried apart is told that it is not known: a WebSocket, which
// may last for hours, and a run in an isolate of choice.
func TestMemorySuspectsThatCannotBeTriedApart(t *testing.T) {
	s, first := openTight(t)
	lim := trace.Limits{Memory: 128 << 20, CPU: 2 * time.Second, Wall: 20 * time.Second}
	deploy(t, s, key("eater"), worker(eater), lim)
	for _, o := range []string{"socket", "chosen"} {
		deploy(t, s, key(o), worker(`export default { async fetch(request) { if (request.url.endsWith("/wait")) await scheduler.wait(10_000); return new Response("done"); } };`), lim)
	}
	isolate := get(t, s, key("chosen"), "/").sum.Isolate
	var wg sync.WaitGroup
	for i, c := range []struct {
		learner, path string
		change        func(*Run)
	}{
		{"socket", "/wait", func(r *Run) { r.Upgrade = true }},
		{"chosen", "/wait", func(r *Run) { r.Isolate = isolate }},
		{"eater", "/log", func(*Run) {}},
	} {
		await(t, s, i)
		wg.Go(func() {
			a, err := try(s, key(c.learner), c.path, c.change)
			if err != nil {
				t.Error(c.learner, err)
				return
			}
			wantFault(t, a, trace.FaultPlatform, "It is not known whose code filled it.")
		})
	}
	wg.Wait()
	if serving(t, s) == first {
		t.Error("the runner did not die, so nothing was tested")
	}
}

// One suspicion is ended by one good run apart; being found out lasts; who was
// killed for another's code, or is being tried again, is no suspect.
func TestWhatAnEndSaysOfItsLearner(t *testing.T) {
	const none, suspect, guilty = 0, 1, 2
	ago, soon := time.Now().Add(-time.Second), time.Now().Add(10*time.Second)
	s := open(t)
	for name, c := range map[string]struct {
		was   int
		apart time.Time
		end   runner.End
		alone bool // it had a runner to itself
		again bool // it is tried again
		is    int
		renew bool // is apart for longer than it was
	}{
		"filled its runner":              {end: runner.End{Lost: runner.LostGuilty, Full: true}, is: guilty, renew: true},
		"ended its runner alone":         {end: runner.End{Lost: runner.LostGuilty, Alone: true}, alone: true, is: guilty, renew: true},
		"ended its runner alone again":   {was: guilty, apart: soon, end: runner.End{Lost: runner.LostGuilty, Alone: true}, alone: true, is: guilty, renew: true},
		"did not yield":                  {end: runner.End{Lost: runner.LostGuilty}},
		"may have ended its runner":      {end: runner.End{Lost: runner.LostSuspect}, is: suspect, renew: true},
		"may have, and is tried again":   {end: runner.End{Lost: runner.LostSuspect}, again: true},
		"may have, and is known for it":  {was: guilty, apart: soon, end: runner.End{Lost: runner.LostSuspect}, is: guilty},
		"died of another's code":         {end: runner.End{Lost: runner.LostInnocent}},
		"suspect, died of another's":     {was: suspect, apart: soon, end: runner.End{Lost: runner.LostInnocent}, is: suspect},
		"suspect, ended well alone":      {was: suspect, apart: soon, alone: true},
		"suspect, ended well in company": {was: suspect, apart: soon, is: suspect},
		"guilty, ended well alone":       {was: guilty, apart: soon, alone: true, is: guilty},
		"guilty a minute ago":            {was: guilty, apart: ago},
	} {
		l := &learner{apart: c.apart, guilty: c.was == guilty}
		a := &attempt{e: &execution{s: s}, t: &ticket{learner: l}, retry: c.again}
		if c.alone {
			a.back = func() {}
		}
		s.judge(a, c.end)
		is := none
		switch {
		case l.guilty:
			is = guilty
		case time.Now().Before(l.apart):
			is = suspect
		}
		if is != c.is || c.renew != l.apart.After(c.apart) {
			t.Errorf("%s: is %d, want %d; apart for %v more", name, is, c.is, time.Until(l.apart))
		}
	}
}

// Of a learner whose runs are apart one is under way at a time, and of all such
// learners' two: each costs a process.
func TestFewAreApartAtATime(t *testing.T) {
	s, release := openHeld(t, func(c *Config) { c.QueueWait = time.Minute })
	learners := []string{"a", "b", "c"}
	for _, l := range learners {
		deploy(t, s, key(l), waiter)
	}
	s.mu.Lock()
	for _, l := range learners {
		s.learnerOf(l).apart = time.Now().Add(time.Minute)
	}
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, l := range learners {
		for range 2 {
			wg.Go(func() {
				if a, err := try(s, key(l), "/"); err != nil || a.body != "done" {
					t.Errorf("%s: %q %v %+v", l, a.body, err, a.sum)
				}
			})
		}
	}
	await(t, s, 2)
	time.Sleep(time.Second) // others would begin meanwhile
	s.mu.Lock()
	for _, l := range learners {
		if n := s.learnerOf(l).running; n > 1 {
			t.Errorf("%d runs of %s are under way", n, l)
		}
	}
	if s.running != 2 {
		t.Errorf("%d runs are under way", s.running)
	}
	s.mu.Unlock()
	apart := 0
	for _, r := range s.Stats().Runners {
		if r.Alone {
			apart++
		}
	}
	if apart != 2 {
		t.Errorf("%d processes are for one run each", apart)
	}
	release()
	wg.Wait()
}

// What runs by itself is known at once, and a kill from outside blames nobody.
func TestMemoryCulpritByItself(t *testing.T) {
	s, _ := openTight(t)
	lim := trace.Limits{Memory: 128 << 20, CPU: 2 * time.Second}
	deploy(t, s, key("eater"), worker(eater), lim)
	wantFault(t, get(t, s, key("eater"), "/log"), trace.FaultMemory, "your code filled")
	if st := s.Stats(); st.Restarts != 1 {
		t.Errorf("%d children died", st.Restarts)
	}
	deploy(t, s, key("b"), worker(`export default { async fetch() { await scheduler.wait(500); return new Response("done"); } };`))
	began := make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	wg.Go(func() {
		a, err := try(s, key("b"), "/", func(r *Run) {
			inner := r.Watch
			r.Watch = func(e trace.Event) {
				if e.Kind == trace.KindPhase && e.Span.Phase == trace.PhaseLoad {
					once.Do(func() { close(began) })
				}
				inner(e)
			}
		})
		if err != nil || a.body != "done" {
			t.Errorf("%q %v %+v", a.body, err, a.sum)
		}
	})
	<-began
	p, err := os.FindProcess(serving(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.learnerOf("b"); !l.apart.IsZero() || l.guilty {
		t.Errorf("a run whose runner was killed from outside is kept apart: %+v", l)
	}
}

// A Durable Object that fills its runner is found like any other code: with its
// caller it moves to where nothing else is. A WebSocket has to wait.
func TestMemoryCulpritInAnObject(t *testing.T) {
	s, first := openTight(t)
	lim := trace.Limits{Memory: 128 << 20, CPU: 2 * time.Second, Wall: 20 * time.Second}
	deploy(t, s, key("eater"), map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","durable_objects":{"bindings":[{"name":"O","class_name":"O"}]},"migrations":[{"tag":"v1","new_sqlite_classes":["O"]}]}`,
		"worker.js": `import { DurableObject } from "cloudflare:workers";
		const eater = {` + strings.TrimSuffix(strings.TrimPrefix(eater, "export default {"), "};") + `};
		export class O extends DurableObject { fetch(request) { return eater.fetch(request); } }
		export default { fetch(request, env) { return env.O.getByName("o").fetch(request); } };`,
	}, lim)
	deploy(t, s, key("a"), waiter, lim)
	var wg sync.WaitGroup
	for i, k := range []Key{key("a"), key("eater")} {
		await(t, s, i)
		wg.Go(func() {
			a, err := try(s, k, "/log")
			if err != nil {
				t.Error(err)
				return
			}
			wantFault(t, a, trace.FaultPlatform, "It is not known whose code filled it.")
		})
	}
	wg.Wait()
	before := serving(t, s)
	if first == before {
		t.Error("the runner did not die, so nothing was tested")
	}
	wantFault(t, get(t, s, key("eater"), "/log"), trace.FaultMemory, "your code filled")
	wantFault(t, get(t, s, key("eater"), "/socket", func(r *Run) { r.Upgrade = true }), trace.FaultBusy, "a WebSocket cannot be")
	if a := get(t, s, key("eater"), "/small"); a.body != "small" {
		t.Errorf("its small request: %q %+v", a.body, a.sum.Fault)
	}
	if serving(t, s) != before {
		t.Error("a culprit that is known took another runner down")
	}
}

// An object is in one place at a time when its learner's runs move apart, and
// what it stored goes with it.
func TestObjectMovesApart(t *testing.T) {
	s := open(t, func(c *Config) { c.Runners = 1 })
	deploy(t, s, key("a"), map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","durable_objects":{"bindings":[{"name":"O","class_name":"O"}]},"migrations":[{"tag":"v1","new_sqlite_classes":["O"]}]}`,
		"worker.js": `import { DurableObject } from "cloudflare:workers";
		export class O extends DurableObject {
			constructor(ctx, env) { super(ctx, env); ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t (n)"); }
			add() { this.ctx.storage.sql.exec("INSERT INTO t VALUES (1)"); return this.ctx.storage.sql.exec("SELECT count(*) AS n FROM t").one().n; }
		}
		export default { async fetch(request, env) { const o = env.O.getByName("o"); return new Response((await Promise.all([o.add(), o.add()])).sort().join(" ")); } };`,
	})
	for i, want := range []string{"1 2", "3 4", "5 6"} {
		s.mu.Lock()
		l := s.learnerOf("a")
		l.apart, l.guilty = time.Time{}, false
		if i == 1 {
			l.apart, l.guilty = time.Now().Add(time.Minute), true
		}
		s.mu.Unlock()
		if a := get(t, s, key("a"), "/"); a.body != want {
			t.Errorf("run %d: %q %+v, want %q", i, a.body, a.sum.Fault, want)
		}
		s.mu.Lock()
		places := 0
		for _, o := range s.isolates {
			if o.group.key.durable {
				places++
			}
		}
		s.mu.Unlock()
		if want := 1 - i%2; places != want {
			t.Errorf("after run %d the object is in %d isolates, want %d", i, places, want)
		}
	}
}
