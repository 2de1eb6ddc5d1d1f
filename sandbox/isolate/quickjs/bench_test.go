package quickjs

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/isolate/enginetest"
)

// benchHost answers the suite's operations without a loop.
type benchHost struct{ calls int }

func (h *benchHost) HostCall(int, []isolate.Value) (isolate.Value, error) {
	h.calls++
	return nil, nil
}
func (*benchHost) Interrupted() bool                          { return false }
func (*benchHost) Rejection(uint32, *isolate.Exception, bool) {}
func (*benchHost) Now() time.Time                             { return time.Now() }

const hello = `export default { fetch(request) { return "hello " + request.url; } };`

// oneRequest loads hello and answers a request.
func oneRequest(tb testing.TB, iso isolate.Isolate, h *benchHost) {
	if err := iso.Load("index.js", hello, false); err != nil {
		tb.Fatal(err)
	}
	request(tb, iso, h)
}

func request(tb testing.TB, iso isolate.Isolate, h *benchHost) {
	before := h.calls
	if _, err := iso.Call("fetch", "r1", "https://example.com/"); err != nil {
		tb.Fatal(err)
	}
	if h.calls != before+1 {
		tb.Fatal("no answer")
	}
}

// BenchmarkCold is a new isolate, its module and its first answer. Instances
// are made ahead outside the measured time, as they are between requests.
func BenchmarkCold(b *testing.B) {
	e := newEngine(b, enginetest.Bootstrap())
	for b.Loop() {
		b.StopTimer()
		for len(e.ready) == 0 {
			runtime.Gosched()
		}
		b.StartTimer()
		h := &benchHost{}
		iso, err := e.New(b.Context(), isolate.Spec{Host: h})
		if err != nil {
			b.Fatal(err)
		}
		oneRequest(b, iso, h)
		b.StopTimer()
		iso.Close()
		b.StartTimer()
	}
}

// BenchmarkInstance is what is done ahead of time for a cold start.
func BenchmarkInstance(b *testing.B) {
	e := newEngine(b, enginetest.Bootstrap())
	for b.Loop() {
		v, err := e.restore(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		v.mod.Close(b.Context())
	}
}

// BenchmarkWarm is one more answer of a live isolate.
func BenchmarkWarm(b *testing.B) {
	e := newEngine(b, enginetest.Bootstrap())
	h := &benchHost{}
	iso, err := e.New(b.Context(), isolate.Spec{Host: h})
	if err != nil {
		b.Fatal(err)
	}
	defer iso.Close()
	oneRequest(b, iso, h)
	b.ReportAllocs()
	for b.Loop() {
		request(b, iso, h)
	}
}

// BenchmarkDensity holds many isolates after one request each.
func BenchmarkDensity(b *testing.B) {
	n := 1000
	if s := os.Getenv("ISOLATES"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	e := newEngine(b, enginetest.Bootstrap())
	for b.Loop() {
		runtime.GC()
		before := rss(b)
		list := make([]isolate.Isolate, n)
		var private int64
		start := time.Now()
		for i := range list {
			h := &benchHost{}
			iso, err := e.New(b.Context(), isolate.Spec{Host: h})
			if err != nil {
				b.Fatal(err)
			}
			oneRequest(b, iso, h)
			iso.Idle()
			list[i] = iso
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/float64(n), "µs/isolate")
		for _, iso := range list {
			private += iso.Memory().Private
		}
		runtime.GC()
		b.ReportMetric(float64(private)/float64(n)/1024, "private-kB/isolate")
		b.ReportMetric(float64(rss(b)-before)/float64(n)/1024, "rss-kB/isolate")
		for _, iso := range list {
			iso.Close()
		}
	}
}

// rss is the process's resident anonymous memory in bytes: what it has for itself.
func rss(tb testing.TB) int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Skip("no /proc/self/status: ", err)
	}
	_, rest, _ := strings.Cut(string(b), "RssAnon:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return kb << 10
}
