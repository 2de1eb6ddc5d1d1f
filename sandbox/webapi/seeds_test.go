package webapi_test

import (
	"io"
	"testing"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// deployMain builds and deploys a project of one Worker, which is called main.
func deployMain(t *testing.T, d sandbox.Door, key sandbox.Key, p trace.Project) {
	t.Helper()
	dep, err := d.Build(t.Context(), key, p)
	if err != nil || dep.Fault != nil {
		t.Fatal(err, dep.Fault)
	}
	dep.Workers[0].Name = "main"
	if err := d.Deploy(t.Context(), key, dep); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Evict(t.Context(), key, "") })
}

// serve builds and deploys a project and answers GET requests with status and body.
func serve(t *testing.T, files map[string]string) func(path string) (int, string, *trace.Summary) {
	t.Helper()
	d := newDoor(t)
	key := sandbox.Key{Learner: t.Name()}
	p := trace.Project{Files: map[string][]byte{}, Limits: trace.Limits{CPU: time.Second, Wall: 2 * time.Minute}} // a busy machine takes long to use up a second of CPU time
	for name, text := range files {
		p.Files[name] = []byte(text)
	}
	deployMain(t, d, key, p)
	return func(path string) (int, string, *trace.Summary) {
		t.Helper()
		r, err := d.Invoke(t.Context(), sandbox.Run{Key: key, Worker: "main", Type: "fetch", Method: "GET", URL: "http://example.com" + path, Headers: [][2]string{{"Host", "example.com"}}})
		if err != nil {
			t.Fatal(err)
		}
		var body []byte
		if r.Body != nil {
			if body, err = io.ReadAll(r.Body); err != nil {
				t.Fatal(err)
			}
		}
		sum, err := r.Summary(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r.Head.Status, string(body), sum
	}
}

// TestThreePages is the three-page Worker of the course, word for word.
func TestThreePages(t *testing.T) {
	get := serve(t, map[string]string{"worker.js": `export default {
  async fetch(request) {
    const url = new URL(request.url);

    if (url.pathname === "/") {
      return new Response("Welcome to Home!");
    }
    if (url.pathname === "/about") {
      return new Response("This is About Page");
    }
    if (url.pathname === "/contact") {
      return new Response("Contact us at hello@example.com");
    }

    return new Response("Not Found", { status: 404 });
  }
};
`})
	for path, want := range map[string]string{"/": "Welcome to Home!", "/about": "This is About Page", "/contact": "Contact us at hello@example.com", "/About": "Not Found", "/about/": "Not Found"} {
		status, body, _ := get(path)
		if body != want || (status == 404) != (want == "Not Found") {
			t.Errorf("%s: %d %q, want %q", path, status, body, want)
		}
	}
}

// TestHostile patches what platform code would use if it were careless.
func TestHostile(t *testing.T) {
	get := serve(t, map[string]string{"worker.js": `
for (const o of [Array.prototype, String.prototype, Map.prototype, Set.prototype, Promise.prototype, RegExp.prototype, Function.prototype, Object.prototype]) {
  for (const k of ["push", "slice", "splice", "join", "indexOf", "toLowerCase", "split", "trim", "get", "set", "has", "exec", "test", "then", "call", "apply", "bind", "hasOwnProperty"]) {
    if (Object.hasOwn(o, k)) Object.defineProperty(o, k, { value() { throw new Error("patched " + k); }, configurable: true, writable: true });
  }
}
JSON.stringify = JSON.parse = Object.keys = Object.defineProperty = Reflect.apply = Array.isArray = () => { throw new Error("patched"); };
export default {
  async fetch(request) {
    const h = request.headers.get("host");
    const r = new Response("host " + h + " " + new URL(request.url).pathname, { headers: { "X-A": "1" } });
    console.log("still", { here: [1] });
    await scheduler.wait(1);
    return r;
  },
};
`})
	if status, body, sum := get("/p"); status != 200 || body != "host example.com /p" || sum.Logs != 1 {
		t.Errorf("%d %q, %d logs: %+v", status, body, sum.Logs, sum.Fault)
	}
}

// TestFaults are mistakes and limits: each ends the request at once with its own kind.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		code string
		kind trace.FaultKind
		line int
	}{
		"throws":       {"export default {\n  fetch() {\n    throw new RangeError(\"x\");\n  },\n};", trace.FaultException, 3},
		"rejects":      {"export default {\n  async fetch() {\n    await null;\n    null.x;\n  },\n};", trace.FaultException, 4},
		"undefined":    {"export default { fetch() {} };", trace.FaultHandler, 0},
		"hangs":        {"export default { fetch() { return new Promise(() => {}); } };", trace.FaultHung, 1},
		"hangs deep":   {"const never = () =>\n  new Promise(() => {}); // new Promise()\nexport default { async fetch() { await never(); } };", trace.FaultHung, 2},
		"hangs twice":  {"const a = new Promise(() => {}), b = new Promise(() => {});\nexport default { async fetch() { await a; } };", trace.FaultHung, 0},
		"spins":        {"export default {\n  fetch() {\n    for (;;) ;\n  },\n};", trace.FaultCPU, 3},
		"spins async":  {"export default {\n  async fetch() {\n    await null;\n    for (;;) ;\n  },\n};", trace.FaultCPU, 4},
		"spins inside": {"function f() {\n  for (let i = 0; ; i++) i = Math.abs(i);\n}\nexport default {\n  async fetch() {\n    f();\n  },\n};", trace.FaultCPU, 2},
		"spins first":  {"for (const x of [1]) x;\nexport default {\n  a() {\n    for (;;) {}\n  },\n  fetch(request) {\n    const u = new URL(request.url);\n    // for nothing\n    if (u.x) {\n    }\n    while (true) {}\n  },\n};", trace.FaultCPU, 11},
		"spins later":  {"export default {\n  async fetch() {\n    await scheduler.wait(1);\n    for (;;) ;\n  },\n};", trace.FaultCPU, 4},
		"grows":        {"const a = [];\nexport default { fetch() { for (;;) a.push(new Uint8Array(1 << 20)); } };", trace.FaultMemory, 2},
		"grows async":  {"const a = [];\nexport default {\n  async fetch() {\n    for (;;) a.push(new Uint8Array(1 << 20));\n  },\n};", trace.FaultMemory, 4},
		"grows later":  {"const a = [];\nexport default {\n  async fetch() {\n    await scheduler.wait(1);\n    for (;;) a.push(new Uint8Array(1 << 20));\n  },\n};", trace.FaultMemory, 5},
		"grows deep":   {"const a = [];\nasync function f() {\n  await null;\n  for (;;) a.push(new Uint8Array(1 << 20));\n}\nexport default { async fetch() { await f(); } };", trace.FaultMemory, 4},
		"grows slowly": {"const a = [];\nexport default {\n  async fetch() {\n    await null;\n    for (;;) a.push({});\n  },\n};", trace.FaultMemory, 5},
		"grows text":   {"let a = 'x';\nexport default {\n  async fetch() {\n    for (;;) a = [a + a].join('y');\n  },\n};", trace.FaultMemory, 4},
		"top throws":   {"throw new Error(\"top\");\nexport default { fetch() {} };", trace.FaultStartup, 1},
		"top spins":    {"\nfor (;;) ;\nexport default { fetch() {} };", trace.FaultCPU, 2},
		"top waits":    {"await new Promise(() => {});\nexport default { fetch() {} };", trace.FaultStartup, 0},
	} {
		t.Run(name, func(t *testing.T) {
			get := serve(t, map[string]string{"worker.js": c.code})
			status, _, sum := get("/")
			if status != 500 || sum.Fault == nil || sum.Fault.Kind != c.kind {
				t.Fatalf("status %d, fault %+v, want %s", status, sum.Fault, c.kind)
			}
			if c.line > 0 && (len(sum.Fault.Frames) == 0 || sum.Fault.Frames[0].File != "worker.js" || sum.Fault.Frames[0].Line != c.line) {
				t.Errorf("frames %+v, want line %d", sum.Fault.Frames, c.line)
			}
		})
	}
}

// What a node module lacks says so when it is called.
func TestNodeUnavailable(t *testing.T) {
	get := serve(t, map[string]string{"worker.js": `import net from "node:net";
export default { fetch() { try { return new Response(String(net.createServer())); } catch (e) { return new Response(e.message); } } };`})
	if status, body, sum := get("/"); body != "net.createServer is not available here." {
		t.Errorf("%d %q %+v", status, body, sum.Fault)
	}
}
