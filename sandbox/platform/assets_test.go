package platform

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// The answers in testdata/assets.txt are those of miniflare 4.20260426.0 for
// these files, with a Worker behind them; a line that begins with # names
// html_handling and not_found_handling.
var assetFiles = map[string]string{
	"/index.html": "root", "/404.html": "lost", "/about.html": "about", "/blog/index.html": "blog", "/both.html": "both page", "/both/index.html": "both folder",
	"/docs/index.html": "docs", "/docs/404.html": "docs lost", "/file": "plain", "/a b.txt": "spaced", "/café.txt": "accent", "/style.css": "css", "/app.js": "js",
	"/data.json": "{}", "/index/index.html": "odd", "/pic.svg": "<svg/>", "/x.unknown": "?", "/.well-known/security.txt": "sec", "/foo.html/index.html": "weird",
}

func assetsWith(t *testing.T, main string, o trace.AssetOptions) *Assets {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &trace.Worker{Main: main, Date: "2026-11-01", Assets: map[string][]byte{}, Bindings: []trace.Binding{{Type: "assets", Value: string(text)}}}
	for name, data := range assetFiles {
		w.Assets[name] = []byte(data)
	}
	return AssetsOf(w)
}

// say is an answer in the form of testdata/assets.txt.
func (a *Assets) say(r *webapi.Request) string {
	if !a.Serve(r) && r.Method == "HEAD" {
		return `200 ""`
	} else if !a.Serve(r) {
		return "200 worker"
	}
	resp := a.Fetch(r)
	for _, h := range resp.Head.Headers {
		if h[0] == "Location" {
			return fmt.Sprint(resp.Head.Status, " ", h[1])
		}
	}
	body := ""
	if m, ok := resp.Body.(webapi.Memory); ok {
		body = m.String()
	}
	return fmt.Sprintf("%d %q", resp.Head.Status, body)
}

func TestAssetsAsRecorded(t *testing.T) {
	data, err := os.ReadFile("testdata/assets.txt")
	if err != nil {
		t.Fatal(err)
	}
	var a *Assets
	n, mode := 0, ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if words := strings.Fields(line); words[0] == "#" {
			mode = line
			var o trace.AssetOptions
			if words[1] != "-" {
				o.HTML = words[1]
			}
			if words[2] != "-" {
				o.NotFound = words[2]
			}
			a = assetsWith(t, "w.js", o)
			continue
		}
		ask, want, _ := strings.Cut(line, " => ")
		words := strings.Fields(ask)
		r := &webapi.Request{Method: words[0], URL: "http://example.com" + words[1]}
		if len(words) > 2 {
			r.Headers = append(r.Headers, [2]string{"Sec-Fetch-Mode", words[2]})
		}
		if got := a.say(r); got != want {
			t.Errorf("%s: %s: %s, recorded %s", mode, ask, got, want)
		}
		n++
	}
	if n < 500 {
		t.Errorf("only %d answers are recorded", n)
	}
}

func TestAssetsRunWorkerFirst(t *testing.T) {
	for _, c := range []struct{ first, paths string }{
		{"/api/* !/api/docs/*", "/:f /api/x:w /api:f /api/docs/a:f /about:f /none:f"},
		{"/* !/docs/*", "/:w /about:w /docs/x:f /none.css:w"},
		{"/*.css /file", "/:f /file:w /none.css:w /style.css:w /none:f"},
		{"", "/:f /about:f /none:w"},
	} {
		a := assetsWith(t, "w.js", trace.AssetOptions{NotFound: "single-page-application", First: strings.Fields(c.first)})
		for _, p := range strings.Fields(c.paths) {
			p, want, _ := strings.Cut(p, ":")
			if got := a.Serve(&webapi.Request{Method: "GET", URL: "http://example.com" + p}); got != (want == "f") {
				t.Errorf("%q: files answer %s: %v", c.first, p, got)
			}
		}
	}
}

func TestAssetRules(t *testing.T) {
	a := assetsWith(t, "", trace.AssetOptions{
		Redirects: []trace.AssetRedirect{
			{From: "/old", To: "/about", Status: 301},
			{From: "/query", To: "/about?x=1#top", Status: 308},
			{From: "/blog/old/*", To: "/blog/:splat", Status: 301},
			{From: "/user/:id", To: "/profile/:id", Status: 302},
			{From: "/ext/*", To: "https://other.example/:splat", Status: 301},
			{From: "/proxy/*", To: "/:splat", Status: 200},
			{From: "/three/:a/b/:c", To: "/:c/:a", Status: 303},
			{From: "/slash/*", To: "//evil.example/:splat", Status: 302},
		},
		Headers: []trace.AssetHeaders{
			{Path: "/*", Set: [][2]string{{"x-all", "yes"}}},
			{Path: "/style.css", Set: [][2]string{{"x-all", "more"}, {"cache-control", "max-age=9"}, {"content-length", "1"}}, Unset: []string{"ETag"}},
			{Path: "https://example.com/docs/:page", Set: [][2]string{{"x-page", ":page"}}},
			{Path: "https://other.example/*", Set: [][2]string{{"x-other", "1"}}},
		},
	})
	for path, want := range map[string]string{
		"/old": "301 /about", "/old?q=1": "301 /about?q=1", "/query?q=1": "308 /about?x=1#top", "/blog/old/a/b": "301 /blog/a/b", "/blog/old": `404 ""`,
		"/user/5": "302 /profile/5", "/user/5/x": `404 ""`, "/user/": `404 ""`, "/ext/a?q=1": "301 https://other.example/a?q=1",
		"/proxy/app.js": `200 "js"`, "/proxy/nope": `404 ""`, "/three/1/b/2": "303 /2/1", "/slash/x": "302 /evil.example/x",
	} {
		if got := a.say(&webapi.Request{Method: "GET", URL: "http://example.com" + path}); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	headers := func(path string) string {
		var l []string
		for _, h := range a.Fetch(&webapi.Request{Method: "GET", URL: "http://example.com" + path}).Head.Headers {
			if l = append(l, strings.ToLower(h[0])+"="+h[1]); h[0] == "ETag" {
				l = l[:len(l)-1]
			}
		}
		slices.Sort(l)
		return strings.Join(l, " ")
	}
	for path, want := range map[string]string{
		"/style.css": "cache-control=max-age=9 cf-cache-status=HIT content-length=3 content-type=text/css; charset=utf-8 x-all=yes, more",
		"/docs/a":    "x-all=yes x-page=a",
		"/old":       "location=/about x-all=yes",
	} {
		if got := headers(path); got != want {
			t.Errorf("%s: headers %s, want %s", path, got, want)
		}
	}
}

// Patterns are the project's own, so what matching costs is bounded.
func TestAssetRulesAreBounded(t *testing.T) {
	long := strings.Repeat("a", 4000)
	b := budget(globSteps)
	if m := parseGlob("/"+strings.Repeat(":n-", 30)+"!", true).match("/"+strings.Repeat("a-", 2000), &b); m != nil || b > 0 {
		t.Errorf("matched %v with %d steps left", m, b)
	}
	if got := fill(strings.Repeat(":x", 4000), globMatch{{"x", long}}); len(got) > filled+len(long) {
		t.Errorf("filled to %d bytes", len(got))
	}
	rule := trace.AssetHeaders{Path: "/*"}
	for i := range 10_000 {
		rule.Set = append(rule.Set, [2]string{fmt.Sprint("x-", i%100), ":splat"})
	}
	total := 0
	for _, h := range assetsWith(t, "", trace.AssetOptions{Headers: []trace.AssetHeaders{rule}}).Fetch(&webapi.Request{Method: "GET", URL: "http://example.com/" + long}).Head.Headers {
		total += len(h[0]) + len(h[1])
	}
	if total < filled/2 || total > filled+1000 {
		t.Errorf("%d bytes of headers", total)
	}
}
