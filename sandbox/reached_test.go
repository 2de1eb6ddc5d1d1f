package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"coldstart/sandbox/trace"
)

// TestReached runs into limits, one program each, and reads their counters.
func TestReached(t *testing.T) {
	s := open(t)
	for limit, body := range map[string]string{
		limitCPU:     `for (;;);`,
		limitWall:    `await scheduler.wait(60_000);`,
		limitMemory:  `const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));`,
		limitBody:    `return new Response("x".repeat(2000));`,
		limitLog:     `for (let i = 0; i < 50; i++) console.log(i);`,
		limitCalls:   `for (let i = 0; i < 9; i++) await fetch("http://nowhere.test/").catch(() => {});`,
		limitDepth:   `return fetch(request.url);`,
		limitStorage: `await env.KV.put("k", "x".repeat(5000)).catch(() => {});`,
	} {
		t.Run(limit, func(t *testing.T) {
			limits := trace.Limits{CPU: 400 * time.Millisecond, Wall: 25 * time.Second, Memory: 32 << 20, Body: 1000, LogCount: 20, Calls: 5, Depth: 3, KVBytes: 4000}
			if limit == limitWall {
				limits.Wall = 200 * time.Millisecond
			}
			if limit == limitDepth {
				limits.Calls = 50
			}
			deploy(t, s, key(limit), map[string]string{
				"worker.js":      fmt.Sprintf(`export default { async fetch(request, env) { %s return new Response("ok"); } };`, body),
				"wrangler.jsonc": `{"name": "w", "main": "worker.js", "compatibility_date": "2026-11-01", "kv_namespaces": [{"binding": "KV", "id": "kv"}]}`,
			}, limits)
			before := s.Stats().Reached
			a := get(t, s, key(limit), "/")
			after := s.Stats().Reached
			if after[limit] <= before[limit] {
				t.Errorf("%s was reached %d times before and %d after: %d %+v", limit, before[limit], after[limit], a.status, a.sum.Fault)
			}
			for name := range before {
				if name != limit && after[name] != before[name] {
					t.Errorf("%s was counted too", name)
				}
			}
		})
	}
}

// A request's body is bounded whether its length is told or not: the first is
// answered by the platform, the second is an error that the Worker meets.
func TestRequestBodyIsBounded(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), worker(`export default { async fetch(request) { try { return new Response(String((await request.text()).length)); } catch (e) { return new Response("caught " + e.message); } } };`))
	for _, w := range s.projects[key("a")].deploy.Workers {
		if w.Limits.Request != trace.Default().Request {
			t.Fatalf("the limit is %d", w.Limits.Request)
		}
	}
	s.mu.Lock()
	s.projects[key("a")].deploy.Workers[0].Limits.Request = 1000
	s.mu.Unlock()
	send := func(n int, known bool) answer {
		return get(t, s, key("a"), "/", func(r *Run) {
			text := strings.NewReader(strings.Repeat("x", n))
			r.Method, r.Body, r.Length = "POST", text, int64(n)
			if !known {
				r.Body, r.Length = iotest.OneByteReader(text), -1
			}
		})
	}
	for _, known := range []bool{true, false} {
		if a := send(1000, known); a.body != "1000" {
			t.Errorf("1000 bytes, length known %v: %d %q %+v", known, a.status, a.body, a.sum.Fault)
		}
	}
	if a := send(1001, true); a.status != 413 || a.sum.Fault == nil || a.sum.Fault.Message != "The request's body is larger than 1000 bytes." {
		t.Errorf("a byte too many: %d %+v", a.status, a.sum.Fault)
	}
	if a := send(1001, false); !strings.HasPrefix(a.body, "caught ") {
		t.Errorf("a byte too many of unknown length: %d %q %+v", a.status, a.body, a.sum.Fault)
	} else {
		t.Log(a.body)
	}
	if n := s.Stats().Reached[limitRequest]; n != 2 {
		t.Errorf("the limit was reached %d times", n)
	}
}
