package sandbox

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// benchRuns performs b.N runs, at a time so many.
func benchRuns(b *testing.B, at int, cold bool) {
	s := open(b)
	deploy(b, s, key("a"), worker(hello))
	get(b, s, key("a"), "/")
	b.ReportAllocs()
	var wg sync.WaitGroup
	work := make(chan struct{})
	b.ResetTimer()
	for range at {
		wg.Go(func() {
			for range work {
				resp, err := s.Invoke(b.Context(), Run{Key: key("a"), Method: "GET", URL: "https://a.example/x", Length: -1, Cold: cold})
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Error(err)
				}
				if _, err := resp.Summary(b.Context()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
}

func BenchmarkInvokeWarm(b *testing.B)   { benchRuns(b, 1, false) }
func BenchmarkInvokeWarm16(b *testing.B) { benchRuns(b, 16, false) }
func BenchmarkInvokeCold(b *testing.B)   { benchRuns(b, 1, true) }

// BenchmarkCrossing is what crosses the boundary between host and engine, in
// growing sizes. The time of one part (a parameter, a header, a KiB) falls or
// stays where the work is linear; it would grow with the size where it is not.
func BenchmarkCrossing(b *testing.B) {
	s := open(b)
	limits := trace.Default()
	limits.CPU = 2 * time.Second
	for name, code := range map[string]string{
		"url":     `return new Response(String([...new URL(request.url).searchParams].length));`,
		"headers": `return new Response("x", { headers: new Headers(request.headers) });`,
		"stream":  `return new Response(request.body);`,
		"text":    `return new Response(await request.text());`,
	} {
		deploy(b, s, key(name), worker(`export default { async fetch(request) { `+code+` } };`), limits)
	}
	measure := func(name string, parts int, r Run) {
		b.Run(fmt.Sprintf("%s/%d", name, parts), func(b *testing.B) {
			for b.Loop() {
				r := r
				r.Key, r.Length = key(name), -1
				if r.URL == "" {
					r.URL = "https://a.example/"
				}
				if name == "stream" || name == "text" {
					r.Method, r.Body = "POST", strings.NewReader(strings.Repeat("x", parts<<10))
				} else {
					r.Method = "GET"
				}
				resp, err := s.Invoke(b.Context(), r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Fatal(err)
				}
				if sum, err := resp.Summary(b.Context()); err != nil || sum.Outcome != "ok" {
					b.Fatal(err, sum)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(parts), "ns/part")
		})
	}
	for _, n := range []int{10, 100, 1000} {
		measure("url", n, Run{URL: "https://a.example/?" + strings.Repeat("key=value&", n)})
	}
	for _, n := range []int{10, 40, 160} {
		var headers [][2]string
		for i := range n {
			headers = append(headers, [2]string{fmt.Sprintf("X-Header-%d", i), "value"})
		}
		measure("headers", n, Run{Headers: headers})
	}
	for _, kib := range []int{64, 1 << 10, 10 << 10} {
		measure("stream", kib, Run{})
	}
	for _, kib := range []int{64, 256, 1 << 10} {
		measure("text", kib, Run{})
	}
}
