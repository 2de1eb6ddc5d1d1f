package web

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrape is the site's metrics as Prometheus reads them, by series.
func (s *server) scrape() map[string]string {
	s.t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(s.site)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		s.t.Fatalf("metrics give %d %s", w.Code, w.Body)
	}
	series := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && line[0] != '#' {
			series[name+"}"] = value
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && line[0] != '#' {
			series[name] = value
		}
	}
	return series
}

// until scrapes until a series has a value: an answer is counted after it is sent.
func (s *server) until(series, want string) map[string]string {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		all := s.scrape()
		if all[series] == want {
			return all
		}
		if time.Now().After(end) {
			s.t.Fatalf("%s is %q, not %q, in %v", series, all[series], want, all)
		}
	}
}

func TestMetricsCountAnswers(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	for range 3 {
		b.get("/")
	}
	for _, path := range []string{"/none", "/nor/this", "/learn/serverless/nothing", "/learn/x/y"} {
		if r := b.get(path); r.status != 404 {
			t.Fatalf("%s gives %d", path, r.status)
		}
	}
	b.send(b.request("BREW", "/", "", nil))
	s.until(`coldstart_http_requests_total{class="4xx",method="other",route="none"}`, "1")
	s.until(`coldstart_http_requests_total{class="4xx",method="GET",route="none"}`, "2")
	all := s.until(`coldstart_http_requests_total{class="2xx",method="GET",route="/"}`, "3")
	for series, want := range map[string]string{
		`coldstart_http_requests_total{class="4xx",method="GET",route="/learn/:track/:lesson"}`: "2",
		`coldstart_http_request_seconds_count{class="2xx",route="/"}`:                           "3",
		`coldstart_http_request_seconds_bucket{class="2xx",route="/",le="+Inf"}`:                "3",
		"coldstart_sockets_open":     "0",
		"coldstart_class_views_open": "0",
	} {
		if all[series] != want {
			t.Errorf("%s is %q, not %q", series, all[series], want)
		}
	}
	for series := range all {
		if strings.Contains(series, "nothing") || strings.Contains(series, "BREW") {
			t.Errorf("a visitor's words are in %s", series)
		}
	}
}

func TestMetricsCountWhoIsConnected(t *testing.T) {
	s := newServer(t, nil)
	b := s.browser()
	b.get("/")
	conn, _, err := b.dial(s.url)
	if err != nil {
		t.Fatal(err)
	}
	ada := s.instructor("ada")
	class := ada.newClass("Period 3")
	view := ada.follow(t, "/classes/"+class.ID+"/live")
	s.until("coldstart_sockets_open", "1")
	s.until("coldstart_class_views_open", "1")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if r := ada.send(ada.request("POST", "/signout", "", nil)); r.status != 303 {
		t.Fatalf("signing out gives %d", r.status)
	}
	view.end()
	s.until("coldstart_sockets_open", "0")
	s.until("coldstart_class_views_open", "0")
	all := s.until(`coldstart_http_requests_total{class="1xx",method="GET",route="/api/live"}`, "1")
	for series := range all {
		if strings.HasPrefix(series, "coldstart_http_request_seconds") && strings.Contains(series, "live") {
			t.Errorf("the life of a socket is timed as an answer: %s", series)
		}
	}
}
