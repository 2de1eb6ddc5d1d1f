package sandbox

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

// Each way to misbehave ends as its own kind of fault, and the next run of the
// same learner works.
func TestFaults(t *testing.T) {
	s := open(t)
	slow := slowdown()
	for _, c := range []struct {
		name, code string
		want       trace.FaultKind
		line       int
	}{
		{"throw", "export default { fetch() {\n throw new TypeError('no'); } };", trace.FaultException, 2},
		{"loop", "export default { fetch() {\n for (;;) {} } };", trace.FaultCPU, 0},
		{"top-level-loop", "for (;;) {}\nexport default {};", trace.FaultCPU, 0},
		{"top-level-throw", "\n\nthrow new Error('x');\nexport default {};", trace.FaultStartup, 0},
		{"regex", "export default { fetch() { return new Response(/(a+)+$/.test('a'.repeat(40) + 'b')); } };", trace.FaultCPU, 0},
		{"memory", "export default { fetch() { const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1)); } };", trace.FaultMemory, 0},
		{"hung", "export default { fetch() { return new Promise(() => {}); } };", trace.FaultHung, 0},
		{"no-handler", "export default {};", trace.FaultHandler, 0},
		{"not-a-response", "export default { fetch() { return 'text'; } };", trace.FaultHandler, 0},
		{"sparse-join", "export default { fetch() { return new Response(new Array(2 ** 31).join('')); } };", trace.FaultRunner, 0},
		{"array-like", "export default { fetch() { return new Response(Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)); } };", trace.FaultRunner, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := key(c.name)
			deploy(t, s, k, worker(c.code))
			at := time.Now()
			a := get(t, s, k, "/")
			took := time.Since(at)
			if a.status != 500 || a.sum.Fault == nil {
				t.Fatalf("status %d, %+v", a.status, a.sum)
			}
			// An engine that learns to yield in a native may stop it as CPU.
			if f := a.sum.Fault; f.Kind != c.want && !(c.want == trace.FaultRunner && (f.Kind == trace.FaultCPU || f.Kind == trace.FaultMemory)) && !(c.want == trace.FaultMemory && strings.Contains(f.Message, "memory")) {
				t.Errorf("fault %s %q, want %s", f.Kind, f.Message, c.want)
			}
			if c.line > 0 && (len(a.sum.Fault.Frames) == 0 || a.sum.Fault.Frames[0].Line != c.line) {
				t.Errorf("frames %+v, want line %d", a.sum.Fault.Frames, c.line)
			}
			if took > 3*time.Second && took > within(3*time.Second, slow) {
				t.Errorf("it took %v", took)
			}
			t.Log(took.Round(time.Millisecond), a.sum.Fault.Kind, a.sum.Fault.Message)
			checkSpans(t, a, phases(a))
			deploy(t, s, k, worker(hello))
			if b := get(t, s, k, "/again"); b.body != "hello /again" {
				t.Errorf("afterwards: %d %q %+v", b.status, b.body, b.sum)
			}
		})
	}
}

func phases(a answer) string {
	var names []string
	for _, sp := range a.sum.Spans {
		names = append(names, string(sp.Phase))
	}
	return strings.Join(names, " ")
}

// A runner killed from outside: who had no effect yet is run again and notices
// nothing, who had is told honestly, and others go on.
func TestRunnerKilled(t *testing.T) {
	held := heldStore{platform.NewMemory(), make(chan struct{}), make(chan struct{}, 9)}
	s := open(t, func(c *Config) { c.Runners, c.Store = 2, held })
	deploy(t, s, key("a"), map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","kv_namespaces":[{"binding":"KV","id":"kv"}],"services":[{"binding":"SELF","service":"w"}]}`,
		"worker.js": `export default { async fetch(request, env) {
	switch (new URL(request.url).pathname) {
	case "/log": console.log("here"); break;
	case "/write": await env.KV.put("written", "1"); break;
	case "/call": await env.SELF.fetch("https://w.example/small"); break;
	case "/small": return new Response("small");
	case "/body": await request.arrayBuffer(); break;
	case "/head": return new Response(new ReadableStream({ async pull(c) { await scheduler.wait(50); await env.KV.get("key"); c.close(); } })); // the head is on its way first
	}
	await env.KV.get("key");
	return new Response("done");
} };`,
	})
	for _, c := range []struct{ path, body string }{{"/quiet", "done"}, {"/log", ""}, {"/write", ""}, {"/call", ""}, {"/body", ""}, {"/head", "broken: "}} {
		var wg sync.WaitGroup
		wg.Go(func() {
			a, err := try(s, key("a"), c.path, func(r *Run) {
				if c.path == "/body" {
					r.Method, r.Body = "POST", bytes.NewReader(make([]byte, 4<<20)) // more than is kept to be sent again
				}
			})
			if err != nil {
				t.Errorf("%s: %v", c.path, err)
				return
			}
			f := a.sum.Fault
			if !strings.HasPrefix(a.body, c.body) || c.body == "" && a.body != "" || (c.body == "done") != (f == nil) {
				t.Errorf("%s: %q %+v %+v", c.path, a.body, a.sum, f)
			}
			if f != nil && (f.Kind != trace.FaultPlatform || f.Message != "Our runner stopped. It was not your code. Run again.") {
				t.Errorf("%s: %+v", c.path, f)
			}
		})
		<-held.asked // and what it logged before was told before
		s.mu.Lock()
		var pid int
		for _, i := range s.isolates {
			pid = i.runner.PID()
		}
		s.mu.Unlock()
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		if c.body == "done" {
			<-held.asked // it began again
			held.opened <- struct{}{}
		}
		wg.Wait()
	}
	close(held.opened)
	if b := get(t, s, key("a"), "/quiet"); b.body != "done" {
		t.Errorf("afterwards: %+v", b.sum)
	}
	if st := s.Stats(); st.Restarts < 2 {
		t.Errorf("%+v", st)
	}
}

// A run whose runner is killed again and again is not tried for ever, and is
// told the truth.
func TestRunnerKilledAgain(t *testing.T) {
	held := heldStore{platform.NewMemory(), make(chan struct{}), make(chan struct{}, 9)}
	s := open(t, func(c *Config) { c.Runners, c.Store = 1, held })
	deploy(t, s, key("a"), waiter)
	over := make(chan answer, 1)
	go func() {
		a, err := try(s, key("a"), "/")
		if err != nil {
			t.Error(err)
		}
		over <- a
	}()
	for range innocentMe + 1 {
		select {
		case <-held.asked:
		case <-time.After(20 * time.Second):
			t.Fatal("it was not begun again")
		}
		s.mu.Lock()
		for _, i := range s.isolates {
			_ = unix.Kill(i.runner.PID(), unix.SIGKILL)
		}
		s.mu.Unlock()
	}
	select {
	case a := <-over:
		if f := a.sum.Fault; !sameFault(platformFault(), f) {
			t.Errorf("%q %+v", a.body, f)
		}
	case <-held.asked:
		t.Errorf("its runner died under it %d times, and it is begun again", innocentMe+1)
	}
	close(held.opened)
}

// A builder that something else stops is no fault of the project: its build is
// begun again, or its learner is told so and tries again.
func TestBuilderKilled(t *testing.T) {
	s := open(t, func(c *Config) { c.Runners = 1 })
	long := trace.Project{Files: map[string][]byte{"worker.js": []byte("let n = 0;\n" + strings.Repeat("if (n > 1) { n = [n, { a: `${n}` }].length; }\n", 15_000) + "export default { fetch() { return new Response(String(n)); } };")}}
	stop := make(chan struct{})
	var killing sync.WaitGroup
	killing.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			for _, r := range s.Stats().Runners {
				if r.Role == runner.RoleBuild {
					_ = unix.Kill(r.PID, unix.SIGKILL)
				}
			}
		}
	})
	d, err := s.Build(t.Context(), key("a"), long)
	close(stop)
	killing.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if f := d.Fault; f == nil || f.Kind != trace.FaultPlatform || f.Message != "Our builder stopped. It was not your code." {
		t.Errorf("told %+v", f)
	}
	if d, err := s.Build(t.Context(), key("a"), long); err != nil || d.Fault != nil {
		t.Errorf("afterwards: %+v %v", d.Fault, err)
	}
	if n := s.Stats().Reached[limitBuild]; n != 0 {
		t.Errorf("a limit of the build was counted %d times", n)
	}
}

// A project asks for no more than its host gives, and what is far too large
// goes to no builder.
func TestBuildIsBounded(t *testing.T) {
	s := open(t)
	for size, told := range map[int]string{1 << 19: "", 2 << 20: "the limit is 1 MiB", 34 << 20: "The project's files are 34 MiB together; large.txt is the largest."} {
		d, err := s.Build(t.Context(), key("a"), trace.Project{
			Files:  map[string][]byte{"worker.js": []byte("export default { fetch() { return new Response('x'); } };"), "large.txt": make([]byte, size)},
			Limits: trace.Limits{Source: 1 << 40, Files: 1 << 20, Bundle: 1 << 40, CPU: time.Hour, Memory: 1 << 40},
		})
		if err != nil {
			t.Fatal(err)
		}
		switch f := d.Fault; {
		case told == "" && f == nil:
			if l, most := d.Workers[0].Limits, trace.Ceiling(); l.CPU != most.CPU || l.Memory != most.Memory || l.Source != most.Source || l.Bundle != most.Bundle {
				t.Errorf("it is given %+v", l)
			}
		case told == "" || f == nil || f.Kind != trace.FaultLimit || !strings.Contains(f.Message, told):
			t.Errorf("%d bytes: %+v, want %q", size, f, told)
		}
	}
}

func TestStreams(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), worker(`export default { fetch(request) {
		if (request.method === "POST") return new Response(request.body);
		const { readable, writable } = new TransformStream();
		const w = writable.getWriter();
		if (request.url.endsWith("/go")) { go = true; return new Response("gone"); }
		(async () => { for (let i = 0; i < 3; i++) { await w.write(new TextEncoder().encode("piece " + i + "\n")); while (!go) await scheduler.wait(5); } await w.close(); })();
		return new Response(readable);
	} };
	let go = false;`), trace.Limits{CPU: 2 * time.Second})
	resp, err := s.Invoke(t.Context(), Run{Key: key("a"), Method: "GET", URL: "https://a.example/", Length: -1})
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 8)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "piece 0\n" {
		t.Fatalf("%q %v", first, err)
	}
	// The rest is written only now, so the first piece came by itself.
	if a := get(t, s, key("a"), "/go"); a.body != "gone" {
		t.Fatalf("%q %+v", a.body, a.sum)
	}
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(rest) != "piece 1\npiece 2\n" {
		t.Fatalf("%q %v", rest, err)
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 10<<16) // 10 MiB
	resp, err = s.Invoke(t.Context(), Run{Key: key("a"), Method: "POST", URL: "https://a.example/", Body: bytes.NewReader(big), Length: -1})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(got, big) {
		t.Errorf("%d bytes back, %v", len(got), err)
	}
	sum, err := resp.Summary(t.Context())
	if err != nil || sum.Outcome != "ok" {
		t.Errorf("%+v %v", sum, err)
	}
}

// A visitor who leaves ends the run; one who has everything does not end its waitUntil.
func TestVisitorLeaves(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), worker(`let kept = 0;
	export default { async fetch(request, env, ctx) {
		if (request.url.endsWith("/later")) { ctx.waitUntil(scheduler.wait(100).then(() => { kept++; })); return new Response("x"); }
		if (request.url.endsWith("/kept")) return new Response(String(kept));
		await scheduler.wait(20_000); return new Response("late");
	} };`))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	at := time.Now()
	resp, err := s.Invoke(ctx, Run{Key: key("a"), Method: "GET", URL: "https://a.example/wait", Length: -1})
	if err == nil {
		var sum *trace.Summary
		if sum, err = resp.Summary(t.Context()); err == nil && sum.Outcome != string(trace.FaultCanceled) {
			t.Errorf("%+v", sum)
		}
	}
	if time.Since(at) > 15*time.Second {
		t.Error("the run went on")
	}
	ctx, cancel = context.WithCancel(t.Context())
	resp, err = s.Invoke(ctx, Run{Key: key("a"), Method: "GET", URL: "https://a.example/later", Length: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	cancel()
	if sum, err := resp.Summary(t.Context()); err != nil || sum.Outcome != "ok" {
		t.Errorf("%+v %v", sum, err)
	}
	if a := get(t, s, key("a"), "/kept"); a.body != "1" {
		t.Errorf("waitUntil ran %s times", a.body)
	}
}

func TestWorkersCallOneAnother(t *testing.T) {
	s := open(t)
	k := key("a")
	deploy(t, s, k, map[string]string{
		"a/wrangler.jsonc": `{"name":"front","main":"worker.js","compatibility_date":"2026-11-01","services":[{"binding":"BACK","service":"back"}]}`,
		"a/worker.js": `export default { async fetch(request, env) {
			const p = new URL(request.url).pathname;
			if (p === "/rpc") return new Response(String(await env.BACK.add(2, 3)));
			if (p === "/throw") { try { await env.BACK.fetch("https://x/throw"); return new Response("nothing thrown"); } catch (e) { return new Response("caught " + e.message); } }
			if (p === "/self") { const r = await fetch(request.url); return new Response("got " + r.status, { status: r.status }); }
			if (p === "/many") { let n = 0; try { for (;;) { await env.BACK.fetch("https://x/"); n++; } } catch (e) { return new Response(n + " " + e.message); } }
			if (p === "/out") { try { await fetch("http://127.0.0.1:1/"); return new Response("open"); } catch (e) { return new Response("closed: " + e.message); } }
			const r = await env.BACK.fetch("https://x/hi", { method: "POST", body: "body" });
			return new Response("front+" + await r.text());
		} };`,
		"b/wrangler.jsonc": `{"name":"back","main":"worker.js","compatibility_date":"2026-11-01"}`,
		"b/worker.js": `import { WorkerEntrypoint } from "cloudflare:workers";
		export default class extends WorkerEntrypoint {
			async fetch(request) { console.log("in back"); if (request.url.endsWith("throw")) throw new RangeError("from back"); return new Response("back " + await request.text()); }
			add(a, b) { return a + b; }
		}`,
	})
	for path, want := range map[string]string{
		"/": "front+back body", "/rpc": "5", "/throw": "caught from back", "/out": "closed: " + errClosedNetwork.Message,
	} {
		a := get(t, s, k, path, func(r *Run) { r.Worker = "front" })
		if a.body != want {
			t.Errorf("%s: %q %+v, want %q", path, a.body, a.sum.Fault, want)
		}
	}
	a := get(t, s, k, "/", func(r *Run) { r.Worker = "front" })
	var logs []string
	for _, e := range a.events {
		if e.Kind == trace.KindLog {
			logs = append(logs, e.Worker+": "+e.Log.Text)
		}
	}
	if strings.Join(logs, "\n") != "back: in back" {
		t.Errorf("logs %q", logs)
	}
	slow := slowdown()
	if a := get(t, s, k, "/self", func(r *Run) { r.Worker = "front" }); a.status == 200 || a.sum.Wall > within(5*time.Second, slow).Microseconds() {
		t.Errorf("a Worker that fetches itself: %d %+v", a.status, a.sum)
	}
	if a := get(t, s, k, "/many", func(r *Run) { r.Worker = "front" }); !strings.HasPrefix(a.body, "50 Too many") && !strings.HasPrefix(a.body, "49 Too many") {
		t.Errorf("many subrequests: %q", a.body)
	}
}
