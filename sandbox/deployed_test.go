package sandbox

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// shelf is a host that keeps what is deployed.
type shelf struct {
	mu    sync.Mutex
	kept  map[Key]*trace.Deployment
	asked int
}

func (h *shelf) restore(_ context.Context, k Key) (*trace.Deployment, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	return h.kept[k], nil
}

const countingWorker = `let runs = 0;
export default {
	async fetch(request, env) { const n = Number(await env.KV.get("n")) + 1; await env.KV.put("n", String(n)); return new Response(n + " " + ++runs); },
	async scheduled(event, env) { await env.KV.put("cron", event.cron); },
};`

// Code that nobody used is dropped once there is too much of it, oldest first,
// and comes back with the next request. What nobody else keeps stays.
func TestUnusedCodeIsDropped(t *testing.T) {
	h := &shelf{kept: map[Key]*trace.Deployment{}}
	s := open(t, func(c *Config) { c.Runners, c.Code, c.Restore = 1, 1, h.restore })
	config := func(more string) map[string]string {
		return map[string]string{
			"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","kv_namespaces":[{"binding":"KV","id":"kv"}]` + more + `}`,
			"worker.js":      countingWorker,
		}
	}
	plain, cron, homeless := key("plain"), key("cron"), key("homeless")
	h.kept[plain] = deploy(t, s, plain, config(""))
	h.kept[cron] = deploy(t, s, cron, config(`,"triggers":{"crons":["* * * * *"]}`))
	deploy(t, s, homeless, config(""))
	ask := func(k Key, want string) {
		t.Helper()
		if a := get(t, s, k, "/"); a.body != want {
			t.Errorf("%s: %q %+v, want %q", k.Learner, a.body, a.sum.Fault, want)
		}
	}
	all := []Key{plain, cron, homeless}
	for _, k := range all {
		ask(k, "1 1")
	}
	s.KeepWarm(plain, true) // its isolates, and no more than those
	s.KeepWarm(key("nobody"), true)
	s.mu.Lock()
	if len(s.projects) != len(all) {
		t.Errorf("%d projects, of which %d were deployed", len(s.projects), len(all))
	}
	s.mu.Unlock()
	soon := func() time.Time { return time.Now().Add(time.Hour) }
	whole := func() (list string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, k := range all {
			if s.projects[k].whole() {
				list += k.Learner + " "
			}
		}
		return list
	}
	if s.shed(soon()); whole() != "plain cron homeless " {
		t.Errorf("with isolates of all alive, of %q the code is there", whole())
	}
	for _, k := range all {
		if err := s.Evict(t.Context(), k, ""); err != nil {
			t.Fatal(err)
		}
	}
	if s.shed(time.Now().Add(-time.Minute)); whole() != "plain cron homeless " {
		t.Errorf("just used, of %q the code is there", whole())
	}
	if s.shed(soon()); whole() != "homeless " {
		t.Errorf("unused, of %q the code is there", whole())
	}
	s.mu.Lock()
	if s.projects[plain] != nil || s.projects[cron] == nil {
		t.Errorf("dropped: %v, left with its trigger: %v", s.projects[plain], s.projects[cron])
	}
	s.mu.Unlock()
	before := s.Stats()
	// An event of the platform brings the code back, and so do requests: once for all that wait.
	asked := h.asked
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if a, err := try(s, plain, "/"); err != nil || a.status != 200 {
				t.Errorf("%+v %v", a, err)
			}
		})
	}
	wg.Wait()
	if h.asked == asked || h.asked > asked+4 {
		t.Errorf("the host was asked %d times", h.asked-asked)
	}
	resp, err := s.Invoke(t.Context(), Run{Key: cron, Type: "scheduled", Payload: []byte(`{"cron":"* * * * *","scheduledTime":0}`)})
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := resp.Summary(t.Context()); err != nil || sum.Outcome != "ok" {
		t.Errorf("the cron: %+v %v", sum, err)
	}
	ask(cron, "2 1")
	if whole() != "plain cron homeless " {
		t.Errorf("asked again, of %q the code is there", whole())
	}
	if after := s.Stats(); after.Code <= before.Code || after.Projects != 3 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	// What is deployed anew while the old is being looked up wins.
	own, err := s.own(h.kept[plain])
	if err != nil {
		t.Fatal(err)
	}
	deploy(t, s, plain, worker(hello))
	if err := s.put(plain, own, true); err != nil {
		t.Fatal(err)
	}
	ask(plain, "hello /")
	if _, err := try(s, key("nobody"), "/"); !errors.Is(err, ErrNotDeployed) {
		t.Errorf("a project that is nowhere: %v", err)
	}
	for _, k := range all {
		if err := s.Forget(t.Context(), k, ""); err != nil {
			t.Fatal(err)
		}
	}
	if st := s.Stats(); st.Code != 0 || st.Projects != 0 {
		t.Errorf("all are forgotten, %d projects with %d bytes are left", st.Projects, st.Code)
	}
}
