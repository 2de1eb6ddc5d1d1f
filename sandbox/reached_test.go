package sandbox

import (
	"fmt"
	"testing"
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
