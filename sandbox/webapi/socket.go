package webapi

import (
	"sync"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// socket is a WebSocket end in the isolate whose other end is outside.
type socket struct {
	id       int
	run      *run
	remote   Socket
	accepted bool
	sent     []packet // before the remote was known
	waiting  int      // bytes of these
	closed   bool     // the script closed
	gone     bool     // the other side closed
}

type packet struct {
	data   []byte
	binary bool
	close  bool
	code   int
	reason string
}

func (s *socket) shut() {
	if s.remote != nil && !s.closed {
		s.closed = true
		s.remote.Close(1001, "")
	}
}

func socketOps(o *isolate.Ops) {
	// socket.bind: → id of a socket whose other end a response will carry
	o.Add("socket.bind", func(h *isolate.Loop, _ []isolate.Value) (isolate.Value, error) {
		return of(h).addSocket(runOf(h), nil), nil
	})
	o.Add("socket.accept", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if s := of(h).sockets[integer(args, 0)]; s != nil && !s.accepted {
			s.accepted = true
			s.run = runOf(h)
			s.run.sockets++
			s.receive()
		}
		return nil, nil
	})
	// socket.send: id, text or bytes
	o.Add("socket.send", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		s := of(h).sockets[integer(args, 0)]
		if s == nil || s.closed {
			return nil, nil
		}
		p := packet{}
		switch b := arg(args, 1).(type) {
		case string:
			p.data = []byte(wellFormed(b))
		case []byte:
			p.data, p.binary = b, true
		}
		s.put(p)
		return nil, nil
	})
	// socket.close: id, code, reason
	o.Add("socket.close", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		if s := of(h).sockets[integer(args, 0)]; s != nil {
			s.put(packet{close: true, code: integer(args, 1), reason: wellFormed(str(args, 2))})
		}
		return nil, nil
	})
}

// addSocket registers a socket; remote may come later through connect.
func (w *Worker) addSocket(r *run, remote Socket) int {
	w.lastID++
	w.sockets[w.lastID] = &socket{id: w.lastID, run: r, remote: remote}
	return w.lastID
}

func (s *socket) put(p packet) {
	if s.remote == nil {
		if s.waiting += len(p.data) + packetCost; s.waiting > sentMax {
			s.nobody()
			return
		}
		s.sent = append(s.sent, p)
		return
	}
	if p.close {
		if !s.closed {
			s.closed = true
			s.remote.Close(p.code, p.reason)
			if s.gone {
				delete(s.run.w.sockets, s.id)
			}
		}
		return
	}
	if s.remote.Send(p.data, p.binary) != nil {
		s.closed = true // the other side is gone, and its close event follows; or it takes nothing
		s.remote.Close(1009, "too many messages wait")
	}
}

// What a script may send before its answer is on its way, in bytes, and what a
// message counts beside its own.
const (
	sentMax    = 4 << 20
	packetCost = 64
)

// nobody ends a socket whose other end nobody will ever have: what the script
// sends is dropped from now on.
func (s *socket) nobody() {
	s.closed, s.sent = true, nil
}

// connect joins a 101 response's socket and the visitor's.
func (r *run) connect(id int) {
	s := r.w.sockets[id]
	if s == nil {
		return
	}
	if r.inv.Socket == nil {
		s.nobody()
		r.event(trace.Event{Kind: trace.KindFault, Fault: &trace.Fault{Kind: trace.FaultException, Message: "The response has a WebSocket, but the request did not ask for one."}})
		return
	}
	if s.remote != nil {
		// A subrequest's socket is passed on as it is.
		delete(r.w.sockets, id)
		Bridge(s.remote, r.inv.Socket, 1006, "")
		return
	}
	s.remote = r.inv.Socket
	if s.closed {
		s.remote.Close(1009, "too much was sent before anybody listened")
		return
	}
	for _, p := range s.sent {
		s.put(p)
	}
	s.sent, s.waiting = nil, 0
	if s.accepted {
		s.receive()
	}
}

// Bridge joins two sockets outside the isolate. A side whose messages the other
// does not take gets the code and the reason. What is Paced stays so: a message
// counts as taken here once there is room beyond.
func Bridge(a, b Socket, code int, reason string) {
	pass(a, b, code, reason)
	pass(b, a, code, reason)
}

func pass(from, to Socket, code int, reason string) {
	taken := func(int) {}
	beyond, ok := to.(Paced)
	if p, paced := from.(Paced); ok && paced {
		l := &lag{beyond: beyond, taken: p.Pace()}
		taken = l.passed
	}
	from.Receive(func(data []byte, binary bool) {
		if to.Send(data, binary) != nil {
			from.Close(code, reason)
		}
		taken(len(data))
	}, func(code int, reason string, _ bool) { to.Close(code, reason) })
}

// lag is what was passed on while there was no room beyond.
type lag struct {
	beyond Paced
	taken  func(size int)

	mu    sync.Mutex
	sizes []int
	busy  bool // somebody waits for room
}

func (l *lag) passed(size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sizes = append(l.sizes, size)
	if !l.busy {
		l.busy = true
		go l.wait()
	}
}

func (l *lag) wait() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.sizes) > 0 {
		sizes := l.sizes
		l.sizes = nil
		l.mu.Unlock()
		l.beyond.Room()
		for _, n := range sizes {
			l.taken(n)
		}
		l.mu.Lock()
	}
	l.busy = false
}

// receive starts taking messages, once both sides are there.
func (s *socket) receive() {
	if s.remote == nil || !s.accepted {
		return
	}
	r, id := s.run, s.id
	w := r.w
	taken := func(int) {}
	if p, ok := s.remote.(Paced); ok {
		taken = p.Pace()
	}
	s.remote.Receive(func(data []byte, binary bool) {
		var v isolate.Value = data
		if !binary {
			v = string(data)
		}
		_ = w.loop.Post(r.account, func(iso isolate.Isolate) error { // a closed loop needs no messages
			taken(len(data))
			_, err := iso.Call("socketMessage", id, v, r.id)
			return err
		})
	}, func(code int, reason string, clean bool) {
		_ = w.loop.Post(r.account, func(iso isolate.Isolate) error { // a closed loop needs no messages
			s.gone = true
			_, err := iso.Call("socketClose", id, code, reason, clean, r.id)
			s.end()
			return err
		})
	})
}

// end is the other side's close: the run may be over then. A socket that the script
// did not close yet stays until it does, since its handler may await something
// before, or until the run ends.
func (s *socket) end() {
	if s.closed {
		delete(s.run.w.sockets, s.id)
	}
	if s.accepted {
		if s.run.sockets--; s.run.sockets == 0 {
			s.run.closing = true
			if s.run.ended && !s.run.over {
				s.run.wall.Reset(s.run.w.limits.Wall)
			}
		}
		s.run.maybeFinish()
	}
}
