package sandbox

import (
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

func TestBindings(t *testing.T) {
	s := open(t)
	k := key("a")
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01",
			"kv_namespaces":[{"binding":"KV","id":"notes"}],
			"durable_objects":{"bindings":[{"name":"COUNTER","class_name":"Counter"}]},
			"migrations":[{"tag":"v1","new_sqlite_classes":["Counter"]}],
			"queues":{"producers":[{"binding":"Q","queue":"jobs"}],"consumers":[{"queue":"jobs","max_batch_size":2,"max_batch_timeout":1}]}}`,
		"worker.js": `import { DurableObject } from "cloudflare:workers";
		export class Counter extends DurableObject {
			async fetch() { const n = ((await this.ctx.storage.get("n")) ?? 0) + 1; await this.ctx.storage.put("n", n); return new Response(String(n)); }
			sum(a, b) { return a + b; }
			sql() {
				const q = this.ctx.storage.sql;
				q.exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)");
				q.exec("INSERT INTO t (v) VALUES (?)", "x");
				return q.exec("SELECT count(*) AS n FROM t").one().n;
			}
			bad(text) { try { this.ctx.storage.sql.exec(text); return "done"; } catch (e) { return e.message; } }
			async later() { await this.ctx.storage.setAlarm(Date.now() + 50); }
			async alarm() { await this.ctx.storage.put("rang", true); }
			async rang() { return (await this.ctx.storage.get("rang")) ?? false; }
			async undone() {
				try { await this.ctx.storage.transaction(async (t) => { await t.put("n", 99); throw new Error("no"); }); } catch {}
				return (await this.ctx.storage.get("n")) ?? 0;
			}
		}
		export default {
			async fetch(request, env) {
				const p = new URL(request.url).pathname, o = env.COUNTER.getByName("one");
				switch (p) {
				case "/kv": await env.KV.put("k", "v", { metadata: { a: 1 } }); { const r = await env.KV.getWithMetadata("k"); const l = await env.KV.list({ prefix: "k" }); await env.KV.delete("k"); return new Response(r.value + JSON.stringify(r.metadata) + l.keys.length + (await env.KV.get("k"))); }
				case "/count": return o.fetch("https://x/");
				case "/rpc": return new Response(String(await o.sum(1, 2)));
				case "/sql": return new Response(String(await o.sql()));
				case "/bad": return new Response(await o.bad(await request.text()));
				case "/alarm": await o.later(); return new Response("set");
				case "/rang": return new Response(String(await o.rang()));
				case "/undone": return new Response(String(await o.undone()));
				case "/send": await env.Q.sendBatch([{ body: { n: 1 } }, { body: { n: 2 } }]); return new Response("sent");
				case "/bytes": await env.Q.sendBatch([new Uint16Array([1, 258]).subarray(1), new DataView(new ArrayBuffer(1))].map((body) => ({ body, contentType: "Bytes" }))); return new Response("sent");
				case "/got": return new Response((await env.KV.get("got")) ?? "");
				case "/cache": await caches.default.put("https://c/x", new Response("kept", { headers: { "cache-control": "max-age=60" } })); return new Response(await (await caches.default.match("https://c/x")).text());
				}
				return new Response("?", { status: 404 });
			},
			async queue(batch, env) { await env.KV.put("got", batch.messages.map(({ body }) => body.n ?? body.constructor.name + [...body].join("+")).join()); },
		};`,
	})
	expect := func(path, want string, change ...func(*Run)) {
		t.Helper()
		if a := get(t, s, k, path, change...); a.body != want {
			t.Errorf("%s: %d %q %+v, want %q", path, a.status, a.body, a.sum.Fault, want)
		}
	}
	soon := func(path, want string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			a := get(t, s, k, path)
			if a.body == want {
				return
			}
			if time.Now().After(end) {
				t.Errorf("%s: %q, want %q", path, a.body, want)
				return
			}
		}
	}
	expect("/kv", `v{"a":1}1null`)
	expect("/count", "1")
	expect("/count", "2")
	expect("/rpc", "3")
	expect("/undone", "2")
	expect("/sql", "1")
	expect("/sql", "2")
	expect("/cache", "kept")
	expect("/rang", "false")
	expect("/alarm", "set")
	soon("/rang", "true")
	expect("/send", "sent")
	soon("/got", "1,2")
	expect("/bytes", "sent")
	soon("/got", "Uint8Array2+1,Uint8Array0") // as Cloudflare hands out every message of bytes, whatever view was sent
	for _, text := range []string{"ATTACH 'x' AS y", "PRAGMA hard_heap_limit=1", "VACUUM INTO '/tmp/x'", "/**/ EXPLAIN pragma journal_mode=off", "SELECT load_extension('x')", "BEGIN", "SELECT 1; PRAGMA temp_store_directory='/tmp'"} {
		a := get(t, s, k, "/bad", func(r *Run) { r.Method, r.Body = "POST", strings.NewReader(text) })
		if a.body == "done" || a.body == "" {
			t.Errorf("%s: %q", text, a.body)
		}
	}
	slow := slowdown()
	at := time.Now()
	a := get(t, s, k, "/bad", func(r *Run) {
		r.Method, r.Body = "POST", strings.NewReader("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c")
	})
	took := time.Since(at)
	if !strings.Contains(a.body, "stopped") || took > 2*time.Second+within(3*time.Second, slow) {
		t.Errorf("endless query: %q after %v", a.body, took)
	}
	expect("/count", "1", func(r *Run) { r.Fresh = "check-1" })
	expect("/count", "3")
	if err := s.Forget(t.Context(), k, "check-1"); err != nil {
		t.Fatal(err)
	}
	expect("/count", "1", func(r *Run) { r.Fresh = "check-1" })
	kinds := map[string]bool{}
	for _, e := range get(t, s, k, "/kv").events {
		if e.Kind == trace.KindCall {
			kinds[e.Call.Kind] = true
		}
	}
	if !kinds["kv"] {
		t.Error("no call event")
	}
}
