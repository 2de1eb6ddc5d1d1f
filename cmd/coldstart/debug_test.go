package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"coldstart/sandbox"
)

// countingDoor is a sandbox of which only the figures are asked.
type countingDoor struct {
	sandbox.Door
	stats sandbox.Stats
}

func (d countingDoor) Stats() sandbox.Stats { return d.stats }

// Every figure of the sandbox is a metric at the debug address, and each limit
// has a counter there. That a limit counts where it is reached, and that none is
// without a counter, is for TestReached of the sandbox.
func TestMetricsAtTheDebugAddress(t *testing.T) {
	limits := map[string]int64{"cpu": 0, "wall": 1, "memory": 2, "storage": 3}
	site := prometheus.NewGauge(prometheus.GaugeOpts{Name: "coldstart_of_the_site", Help: "Anything."})
	d, err := newDebug("127.0.0.1:0", countingDoor{stats: sandbox.Stats{
		Projects: 11, Code: 12, Isolates: 13, Running: 14, Queued: 15, Restarts: 16, Reached: limits,
		Runners: []sandbox.RunnerStats{{Role: "run", PID: 17, RSS: 18}},
	}}, site)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { d.serve(ctx) })
	defer wg.Wait()
	defer stop()
	resp, err := http.Get("http://" + d.ln.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"coldstart_deployed_projects 11", "coldstart_deployed_bytes 12", "coldstart_isolates 13", "coldstart_runs_running 14", "coldstart_runs_queued 15",
		"coldstart_runner_restarts_total 16", `coldstart_child_resident_bytes{pid="17",role="run"} 18`, "coldstart_of_the_site 0", "# TYPE coldstart_limit_reached_total counter",
	}
	for name, n := range limits {
		want = append(want, fmt.Sprintf("coldstart_limit_reached_total{limit=%q} %d", name, n))
	}
	for _, line := range want {
		if !strings.Contains(string(body), line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if strings.Count(string(body), "\ncoldstart_limit_reached_total{") != len(limits) {
		t.Error("/metrics counts other limits than there are")
	}
}

// What the debug address shows is for this machine alone.
func TestDebugAddressIsLoopback(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[2001:db8::1]:0", ":0", "localhost:0", "127.0.0.1", "", "::1:0"} {
		if d, err := newDebug(addr, countingDoor{}, prometheus.NewGauge(prometheus.GaugeOpts{Name: "x", Help: "x"})); err == nil {
			_ = d.ln.Close()
			t.Errorf("%q is taken", addr)
		}
	}
}

// A page elsewhere gets nothing by way of a browser on this machine, and nobody
// gets the flags, which may hold the database's password.
func TestDebugAddressIsForPrograms(t *testing.T) {
	d, err := newDebug("127.0.0.1:0", countingDoor{}, prometheus.NewGauge(prometheus.GaugeOpts{Name: "x", Help: "x"}))
	if err != nil {
		t.Fatal(err)
	}
	defer d.ln.Close()
	for _, c := range []struct {
		method, path, host, header, value string
		want                              int
	}{
		{"GET", "/metrics", "127.0.0.1:6060", "", "", 200},
		{"GET", "/metrics", "localhost:6060", "", "", 200},
		{"GET", "/metrics", "[::1]:6060", "", "", 200},
		{"GET", "/debug/pprof/", "127.0.0.1", "Sec-Fetch-Site", "none", 200},
		{"POST", "/debug/free", "127.0.0.1:6060", "", "", 204},
		{"GET", "/metrics", "evil.example:6060", "", "", 403},
		{"GET", "/metrics", "127.0.0.1.evil.example", "", "", 403},
		{"GET", "/metrics", "192.0.2.1:6060", "", "", 403},
		{"GET", "/metrics", "", "", "", 403},
		{"GET", "/metrics", "127.0.0.1:6060", "Sec-Fetch-Site", "cross-site", 403},
		{"GET", "/metrics", "localhost:6060", "Sec-Fetch-Site", "same-site", 403},
		{"POST", "/debug/free", "127.0.0.1:6060", "Origin", "null", 403},
		{"POST", "/debug/free", "127.0.0.1:6060", "Origin", "https://evil.example", 403},
		{"GET", "/debug/pprof/cmdline", "127.0.0.1:6060", "", "", 404},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host = c.host
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		w := httptest.NewRecorder()
		d.srv.Handler.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s at %q, %s %s: %d, want %d", c.method, c.path, c.host, c.header, c.value, w.Code, c.want)
		}
	}
}
