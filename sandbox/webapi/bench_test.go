package webapi_test

import (
	"context"
	"testing"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

const hello = `export default { fetch(request) { return new Response("Hello World!"); } };`

// signalSink only says when a run is over.
type signalSink struct {
	done chan struct{}
	cpu  *int64 // microseconds of all runs
}

func newSignal() signalSink { return signalSink{make(chan struct{}, 1), new(int64)} }

func (signalSink) Head(trace.ResponseHead, []byte, bool) error { return nil }
func (signalSink) Write(_ []byte, ready func(error)) error     { ready(nil); return nil }
func (signalSink) End(error)                                   {}
func (signalSink) Result([]byte)                               {}
func (signalSink) Event(trace.Event)                           {}
func (signalSink) Flush()                                      {}
func (s signalSink) Refused()                                  { panic("refused") }
func (s signalSink) Done(sum trace.Summary)                    { *s.cpu += sum.CPU; s.done <- struct{}{} }

// answering is a backend that has every value at hand.
type answering struct{ backend }

func (answering) Call(_, _ string, _ []any, done func(any, error)) {
	done([]any{[]byte("x"), nil}, nil)
}

func start(b testing.TB, code string) *webapi.Worker {
	b.Helper()
	w := newWorld(b)
	live, fault, err := webapi.Start(context.Background(), webapi.Config{Engine: w.engine, Pool: w.pool, Ops: w.ops, Backend: answering{}, Worker: trace.Worker{Name: "hello", Code: code, Date: "2026-11-01", Bindings: []trace.Binding{{Name: "KV", Type: "kv", ID: "kv"}}}})
	if err != nil || fault != nil {
		b.Fatal(err, fault)
	}
	return live
}

func get(url string) webapi.Invocation {
	return webapi.Invocation{Run: "r", Type: "fetch", Request: &webapi.Request{Method: "GET", URL: url, Headers: [][2]string{{"Host", "example.com"}, {"User-Agent", "bench"}, {"Accept", "*/*"}}}}
}

func run(b testing.TB, w *webapi.Worker, s signalSink) {
	b.Helper()
	if err := w.Invoke(context.Background(), get("http://example.com/a?b=c"), s); err != nil {
		b.Fatal(err)
	}
	<-s.done
}

// BenchmarkWarm is a request to a Worker that is running: the engine's share.
func BenchmarkWarm(b *testing.B) {
	for name, code := range map[string]string{
		"hello":   hello,
		"async":   `export default { async fetch(request) { return new Response("Hello World!"); } };`,
		"url":     `export default { fetch(request) { const u = new URL(request.url); return new Response(u.pathname); } };`,
		"json":    `export default { async fetch(request) { return Response.json({ ua: request.headers.get("user-agent") }); } };`,
		"kv":      `export default { async fetch(request, env) { return new Response(await env.KV.get("a")); } };`,
		"kv try":  `export default { async fetch(request, env) { try { return new Response(await env.KV.get("a")); } catch (e) { return new Response(e.message); } } };`,
		"console": `export default { fetch(request) { console.log("hi", { a: 1 }); return new Response("x"); } };`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportMetric(warm(b, code), "cpu-µs/op")
		})
	}
}

// warm asks a Worker again and again, after a first request, and gives the CPU time
// of one in microseconds.
func warm(b *testing.B, code string) float64 {
	b.Helper()
	w := start(b, code)
	defer w.Evict()
	s := newSignal()
	run(b, w, s)
	b.ResetTimer()
	*s.cpu = 0
	for b.Loop() {
		run(b, w, s)
	}
	return float64(*s.cpu) / float64(b.N)
}

// BenchmarkCold is a new isolate and its first response.
func BenchmarkCold(b *testing.B) {
	s := newSignal()
	var private int64
	for b.Loop() {
		w := start(b, hello)
		run(b, w, s)
		private = w.Stats().Private
		b.StopTimer()
		w.Evict()
		b.StartTimer()
	}
	b.ReportMetric(float64(private)/1024, "private-kB")
}

// BenchmarkErrors is a request to a Worker that makes and catches errors, whose stacks nobody looks at.
func BenchmarkErrors(b *testing.B) {
	for name, code := range map[string]string{
		"made":    `export default { fetch() { let n = 0; for (let i = 0; i < 200; i++) try { throw new Error("no " + i); } catch (e) { n += e.message.length; } return new Response(n); } };`,
		"engine":  `export default { fetch() { let n = 0; for (let i = 0; i < 200; i++) try { n.a.b; } catch (e) { n += e.message.length; } return new Response(n); } };`,
		"deep":    `const down = (n) => { if (n === 0) throw new Error("no"); return down(n - 1) + 1; }; export default { fetch() { let n = 0; for (let i = 0; i < 200; i++) try { down(50); } catch (e) { n += e.message.length; } return new Response(n); } };`,
		"looked":  `export default { fetch() { let n = 0; for (let i = 0; i < 200; i++) try { throw new Error("no " + i); } catch (e) { n += e.stack.length; } return new Response(n); } };`,
		"numbers": `export default { fetch() { let n = 0; for (let i = 0; i < 200; i++) try { throw i; } catch (e) { n += e; } return new Response(n); } };`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportMetric(warm(b, code)/200, "cpu-µs/error")
		})
	}
}
