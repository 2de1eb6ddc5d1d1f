package quickjs

import (
	"testing"
	"time"

	"coldstart/sandbox/isolate"
)

// benchHost answers the suite's operations without a loop.
type benchHost struct{ calls int }

func (h *benchHost) HostCall(int, []isolate.Value) (isolate.Value, error) {
	h.calls++
	return nil, nil
}
func (*benchHost) Interrupted() bool                          { return false }
func (*benchHost) Due() bool                                  { return false }
func (*benchHost) CPU() time.Duration                         { return 0 }
func (*benchHost) Rejection(uint32, *isolate.Exception, bool) {}
func (*benchHost) Now() time.Time                             { return time.Now() }

const hello = `export default { fetch(request) { return "hello " + request.url; } };`

// oneRequest loads hello and answers a request.
func oneRequest(tb testing.TB, iso isolate.Isolate, h *benchHost) {
	if err := iso.Load("index.js", hello, false); err != nil {
		tb.Fatal(err)
	}
	before := h.calls
	if _, err := iso.Call("fetch", "r1", "https://example.com/"); err != nil {
		tb.Fatal(err)
	}
	if h.calls != before+1 {
		tb.Fatal("no answer")
	}
}
