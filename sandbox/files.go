package sandbox

import (
	"context"
	"fmt"
	"io"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// files are the static files of e's Worker; nil when it has none.
func (e *execution) files() *platform.Assets {
	e.s.mu.Lock()
	a := e.project.assets[e.group.worker.Version]
	e.s.mu.Unlock()
	if a == nil {
		a = platform.AssetsOf(e.group.worker) // another version was deployed meanwhile
	}
	return a
}

// file answers a request with a static file where one goes before the Worker;
// nil where the Worker is to answer.
func (e *execution) file() *webapi.Response {
	if e.typ != "fetch" || e.kept || e.entry != "" || e.object != "" || e.only != nil || len(e.group.worker.Assets) == 0 {
		return nil
	}
	a := e.files()
	if a == nil || !a.Serve(e.request) {
		return nil
	}
	return a.Fetch(e.request)
}

// deliver is the answer of a run that a static file ended.
func (e *execution) deliver(f *webapi.Response) *Response {
	sum := &trace.Summary{Run: e.id, Worker: e.group.worker.Name, Route: e.route, Outcome: "ok", Status: f.Head.Status, Spans: e.spans, Wall: e.chain.at()}
	if e.group.worker.Main != "" {
		e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindLog, Log: &trace.Log{
			Level: "info",
			Text:  fmt.Sprintf("The static assets answered this request with status %d; the Worker did not run. run_worker_first changes that.", f.Head.Status),
		}})
	}
	e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindResponse, Response: &f.Head})
	var body io.ReadCloser
	if f.Body != nil {
		body = f.Body
		if m, ok := f.Body.(webapi.Memory); ok {
			e.showBody(m.Bytes(), 0)
		}
	}
	e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindDone, Summary: sum})
	return &Response{Run: e.id, Head: f.Head, Body: body, Summary: func(ctx context.Context) (*trace.Summary, error) {
		return sum, e.told(ctx)
	}}
}

// showBody gives a piece of a body to the run's watcher, who has seen shown
// bytes of it, and returns how many those are now.
func (e *execution) showBody(piece []byte, shown int) int {
	if e.nested || e.chain.watch == nil || len(piece) == 0 || shown > bodyShown {
		return shown
	}
	c := &trace.BodyChunk{}
	if room := bodyShown - shown; len(piece) > room {
		piece, c.Truncated = piece[:room], true
		shown = bodyShown + 1
	} else {
		shown += len(piece)
	}
	c.Data = append([]byte(nil), piece...)
	e.tell(trace.Event{At: e.chain.at(), Kind: trace.KindBody, Body: c})
	return shown
}
