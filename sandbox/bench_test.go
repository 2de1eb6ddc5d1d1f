package sandbox

import (
	"io"
	"sync"
	"testing"
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
