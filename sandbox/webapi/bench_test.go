package webapi_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

var hello = trace.Worker{
	Name: "hello", Version: "1", Main: "worker.js", Date: "2026-11-01",
	Code: `export default { fetch() { return new Response("hello"); } };`,
}

// request runs GET / to the end of its body.
func request(b *testing.B, w *webapi.Worker) {
	b.Helper()
	s := newSink(nil)
	err := w.Invoke(context.Background(), webapi.Invocation{Run: "r", Type: "fetch", Request: &webapi.Request{
		Method: "GET", URL: "https://hello.example/", Headers: [][2]string{{"host", "hello.example"}, {"user-agent", "bench"}}, Length: -1,
	}}, s)
	if err != nil {
		b.Fatal(err)
	}
	sum, err := s.summary(context.Background())
	if err != nil || sum.Outcome != "ok" {
		b.Fatal(err, sum)
	}
}

// BenchmarkColdStart is snapshot restore to the end of a hello Worker's first answer.
func BenchmarkColdStart(b *testing.B) {
	world := newWorld(b)
	var us []float64
	for b.Loop() {
		begin := time.Now()
		w, fault, err := webapi.Start(context.Background(), world.config(hello))
		if err != nil || fault != nil {
			b.Fatal(err, fault)
		}
		request(b, w)
		us = append(us, float64(time.Since(begin).Nanoseconds())/1e3)
		b.StopTimer()
		w.Evict()
		b.StartTimer()
	}
	slices.Sort(us)
	b.ReportMetric(us[len(us)/2], "p50-µs")
	b.ReportMetric(us[len(us)*99/100], "p99-µs")
}

// BenchmarkWarmRequest is one request to an isolate that is already running.
func BenchmarkWarmRequest(b *testing.B) {
	world := newWorld(b)
	w, fault, err := webapi.Start(context.Background(), world.config(hello))
	if err != nil || fault != nil {
		b.Fatal(err, fault)
	}
	defer w.Evict()
	request(b, w)
	for b.Loop() {
		request(b, w)
	}
}

// BenchmarkDensity is the private memory of an isolate that has answered once and is idle.
func BenchmarkDensity(b *testing.B) {
	world := newWorld(b)
	var kb []float64
	for b.Loop() {
		w, fault, err := webapi.Start(context.Background(), world.config(hello))
		if err != nil || fault != nil {
			b.Fatal(err, fault)
		}
		request(b, w)
		time.Sleep(300 * time.Millisecond) // idle begins 250 ms after the last turn
		kb = append(kb, float64(w.Stats().Private)/1024)
		w.Evict()
	}
	slices.Sort(kb)
	b.ReportMetric(kb[len(kb)/2], "private-kB")
}

// config is what a Worker without bindings starts from.
func (w *world) config(worker trace.Worker) webapi.Config {
	return webapi.Config{Engine: w.engine, Pool: w.pool, Ops: w.ops, Worker: worker, ID: "bench", Backend: backend{&hosted{}}}
}
