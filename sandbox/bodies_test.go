package sandbox

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// Ten megabytes pass through an isolate that has less than that to itself, both as
// they come and through a stream of the script's own.
func TestBodiesStreamInBoundedMemory(t *testing.T) {
	const size, memory = 10 << 20, 6 << 20
	s := open(t)
	body := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	for i, code := range []string{
		`return new Response(request.body);`,
		`return new Response(request.body.pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(chunk); } })));`,
		`let n = 0; for await (const chunk of request.body) n += chunk.length; return new Response(String(n));`,
	} {
		k := key(fmt.Sprint(i))
		deploy(t, s, k, worker(`export default { async fetch(request) { `+code+` } };`), trace.Limits{Memory: memory, CPU: 10 * time.Second})
		a := get(t, s, k, "/", func(r *Run) { r.Method, r.Body, r.Length = "POST", bytes.NewReader(body), size })
		if want := string(body); a.sum.Outcome != "ok" || a.body != want && a.body != fmt.Sprint(size) {
			t.Errorf("%s\n%d bytes, %+v", code, len(a.body), a.sum.Fault)
		}
		if a.sum.Memory >= memory {
			t.Errorf("%s\nholds %d bytes afterwards", code, a.sum.Memory)
		}
	}
	// A body that is read whole does not fit: the bound is what holds it.
	deploy(t, s, key("whole"), worker(`export default { async fetch(request) { return new Response(String((await request.arrayBuffer()).byteLength)); } };`), trace.Limits{Memory: memory, CPU: 10 * time.Second})
	if a := get(t, s, key("whole"), "/", func(r *Run) { r.Method, r.Body, r.Length = "POST", bytes.NewReader(body), size }); a.sum.Outcome == "ok" {
		t.Errorf("10 MB were read whole in %d bytes: %s", int64(memory), a.body)
	}
}
