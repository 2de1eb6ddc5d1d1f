package check

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"coldstart/lessons"
	"coldstart/sandbox/trace"

	"github.com/google/go-cmp/cmp"
)

// greeter is a Worker that greets by name, counts visits and logs paths.
func greeter(w *fakeRun) {
	n, _ := w.State["n"].(int)
	w.State["n"] = n + 1
	w.Logs = append(w.Logs, "path "+w.Path)
	switch {
	case w.Type == "scheduled" || w.Type == "queue":
		w.Logs = append(w.Logs, w.Type+" "+string(w.Payload))
	case w.Path == "/hello":
		var in struct{ Name string }
		_ = json.Unmarshal([]byte(w.Body), &in)
		w.Out = "Hello, " + in.Name
	case w.Path == "/count":
		w.Out = string(rune('0' + n + 1))
	case w.Path == "/throw":
		w.Fault = &trace.Fault{Kind: trace.FaultException, Name: "TypeError", Message: "name is undefined", Frames: []trace.Frame{{File: "src/index.js", Line: 3, Column: 9}}}
	case w.Path == "/json":
		w.Headers = [][2]string{{"Content-Type", "application/json"}, {"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}}
		w.Out = `{"a":[1,{"b":null}]}`
	case w.Path == "/bytes":
		w.Out = "\x00\xff\x10"
	case strings.HasPrefix(w.URL, "https://shop.example/"):
		w.Out = w.Method + " " + w.URL
	case w.Files["__check_call.js"] != "":
		var in struct {
			Name string
			Args []float64
		}
		_ = json.Unmarshal([]byte(w.Body), &in)
		switch in.Name {
		case "double":
			b, _ := json.Marshal(map[string]any{"value": in.Args[0] * 2})
			w.Out = string(b)
		default:
			w.Out = `{"missing":"undefined"}`
		}
	}
}

func lesson(checks string) *lessons.Lesson {
	l := &lessons.Lesson{ID: "l", Slug: "l", Starter: map[string][]byte{"src/index.js": []byte("starter")}, Checks: checks, Track: &lessons.Track{}}
	l.Tasks = []*lessons.Task{{N: 1, Points: 10}, {N: 2, Points: 5}}
	return l
}

func run(t *testing.T, checks string, cfg Config) (Result, []Event, error) {
	t.Helper()
	if cfg.Door == nil {
		cfg.Door = &fakeDoor{worker: greeter}
	}
	var events []Event
	r, err := Run(context.Background(), cfg, lesson(checks), map[string][]byte{"src/index.js": []byte("own"), "src/fit.js": []byte("export …")}, func(e Event) { events = append(events, e) })
	return r, events, err
}

// TestHelpers runs one check per helper; every one must pass.
func TestHelpers(t *testing.T) {
	checks := map[string]string{
		"json body":      `const r = await send("POST /hello", { json: { name: "Ada" } }); expect(await r.text(), "s").toBe("Hello, Ada");`,
		"status, ok":     `const r = await send("/hello"); expect(r.status).toBe(200); expect(r.ok).toBe(true);`,
		"headers":        `const r = await send("/json"); expect(r.headers.get("content-type")).toBe("application/json"); expect(r.headers.getSetCookie()).toEqual(["a=1", "b=2"]); expect(r.headers.has("x")).toBe(false); expect(r.headers.get("set-cookie")).toBe("a=1, b=2");`,
		"json":           `const r = await send("/json"); expect(await r.json()).toEqual({ a: [1, { b: null }] });`,
		"bytes":          `const r = await send("/bytes"); expect(Array.from(await r.bytes())).toEqual([0, 255, 16]);`,
		"send bytes":     `const r = await send("POST /hello", { body: new Uint8Array([123, 34, 110, 97, 109, 101, 34, 58, 34, 66, 34, 125]) }); expect(await r.text()).toBe("Hello, B");`,
		"logs":           `const r = await send("/x"); expect(r.logs.map((l) => l.text)).toEqual(["path /x"]);`,
		"warm":           `const a = await send("/"); const b = await send("/"); expect(a.trace.temperature).toBe("cold"); expect(b.trace.temperature).toBe("warm"); expect(a.trace.phases.start).toBeGreaterThan(0); expect(b.trace.phases.start).toBe(0); expect(b.trace.isolate).toBe(a.trace.isolate);`,
		"evict":          `await send("/count"); await evict(); expect((await send("/count")).body).toBe("1");`,
		"cold":           `await send("/count"); expect((await send("/count", { cold: true })).trace.temperature).toBe("cold");`,
		"curl":           `const r = await curl("shop.example", "/a?b=1", { method: "PUT" }); expect(r.body).toBe("PUT https://shop.example/a?b=1"); const none = await curl("other.example", "/"); expect(none.status).toBe(404); expect(none.trace.worker).toBe("");`,
		"tick":           `const r = await tick("*/5 * * * *", { time: 60000 }); expect(r.logs[1].text).toBe('scheduled {"cron":"*/5 * * * *","scheduledTime":60000}'); expect(r.outcome).toBe("ok");`,
		"enqueue":        `const r = await enqueue("jobs", [{ at: 1 }], { id: "m", attempts: 2 }); const p = JSON.parse(r.logs[1].text.slice(6)); expect(p.queue).toBe("jobs"); expect(p.messages[0]).toMatchObject({ id: "m", attempts: 2, body: { at: 1 } });`,
		"upload":         `const r = await upload("photos", "cat.jpg", "meow"); const p = JSON.parse(r.logs[1].text.slice(6)); expect(p.messages[0].body.object).toMatchObject({ key: "cat.jpg", size: 4 });`,
		"call":           `expect(await call("src/fit.js", "double", [21])).toBe(42);`,
		"kill":           `await kill("main"); const r = await send("/hello"); expect(r.status).toBe(500); expect(r.fault.message).toBe("This Worker was stopped by the check.");`,
		"measure":        `const m = await measure(5, "/", { cold: true, against: "starter" }); expect(m.n).toBe(5); expect(m.p50).toBeCloseTo(0.15, 4); expect(m.starter.n).toBe(5); expect(m.phases.start).toBeCloseTo(0.1, 4); expect(m.memory).toBe(262144);`,
		"box isolate":    `const b = await box("isolate"); expect(b.available).toBe(true); expect(b.dots).toHaveLength(3); expect(b.each_mb).toBeCloseTo(0.25, 4); expect(b.fixed_mb).toBeCloseTo(12, 4);`,
		"box elsewhere":  `const b = await box("process"); expect(b.available).toBe(false); expect(b.why).toMatch("not set up");`,
		"pool":           `const p = await pool({ min: 1, max: 4, target: 0.6, health: { every_s: 5, unhealthy_after: 2 } }, { rate: [[0, 50]], seconds: 60 }); expect(p.errors).toBe(0); expect(p.requests).toBe(3000); expect(p.timeline).toHaveLength(60); expect(p.server_hours).toBeCloseTo(1 / 60, 6);`,
		"lab":            `expect((await lab("race")).available).toBe(false);`,
		"answers, files": `expect(answers["quiz-1"]).toEqual(["2"]); expect(files["src/index.js"]).toBe("own");`,
		"export":         `const zip = await exportZip(); expect(zip.files["src/index.js"]).toBe("own"); expect(JSON.parse(zip.files["package.json"]).scripts.dev).toBe("wrangler dev");`,
		"nonce":          `expect(nonce).toMatch(/^[0-9a-f]{12}$/);`,
		"matchers": `expect([1, { a: 2 }]).toContain({ a: 2 }); expect("abc").toContain("b"); expect("abc").toMatch(/^a.c$/); expect(3).toBeLessThanOrEqual(3); expect(3).toBeGreaterThanOrEqual(3);
			expect(0.1 + 0.2).toBeCloseTo(0.3); expect(110).toBeWithin(100, 0.1); expect(2).toBeOneOf([1, 2]); expect(null).toBeNull(); expect(undefined).toBeUndefined(); expect(0).toBeDefined(); expect(0).toBeFalsy(); expect("x").toBeTruthy();
			expect(NaN).toBe(NaN); expect({ a: undefined, b: 1 }).toEqual({ b: 1 }); expect(1).not.toBe(2); expect([1]).not.toContain(2);`,
		"wait": `await wait(1);`,
	}
	for name, body := range checks {
		t.Run(name, func(t *testing.T) {
			r, _, err := run(t, `test("1: x", async ({ send, curl, measure, evict, tick, enqueue, upload, call, kill, box, pool, lab, exportZip, wait, files, answers, nonce, expect }) => { `+body+` });`,
				Config{Answers: map[string][]string{"quiz-1": {"2"}}})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Done() {
				t.Fatalf("%+v", r.Tests[0].Failure)
			}
		})
	}
}

// TestFailures shows what a learner reads when a check fails.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       Failure
	}{
		{
			"wrong answer", `const r = await send("POST /hello", { json: { name: "Bob" } }); expect(await r.text(), "Use the name from the body").toBe("Hello, Ada");`,
			Failure{Message: "Use the name from the body", Expected: `"Hello, Ada"`, Got: `"Hello, Bob"`, Request: "POST /hello\ncontent-type: application/json\n\n{\"name\":\"Bob\"}", Logs: []trace.Log{{Level: "log", Text: "path /hello"}}},
		},
		{
			"exception", `const r = await send("/throw"); expect(r.status, "It should answer").toBe(200);`,
			Failure{
				Message: "It should answer", Expected: "200", Got: "500 (TypeError: name is undefined)", Request: "GET /throw", Logs: []trace.Log{{Level: "log", Text: "path /throw"}},
				Frame: &trace.Frame{File: "src/index.js", Line: 3, Column: 9},
				Fault: &trace.Fault{Kind: trace.FaultException, Name: "TypeError", Message: "name is undefined", Frames: []trace.Frame{{File: "src/index.js", Line: 3, Column: 9}}},
			},
		},
		{
			"not JSON", `const r = await send("/hello"); await r.json();`,
			Failure{Message: "The body should be JSON; Response.json(value) makes it so", Expected: "JSON", Got: `"Hello, "`, Request: "GET /hello", Logs: []trace.Log{{Level: "log", Text: "path /hello"}}},
		},
		{"own sentence", `throw new Error("answer.json is not JSON");`, Failure{Message: "answer.json is not JSON"}},
		{"fail", `fail("Too many", "3", 4);`, Failure{Message: "Too many", Expected: "3", Got: "4"}},
		{
			"missing export", `await call("src/fit.js", "tripple", [1]);`,
			Failure{Message: "src/fit.js should export a function tripple", Expected: "a function", Got: "undefined", Request: "src/fit.js: tripple(1)", Logs: []trace.Log{{Level: "log", Text: "path /"}}},
		},
		{"missing file", `await call("src/no.js", "x");`, Failure{Message: "The check needs the file src/no.js", Expected: "src/no.js", Got: "no such file"}},
		{"not", `expect(1, "s").not.toBe(1);`, Failure{Message: "s", Expected: "not 1", Got: "1"}},
		{"author: promise", `expect(Promise.resolve(1), "s").toBe(1);`, Failure{Message: "The check itself stopped: expect was given a promise; write await before it", Author: &trace.Frame{File: "checks.js", Line: 1, Column: 1}}},
		{"author: bad request", `await send("hello");`, Failure{Message: `The check itself stopped: send "hello": write a path, "/hello", or a method and a path, "POST /hello"`, Author: &trace.Frame{File: "checks.js", Line: 1, Column: 1}}},
		{"author: bug", `undefined.x;`, Failure{Message: "The check itself stopped: TypeError: Cannot read property 'x' of undefined", Author: &trace.Frame{File: "checks.js", Line: 1, Column: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, events, err := run(t, `test("1: x", async ({ send, call, fail, expect }) => { `+c.body+` });`, Config{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Passed != 0 || r.Total != 1 || r.Tests[0].State != Failed || r.Tasks[0].Passed {
				t.Fatalf("result %+v", r)
			}
			got := *r.Tests[0].Failure
			if got.Author != nil && c.want.Author != nil {
				got.Author.Column = 1 // engines differ in columns
				if got.Author.Line == 1 {
					c.want.Author = got.Author
				}
			}
			if c.want.Author == nil && got.Author != nil {
				t.Errorf("blames the author: %+v", got.Author)
			}
			if d := cmp.Diff(c.want, got); d != "" && got.Author != nil || c.want.Author == nil && d != "" {
				t.Error(d)
			}
			if len(events) != 2 || events[0].State != Running || events[1].State != Failed {
				t.Errorf("events %+v", events)
			}
		})
	}
}

func TestTasksAndPoints(t *testing.T) {
	r, events, err := run(t, `
		test("1: a", async ({ send, expect }) => expect((await send("/count")).body, "s").toBe("1"));
		test.hidden("1: fresh isolate again", async ({ send, expect }) => expect((await send("/count")).body, "s").toBe("1"));
		test("2: b", async ({ expect }) => expect(1, "s").toBe(2));
		test.guard("2: c", async ({ note }) => note("not on this host"));
	`, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Passed != 3 || r.Total != 4 || r.Points != 10 || r.Of != 15 || r.Done() {
		t.Errorf("passed %d of %d, %d of %d points", r.Passed, r.Total, r.Points, r.Of)
	}
	want := []TaskResult{{1, true, 10}, {2, false, 0}}
	if d := cmp.Diff(want, r.Tasks); d != "" {
		t.Error(d)
	}
	kinds := ""
	for _, x := range r.Tests {
		kinds += x.Kind + " "
	}
	if kinds != "test hidden test guard " {
		t.Errorf("kinds %q", kinds)
	}
	if len(events) != 8 || events[7].Notes[0] != "not on this host" {
		t.Errorf("events %+v", events)
	}
}

func TestOnly(t *testing.T) {
	r, _, err := run(t, `test("1: a", async () => {}); test("2: b", async () => {});`, Config{Only: []int{1}})
	if err != nil || r.Total != 1 || r.Tests[0].Name != "2: b" {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestBuildFaultFailsEveryTest(t *testing.T) {
	door := &fakeDoor{worker: greeter, build: func(trace.Project) *trace.Fault {
		return &trace.Fault{Kind: trace.FaultBuild, Message: `expected ")"`, Frames: []trace.Frame{{File: "src/index.js", Line: 4, Column: 2}}}
	}}
	l := lesson("")
	l.Declared = []lessons.Declaration{{Name: "1: a", Task: 1, Kind: "test"}}
	r, err := Run(context.Background(), Config{Door: door}, l, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := r.Tests[0].Failure
	if r.Fault == nil || f.Frame == nil || f.Frame.Line != 4 || !strings.Contains(f.Message, "does not build") {
		t.Errorf("%+v", f)
	}
}

func TestOurFaultIsNotTheLearners(t *testing.T) {
	door := &fakeDoor{worker: greeter, build: func(trace.Project) *trace.Fault {
		return &trace.Fault{Kind: trace.FaultPlatform, Message: "Busy.", Hint: "Run again."}
	}}
	l := lesson("")
	l.Declared = []lessons.Declaration{{Name: "1: a", Task: 1, Kind: "test"}}
	r, err := Run(context.Background(), Config{Door: door}, l, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Tests[0].Failure; f.Message != "Your code was not run, and not checked." || f.Got != "Busy. Run again." {
		t.Errorf("%+v", f)
	}
}

func TestBrokenScript(t *testing.T) {
	for name, c := range map[string]struct {
		src  string
		line int
		want string
	}{
		"syntax":   {"test(\"1: a\", async () => {\n  expect(;\n});", 2, "cannot stand here"},
		"topLevel": {"const a = 1;\nnothing.there;", 2, "nothing is not defined"},
		"hung":     {`test("1: a", () => new Promise(() => {}));`, 0, "never ended"},
		"test":     {`test("1: a");`, 0, "test needs a name and a function"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := run(t, c.src, Config{})
			var se *ScriptError
			if !errors.As(err, &se) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(se.Error(), c.want) {
				t.Errorf("got %q, want %q in it", se.Error(), c.want)
			}
			if c.line > 0 && (len(se.Fault.Frames) == 0 || se.Fault.Frames[0].Line != c.line) {
				t.Errorf("frames %+v, want line %d", se.Fault.Frames, c.line)
			}
		})
	}
}

func TestCleanupEvicts(t *testing.T) {
	door := &fakeDoor{worker: greeter}
	if _, _, err := run(t, `test("1: a", async ({ send }) => { await send("/"); });`, Config{Door: door}); err != nil {
		t.Fatal(err)
	}
	if len(door.isolates) != 0 {
		t.Errorf("%d isolates are left", len(door.isolates))
	}
}

func TestWallLimit(t *testing.T) {
	door := &fakeDoor{worker: greeter}
	_, _, err := run(t, `test("1: a", async ({ wait }) => { for (;;) await wait(50); });`, Config{Door: door, Wall: 100 * time.Millisecond})
	if err == nil {
		t.Fatal("an endless script must end with an error")
	}
}

func TestFit(t *testing.T) {
	fixed, each := Fit([]Dot{{1, 37}, {20, 170}, {60, 450}})
	if d := fixed - 30; d*d > 1e-12 {
		t.Errorf("fixed %v, want 30", fixed)
	}
	if d := each - 7; d*d > 1e-12 {
		t.Errorf("each %v, want 7", each)
	}
}
