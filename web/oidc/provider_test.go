package oidc_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"coldstart/web/oidc"
	"coldstart/web/oidc/oidctest"
)

const back = "http://site.test/signin/return"

// begin goes to the provider as a browser does and gives what it comes back with.
func begin(t *testing.T, p *oidc.Provider, r oidc.Request) url.Values {
	t.Helper()
	to, err := p.Address(t.Context(), r, back)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	at, query, ok := strings.Cut(resp.Header.Get("Location"), "?")
	if !ok || at != back {
		t.Fatalf("the provider sends to %q", resp.Header.Get("Location"))
	}
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func provider(t *testing.T, s *oidctest.Server) *oidc.Provider {
	t.Helper()
	p, err := oidc.New(oidc.Config{Issuer: s.URL, Client: oidctest.Client, Secret: oidctest.Secret})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSignIn(t *testing.T) {
	s := oidctest.New(t)
	p := provider(t, s)
	for name, sign := range map[string]func(map[string]any) string{
		"RS256": func(c map[string]any) string { return s.Token(map[string]any{"alg": "RS256", "kid": "rsa"}, c) },
		"ES256": func(c map[string]any) string { return s.Token(map[string]any{"alg": "ES256", "kid": "ec"}, c) },
	} {
		s.Sign(sign)
		for person, want := range map[string]oidc.Claims{
			"verified": {Subject: "7", Email: "ada@school.example", Name: "Ada", Provider: s.URL},
			"not":      {Subject: "7", Name: "Ada", Provider: s.URL},
		} {
			s.Person(map[string]any{"sub": "7", "email": "ada@school.example", "email_verified": person == "verified", "name": "Ada", "aud": []string{oidctest.Client}})
			r := oidc.NewRequest()
			got, err := p.Finish(t.Context(), r, back, begin(t, p, r))
			if err != nil || got != want {
				t.Errorf("%s, %s: %+v, %v", name, person, got, err)
			}
		}
	}
}

func TestTokensThatAreNotBelieved(t *testing.T) {
	s := oidctest.New(t)
	p := provider(t, s)
	rs256 := map[string]any{"alg": "RS256", "kid": "rsa"}
	plain := func(c map[string]any) string { return s.Token(rs256, c) }
	for name, test := range map[string]struct {
		person map[string]any
		sign   func(map[string]any) string
	}{
		"another issuer":    {map[string]any{"sub": "1", "iss": "https://evil.example"}, plain},
		"another client":    {map[string]any{"sub": "1", "aud": "other"}, plain},
		"several, not ours": {map[string]any{"sub": "1", "aud": []string{oidctest.Client, "other"}, "azp": "other"}, plain},
		"several, unnamed":  {map[string]any{"sub": "1", "aud": []string{oidctest.Client, "other"}}, plain},
		"expired":           {map[string]any{"sub": "1", "exp": time.Now().Add(-time.Hour).Unix()}, plain},
		"never expires":     {map[string]any{"sub": "1", "exp": nil}, plain},
		"from the future":   {map[string]any{"sub": "1", "iat": time.Now().Add(time.Hour).Unix()}, plain},
		"another nonce":     {map[string]any{"sub": "1", "nonce": "x"}, plain},
		"no nonce":          {map[string]any{"sub": "1", "nonce": nil}, plain},
		"nobody":            {map[string]any{}, plain},
		"no signature":      {map[string]any{"sub": "1"}, func(c map[string]any) string { return s.Token(map[string]any{"alg": "none", "kid": "rsa"}, c) }},
		"cut signature":     {map[string]any{"sub": "1"}, func(c map[string]any) string { x := plain(c); return x[:len(x)-8] }},
		"changed claims":    {map[string]any{"sub": "1"}, func(c map[string]any) string { return swapped(plain(c), c) }},
		"unknown key":       {map[string]any{"sub": "1"}, func(c map[string]any) string { return s.Token(map[string]any{"alg": "RS256", "kid": "x"}, c) }},
		"key for encryption": {map[string]any{"sub": "1"}, func(c map[string]any) string {
			return s.Token(map[string]any{"alg": "RS256", "kid": "not for signatures"}, c)
		}},
		"key of another alg": {map[string]any{"sub": "1"}, func(c map[string]any) string { return s.Token(map[string]any{"alg": "ES256", "kid": "rsa"}, c) }},
		"public key as HMAC": {map[string]any{"sub": "1"}, func(c map[string]any) string { return hs256(s, c) }},
		"unknown extension": {map[string]any{"sub": "1"}, func(c map[string]any) string {
			return s.Token(map[string]any{"alg": "RS256", "kid": "rsa", "crit": []string{"x"}}, c)
		}},
		"not a token":   {map[string]any{"sub": "1"}, func(map[string]any) string { return "a.b" }},
		"padded base64": {map[string]any{"sub": "1"}, func(c map[string]any) string { return plain(c) + "==" }},
	} {
		s.Person(test.person)
		s.Sign(test.sign)
		r := oidc.NewRequest()
		if got, err := p.Finish(t.Context(), r, back, begin(t, p, r)); err == nil {
			t.Errorf("%s is believed: %+v", name, got)
		}
	}
}

// swapped is a token with other claims under its signature.
func swapped(token string, c map[string]any) string {
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		panic(err)
	}
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), `"sub":"1"`, `"sub":"2"`, 1)))
	return strings.Join(parts, ".")
}

// hs256 signs with the provider's public key as if it were a shared secret.
func hs256(s *oidctest.Server, c map[string]any) string {
	token := s.Token(map[string]any{"alg": "HS256", "kid": "rsa"}, c)
	signed := token[:strings.LastIndexByte(token, '.')]
	mac := hmac.New(sha256.New, x509.MarshalPKCS1PublicKey(&s.RSA.PublicKey))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestAnswersThatAreRefused(t *testing.T) {
	s := oidctest.New(t)
	p := provider(t, s)
	for name, change := range map[string]func(r *oidc.Request, v url.Values){
		"another state":        func(_ *oidc.Request, v url.Values) { v.Set("state", "x") },
		"no request":           func(r *oidc.Request, v url.Values) { *r = oidc.Request{}; v.Del("state") },
		"another issuer":       func(_ *oidc.Request, v url.Values) { v.Set("iss", "https://evil.example") },
		"an error":             func(_ *oidc.Request, v url.Values) { v.Set("error", "access_denied") },
		"no code":              func(_ *oidc.Request, v url.Values) { v.Del("code") },
		"somebody else's code": func(_ *oidc.Request, v url.Values) { v.Set("code", "x") },
		"another verifier":     func(r *oidc.Request, _ url.Values) { r.Verifier = "x" },
	} {
		r := oidc.NewRequest()
		v := begin(t, p, r)
		change(&r, v)
		_, err := p.Finish(t.Context(), r, back, v)
		if own := name == "somebody else's code" || name == "another verifier"; err == nil || errors.Is(err, oidc.ErrRefused) == own {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProvidersThatAreNotTaken(t *testing.T) {
	for _, bad := range []string{"", "http://id.example.org", "ftp://x", "https://user@id.example.org", "https:///x"} {
		if _, err := oidc.New(oidc.Config{Issuer: bad, Client: "x"}); err == nil {
			t.Errorf("the issuer %q is taken", bad)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"redirects":         func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"answers for ever":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) },
		"answers something": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) },
		"sends keys in the clear": func(w http.ResponseWriter, r *http.Request) {
			at := "http://" + r.Host
			_, _ = fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":"%s/a","token_endpoint":"%s/t","jwks_uri":"http://id.example.org/k"}`, at, at, at)
		},
	} {
		bad := httptest.NewServer(answer)
		defer bad.Close()
		p, err := oidc.New(oidc.Config{Issuer: bad.URL, Client: "x"})
		if err != nil {
			t.Fatal(err)
		}
		if to, err := p.Address(t.Context(), oidc.NewRequest(), back); err == nil {
			t.Errorf("a provider that %s is believed: %s", name, to)
		}
	}
	s := oidctest.New(t)
	p, err := oidc.New(oidc.Config{Issuer: s.URL + "/", Client: oidctest.Client}) // calls itself otherwise
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Address(t.Context(), oidc.NewRequest(), back); err == nil {
		t.Error("a provider with another name is believed")
	}
}
