package webapi_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// full is a way outside on which nothing more finds room until it is opened, at
// one of its places.
type full struct {
	*sink
	webapi.Backend
	place  string
	stands chan struct{}
	open   chan struct{}
}

func (f full) wait(place string) {
	if f.place == place {
		close(f.stands)
		<-f.open
	}
}

func (f full) Head(h trace.ResponseHead, body []byte, end bool) error {
	f.wait("Head")
	return f.sink.Head(h, body, end)
}

func (f full) Write(piece []byte, ready func(error)) error {
	f.wait("Write")
	return f.sink.Write(piece, ready)
}

func (f full) End(err error) {
	f.wait("End")
	f.sink.End(err)
}

func (f full) Done(s trace.Summary) {
	f.wait("Done")
	f.sink.Done(s)
}

func (f full) Call(_, _ string, _ []any, done func(any, error)) {
	f.wait("Call")
	done(nil, nil)
}

func (f full) Fetch(_ string, _ webapi.Target, _ *webapi.Request, done func(*webapi.Response, error)) {
	f.wait("Fetch")
	done(&webapi.Response{Head: trace.ResponseHead{Status: 200}}, nil)
}

// TestTurnsThatCannotSendLendTheirThread checks that turns of which each waits to
// send something keep no other isolate from its turn.
func TestTurnsThatCannotSendLendTheirThread(t *testing.T) {
	d, key := newDoor(t), sandbox.Key{Learner: t.Name()}
	pool := isolate.NewPool(1)
	t.Cleanup(pool.Close)
	deployMain(t, d, key, trace.Project{Files: map[string][]byte{
		"wrangler.jsonc": []byte(`{"main": "worker.js", "compatibility_date": "2026-11-01", "kv_namespaces": [{"binding": "KV", "id": "kv"}]}`),
		"worker.js": []byte(`export default { async fetch(request, env) {
			switch (new URL(request.url).pathname) {
			case "/Call": await env.KV.put("k", "v"); break;
			case "/Fetch": await fetch("http://example.com/"); break;
			case "/Write": case "/End": {
				const { readable, writable } = new TransformStream(), w = writable.getWriter();
				w.write(new TextEncoder().encode("ok")).then(() => w.close());
				return new Response(readable);
			} }
			return new Response("ok");
		} };`),
	}})
	invoke := func(f full) {
		w, fault, err := webapi.Start(t.Context(), webapi.Config{Engine: d.engine, Pool: pool, Ops: d.ops, Worker: d.workers[key.Learner+"/main"].worker, ID: f.place, Backend: f})
		if err != nil || fault != nil {
			t.Fatal(err, fault)
		}
		t.Cleanup(w.Evict)
		inv := webapi.Invocation{Run: "r" + f.place, Type: "fetch", Request: &webapi.Request{Method: "GET", URL: "http://example.com/" + f.place}}
		if err := w.Invoke(context.Background(), inv, f); err != nil {
			t.Fatal(err)
		}
		go func() {
			<-f.head
			if b := f.body(); b != nil {
				_, _ = io.Copy(io.Discard, b)
			}
		}()
	}
	open := make(chan struct{})
	var waiting []full
	for _, place := range []string{"Call", "Fetch", "Head", "Write", "End", "Done"} {
		f := full{sink: newSink(nil), place: place, stands: make(chan struct{}), open: open}
		invoke(f)
		select {
		case <-f.stands:
		case <-time.After(20 * time.Second):
			close(open)
			t.Fatalf("%s does not get its turn behind those that wait", place)
		}
		waiting = append(waiting, f)
	}
	f := full{sink: newSink(nil)}
	invoke(f)
	select {
	case <-f.done:
	case <-time.After(20 * time.Second):
		t.Error("an isolate that waits for nothing does not get its turn")
	}
	close(open)
	for _, f := range waiting {
		select {
		case <-f.done:
		case <-time.After(20 * time.Second):
			t.Errorf("%s does not end", f.place)
		}
		if got := fmt.Sprintf("%d %s", f.response.Status, f.sum.Outcome); got != "200 ok" {
			t.Errorf("%s: %s %+v", f.place, got, f.sum.Fault)
		}
	}
}
