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

// TestKills kills the server, runners and builders without warning while
// learners save and ask: twelve seconds with -short, else one minute. No
// acknowledged save may be lost, no learner may get another's answer, children
// die with their server, and after a child's death the site answers within a second.
func TestKills(t *testing.T) {
	learners, long := 8, 12*time.Second
	if !testing.Short() {
		learners, long = 24, time.Minute
	}
	s := startServer(t, newWorld(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	all := make([]*learner, learners)
	for i := range all {
		all[i] = &learner{s: s, x: s.newSession(), name: fmt.Sprintf("L%d-%s", i, token()[:8])}
		if err := all[i].x.open(ctx); err != nil {
			t.Fatal(err)
		}
		for !all[i].save(ctx, t) {
			<-time.After(100 * time.Millisecond) // as fast as the site lets this address in
		}
	}
	var wg sync.WaitGroup
	for _, l := range all {
		wg.Go(func() { l.live(ctx, t) })
	}
	kills := map[string]int{}
	for end := time.Now().Add(long); time.Now().Before(end); {
		<-time.After(time.Duration(300+rand.IntN(900)) * time.Millisecond)
		role := []string{"run", "run", "build", "serve"}[rand.IntN(4)]
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
		if d := recovered(ctx, t, s, all[rand.IntN(learners)]); d > time.Second {
			t.Errorf("%v until the site answered after a %s child was killed", d, role)
		}
	}
	cancel()
	wg.Wait()
	var saves, answers int64
	for _, l := range all {
		l.check(t)
		saves += l.saves.Load()
		answers += l.answers.Load()
	}
	t.Logf("killed %v; %d saves acknowledged, %d right answers", kills, saves, answers)
	if answers == 0 {
		t.Error("nobody got an answer")
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
		select {
		case <-time.After(time.Duration(100+rand.IntN(200)) * time.Millisecond):
		case <-ctx.Done():
		}
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
		<-time.After(10 * time.Millisecond)
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
