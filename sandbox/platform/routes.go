package platform

import (
	"fmt"
	"net/url"
	"strings"

	"coldstart/sandbox/trace"
)

// RouteEntry is one line of a route table. Pattern has the grammar and marks of
// trace.ParseRoute; Worker is empty for a pattern that keeps Workers away.
type RouteEntry struct {
	Pattern string `json:"pattern"`
	Worker  string `json:"worker,omitempty"`
}

// RouteTable is a project's routes, parsed. The zero value matches nothing.
type RouteTable struct {
	// Documented makes the order follow two surprises that the vendor lists
	// as known issues instead of plain specificity: "/images*" beats "/images/*".
	// (That "a.example.com/*" beats "*.example.com/a" holds in both orders.)
	Documented bool

	entries []parsedRoute
}

type parsedRoute struct {
	RouteEntry
	trace.Route
	err string
}

// NewRouteTable parses entries. A pattern that cannot be parsed stays in the
// table, never matches and says why.
func NewRouteTable(entries []RouteEntry) *RouteTable {
	t := &RouteTable{}
	for _, e := range entries {
		r, err := trace.ParseRoute(e.Pattern)
		p := parsedRoute{RouteEntry: e, Route: r}
		if err != nil {
			p.err = err.Error()
		}
		t.entries = append(t.entries, p)
	}
	return t
}

// RoutesOf collects the routes of Workers in their order.
func RoutesOf(workers []trace.Worker) *RouteTable {
	var entries []RouteEntry
	for _, w := range workers {
		for _, pattern := range w.Routes {
			e := RouteEntry{Pattern: pattern, Worker: w.Name}
			if strings.HasPrefix(pattern, trace.RouteNone) {
				e.Worker = ""
			}
			entries = append(entries, e)
		}
	}
	return NewRouteTable(entries)
}

// Len is the number of entries.
func (t *RouteTable) Len() int { return len(t.entries) }

// RouteMatch is the outcome of a look-up. Winner is the index of the entry
// that decides, or -1; Worker is empty when none answers: nothing matched
// (the request would go on to the origin server) or a pattern keeps Workers away.
type RouteMatch struct {
	Winner  int          `json:"winner"`
	Worker  string       `json:"worker,omitempty"`
	Pattern string       `json:"pattern,omitempty"`
	Why     string       `json:"why"`   // one sentence
	Tried   []RouteTrial `json:"tried"` // every entry, in table order
}

// RouteTrial says how one entry fared.
type RouteTrial struct {
	RouteEntry
	Matches bool   `json:"matches"`
	Why     string `json:"why"` // why it does not match, or lost, or won
}

// Match finds the entry that decides about an absolute URL. Of those that match,
// a route beats a Custom Domain, a literal host a "*" one, the longer literal end of a host a
// shorter one, the longer path a shorter one, an exact path one that ends with "*",
// a pattern with scheme one without, and at last the earlier one. The vendor does not
// publish its order; this one is ours, by its documented "most specific".
func (t *RouteTable) Match(rawURL string) RouteMatch {
	m := RouteMatch{Winner: -1, Tried: make([]RouteTrial, 0, len(t.entries))}
	target, err := parseTarget(rawURL)
	for i, e := range t.entries {
		trial := RouteTrial{RouteEntry: e.RouteEntry}
		switch {
		case err != nil:
			trial.Why = "the address is not a URL"
		case e.err != "":
			trial.Why = "the pattern " + e.err
		default:
			trial.Why = e.misses(target)
			trial.Matches = trial.Why == ""
		}
		m.Tried = append(m.Tried, trial)
		if trial.Matches && (m.Winner < 0 || t.beats(e, t.entries[m.Winner]) != "") {
			m.Winner = i
		}
	}
	if m.Winner < 0 {
		m.Why = "No route matches; without a Worker the request goes to the origin server."
		if err != nil {
			m.Why = fmt.Sprintf("%q is not an absolute http or https URL.", rawURL)
		}
		return m
	}
	winner := t.entries[m.Winner]
	m.Worker, m.Pattern = winner.Worker, winner.Route.Pattern
	for i := range m.Tried {
		trial := &m.Tried[i]
		switch {
		case !trial.Matches:
		case i == m.Winner:
			trial.Why = "wins"
		default:
			trial.Why = "matches, but " + winner.Route.Pattern + " " + t.beats(winner, t.entries[i])
			if t.beats(winner, t.entries[i]) == "" {
				trial.Why = "matches, but " + winner.Route.Pattern + " comes first"
			}
		}
	}
	m.Why = fmt.Sprintf("%s is the most specific pattern that matches.", m.Pattern)
	if winner.None {
		m.Worker = ""
		m.Why = fmt.Sprintf("%s is the most specific pattern that matches, and it keeps Workers away.", m.Pattern)
	}
	return m
}

// target is a URL as patterns see it.
type target struct{ scheme, host, path string }

func parseTarget(raw string) (target, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return target{}, fmt.Errorf("not an absolute URL: %w", err)
	}
	// The path as it was sent: escapes are not decoded, and the query is part of it.
	_, rest, _ := strings.Cut(raw, "://")
	rest, _, _ = strings.Cut(rest, "#")
	p := "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		p = rest[i:]
		if p[0] == '?' {
			p = "/" + p
		}
	}
	return target{scheme: u.Scheme, host: strings.ToLower(strings.TrimSuffix(u.Host, defaultPort(u.Scheme))), path: p}, nil
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return ":443"
	}
	return ":80"
}

// misses says why a pattern does not match, "" when it does.
func (e parsedRoute) misses(t target) string {
	if e.Scheme != "" && e.Scheme != t.scheme {
		return "the scheme is " + t.scheme
	}
	host := t.host
	if e.Host != "" && !strings.Contains(e.Host, ":") {
		host, _, _ = strings.Cut(host, ":")
	}
	switch {
	case e.AnyHost && !strings.HasSuffix(host, e.Host):
		return "the host does not end in " + e.Host
	case e.AnyHost && strings.HasPrefix(e.Host, ".") && len(host) == len(e.Host):
		return "the host has nothing before " + e.Host
	case !e.AnyHost && host != e.Host:
		return "the host is " + host
	}
	if e.AnyPath {
		if strings.HasPrefix(t.path, e.Path) {
			return ""
		}
		if strings.HasPrefix(strings.ToLower(t.path), strings.ToLower(e.Path)) {
			return "upper and lower case differ in the path"
		}
		return "the path does not begin with " + e.Path
	}
	if t.path == e.Path {
		return ""
	}
	p, query, hasQuery := strings.Cut(t.path, "?")
	switch {
	case hasQuery && p == e.Path:
		return "the query ?" + query + " is part of the match; end the pattern with * to allow one"
	case strings.EqualFold(p, e.Path):
		return "upper and lower case differ in the path"
	}
	return "the path is not " + e.Path
}

// beats says why a wins over b, "" when it does not.
func (t *RouteTable) beats(a, b parsedRoute) string {
	for _, rule := range []struct {
		by   int
		text string
	}{
		{less(a.Custom, b.Custom), "is a route, which beats a custom domain"},
		{less(a.AnyHost, b.AnyHost), "names the whole host"},
		{len(a.Host) - len(b.Host), "names more of the host"},
		{t.surprise(a, b), "wins by a known issue of the platform: /images* beats /images/*"},
		{len(a.Path) - len(b.Path), "has the longer path"},
		{less(a.AnyPath, b.AnyPath), "names the whole path"},
		{len(a.Scheme) - len(b.Scheme), "names the scheme"},
	} {
		if rule.text == "names the scheme" && (a.Scheme == "") == (b.Scheme == "") {
			continue
		}
		if rule.by > 0 {
			return rule.text
		}
		if rule.by < 0 {
			return ""
		}
	}
	return ""
}

// less is 1 when only b, -1 when only a.
func less(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return 1
	}
	return -1
}

// surprise is the vendor's known issue with "x*" and "x/*".
func (t *RouteTable) surprise(a, b parsedRoute) int {
	if !t.Documented || !a.AnyPath || !b.AnyPath {
		return 0
	}
	switch {
	case a.Path+"/" == b.Path:
		return 1
	case b.Path+"/" == a.Path:
		return -1
	}
	return 0
}
