package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// bearable is how much later than undisturbed somebody may be answered when a
// process has died, on a machine that nobody else uses.
const bearable = time.Second

// TestKills kills the server, runners, builders and what runs SQL without warning while a
// hundred learners save, ask and watch runs in pages whose sockets are cut: for
// a minute with -short, else for ten. No acknowledged save may be lost, no
// learner may get another's answer, every page resumes with the very next
// message, children die with their server, and the site is back within a second:
// for a builder that is a version which was not built before, for SQL an answer
// from eight databases, for the server a page's socket as well.
func TestKills(t *testing.T) {
	const learners = 100
	long := time.Minute
	if !testing.Short() {
		long = 10 * time.Minute
	}
	s := startServer(t, newWorld(t))
	c := newControl(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	join := func(name string) *learner {
		l := &learner{s: s, x: s.newSession(), name: name + "-" + token()[:8]}
		wg.Go(func() {
			for l.slug == "" && ctx.Err() == nil {
				if l.x.open(ctx) != nil || !l.save(ctx, t) {
					pause(ctx, 200*time.Millisecond) // as fast as the site lets this address in
				}
			}
		})
		return l
	}
	all := make([]*learner, learners)
	pages := make([]*page, learners)
	for i := range all {
		all[i] = join(fmt.Sprintf("L%d", i))
		pages[i] = &page{l: all[i]}
	}
	builder, querier := join("builder"), join("querier")
	wg.Wait()
	querier.databases = 8
	querier.save(ctx, t)
	for i, l := range all {
		wg.Go(func() { l.live(ctx, t) })
		wg.Go(func() { pages[i].live(ctx, t) })
	}
	anybody := func() bool { return all[rand.IntN(learners)].ask(ctx, t) }
	answers := map[string]func() bool{
		"run": anybody, "serve": anybody,
		"build": func() bool { return builder.save(ctx, t) && builder.ask(ctx, t) },
		"sql":   func() bool { return querier.ask(ctx, t) },
	}
	kills, playing := map[string]*recoveries{}, time.Now()
	note := func(kind string, begin time.Time, d, before time.Duration) {
		if kills[kind] == nil {
			kills[kind] = &recoveries{}
		}
		share := c.share(begin)
		kills[kind].add(d, before, share)
		within := time.Duration(float64(bearable+before) / share)
		kills[kind].late = append(kills[kind].late, d > within)
		// A minute sees the server die a few times only, each a whole start: there the half of them is judged.
		if d > within && !(testing.Short() && (kind == "serve" || kind == "socket")) {
			t.Errorf("%s: back %v after it was killed, with %.0f %% of the machine; undisturbed it took %v", kind, d, 100*share, before)
		}
	}
	told := playing
	for end := playing.Add(long); time.Now().Before(end); {
		if time.Since(told) > time.Minute {
			told = time.Now()
			fmt.Printf("%v of %v\n", time.Since(playing).Round(time.Second), long)
		}
		pause(ctx, time.Duration(500+rand.IntN(1500))*time.Millisecond)
		role := []string{"run", "run", "run", "build", "build", "sql", "serve"}[rand.IntN(7)]
		begin := time.Now()
		before, ok := recovered(ctx, begin, answers[role])
		if !ok {
			t.Errorf("no answer in 10 s though nothing was killed\n%s", tail(s.logged(), 2000))
			continue
		}
		begin = time.Now()
		if role == "serve" {
			s.welcomed.Store(0)
			s.killAll(t)
		} else if pid := s.child(role); pid == 0 || syscall.Kill(pid, syscall.SIGKILL) != nil {
			continue // between a death and its replacement
		}
		d, ok := recovered(ctx, begin, answers[role])
		if !ok {
			t.Errorf("%s: no answer 10 s after it was killed\n%s", role, tail(s.logged(), 2000))
			continue
		}
		note(role, begin, d, before)
		if role == "serve" {
			if _, ok := recovered(ctx, begin, func() bool { return s.welcomed.Load() != 0 }); !ok {
				t.Errorf("no page came back within 10 s of the server's death\n%s", tail(s.logged(), 2000))
				continue
			}
			note("socket", begin, time.Unix(0, s.welcomed.Load()).Sub(begin), before)
		}
	}
	cancel()
	wg.Wait()
	var saves, right, runs, resumed int64
	for i, l := range all {
		l.check(t)
		saves += l.saves.Load()
		right += l.answers.Load()
		runs += pages[i].runs
		resumed += pages[i].resumed
	}
	table := fmt.Sprintf("%-8s %5s %12s %10s %10s %s\n", "killed", "n", "undisturbed", "half in", "worst", "of the machine then")
	for _, kind := range []string{"run", "build", "sql", "serve", "socket"} {
		if k := kills[kind]; k != nil {
			if n := count(k.late); 2*n > len(k.late) {
				t.Errorf("%s: back too late in %d of %d deaths", kind, n, len(k.late))
			}
			table += fmt.Sprintf("%-8s %5d %9d ms %7d ms %7d ms %.0f %%\n", kind, len(k.after), percentile(k.before, 50).Milliseconds(), percentile(k.after, 50).Milliseconds(), percentile(k.after, 100).Milliseconds(), 100*k.share)
		}
	}
	fmt.Printf("%s%d saves acknowledged, %d right answers, %d runs watched, %d sockets resumed, %.0f %% of the machine in all\n", table, saves, right, runs, resumed, 100*c.share(playing))
	if right == 0 || runs == 0 || resumed == 0 {
		t.Error("nobody got an answer, or no page saw a run or resumed")
	}
}

// recoveries are how long one kind of death was felt, and how long the same
// took right before it.
type recoveries struct {
	after, before []time.Duration
	late          []bool
	worst         time.Duration
	share         float64 // of the machine, when it took longest
}

func count(list []bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}

func (r *recoveries) add(after, before time.Duration, share float64) {
	r.after, r.before = append(r.after, after), append(r.before, before)
	if after > r.worst {
		r.worst, r.share = after, share
	}
}

// pause waits for d, less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// learner saves numbered versions of a Worker that tells its owner and number.
type learner struct {
	s       *server
	x       *session
	name    string
	slug    string
	tried   atomic.Int64 // newest version sent
	acked   atomic.Int64 // newest version that the site said it has
	saves   atomic.Int64
	answers atomic.Int64

	databases int // that its Worker reads before it answers
}

func (l *learner) save(ctx context.Context, t *testing.T) bool {
	n := l.tried.Add(1)
	p := &Project{Main: "worker.js", Files: map[string]string{
		"worker.js": fmt.Sprintf("export default { async fetch(r, env) { for (const d of Object.values(env)) await d.prepare('SELECT 1').first(); return new Response('%s %d'); } };\n", l.name, n),
	}, Bindings: map[string]string{}}
	for i := range l.databases {
		p.Bindings[fmt.Sprintf("D%d", i)] = "d1"
	}
	status, slug, err := l.x.put(ctx, "kept", l.name, p, Limits{}, strings.NewReplacer())
	if err != nil || status != http.StatusOK {
		if status >= 400 && status < 500 && status != http.StatusTooManyRequests {
			t.Errorf("%s: a save was refused with %d", l.name, status)
		}
		return false
	}
	if l.slug == "" {
		l.slug = slug
	}
	if slug != l.slug {
		t.Errorf("%s: its address changed from %q to %q", l.name, l.slug, slug)
	}
	l.acked.Store(n)
	l.saves.Add(1)
	return true
}

// ask wants the Worker's answer and reports whether there was one. A refusal
// is none: an outage may cause it. A wrong answer fails the test.
func (l *learner) ask(ctx context.Context, t *testing.T) bool {
	least := l.acked.Load()
	rctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := raw(rctx, l.s, l.slug, Request{Method: "GET", Path: "/"}, "", strings.NewReplacer())
	if err != nil || r.status != http.StatusOK || r.outcome != "" {
		return false
	}
	name, number, _ := strings.Cut(string(r.body), " ")
	n, err := strconv.ParseInt(number, 10, 64)
	if name != l.name || err != nil {
		t.Errorf("%s got %.100q", l.name, r.body)
		return false
	}
	if most := l.tried.Load(); n < least || n > most {
		t.Errorf("%s: version %d answered, %d was acknowledged and %d sent", l.name, n, least, most)
	}
	l.answers.Add(1)
	return true
}

func (l *learner) live(ctx context.Context, t *testing.T) {
	for i := 0; ctx.Err() == nil; i++ {
		if i%4 == 0 {
			l.save(ctx, t)
		}
		l.ask(ctx, t)
		pause(ctx, time.Duration(500+rand.IntN(1500))*time.Millisecond)
	}
}

// check reads the saved project when all is quiet.
func (l *learner) check(t *testing.T) {
	var last string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		status, b, err := l.x.do(context.Background(), http.MethodGet, "/api/projects/kept", nil)
		var p struct {
			Files map[string]string `json:"files"`
		}
		if err == nil && status == http.StatusOK && json.Unmarshal(b, &p) == nil {
			source := p.Files["worker.js"]
			_, after, _ := strings.Cut(source, l.name+" ")
			number, _, _ := strings.Cut(after, "'")
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil || n < l.acked.Load() || n > l.tried.Load() {
				t.Errorf("%s: %d was acknowledged, kept is %q", l.name, l.acked.Load(), source)
			}
			return
		}
		last = fmt.Sprint(status, err)
		<-time.After(100 * time.Millisecond)
	}
	t.Errorf("%s: the project cannot be read: %s", l.name, last)
}

// recovered is how long after begin there was an answer, false if there was none in 10 s.
func recovered(ctx context.Context, begin time.Time, answer func() bool) (time.Duration, bool) {
	for time.Since(begin) < 10*time.Second {
		if answer() {
			return time.Since(begin), true
		}
		pause(ctx, 10*time.Millisecond)
	}
	return 0, false
}

// child is the process id of one of the server's children in a role, 0 for none.
func (s *server) child(role string) int {
	var found []int
	for _, pid := range s.tree()[1:] {
		b, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")) // gone reads as another role
		if strings.Contains(string(b), "--role="+role) {
			found = append(found, pid)
		}
	}
	if len(found) == 0 {
		return 0
	}
	return found[rand.IntN(len(found))]
}

// killAll kills the server, waits for its children to be gone and starts it
// again on the same address and data.
func (s *server) killAll(t *testing.T) {
	s.lives.Add(1) // what follows may belong to the next life already
	children := s.tree()[1:]
	_ = s.cmd.Process.Kill()
	<-s.exit
	if left := outlive(children, 5*time.Second); len(left) > 0 {
		t.Errorf("children outlive their server by 5 s: %v", left)
	}
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
}

// TestKillLosesNoAcknowledgedWrite kills the server right behind a Durable
// Object's answer: what the object wrote before it answered is there afterwards.
func TestKillLosesNoAcknowledgedWrite(t *testing.T) {
	s := startServer(t, newWorld(t))
	x := s.newSession()
	if err := x.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := &Project{Main: "worker.js", Files: map[string]string{
		"wrangler.jsonc": `{"name": "w", "main": "worker.js", "compatibility_date": "2026-11-01", "durable_objects": {"bindings": [{"name": "O", "class_name": "O"}]}, "migrations": [{"tag": "v1", "new_sqlite_classes": ["O"]}]}`,
		"worker.js": `import { DurableObject } from 'cloudflare:workers';
export class O extends DurableObject {
  fetch() {
    const { sql } = this.ctx.storage;
    sql.exec('CREATE TABLE IF NOT EXISTS t (n)');
    sql.exec('INSERT INTO t VALUES (1)');
    this.ctx.storage.put('n', sql.exec('SELECT count(*) AS n FROM t').one().n); // not awaited
    return this.ctx.storage.get('n').then((n) => new Response(sql.exec('SELECT count(*) AS n FROM t').one().n + ' ' + n));
  }
}
export default { fetch(r, env) { return env.O.getByName('o').fetch(r); } };
`,
	}}
	status, slug, err := x.put(t.Context(), "kept", "kept", p, Limits{}, strings.NewReplacer())
	if err != nil || status != http.StatusOK {
		t.Fatalf("storing the project: %d %v", status, err)
	}
	for n := 1; n <= 4; n++ {
		r, err := raw(t.Context(), s, slug, Request{Method: "GET", Path: "/"}, "", strings.NewReplacer())
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint(n, " ", n); string(r.body) != want {
			t.Fatalf("the object counts %q (%d), want %q", r.body, r.status, want)
		}
		s.killAll(t)
	}
}

// outlive gives the processes that are still there after d.
func outlive(list []int, d time.Duration) []int {
	for end := time.Now().Add(d); ; <-time.After(time.Millisecond) {
		list = slices.DeleteFunc(list, func(pid int) bool {
			b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
			return err != nil || strings.Contains(string(b), ") Z ")
		})
		if len(list) == 0 || time.Now().After(end) {
			return list
		}
	}
}

// TestChildrenDieWithTheirServer kills the server while its children hang, so
// that none can find out by itself: a second later no process is left.
func TestChildrenDieWithTheirServer(t *testing.T) {
	s := startServer(t, newWorld(t))
	if err := s.spares(); err != nil {
		t.Fatal(err)
	}
	x := s.newSession()
	if err := x.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := &Project{Main: "worker.js", Files: map[string]string{"worker.js": "export default { fetch() { return new Promise((done) => setTimeout(done, 9_000)); } };\n"}}
	status, slug, err := x.put(t.Context(), "waits", "waits", p, Limits{}, strings.NewReplacer())
	if err != nil || status != http.StatusOK {
		t.Fatalf("storing the project: %d %v", status, err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { // its answer is lost with the server
		_, _ = raw(t.Context(), s, slug, Request{Method: "GET", Path: "/"}, "", strings.NewReplacer())
	})
	children := s.tree()[1:]
	if len(children) < 5 { // two that run, one that builds, their spares, and one for SQL: some may come later
		t.Fatalf("%d children", len(children))
	}
	for _, pid := range children {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		defer syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = s.cmd.Process.Kill()
	<-s.exit
	if left := outlive(children, time.Second); len(left) > 0 {
		t.Errorf("%d of %d children outlive their server by a second", len(left), len(children))
	}
	wg.Wait()
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
}
