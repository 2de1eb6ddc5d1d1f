package web

import (
	"net/http"
	"strings"
	"testing"

	"coldstart/web/classroom"
	"coldstart/web/oidc"
	"coldstart/web/oidc/oidctest"
)

func TestInstructorSignsInWithProvider(t *testing.T) {
	t.Parallel()
	provider := oidctest.New(t)
	p, err := oidc.New(oidc.Config{Issuer: provider.URL, Client: oidctest.Client, Secret: oidctest.Secret})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, nil, func(c *Config) { c.OIDC = &OIDC{Provider: p, Name: "School"} })
	if _, err := s.store.CreateAccount(t.Context(), "ada@school.example", classroom.RoleInstructor); err != nil {
		t.Fatal(err)
	}
	// back goes to the provider and gives the address it sends the browser to.
	back := func(b *browser) string {
		t.Helper()
		r := b.get("/signin/provider")
		if r.status != 303 || !strings.HasPrefix(r.header.Get("Location"), provider.URL) {
			t.Fatalf("beginning gives %d %s", r.status, r.header.Get("Location"))
		}
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := client.Get(r.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return strings.TrimPrefix(resp.Header.Get("Location"), s.url)
	}
	ada := s.browser()
	if r := ada.get("/signin"); !strings.Contains(r.body, "Sign in with School") {
		t.Error("the page does not offer the provider")
	}
	provider.Person(map[string]any{"sub": "7", "email": "Ada@School.example", "email_verified": true})
	before := ada.cookie()
	at := back(ada)
	if r := ada.get(at); r.status != 303 || r.header.Get("Location") != "/classes" || ada.cookie() == before {
		t.Fatalf("coming back gives %d %s", r.status, r.body)
	}
	if r := ada.get("/classes"); r.status != 200 {
		t.Errorf("classes give %d", r.status)
	}
	if r := ada.get(at); r.status == 303 {
		t.Error("one answer signs in twice")
	}
	// Later the subject counts, whatever the address is then.
	provider.Person(map[string]any{"sub": "7", "email": "new@school.example", "email_verified": true})
	again := s.browser()
	again.get("/")
	if r := again.get(back(again)); r.status != 303 {
		t.Errorf("the same subject again gives %d", r.status)
	}
	for name, person := range map[string]map[string]any{
		"somebody else with the address": {"sub": "8", "email": "ada@school.example", "email_verified": true},
		"an address not verified":        {"sub": "9", "email": "ada@school.example"},
		"nobody's address":               {"sub": "10", "email": "eve@school.example", "email_verified": true},
	} {
		provider.Person(person)
		b := s.browser()
		b.get("/")
		if r := b.get(back(b)); r.status != http.StatusForbidden || b.get("/classes").status == 200 {
			t.Errorf("%s gets %d", name, r.status)
		}
	}
	// An answer to another browser's request signs nobody in.
	provider.Person(map[string]any{"sub": "7"})
	victim := s.browser()
	victim.get("/")
	if r := victim.get(back(s.browser())); r.status != http.StatusForbidden {
		t.Errorf("another browser's answer gives %d", r.status)
	}
}
