package web

import (
	"fmt"
	"html"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"coldstart/lessons"
	"coldstart/sandbox/trace"
)

// limitPrograms run into one limit each that their lesson sets, on purpose lower
// than the default. Their sentence stands on the page, with the line if it has one.
var limitPrograms = []struct {
	limit string
	value int64
	body  string // of the handler, on line 2
	want  string
	line  bool
}{
	{"cpu_ms", 30, `for (;;);`, "CPU limit: stopped after 30 ms.", true},
	{"start_ms", 60, `} }; for (;;); const rest = { x() {`, "CPU limit: stopped after 60 ms at the module’s top level.", true},
	{"wall_ms", 300, `await scheduler.wait(60_000);`, "Time limit: no answer within 300 ms.", true},
	{"memory_mb", 16, `const all = []; for (;;) all.push(new Uint8Array(1 << 18).fill(1));`, "Memory limit: 16 MiB are full.", true},
	{"calls", 3, `for (let i = 0; i < 9; i++) { const r = await fetch("https://nowhere.test/").catch((e) => e); if (String(r.message).startsWith("Too many")) throw r; }`, "Too many subrequests: a request may make 3.", true},
	{"depth", 2, `try { return await fetch(request.url); } catch (e) { return new Response(e.message); }`, "Too many Workers call one another: 2 deep is the limit.", false},
	{"body_kb", 2, `return new Response("x".repeat(3000));`, "The response body is larger than 2 KiB.", false},
	{"request_kb", 1, `return new Response(String((await request.text()).length));`, "The request’s body is larger than 1 KiB.", false},
	{"log_kb", 1, `for (let i = 0; i < 40; i++) console.log("y".repeat(100)); return new Response("said");`, "The log of this request is full: 1 KiB. Further lines are dropped.", false},
	{"log_lines", 4, `for (let i = 0; i < 40; i++) console.log(i); return new Response("said");`, "The log of this request is full: 4 lines. Further lines are dropped.", false},
	{"source_kb", 1, "// " + strings.Repeat("z", 2000), "the limit is 1 KiB.", false},
	{"files", 1, `return new Response("two files");`, "The project has 2 files; the limit is 1.", false},
	{"bundle_kb", 1, `return new Response("` + strings.Repeat("b", 1500) + `");`, "the limit is 1 KiB.", false},
	{"kv_kb", 2, `await env.KV.put("k", "x".repeat(4000));`, "KV: this project’s 2 KiB of stored data are full; delete some first.", true},
	{"kv_keys", 2, `for (let i = 0; i < 5; i++) await env.KV.put("k" + i, "x");`, "KV: this project holds its 2 keys; delete some first.", true},
	{"r2_kb", 2, `await env.R2.put("k", "x".repeat(4000));`, "put: this project’s 2 KiB of buckets are full; delete some objects first.", true},
	{"r2_objects", 2, `for (let i = 0; i < 5; i++) await env.R2.put("k" + i, "x");`, "put: this project’s buckets hold 2 objects, the most they may; delete some first.", true},
	{"sql_kb", 6, `await env.D1.exec("CREATE TABLE t (a)"); await env.D1.prepare("INSERT INTO t VALUES (?)").bind("x".repeat(9000)).run();`, "SQL: this project’s 6 KiB of databases are full; delete some rows first.", true},
	{"messages", 2, `for (let i = 0; i < 5; i++) await env.QUEUE.send(i);`, "Queue send failed: 2 messages wait in this project’s queues, the most that may.", true},
}

// elsewhere says where the limits are met that no single run can meet.
var elsewhere = map[string]string{
	"isolates": "sandbox TestReached", "requests": "sandbox TestIsolateSharing", "queue": "sandbox TestReached", "idle_s": "sandbox TestEviction",
}

// counters are the metrics that count where limits were reached, by what the
// names of limits begin with.
var counters = map[string]string{
	"cpu": "cpu", "start": "cpu", "wall": "wall", "memory": "memory", "calls": "calls", "depth": "depth", "body": "body", "request": "request", "log": "log",
	"source": "build", "files": "build", "bundle": "build", "kv": "storage", "r2": "storage", "sql": "storage", "messages": "storage",
}

// What a lesson sets holds for the runs of its learners, and they read on the
// page which limit stopped them and how much it was. The host's metrics count it.
func TestEveryLimitOfALessonIsReadOnItsPage(t *testing.T) {
	folder := fstest.MapFS{"01-limits/track.md": {Data: []byte("---\ntitle: Limits\nsummary: All of them.\n---\n")}}
	tried := []string{}
	for i, p := range limitPrograms {
		tried = append(tried, p.limit)
		id := strings.ReplaceAll(p.limit, "_", "-")
		at := fmt.Sprintf("01-limits/%02d-%s", i+10, id)
		folder[at+"/lesson.md"] = &fstest.MapFile{Data: fmt.Appendf(nil, "---\nid: %s\ntitle: %s\nsummary: One.\nminutes: 5\nopen: src/index.js\nlimits: { %s: %d }\nrequest: { method: POST, path: / }\n---\nWords.\n", id, id, p.limit, p.value)}
		folder[at+"/_files/src/index.js"] = &fstest.MapFile{Data: []byte("export default { async fetch(request, env, ctx) {\n" + p.body + "\n} };\n")}
		if p.limit == "files" || strings.Contains(p.body, "env.") {
			folder[at+"/_files/wrangler.jsonc"] = &fstest.MapFile{Data: []byte(`{ "name": "w", "main": "src/index.js", "compatibility_date": "2026-11-01", "kv_namespaces": [{ "binding": "KV", "id": "kv" }],
"r2_buckets": [{ "binding": "R2", "bucket_name": "r2" }], "d1_databases": [{ "binding": "D1", "database_name": "d1", "database_id": "d1" }], "queues": { "producers": [{ "binding": "QUEUE", "queue": "q" }] } }`)}
		}
	}
	for _, name := range trace.LimitNames() {
		if slices.Contains(tried, name) == (elsewhere[name] != "") {
			t.Errorf("the limit %s is tried %v and elsewhere %q", name, slices.Contains(tried, name), elsewhere[name])
		}
	}
	catalog, problems := lessons.Load(folder)
	for _, p := range problems {
		if p.Error() {
			t.Fatal(p)
		}
	}
	s, stop := newRealServer(t, filepath.Join(t.TempDir(), "c.db"), func(c *Config) {
		c.Catalog = catalog
		c.Rates.Session = Rate{PerSecond: -1}
	})
	defer stop()
	b := s.browser()
	for _, p := range limitPrograms {
		t.Run(p.limit, func(t *testing.T) {
			l := catalog.ByID(strings.ReplaceAll(p.limit, "_", "-"))
			b.get(l.URL())
			begin := time.Now()
			unit, _, _ := strings.Cut(p.limit, "_")
			reached := func() int64 { return s.site.config.Door.Stats().Reached[counters[unit]] }
			before := reached()
			r := b.form(l.URL()+"/run", "method", "POST", "path", "/", "body", strings.Repeat("x", 1200))
			if r.status != 303 {
				t.Fatalf("Run gives %d %.300s", r.status, r.body)
			}
			to, _, _ := strings.Cut(r.header.Get("Location"), "#")
			text := ""
			for _, tab := range []string{"", "&tab=logs"} {
				page := b.get(to + tab)
				text += strings.ReplaceAll(html.UnescapeString(page.body), "'", "’")
			}
			if !strings.Contains(text, p.want) {
				_, said, _ := strings.Cut(text, `id="result"`)
				t.Errorf("the page does not say %q; its result: %.3000s", p.want, said)
			}
			if line := strings.Contains(text, "src/index.js:2"); p.line && !line {
				t.Errorf("the page does not name line 2")
			}
			for end := time.Now().Add(5 * time.Second); reached() == before; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("the metric %q does not count it", counters[unit])
				}
			}
			t.Log(time.Since(begin).Round(time.Millisecond))
		})
	}
}
