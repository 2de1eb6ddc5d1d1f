package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

// mall is a project of several Workers. Each says its name and how often it was
// asked; some misbehave when told to.
func mall(t *testing.T, s *Sandbox) Key {
	t.Helper()
	k := key("mall")
	files := map[string]string{}
	for name, config := range map[string]string{
		"site":   `"routes": ["mall.example/*", "*.mall.example/shop*"]`,
		"api":    `"routes": ["mall.example/api/*", "api.mall.example/*"], "services": [{"binding": "AUTH", "service": "auth"}, {"binding": "NEXT", "service": "api"}]`,
		"admin":  `"routes": ["mall.example/api/admin"]`,
		"any":    `"routes": ["*.mall.example/*"]`,
		"secure": `"routes": ["https://mall.example/pay*", {"pattern": "door.example", "custom_domain": true}]`,
		"auth":   `"services": [{"binding": "BACK", "service": "api"}]`,
		"bad":    `"routes": ["mall.example/bad*"]`,
	} {
		files[name+"/wrangler.jsonc"] = fmt.Sprintf(`{"name": %q, "main": "worker.js", "compatibility_date": "2026-11-01", %s}`, name, config)
		files[name+"/worker.js"] = fmt.Sprintf(`
let asked = 0;
export default { async fetch(request, env) {
	globalThis.mark = (globalThis.mark ?? "") + %q[0];
	const { pathname } = new URL(request.url);
	if (pathname.endsWith("/throw")) throw new Error("on purpose");
	if (pathname.endsWith("/spin")) for (;;);
	if (pathname.endsWith("/hoard")) { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)); }
	if (pathname.endsWith("/auth")) return env.AUTH.fetch(new Request("https://auth.internal/check", request));
	if (pathname.endsWith("/down")) {
		const n = Number(request.headers.get("x-depth") ?? 0);
		try {
			return await env.NEXT.fetch(request.url, { headers: { "x-depth": String(n + 1) } });
		} catch (e) {
			return new Response("stopped at " + n + ": " + e.message);
		}
	}
	return new Response(%q + " " + ++asked + " " + new Set(globalThis.mark).size);
} };
`, name, name)
	}
	deploy(t, s, k, files)
	return k
}

// TestRouteTable sends URLs through the table of a project of several Workers.
func TestRouteTable(t *testing.T) {
	s := open(t)
	k := mall(t, s)
	for url, want := range map[string]string{
		"https://mall.example/":               "site",
		"https://mall.example/anything?x=1":   "site",
		"https://mall.example/api/items":      "api",
		"https://mall.example/api/":           "api",
		"https://mall.example/api":            "site",  // the star needs the slash before it
		"https://mall.example/api/admin":      "admin", // an exact path beats a star
		"https://mall.example/api/admin?x=1":  "api",   // the query is part of what an exact path compares
		"https://mall.example/API/items":      "site",  // paths know upper and lower case
		"https://MALL.example/api/items":      "api",   // hosts do not
		"https://www.mall.example/":           "any",
		"https://www.mall.example/shop/7":     "site",
		"https://api.mall.example/shop":       "api", // a literal host beats a star
		"https://mall.example/pay/now":        "secure",
		"http://mall.example/pay/now":         "site", // another scheme
		"https://door.example/whatever":       "secure",
		"https://mall.example:8443/api/items": "api",
		"https://elsewhere.example/api/items": "admin", // no pattern matches: the first Worker
		"https://notmall.example/api/items":   "admin",
	} {
		a := get(t, s, k, "/", func(r *Run) { r.URL = url })
		if got, _, _ := strings.Cut(a.body, " "); got != want {
			t.Errorf("%s: %q (%d %+v), want %q", url, got, a.status, a.sum.Fault, want)
		}
	}
}

// TestNegatedRoute: a pattern without a Worker keeps Workers away.
func TestNegatedRoute(t *testing.T) {
	s := open(t)
	k := key("negated")
	d, err := s.Build(t.Context(), k, trace.Project{Files: map[string][]byte{
		"worker.js":      []byte(hello),
		"wrangler.jsonc": []byte(`{"name": "w", "main": "worker.js", "compatibility_date": "2026-11-01", "routes": ["a.example/*", {"pattern": "a.example/static/*", "script": null}]}`),
	}})
	if err != nil || d.Fault != nil {
		t.Fatal(err, d.Fault)
	}
	if err := s.Deploy(t.Context(), k, d); err != nil {
		t.Fatal(err)
	}
	if a := get(t, s, k, "/", func(r *Run) { r.URL = "https://a.example/x" }); a.body != "hello /x" {
		t.Errorf("%d %q", a.status, a.body)
	}
	if a := get(t, s, k, "/", func(r *Run) { r.URL = "https://a.example/static/x" }); a.status == 200 {
		t.Errorf("a negated path reaches the Worker: %d %q", a.status, a.body)
	}
}

// TestWorkersOfOneProject: isolates of their own, bindings between them, a
// bounded depth, and one that breaks leaves the others as they are.
func TestWorkersOfOneProject(t *testing.T) {
	s := open(t)
	k := mall(t, s)
	ask := func(path string) answer {
		return get(t, s, k, "/", func(r *Run) { r.URL = "https://mall.example" + path })
	}
	site, api, bad := ask("/"), ask("/api/x"), ask("/bad")
	if site.body != "site 1 1" || api.body != "api 1 1" || bad.body != "bad 1 1" {
		t.Errorf("%q %q %q", site.body, api.body, bad.body)
	}
	if site.sum.Isolate == api.sum.Isolate || api.sum.Isolate == bad.sum.Isolate || site.sum.Isolate == bad.sum.Isolate {
		t.Errorf("Workers share isolates: %s %s %s", site.sum.Isolate, api.sum.Isolate, bad.sum.Isolate)
	}
	if a := ask("/api/auth"); a.body != "auth 1 1" {
		t.Errorf("through a service binding: %d %q %+v", a.status, a.body, a.sum.Fault)
	}
	want := fmt.Sprintf("stopped at %d: Too many Workers call one another: %d deep is the limit.", trace.Default().Depth, trace.Default().Depth)
	if a := ask("/api/down"); !strings.HasPrefix(a.body, want) {
		t.Errorf("depth: %d %q %+v, want %q", a.status, a.body, a.sum.Fault, want)
	}
	n := 1
	for _, how := range []struct {
		path string
		kind trace.FaultKind
	}{{"throw", trace.FaultException}, {"spin", trace.FaultCPU}, {"hoard", trace.FaultMemory}} {
		if a := ask("/bad/" + how.path); a.status != 500 || a.sum.Fault == nil || a.sum.Fault.Kind != how.kind {
			t.Errorf("%s: %d %+v", how.path, a.status, a.sum.Fault)
		}
		n++
		if a := ask("/"); a.body != fmt.Sprintf("site %d 1", n) || a.sum.Isolate != site.sum.Isolate {
			t.Errorf("after %s the other Worker answers %q from %s, not from %s", how.path, a.body, a.sum.Isolate, site.sum.Isolate)
		}
		if a := ask("/bad"); a.status != 200 {
			t.Errorf("after %s the Worker does not come back: %d %+v", how.path, a.status, a.sum.Fault)
		}
	}
}
