package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"coldstart/sandbox/trace"
)

// TestReached runs into every limit, one program each, and reads what its
// learner is told, at which line where there is one, and the limit's counter.
func TestReached(t *testing.T) {
	s, release := openHeld(t)
	seen := map[string]bool{limitRequest: true} // see TestRequestBodyIsBounded
	counted := func(t *testing.T, before map[string]int64, limits ...string) {
		t.Helper()
		for name, n := range s.Stats().Reached {
			if want := slices.Contains(limits, name); want != (n > before[name]) {
				t.Errorf("%s was reached %d times before and %d after", name, before[name], n)
			}
		}
		for _, name := range limits {
			seen[name] = true
		}
	}
	t.Run("queue", func(t *testing.T) {
		before := s.Stats().Reached
		deploy(t, s, key("queue"), waiter, trace.Limits{Requests: 1, Isolates: 1, Queue: 1})
		var wg sync.WaitGroup
		for n := range 2 {
			wg.Go(func() {
				if a, err := try(s, key("queue"), "/"); err != nil || a.body != "done" {
					t.Errorf("%v %+v", err, a.sum)
				}
			})
			if n == 0 {
				await(t, s, 1)
			}
		}
		for end := time.Now().Add(20 * time.Second); s.Stats().Queued < 1; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("nobody waits")
			}
		}
		slow, least := slowdown(), time.Minute
		var a answer
		for range 5 {
			at := time.Now()
			if a = get(t, s, key("queue"), "/"); a.status != 503 {
				t.Errorf("one too many is answered %d", a.status)
			}
			least = min(least, time.Since(at))
		}
		if most := within(50*time.Millisecond, slow); least > most {
			t.Errorf("one too many is answered after %v, want 503 within %v", least, most)
		}
		if a.sum.Fault == nil || !strings.HasPrefix(a.sum.Fault.Message, "Busy: you are 2nd in line") {
			t.Errorf("one too many: %d %+v", a.status, a.sum.Fault)
		}
		release()
		wg.Wait()
		counted(t, before, limitIsolates, limitQueue)
	})
	t.Run("build", func(t *testing.T) {
		before := s.Stats().Reached
		d, err := s.Build(t.Context(), key("build"), trace.Project{Files: map[string][]byte{"worker.js": []byte(hello + "/*" + strings.Repeat("x", 2000) + "*/")}, Limits: trace.Limits{Source: 1000}})
		if err != nil || d.Fault == nil {
			t.Fatalf("%+v %v", d, err)
		}
		if !strings.Contains(d.Fault.Message, "1000") {
			t.Errorf("told %q", d.Fault.Message)
		}
		counted(t, before, limitBuild)
	})
	for limit, c := range map[string]struct {
		body, told string
		line       bool
	}{
		limitCPU:     {`for (;;);`, "CPU limit: stopped after 400 ms.", true},
		limitWall:    {`await scheduler.wait(60_000);`, "Time limit: no answer within 200 ms.", true},
		limitMemory:  {`const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));`, "Memory limit: 32 MiB are full.", true},
		limitBody:    {`return new Response("x".repeat(2000));`, "larger than", false},
		limitLog:     {`for (let i = 0; i < 50; i++) console.log(i);`, "", false},
		limitCalls:   {`let e; for (let i = 0; i < 9; i++) await fetch("http://nowhere.test/").catch((x) => { e = x; }); throw e;`, "subrequests", true},
		limitDepth:   {`try { return await fetch(request.url); } catch (e) { return new Response(e.message); }`, "deep", false},
		limitStorage: {`await env.KV.put("k", "x".repeat(5000));`, "full", true},
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
				"worker.js":      fmt.Sprintf("export default { async fetch(request, env) {\n %s\n return new Response(\"ok\"); } };", c.body),
				"wrangler.jsonc": `{"name": "w", "main": "worker.js", "compatibility_date": "2026-11-01", "kv_namespaces": [{"binding": "KV", "id": "kv"}]}`,
			}, limits)
			before := s.Stats().Reached
			a := get(t, s, key(limit), "/")
			counted(t, before, limit)
			told := trace.Fault{Message: a.body}
			if a.sum.Fault != nil {
				told = *a.sum.Fault
			}
			if !strings.Contains(told.Message, c.told) || c.line != (len(told.Frames) > 0 && told.Frames[0].Line == 2) {
				t.Errorf("told %+v", told)
			}
		})
	}
	for name := range s.Stats().Reached {
		if !seen[name] {
			t.Errorf("no program reaches the limit %s", name)
		}
	}
}

// Whoever is answered for a Worker that was stopped hears why, at once: also where
// the time limit, or another request in the same isolate, stopped it.
func TestStoppedAnswersSayWhy(t *testing.T) {
	s := open(t)
	waits := worker(`export default { async fetch(request) {
		if (request.url.endsWith("/spin")) for (;;);
		await scheduler.wait(60_000);
	} };`)
	deploy(t, s, key("a"), waits, trace.Limits{Wall: 900 * time.Millisecond})
	for range 3 {
		resp, err := s.Invoke(t.Context(), Run{Key: key("a"), Method: "GET", URL: "https://a.example/wait", Length: -1})
		if err != nil || resp.Fault == nil || resp.Fault.Message != "Time limit: no answer within 900 ms." || len(resp.Fault.Frames) == 0 {
			t.Errorf("a late one is answered %+v, %v", resp, err)
		}
	}
	deploy(t, s, key("b"), waits, trace.Limits{CPU: 200 * time.Millisecond, Wall: 25 * time.Second})
	var wg sync.WaitGroup
	wg.Go(func() {
		resp, err := s.Invoke(t.Context(), Run{Key: key("b"), Method: "GET", URL: "https://a.example/wait", Length: -1})
		if err != nil || resp.Fault == nil || resp.Fault.Kind != trace.FaultCPU || !strings.HasPrefix(resp.Fault.Hint, "Another request in the same isolate") {
			t.Errorf("one beside it is answered %+v, %v", resp, err)
		}
	})
	await(t, s, 1)
	time.Sleep(200 * time.Millisecond) // it waits by now
	resp, err := s.Invoke(t.Context(), Run{Key: key("b"), Method: "GET", URL: "https://a.example/spin", Length: -1})
	if err != nil || resp.Fault == nil || resp.Fault.Kind != trace.FaultCPU || !strings.HasPrefix(resp.Fault.Hint, "Look for a loop") {
		t.Errorf("one that spins is answered %+v, %v", resp, err)
	}
	wg.Wait()
}

// The time limit says what was not over in time: nobody reads that there was no
// answer who has one.
func TestTimeLimitSaysWhatWasLate(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), worker(`export default {
		async fetch(request, env, ctx) {
			if (request.url.endsWith("/later")) { ctx.waitUntil(scheduler.wait(60_000)); return new Response("x"); }
			return new Response(new ReadableStream({ async pull(c) { c.enqueue(new Uint8Array(1)); await scheduler.wait(100); } }));
		},
		async scheduled() { await scheduler.wait(60_000); },
	};`), trace.Limits{Wall: 300 * time.Millisecond})
	for path, want := range map[string]string{
		"/later":  "Time limit: the answer was given, but what ctx.waitUntil() waits for had not ended after 300 ms.",
		"/stream": "Time limit: the answer's body had not ended after 300 ms.",
	} {
		if a := get(t, s, key("a"), path); a.status != 200 || a.sum.Outcome != "wall" || a.sum.Fault == nil || a.sum.Fault.Message != want {
			t.Errorf("%s: %d %+v", path, a.status, a.sum.Fault)
		}
	}
	resp, err := s.Invoke(t.Context(), Run{Key: key("a"), Type: "scheduled", Payload: []byte(`{"cron":"* * * * *","scheduledTime":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := resp.Summary(t.Context()); err != nil || sum.Fault == nil || sum.Fault.Message != "Time limit: the scheduled handler had not ended after 300 ms." {
		t.Errorf("an event: %+v %v", sum, err)
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
