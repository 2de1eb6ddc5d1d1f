package sandbox

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// gate holds back what a Durable Object says until what it wrote before is
// stored: whoever hears of a write can rely on it. It is the output gate of
// the platform that is modelled here.
type gate struct {
	mu   sync.Mutex
	open map[*write]bool // those under way, and those that failed and whose failure the code has not met
	held []*write        // of them, those before the run's answer
}

// write is one that an object's run asked for.
type write struct {
	over chan struct{} // closed when it is stored, or is not
	err  *platform.StorageError
}

// begin announces a write, which is over when the function that it gives is called.
func (g *gate) begin(done func(any, error)) func(any, error) {
	w := &write{over: make(chan struct{})}
	g.mu.Lock()
	if g.open == nil {
		g.open = map[*write]bool{}
	}
	g.open[w] = true
	g.mu.Unlock()
	return func(v any, err error) {
		g.mu.Lock()
		if !errors.As(err, &w.err) {
			delete(g.open, w)
		}
		g.mu.Unlock()
		close(w.over)
		done(v, err)
	}
}

// met takes back a failure that the object's code has met: what it says from
// then on, it says knowing it.
func (g *gate) met(failure string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for w := range g.open {
		if w.err != nil && w.err.Error() == failure {
			delete(g.open, w)
			return
		}
	}
}

// answer keeps which writes came before the run's answer: its code may meet
// their failures only after that.
func (g *gate) answer() {
	g.mu.Lock()
	g.held = slices.Collect(maps.Keys(g.open))
	g.mu.Unlock()
}

// wait is for the writes so far, and for those that were held when that is asked
// for. It gives why the first that failed did, once.
func (g *gate) wait(held bool) error {
	g.mu.Lock()
	list := slices.Collect(maps.Keys(g.open))
	if held {
		list = append(list, g.held...)
		g.held = nil
	}
	g.mu.Unlock()
	var failed error
	for _, w := range list {
		<-w.over
		if w.err != nil {
			failed = w.err
			g.mu.Lock()
			delete(g.open, w)
			g.mu.Unlock()
		}
	}
	return failed
}

// passed waits until what an object's run wrote so far is stored. Other runs
// have nothing to wait for. An error says that it could not be.
func (a *attempt) passed() error {
	return a.pass(false)
}

func (a *attempt) pass(answer bool) error {
	if a.e.object == "" {
		return nil
	}
	failed := a.gate.wait(answer)
	return cmp.Or(failed, a.e.s.platform.Settle(a.e.caller()))
}

// answered is an attempt that has a head, or a refusal where what it wrote
// could not be stored.
func (e *execution) answered(a *attempt) (*attempt, *Response, error) {
	err := a.pass(true)
	if err == nil {
		return a, nil, nil
	}
	a.cancelRun("what it wrote could not be stored")
	if a.head.Body != nil {
		_ = a.head.Body.Close()
	}
	if a.head.Socket != nil {
		a.head.Socket.Close(1011, "")
	}
	f := &trace.Fault{
		Kind: trace.FaultLimit, Message: "What the object wrote could not be stored, so its answer was held back: " + platform.Said(err),
		Hint: "What was not stored is gone. Delete some data, then run again.",
	}
	if s, ok := errors.AsType[*platform.StorageError](err); !ok || s.Ours {
		f.Kind, f.Hint = trace.FaultPlatform, "What was not stored is gone; what was stored before is there."
	}
	return nil, e.refuse(500, f), nil
}

// gatedBody is the body of an object's answer.
type gatedBody struct {
	io.ReadCloser
	a *attempt
}

func (b gatedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if e := b.a.passed(); e != nil {
		return 0, e
	}
	return n, err
}

// gatedSocket is an object's end of a WebSocket.
type gatedSocket struct {
	Socket
	a    *attempt
	pump *pump
}

func (s gatedSocket) Receive(message func([]byte, bool), closed func(int, string, bool)) {
	s.Socket.Receive(func(data []byte, binary bool) {
		ok := s.pump.add(len(data), func() {
			if s.a.passed() == nil {
				message(data, binary)
				return
			}
			s.Close(1011, "what the object wrote could not be stored")
		})
		if !ok {
			s.Close(1009, "too many messages wait")
		}
	}, func(code int, reason string, clean bool) {
		s.pump.last(func() { closed(code, reason, clean) })
	})
}

// Room implements webapi.Paced.
func (s gatedSocket) Room() {
	if p, ok := s.Socket.(webapi.Paced); ok {
		p.Room()
	}
}

// Pace implements webapi.Paced.
func (s gatedSocket) Pace() (taken func(size int)) {
	if p, ok := s.Socket.(webapi.Paced); ok {
		return p.Pace()
	}
	return func(int) {}
}

// gated puts the gate before everything that an answer has left to say.
func (a *attempt) gated(body io.ReadCloser, socket Socket) (io.ReadCloser, Socket) {
	if a.e.object == "" {
		return body, socket
	}
	if body != nil {
		body = gatedBody{body, a}
	}
	if socket != nil {
		socket = gatedSocket{socket, a, &pump{}}
	}
	return body, socket
}

// fetchGated is a subrequest, before which what an object wrote is stored.
func (a *attempt) fetchGated(to webapi.Target, r *webapi.Request, began func(), done func(*webapi.Response, error)) {
	if err := a.passed(); err != nil {
		done(nil, err)
		return
	}
	done(a.e.fetch(a.ctx, to, r, began))
}
