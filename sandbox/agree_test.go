package sandbox

import (
	"slices"
	"testing"

	"coldstart/sandbox/trace"
)

// TestSummaryAgreesWithEvents: what a run's summary says of its calls is what its
// events said, each inside the phase that made it, on one clock; and every kind
// of binding that was used is among them.
func TestSummaryAgreesWithEvents(t *testing.T) {
	s, k := open(t), key("agree")
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{
  "name": "agree", "main": "src/index.js", "compatibility_date": "2026-10-01",
  "kv_namespaces": [{ "binding": "NOTES", "id": "n" }],
  "d1_databases": [{ "binding": "DB", "database_name": "db", "database_id": "d" }],
  "r2_buckets": [{ "binding": "FILES", "bucket_name": "files" }],
  "durable_objects": { "bindings": [{ "name": "COUNTER", "class_name": "Counter" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Counter"] }],
  "queues": { "producers": [{ "binding": "JOBS", "queue": "jobs" }] },
  "ratelimits": [{ "name": "LIMIT", "namespace_id": "1", "simple": { "limit": 5, "period": 60 } }],
  "analytics_engine_datasets": [{ "binding": "STATS", "dataset": "stats" }],
  "assets": { "directory": "./public", "binding": "ASSETS" },
  "services": [{ "binding": "SELF", "service": "agree", "entrypoint": "Sums" }]
}`,
		"public/page.txt": "page",
		"src/index.js": `import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
export class Counter extends DurableObject { add(n) { return n + 1; } }
export class Sums extends WorkerEntrypoint { add(a, b) { return a + b; } }
export default {
  async fetch(request, env) {
    await env.NOTES.put("a", "b");
    await env.DB.prepare("SELECT 1").all();
    await env.FILES.put("y", "z");
    await env.COUNTER.getByName("one").add(1);
    await env.JOBS.send({ id: 8 });
    await env.LIMIT.limit({ key: "k" });
    env.STATS.writeDataPoint({ blobs: ["a"] });
    await env.ASSETS.fetch(new URL("/page.txt", request.url));
    await caches.default.match("https://example.com/none");
    return new Response(String(await env.SELF.add(2, 3)));
  },
};
`,
	})
	for _, temperature := range []trace.Temperature{trace.Cold, trace.Warm} {
		a := get(t, s, k, "/")
		if a.status != 200 || a.sum.Temperature != temperature {
			t.Fatalf("%d %s, want 200 %s", a.status, a.sum.Temperature, temperature)
		}
		var told []trace.Call
		spans := map[trace.Phase]trace.Span{}
		for _, e := range a.events {
			switch e.Kind {
			case trace.KindCall:
				told = append(told, *e.Call)
			case trace.KindPhase:
				spans[e.Span.Phase] = *e.Span
			}
		}
		handle := spans[trace.PhaseHandle]
		var kinds []string
		for _, c := range a.sum.Calls {
			kinds = append(kinds, c.Kind)
			if !slices.Contains(told, c) {
				t.Errorf("%s: the summary's %+v is none of the events' %+v", temperature, c, told)
			}
			if c.Start < handle.Start || c.End > handle.End {
				t.Errorf("%s: %s ran from %d to %d µs, outside its handler's %d to %d", temperature, c.Name, c.Start, c.End, handle.Start, handle.End)
			}
		}
		slices.Sort(kinds)
		if want := []string{"analytics", "assets", "cache", "d1", "durable", "kv", "queue", "r2", "ratelimit", "service"}; !slices.Equal(slices.Compact(kinds), want) {
			t.Errorf("%s: bindings used are %q, want %q", temperature, kinds, want)
		}
		for _, span := range a.sum.Spans {
			if spans[span.Phase] != span {
				t.Errorf("%s: the summary's %+v, the event's %+v", temperature, span, spans[span.Phase])
			}
		}
		if a.sum.CPU <= 0 || a.sum.Memory <= 0 || a.sum.Wall < handle.End {
			t.Errorf("%s: %d µs of CPU, %d bytes, %d µs in all", temperature, a.sum.CPU, a.sum.Memory, a.sum.Wall)
		}
	}
}
