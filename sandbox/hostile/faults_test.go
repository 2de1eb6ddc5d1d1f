package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestKills kills the server, runners, builders and what runs SQL without warning while a
// hundred learners save, ask and watch runs in pages whose sockets are cut: for
// a minute with -short, else for ten. No acknowledged save may be lost, no
// learner may get another's answer, every page resumes with the very next
// message, children die with their server, and after a child's death the site
// answers within a second.
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
	all := make([]*learner, learners)
	pages := make([]*page, learners)
	var wg sync.WaitGroup
	for i := range all {
		l := &learner{s: s, x: s.newSession(), name: fmt.Sprintf("L%d-%s", i, token()[:8])}
		all[i], pages[i] = l, &page{l: l}
		wg.Go(func() {
			for l.slug == "" && ctx.Err() == nil {
				if l.x.open(ctx) != nil || !l.save(ctx, t) {
					pause(ctx, 200*time.Millisecond) // as fast as the site lets this address in
				}
			}
		})
	}
	wg.Wait()
	for i, l := range all {
		wg.Go(func() { l.live(ctx, t) })
		wg.Go(func() { pages[i].live(ctx, t) })
	}
	kills := map[string]int{}
	var waits []time.Duration
	worst, worstShare, playing := time.Duration(0), 1.0, time.Now()
	for end := time.Now().Add(long); time.Now().Before(end); {
		pause(ctx, time.Duration(500+rand.IntN(1500))*time.Millisecond)
		role := []string{"run", "run", "run", "build", "build", "sql", "serve"}[rand.IntN(7)]
		if role == "serve" {
			s.killAll(t)
			kills[role]++
			continue
		}
		pid := s.child(role)
		if pid == 0 || syscall.Kill(pid, syscall.SIGKILL) != nil {
			continue // between a death and its replacement
		}
		kills[role]++
		begin := time.Now()
		d := recovered(ctx, t, s, all[rand.IntN(learners)])
		waits = append(waits, d)
		share := c.share(begin)
		if d > worst {
			worst, worstShare = d, share
		}
		if d > time.Duration(float64(time.Second)/share) {
			t.Errorf("%v until the site answered after a %s child was killed, with %.0f %% of the machine", d, role, 100*share)
		}
	}
	cancel()
	wg.Wait()
	var saves, answers, runs, resumed int64
	for i, l := range all {
		l.check(t)
		saves += l.saves.Load()
		answers += l.answers.Load()
		runs += pages[i].runs
		resumed += pages[i].resumed
	}
	t.Logf("killed %v; answers after a child's death at most %v later, with %.0f %% of the machine then and %.0f %% in all, half within %v; %d saves acknowledged, %d right answers, %d runs watched, %d sockets resumed",
		kills, worst, 100*worstShare, 100*c.share(playing), percentile(waits, 50), saves, answers, runs, resumed)
	if answers == 0 || runs == 0 || resumed == 0 {
		t.Error("nobody got an answer, or no page saw a run or resumed")
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
}

func (l *learner) save(ctx context.Context, t *testing.T) bool {
	n := l.tried.Add(1)
	p := &Project{Main: "worker.js", Files: map[string]string{
		"worker.js": fmt.Sprintf("export default { fetch() { return new Response('%s %d'); } };\n", l.name, n),
	}}
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

// recovered is how long the site took to give a learner an answer.
func recovered(ctx context.Context, t *testing.T, s *server, l *learner) time.Duration {
	begin := time.Now()
	for time.Since(begin) < 10*time.Second {
		if l.ask(ctx, t) {
			return time.Since(begin)
		}
		pause(ctx, 10*time.Millisecond)
	}
	t.Errorf("no answer 10 s after a child was killed\n%s", tail(s.logged(), 2000))
	return 0
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
	for end := time.Now().Add(5 * time.Second); ; <-time.After(10 * time.Millisecond) {
		left := 0
		for _, pid := range children {
			b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
			if err == nil && !strings.Contains(string(b), ") Z ") {
				left++
			}
		}
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			t.Errorf("%d children outlive their server by 5 s", left)
			break
		}
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
