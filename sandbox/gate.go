package sandbox

import (
	"io"
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
	open map[chan struct{}]bool // writes under way
}

// begin announces a write, which is over when the function that it gives is called.
func (g *gate) begin(done func(any, error)) func(any, error) {
	ch := make(chan struct{})
	g.mu.Lock()
	if g.open == nil {
		g.open = map[chan struct{}]bool{}
	}
	g.open[ch] = true
	g.mu.Unlock()
	return func(v any, err error) {
		g.mu.Lock()
		delete(g.open, ch)
		g.mu.Unlock()
		close(ch)
		done(v, err)
	}
}

// passed waits until what an object's run wrote so far is stored. Other runs
// have nothing to wait for. An error says that it could not be.
func (a *attempt) passed() error {
	if a.e.object == "" {
		return nil
	}
	a.gate.mu.Lock()
	var list []chan struct{}
	for ch := range a.gate.open {
		list = append(list, ch)
	}
	a.gate.mu.Unlock()
	for _, ch := range list {
		<-ch
	}
	return a.e.s.platform.Settle(a.e.caller())
}

// answered is an attempt that has a head, or a refusal where what it wrote
// could not be stored.
func (e *execution) answered(a *attempt) (*attempt, *Response, error) {
	err := a.passed()
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
	return nil, e.refuse(500, &trace.Fault{
		Kind: trace.FaultLimit, Message: "What the object wrote could not be stored, so its answer was held back: " + platform.Said(err),
		Hint: "What it wrote since its last answer is gone. Delete some data, then run again.",
	}), nil
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
