package webapi_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// TestBodyCancelledWhileRead cancels a body before the goroutine that reads it
// has begun: with one processor that is always so.
func TestBodyCancelledWhileRead(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	d, key := newDoor(t), sandbox.Key{Learner: t.Name()}
	deployMain(t, d, key, trace.Project{Files: map[string][]byte{"worker.js": []byte(`export default { async fetch(request) {
		const reader = request.body.getReader();
		await null; // a stream pulls only when it has started
		const read = reader.read();
		await reader.cancel();
		return Response.json(await read);
	} };`)}})
	r, err := d.Invoke(t.Context(), sandbox.Run{Key: key, Worker: "main", Type: "fetch", Method: "POST", URL: "http://example.com/", Body: strings.NewReader("piece"), Length: -1})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r.Body); err != nil || string(got) != `{"done":true}` {
		t.Errorf("%q %v", got, err)
	}
}
