package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"coldstart/sandbox"
)

// debugServer shows figures of this process on an address of its own.
type debugServer struct {
	ln  net.Listener
	srv *http.Server
}

// newDebug opens addr, which must be on the loopback interface. site is what
// the site counts.
func newDebug(addr string, door sandbox.Door, site prometheus.Collector) (*debugServer, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || !ap.Addr().IsLoopback() {
		return nil, fmt.Errorf("serve: --debug-addr %q must be a loopback address such as 127.0.0.1:6060: it shows what nobody else may see", addr)
	}
	ln, err := listen(addr)
	if err != nil {
		return nil, err
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), sandboxMetrics{door}, site)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/process", func(w http.ResponseWriter, _ *http.Request) {
		fds, _ := os.ReadDir("/proc/self/fd")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"pid": os.Getpid(), "goroutines": runtime.NumGoroutine(), "fds": len(fds), "sandbox": door.Stats(),
		})
	})
	mux.HandleFunc("POST /debug/free", func(w http.ResponseWriter, _ *http.Request) {
		debug.FreeOSMemory()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	// No command line: a flag may hold the database's password.
	return &debugServer{ln, &http.Server{Handler: thisMachine(mux), ReadHeaderTimeout: 5 * time.Second}}, nil
}

// thisMachine refuses what a page elsewhere asks for through the browser of
// somebody who sits at this machine: by a name that its owner has pointed here,
// or from another origin.
func thisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := (&url.URL{Host: r.Host}).Hostname()
		ip, err := netip.ParseAddr(host)
		site := r.Header.Get("Sec-Fetch-Site")
		if host != "localhost" && (err != nil || !ip.IsLoopback()) || r.Header.Get("Origin") != "" || site != "" && site != "none" && site != "same-origin" {
			http.Error(w, "This address is for programs on this machine.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serve answers until ctx ends.
func (d *debugServer) serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { d.srv.Close() })
	defer stop()
	if err := d.srv.Serve(d.ln); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "coldstart: debug address:", err)
	}
}

// sandboxMetrics turns Door.Stats into Prometheus metrics when asked.
type sandboxMetrics struct{ door sandbox.Door }

var (
	projectsDesc = prometheus.NewDesc("coldstart_deployed_projects", "Deployed projects that the sandbox holds in memory.", nil, nil)
	codeDesc     = prometheus.NewDesc("coldstart_deployed_bytes", "Memory of deployed projects.", nil, nil)
	isolatesDesc = prometheus.NewDesc("coldstart_isolates", "Live isolates.", nil, nil)
	runningDesc  = prometheus.NewDesc("coldstart_runs_running", "Runs at work.", nil, nil)
	queuedDesc   = prometheus.NewDesc("coldstart_runs_queued", "Runs waiting for a place.", nil, nil)
	restartsDesc = prometheus.NewDesc("coldstart_runner_restarts_total", "Child processes that had to be replaced.", nil, nil)
	reachedDesc  = prometheus.NewDesc("coldstart_limit_reached_total", "How often a limit was reached, by the limit's name.", []string{"limit"}, nil)
	childDesc    = prometheus.NewDesc("coldstart_child_resident_bytes", "Resident memory of a child process.", []string{"role", "pid"}, nil)
)

// Describe implements prometheus.Collector.
func (m sandboxMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{projectsDesc, codeDesc, isolatesDesc, runningDesc, queuedDesc, restartsDesc, reachedDesc, childDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m sandboxMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.door.Stats()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(projectsDesc, float64(s.Projects))
	gauge(codeDesc, float64(s.Code))
	gauge(isolatesDesc, float64(s.Isolates))
	gauge(runningDesc, float64(s.Running))
	gauge(queuedDesc, float64(s.Queued))
	ch <- prometheus.MustNewConstMetric(restartsDesc, prometheus.CounterValue, float64(s.Restarts))
	for name, n := range s.Reached {
		ch <- prometheus.MustNewConstMetric(reachedDesc, prometheus.CounterValue, float64(n), name)
	}
	for _, r := range s.Runners {
		gauge(childDesc, float64(r.RSS), r.Role, fmt.Sprint(r.PID))
	}
}
