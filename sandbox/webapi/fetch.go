package webapi

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/nlnwa/whatwg-url/url"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// maxRedirects is how many redirects one fetch follows, as in the Fetch standard.
const maxRedirects = 20

// upload is a request body that a script sends in pieces.
type upload struct {
	w *io.PipeWriter
}

// countCall counts a subrequest and refuses what is beyond the limit.
func (r *run) countCall() error {
	r.callCount++
	if r.callCount > r.w.limits.Calls {
		return &isolate.Throw{Name: "Error", Message: "Too many subrequests: a request may make " + itoa(int64(r.w.limits.Calls)) + "."}
	}
	return nil
}

// bindingCalls is how many calls of KV, storage and the like one request may make,
// in subrequests: on Workers 1,000 for 50.
const bindingCalls = 20

// countBinding counts a call of a binding and refuses what is beyond the limit.
func (r *run) countBinding() error {
	r.bindingCount++
	if limit := r.w.limits.Calls * bindingCalls; r.bindingCount > limit {
		return &isolate.Throw{Name: "Error", Message: "Too many calls of bindings: a request may make " + itoa(int64(limit)) + "."}
	}
	return nil
}

// called records a subrequest or binding call that ended.
func (r *run) called(c trace.Call) {
	c.End = r.at()
	r.calls = append(r.calls, c)
	r.event(trace.Event{Kind: trace.KindCall, Call: &c})
}

func fetchOps(o *isolate.Ops) {
	// fetch: run, id, fetch, target, method, url, headers, body, upload, length, redirect, cf, number of a body to pass on
	o.Add("fetch", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		r := runOf(h)
		if r == nil {
			return nil, &isolate.Throw{Name: "Error", Message: "fetch() is not available within global scope."}
		}
		if err := r.countCall(); err != nil {
			return nil, err
		}
		f := &fetching{r: r, finish: async(h, integer(args, 1)), to: target(list(args, 3)), redirect: str(args, 10)}
		f.request = Request{Method: str(args, 4), URL: str(args, 5), Headers: splitHeaders(str(args, 6)), CF: str(args, 11)}
		switch b := arg(args, 7).(type) {
		case string:
			f.body = []byte(wellFormed(b))
		case []byte:
			f.body = b
		}
		if f.body != nil {
			f.request.Body, f.request.Length = NewMemory(f.body), int64(len(f.body))
		} else if id := integer(args, 8); id != 0 {
			pr, pw := io.Pipe()
			f.request.Body, f.request.Length = pr, int64(num(args, 9))
			f.streamed = true
			of(h).uploads[id] = &upload{w: pw}
		} else if b := of(h).bodies[integer(args, 12)]; b != nil && b.r != nil {
			f.request.Body, f.request.Length = b.r, int64(num(args, 9))
			f.streamed = true
		}
		if f.request.Body != nil && f.request.Length >= 0 && header(f.request.Headers, "content-length") == "" {
			f.request.Headers = append(f.request.Headers, [2]string{"content-length", strconv.FormatInt(f.request.Length, 10)})
		}
		id := integer(args, 2)
		of(h).fetches[id] = func() { f.canceled = true }
		f.id = id
		f.call = trace.Call{Kind: "fetch", Name: f.request.Method + " " + f.request.URL, Start: r.at(), Worker: f.to.Worker}
		if f.to.Type != "" {
			f.call.Kind = f.to.Type
			f.call.Name = f.to.Binding + ".fetch " + f.request.Method + " " + f.request.URL
		}
		f.send()
		return nil, nil
	})
	o.Add("fetch.cancel", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if cancel := of(h).fetches[integer(args, 0)]; cancel != nil {
			cancel()
		}
		return nil, nil
	})
	// upload.write: run, id, upload, piece
	o.Add("upload.write", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		u, piece := of(h).uploads[integer(args, 2)], data(args, 3)
		finish := async(h, integer(args, 1))
		if u == nil {
			finish(nil, errors.New("the upload is over"))
			return nil, nil
		}
		go func() {
			_, err := u.w.Write(piece)
			if errors.Is(err, io.ErrClosedPipe) {
				err = nil // the other side needs no more
			}
			finish(nil, err)
		}()
		return nil, nil
	})
	// upload.end: upload, error
	o.Add("upload.end", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w, id := of(h), integer(args, 0)
		u := w.uploads[id]
		if u == nil {
			return nil, nil
		}
		delete(w.uploads, id)
		if msg := str(args, 1); msg != "" {
			_ = u.w.CloseWithError(errors.New(msg)) // always nil
		} else {
			_ = u.w.Close() // always nil
		}
		return nil, nil
	})
}

func target(l []any) Target {
	return Target{Type: str(l, 0), Binding: str(l, 1), Worker: str(l, 2), Entrypoint: str(l, 3), Class: str(l, 4), Object: str(l, 5), Props: str(l, 6)}
}

// fetching is one fetch, over its redirects.
type fetching struct {
	r        *run
	id       int
	finish   func(isolate.Value, error)
	to       Target
	request  Request
	body     []byte
	streamed bool
	redirect string
	hops     int
	canceled bool
	call     trace.Call
}

func (f *fetching) send() {
	res := f.r.w.loop.Reserve()
	answered := func(resp *Response, err error) {
		res.Post(func(iso isolate.Isolate) error {
			f.answered(resp, err)
			return nil
		})
	}
	f.r.w.loop.Aside(func() { f.r.w.cfg.Backend.Fetch(f.r.inv.Run, f.to, &f.request, answered) })
}

// answered takes the response, inside a turn of the run.
func (f *fetching) answered(resp *Response, err error) {
	if f.canceled || f.r.over {
		if err == nil && resp.Body != nil {
			_ = resp.Body.Close() // nobody reads it
		}
		f.end(nil, errors.New("canceled"))
		return
	}
	if err != nil {
		f.call.Error = err.Error()
		f.end(nil, err)
		return
	}
	location := header(resp.Head.Headers, "location")
	if redirects(resp.Head.Status) && location != "" && f.redirect != "manual" {
		if resp.Body != nil {
			_ = resp.Body.Close() // a redirect's body is not shown
		}
		if err := f.follow(resp.Head.Status, location); err != nil {
			f.call.Error = err.Error()
			f.end(nil, err)
		}
		return
	}
	f.call.Status = resp.Head.Status
	w := f.r.w
	var whole isolate.Value
	id, length, socket := 0, int64(0), 0
	if resp.Body != nil && !nullBody(resp.Head.Status) && f.request.Method != "HEAD" {
		if resp.Head.Encoded {
			resp.Body = decoded(resp.Body, header(resp.Head.Headers, "content-encoding"))
		}
		n := int64(-1)
		if m, ok := resp.Body.(interface{ Bytes() []byte }); ok {
			n = int64(len(m.Bytes()))
		}
		b := f.r.addBody(resp.Body, n)
		if data := b.whole(); data != nil {
			whole = data
			delete(w.bodies, b.id)
		} else {
			id, length = b.id, n
		}
	}
	if resp.Socket != nil {
		socket = w.addSocket(f.r, resp.Socket)
	}
	text := resp.Head.StatusText
	if text == "" {
		text = http.StatusText(resp.Head.Status)
	}
	f.end([]any{resp.Head.Status, text, joinHeaders(resp.Head.Headers), whole, id, length, f.request.URL, f.hops > 0, socket}, nil)
}

func (f *fetching) end(v isolate.Value, err error) {
	delete(f.r.w.fetches, f.id)
	f.r.called(f.call)
	f.finish(v, err)
}

// follow repeats the request at the redirect's target.
func (f *fetching) follow(status int, location string) error {
	if f.redirect == "error" {
		return &isolate.Throw{Name: "TypeError", Message: "Redirected, but the redirect mode is \"error\"."}
	}
	if f.hops++; f.hops > maxRedirects {
		return &isolate.Throw{Name: "TypeError", Message: "Too many redirects."}
	}
	next, err := url.ParseRef(f.request.URL, location)
	if err != nil {
		return &isolate.Throw{Name: "TypeError", Message: "Invalid Location of a redirect: " + location}
	}
	f.request.URL = next.Href(false)
	m := f.request.Method
	if (status == 303 && m != "GET" && m != "HEAD") || ((status == 301 || status == 302) && m == "POST") {
		f.request.Method, f.body, f.streamed = "GET", nil, false
		f.request.Body, f.request.Length = nil, 0
		var kept [][2]string
		for _, h := range f.request.Headers {
			if !strings.HasPrefix(h[0], "content-") {
				kept = append(kept, h)
			}
		}
		f.request.Headers = kept
	} else if f.streamed {
		return &isolate.Throw{Name: "TypeError", Message: "A one-time-use body cannot be sent again after a redirect."}
	} else if f.body != nil {
		f.request.Body = NewMemory(f.body)
	}
	f.send()
	return nil
}

func redirects(status int) bool {
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308
}

func nullBody(status int) bool {
	return status == 101 || status == 204 || status == 205 || status == 304
}

func header(list [][2]string, name string) string {
	for _, h := range list {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}
