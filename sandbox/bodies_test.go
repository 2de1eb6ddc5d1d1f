package sandbox

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// Ten megabytes pass through an isolate that has less than that to itself, both as
// they come and through a stream of the script's own.
func TestBodiesStreamInBoundedMemory(t *testing.T) {
	const size, memory = 10 << 20, 6 << 20
	s := open(t)
	body := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	for i, code := range []string{
		`return new Response(request.body);`,
		`return new Response(request.body.pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(chunk); } })));`,
		`let n = 0; for await (const chunk of request.body) n += chunk.length; return new Response(String(n));`,
	} {
		k := key(fmt.Sprint(i))
		deploy(t, s, k, worker(`export default { async fetch(request) { `+code+` } };`), trace.Limits{Memory: memory, CPU: 10 * time.Second})
		a := get(t, s, k, "/", func(r *Run) { r.Method, r.Body, r.Length = "POST", bytes.NewReader(body), size })
		if want := string(body); a.sum.Outcome != "ok" || a.body != want && a.body != fmt.Sprint(size) {
			t.Errorf("%s\n%d bytes, %+v", code, len(a.body), a.sum.Fault)
		}
		if a.sum.Memory >= memory {
			t.Errorf("%s\nholds %d bytes afterwards", code, a.sum.Memory)
		}
	}
	// A body that is read whole does not fit: the bound is what holds it.
	deploy(t, s, key("whole"), worker(`export default { async fetch(request) { return new Response(String((await request.arrayBuffer()).byteLength)); } };`), trace.Limits{Memory: memory, CPU: 10 * time.Second})
	if a := get(t, s, key("whole"), "/", func(r *Run) { r.Method, r.Body, r.Length = "POST", bytes.NewReader(body), size }); a.sum.Outcome == "ok" {
		t.Errorf("10 MB were read whole in %d bytes: %s", int64(memory), a.body)
	}
}

// A body that a Worker only passes on costs it next to no CPU time: as it came, as a
// part of a new response, from a Worker behind it, and on its way to one.
func TestBodiesPassThrough(t *testing.T) {
	const size = 10 << 20
	s := open(t)
	body, cpu := bytes.Repeat([]byte("0123456789abcdef"), size/16), 20*time.Millisecond
	if instrumented {
		cpu *= 10
	}
	deploy(t, s, key("pass"), map[string]string{
		"wrangler.jsonc": `{"name":"front","main":"front.js","compatibility_date":"2026-11-01","services":[{"binding":"BACK","service":"back"}]}`,
		"front.js": `export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  if (pathname === "/echo") return new Response(request.body);
  if (pathname === "/headers") { const b = request.body; if (b.locked) throw 1; return new Response(b, { headers: { "x-a": "1" } }); }
  if (pathname === "/back") return env.BACK.fetch(request);
  if (pathname === "/again") { const r = await env.BACK.fetch("https://b/", { method: "POST", body: request.body }); return new Response(r.body, r); }
  if (pathname === "/used") { const r = new Response(request.body); await r.arrayBuffer(); return r; }
  if (pathname === "/first") { const reader = request.body.getReader(); await reader.read(); reader.releaseLock(); return new Response(request.body); }
} };`,
		"back/wrangler.jsonc": `{"name":"back","main":"back.js","compatibility_date":"2026-11-01"}`,
		"back/back.js":        `export default { fetch(request) { return new Response(request.body); } };`,
	}, trace.Limits{CPU: cpu})
	for _, path := range []string{"/echo", "/headers", "/back", "/again"} {
		a := get(t, s, key("pass"), path, func(r *Run) { r.Method, r.Body, r.Length = "POST", bytes.NewReader(body), size })
		if a.sum.Outcome != "ok" || a.body != string(body) {
			t.Errorf("%s: %d bytes, %+v", path, len(a.body), a.sum.Fault)
		}
	}
	for path, want := range map[string]string{
		"/used":  "Body has already been used. It can only be used once. Use tee() first if you need to read it twice.",
		"/first": "This ReadableStream is disturbed (has already been read from), and cannot be used as a body.",
	} {
		a := get(t, s, key("pass"), path, func(r *Run) { r.Method, r.Body, r.Length = "POST", strings.NewReader("some"), 4 })
		if a.sum.Fault == nil || !strings.Contains(a.sum.Fault.Message, want) {
			t.Errorf("%s: %+v, want %q", path, a.sum.Fault, want)
		}
	}
}
