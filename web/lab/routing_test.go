package lab

import (
	"strings"
	"testing"
)

func routingRow(t *testing.T, r *Routing, url string) RoutingRow {
	t.Helper()
	for _, row := range r.Rows {
		if row.URL == url {
			return row
		}
	}
	t.Fatalf("no row for %s", url)
	return RoutingRow{}
}

func TestRoute(t *testing.T) {
	labs := realLabs(t)
	r, err := labs.Route(t.Context(), "ada", RoutingIn{URLs: RoutingURLs + "\n example.com/images \nnot a url"})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"https://example.com/":                 "site",
		"https://example.com/api":              "api",
		"https://example.com/api/users?page=2": "api",
		"https://example.com/API/users":        "site",
		"https://example.com/img/logo.png":     "",
		"https://example.com/img/logo.png?v=2": "img",
		"https://example.com/docs/start":       "help",
		"https://help.example.com/about":       "site", // a route beats a custom domain
		"https://example.com/images":           "site",
		"https://not a url":                    "",
	} {
		row := routingRow(t, r, url)
		if row.Match.Worker != want {
			t.Errorf("%s: %q, want %q (%s)", url, row.Match.Worker, want, row.Match.Why)
		}
		// Who the explanation names is who answered, by the same pattern.
		if want == "" {
			if row.Answer != nil {
				t.Errorf("%s: nobody should answer: %+v", url, row.Answer)
			}
			continue
		}
		if a := row.Answer; a == nil || a.Worker != want || a.Route != row.Match.Pattern || a.Status != 200 || !row.Alive {
			t.Errorf("%s: explained %q by %q, answered %+v", url, want, row.Match.Pattern, a)
		}
		for i, trial := range row.Match.Tried {
			if trial.Why == "" || trial.Why == "wins" != (i == row.Match.Winner) {
				t.Errorf("%s: %s: %q", url, trial.Pattern, trial.Why)
			}
		}
	}
	if a := routingRow(t, r, "https://example.com/api").Answer; len(a.Calls) != 1 || a.Calls[0].Worker != "auth" || !strings.Contains(a.Body, "a visitor") {
		t.Errorf("the API asks auth by its binding: %+v", a)
	}
}

func TestRouteWithABrokenWorkerAndKnownIssues(t *testing.T) {
	labs := realLabs(t)
	r, err := labs.Route(t.Context(), "ada", RoutingIn{URLs: RoutingURLs, Broken: "img", Documented: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		if row.Answer != nil && row.Alive != (row.Match.Worker != "img") {
			t.Errorf("%s: %s, %+v", row.URL, row.Match.Worker, row.Answer)
		}
	}
	docs := routingRow(t, r, "https://example.com/docs/start")
	if docs.Match.Worker != "docs" || docs.Answer.Worker != "docs" {
		t.Errorf("by the known issue docs* beats docs/*, for the explanation and the request: %+v", docs)
	}
	if _, err := labs.Route(t.Context(), "ada", RoutingIn{Own: project("export default {"), URLs: RoutingURLs}); err == nil {
		t.Error("a project that does not build was routed to")
	}
}
