package platform

import (
	"strings"
	"testing"
)

// table writes "pattern worker" lines; "-" is no Worker.
func table(lines string) *RouteTable {
	var entries []RouteEntry
	for line := range strings.Lines(lines) {
		pattern, worker, _ := strings.Cut(strings.TrimSpace(line), " ")
		if pattern == "" {
			continue
		}
		if worker == "-" {
			pattern, worker = "!"+pattern, ""
		}
		entries = append(entries, RouteEntry{Pattern: pattern, Worker: worker})
	}
	return NewRouteTable(entries)
}

func TestMatch(t *testing.T) {
	const routes = `
		example.com/* site
		example.com/api/* api
		example.com/api/health health
		example.com/static/* -
		*.example.com/* sub
		*.example.com/a suba
		img.example.com/* img
		http://plain.example.com/* plain
		custom:shop.example.org shop
		shop.example.org/cart/* cart
		example.com/*.jpg bad
		*any.test/* any`
	for _, test := range []struct{ url, worker, why string }{
		{"https://example.com/", "site", "wins"},
		{"https://EXAMPLE.com/About", "site", "wins"},
		{"https://example.com", "site", "wins"},
		{"https://example.com?x=1", "site", "wins"},
		{"https://example.com/api/users?x=1", "api", "wins"},
		{"https://example.com/api/health", "health", "wins"},
		{"https://example.com/api/health?x=1", "api", "the query ?x=1 is part of the match; end the pattern with * to allow one"},
		{"https://example.com/API/users", "site", "upper and lower case differ in the path"},
		{"https://example.com/api", "site", "the path does not begin with /api/"},
		{"https://example.com/static/a.css", "", "wins"},
		{"https://a.example.com/a", "suba", "wins"},
		{"https://img.example.com/a", "img", "matches, but img.example.com/* names the whole host"},
		{"https://example.com:443/x", "site", "wins"},
		{"http://plain.example.com/x", "plain", "wins"},
		{"https://plain.example.com/x", "sub", "the scheme is https"},
		{"https://shop.example.org/x", "shop", "wins"},
		{"https://shop.example.org/cart/1", "cart", "matches, but shop.example.org/cart/* is a route, which beats a custom domain"},
		{"https://example.com/x.jpg", "site", `the pattern has a "*" inside the path; it may only be its last character`},
		{"https://many.test/", "any", "wins"},
		{"https://y.test/", "", "the host does not end in any.test"},
		{"https://xany.test/", "any", "wins"},
		{"https://other.org/", "", "the host is other.org"},
		{"not a url", "", "the address is not a URL"},
	} {
		m := table(routes).Match(test.url)
		if m.Worker != test.worker {
			t.Errorf("%s goes to %q, want %q: %s", test.url, m.Worker, test.worker, m.Why)
		}
		found := false
		for _, trial := range m.Tried {
			found = found || trial.Why == test.why
		}
		if !found {
			t.Errorf("%s: no entry says %q: %+v", test.url, test.why, m.Tried)
		}
	}
}

func TestMatchDocumented(t *testing.T) {
	routes := table("example.com/images/* a\nexample.com/images* b")
	if m := routes.Match("https://example.com/images/1"); m.Worker != "a" {
		t.Errorf("by specificity %s wins", m.Pattern)
	}
	routes.Documented = true
	if m := routes.Match("https://example.com/images/1"); m.Worker != "b" {
		t.Errorf("as documented %s wins", m.Pattern)
	}
}

func TestMatchNothing(t *testing.T) {
	m := NewRouteTable(nil).Match("https://example.com/")
	if m.Winner != -1 || m.Worker != "" || m.Why != "No route matches; without a Worker the request goes to the origin server." {
		t.Errorf("got %+v", m)
	}
}

// FuzzMatch checks what holds of any two patterns and a URL: the winner matches,
// order in the table decides only ties, and reasons are there.
func FuzzMatch(f *testing.F) {
	f.Add("example.com/*", "*.example.com/a", "https://a.example.com/a")
	f.Add("custom:x.y", "!http://x.y/z*", "http://x.y/z?q#f")
	f.Fuzz(func(t *testing.T, a, b, url string) {
		one := NewRouteTable([]RouteEntry{{a, "a"}, {b, "b"}}).Match(url)
		two := NewRouteTable([]RouteEntry{{b, "b"}, {a, "a"}}).Match(url)
		if len(one.Tried) != 2 || one.Tried[0].Why == "" || one.Tried[1].Why == "" || one.Why == "" {
			t.Fatalf("reasons are missing: %+v", one)
		}
		if (one.Winner < 0) != (two.Winner < 0) {
			t.Fatalf("order decides whether there is a winner: %+v %+v", one, two)
		}
		if one.Winner >= 0 && !one.Tried[one.Winner].Matches {
			t.Fatalf("the winner does not match: %+v", one)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	routes := table(strings.Repeat("example.com/api/* api\n*.example.com/* sub\n", 10))
	for b.Loop() {
		routes.Match("https://example.com/api/users?x=1")
	}
}
