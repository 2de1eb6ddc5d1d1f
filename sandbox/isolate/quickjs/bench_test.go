package quickjs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/isolate/quickjs"
	"coldstart/sandbox/js"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// The benchmarks run hello Workers on the real bootstrap.

const hello = `export default { async fetch(request, env, ctx) { return new Response("Hello " + new URL(request.url).pathname); } };`

var nodeModules = filepath.Join("..", "..", "..", "web", "node_modules")

var built = sync.OnceValues(func() (*js.Bundle, error) { return js.Build(nodeModules) })

func realEngine(b *testing.B, ready int) *quickjs.Engine {
	b.Helper()
	wasm, err := os.ReadFile(filepath.Join(nodeModules, "quickjs-wasi", "quickjs.wasm"))
	if err != nil {
		b.Skip("npm packages are not there, run npm ci in web: ", err)
	}
	bundle, err := built()
	if err != nil {
		b.Fatal(err)
	}
	boot := isolate.Bootstrap{Script: bundle.Script, Ops: webapi.Ops()}
	for _, m := range bundle.Modules {
		boot.Modules = append(boot.Modules, isolate.Module(m))
	}
	e, err := quickjs.New(b.Context(), quickjs.Config{
		Wasm: wasm, Bootstrap: boot, Ready: ready, Cache: filepath.Join(os.TempDir(), "coldstart-test-wasm"),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return e
}

// answer is a sink that waits for the response's head and the run's end.
type answer struct {
	webapi.Sink
	head chan time.Time
	done chan trace.Summary
	body []byte
}

func newAnswer() *answer {
	return &answer{head: make(chan time.Time, 1), done: make(chan trace.Summary, 1)}
}

func (a *answer) Head(_ trace.ResponseHead, body []byte, _ bool) error {
	a.body = body
	a.head <- time.Now()
	return nil
}
func (a *answer) Event(trace.Event)    {}
func (*answer) Flush()                 {}
func (a *answer) Refused()             {}
func (a *answer) Done(s trace.Summary) { a.done <- s }

func startWorker(b *testing.B, e *quickjs.Engine, pool *isolate.Pool, ops *isolate.Ops) *webapi.Worker {
	w, fault, err := webapi.Start(context.Background(), webapi.Config{
		Engine: e, Pool: pool, Ops: ops, ID: "bench", Worker: trace.Worker{Name: "hello", Code: hello, Date: "2026-11-01", Sources: map[string]string{}},
	})
	if err != nil || fault != nil {
		b.Fatal(err, fault)
	}
	return w
}

func ask(b *testing.B, w *webapi.Worker) time.Time {
	a := newAnswer()
	r := &webapi.Request{Method: "GET", URL: "https://hello.example/world", Headers: [][2]string{{"accept", "*/*"}, {"user-agent", "bench"}}, Length: -1}
	if err := w.Invoke(context.Background(), webapi.Invocation{Run: "r", Type: "fetch", Request: r}, a); err != nil {
		b.Fatal(err)
	}
	at := <-a.head
	if s := <-a.done; s.Fault != nil || string(a.body) != "Hello /world" {
		b.Fatalf("got %q, %+v", a.body, s.Fault)
	}
	return at
}

// cpu is the CPU time the process has used.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(b *testing.B, list []time.Duration, used time.Duration) {
	b.ReportMetric(float64(used.Nanoseconds())/float64(len(list))/1e3, "cpu-µs")
	slices.Sort(list)
	b.ReportMetric(float64(list[len(list)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(list[len(list)*99/100].Nanoseconds())/1e3, "p99-µs")
}

// BenchmarkColdStart is from asking for an isolate to the first byte of a
// hello Worker's response, with instances ready as they are between requests.
func BenchmarkColdStart(b *testing.B) {
	e, pool, ops := realEngine(b, 16), isolate.NewPool(0), webapi.Ops()
	defer pool.Close()
	used := cpu(b)
	var list []time.Duration
	for b.Loop() {
		b.StopTimer()
		for e.Ready() < 8 {
			runtime.Gosched()
		}
		b.StartTimer()
		begin := time.Now()
		w := startWorker(b, e, pool, ops)
		list = append(list, ask(b, w).Sub(begin))
		b.StopTimer()
		w.Evict()
		b.StartTimer()
	}
	report(b, list, cpu(b)-used)
}

// BenchmarkColdBurst is cold starts back to back, the making of instances included.
func BenchmarkColdBurst(b *testing.B) {
	e, pool, ops := realEngine(b, 16), isolate.NewPool(0), webapi.Ops()
	defer pool.Close()
	used := cpu(b)
	var list []time.Duration
	for b.Loop() {
		begin := time.Now()
		w := startWorker(b, e, pool, ops)
		list = append(list, ask(b, w).Sub(begin))
		w.Evict()
	}
	report(b, list, cpu(b)-used)
}

// BenchmarkWarmRequest is one more request to a live hello Worker.
func BenchmarkWarmRequest(b *testing.B) {
	e, pool, ops := realEngine(b, 1), isolate.NewPool(0), webapi.Ops()
	defer pool.Close()
	w := startWorker(b, e, pool, ops)
	defer w.Evict()
	ask(b, w)
	b.ReportAllocs()
	used := cpu(b)
	var list []time.Duration
	for b.Loop() {
		begin := time.Now()
		list = append(list, ask(b, w).Sub(begin))
	}
	report(b, list, cpu(b)-used)
}

// BenchmarkDensity holds many live Workers after one request each (ISOLATES of
// them, 1,000 by default) and reports what each costs.
func BenchmarkDensity(b *testing.B) {
	n := 1000
	if s := os.Getenv("ISOLATES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal("ISOLATES: ", err)
		}
	}
	e, pool, ops := realEngine(b, 16), isolate.NewPool(0), webapi.Ops()
	defer pool.Close()
	for b.Loop() {
		runtime.GC()
		before := memory(b)
		list := make([]*webapi.Worker, n)
		begin := time.Now()
		for i := range list {
			list[i] = startWorker(b, e, pool, ops)
			ask(b, list[i])
		}
		b.ReportMetric(float64(time.Since(begin).Microseconds())/float64(n), "µs/isolate")
		time.Sleep(time.Second) // idle: what only speeds up the next request is dropped
		var private int64
		for _, w := range list[:min(n, 100)] {
			private += w.Stats().Private
		}
		runtime.GC()
		b.ReportMetric(float64(private)/float64(min(n, 100))/1024, "private-kB")
		b.ReportMetric(float64(memory(b)-before)/float64(n)/1024, "process-kB")
		b.ReportMetric(float64(memory(b))/(1<<20), "process-MB")
		for _, w := range list {
			w.Evict()
		}
	}
}

// memory is what the process has for itself, in bytes: pages shared by its
// isolates count once.
func memory(b *testing.B) int64 {
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		b.Skip("no /proc/self/smaps_rollup: ", err)
	}
	_, rest, _ := strings.Cut(string(text), "\nPss:")
	var kb int64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Fatal(err)
	}
	return kb << 10
}
