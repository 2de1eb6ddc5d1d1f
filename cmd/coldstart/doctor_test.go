package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// TestDoctorAsksTheSite asks a server directly, and through proxies that lose
// what a page's socket needs.
func TestDoctorAsksTheSite(t *testing.T) {
	t.Parallel()
	r := launch(t)
	r.ready()
	target, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := func(change func(in *http.Request), keepHost bool) string {
		p := &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) {
			pr.SetURL(target)
			if keepHost {
				pr.Out.Host = pr.In.Host
			}
		}}
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
			change(in)
			p.ServeHTTP(w, in)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	nothing := func(*http.Request) {}
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, k := range []struct {
		name, url string
		want      []string
	}{
		{"the server itself", r.url, []string{"site on: " + r.url + " answers", "websocket on: it reaches the server"}},
		{"a good proxy", proxy(nothing, true), []string{"websocket on: it reaches the server"}},
		{"a proxy without upgrades", proxy(func(in *http.Request) { in.Header.Del("Upgrade"); in.Header.Del("Connection") }, true), []string{"websocket off: the proxy does not pass the upgrade on"}},
		{"a proxy that changes the host", proxy(nothing, false), []string{"websocket off: the server takes another address for its own: start it with --public-url"}},
		{"another site", other.URL, []string{"site off: ", "404"}},
		{"nobody", gone.URL, []string{"site off: ", "start the server"}},
		{"no address", "learn.example.org", []string{"site off: --public-url learn.example.org is not an address"}},
	} {
		var out bytes.Buffer
		report{&out}.site(t.Context(), k.url)
		got := strings.Join(strings.Fields(out.String()), " ")
		for _, want := range k.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q lacks %q", k.name, got, want)
			}
		}
	}
}
