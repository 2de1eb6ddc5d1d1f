package runner

import (
	"errors"
	"sync"
	"time"

	"coldstart/sandbox/webapi"
)

// socket is one side's end of a WebSocket whose other end is across the
// frames. It implements webapi.Socket on both sides.
type socket struct {
	conn   *conn
	run    uint64
	stream uint32

	order   sync.Mutex // held while a callback runs, so that they come one by one
	message func([]byte, bool)
	closed  func(int, string, bool)
	early   []earlyMessage // came before Receive
	bytes   int
	over    *sockEndMsg // the other side closed, or sent too much before Receive
	flooded bool        // it is the latter: what still comes is dropped
	told    bool

	mu    sync.Mutex
	ended bool          // nothing may be sent any more; held while something is, so that the close is last
	shut  chan struct{} // gets one for each direction that closes
}

// closeWait is how long the other direction may take to close.
const closeWait = 2 * time.Second

func newSocket(c *conn, run uint64, stream uint32) *socket {
	return &socket{conn: c, run: run, stream: stream, shut: make(chan struct{}, 2)}
}

// settled waits until both directions are closed, or one is and the other does
// not follow.
func (s *socket) settled() {
	<-s.shut
	t := time.NewTimer(closeWait)
	defer t.Stop()
	select {
	case <-s.shut:
	case <-t.C:
	}
}

type earlyMessage struct {
	data   []byte
	binary bool
}

var _ webapi.Socket = (*socket)(nil)

// Send queues a message for the other side.
func (s *socket) Send(data []byte, binary bool) error {
	if len(data) > smallMax {
		return errTooLarge
	}
	var flags byte
	if binary {
		flags = flagBinary
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return errStopped
	}
	return s.conn.raw(queued, kindMessage, s.run, s.stream, flags, data)
}

// Close starts the closing handshake. Later calls do nothing.
func (s *socket) Close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		_ = s.conn.send(queued, kindSockEnd, s.run, sockEndMsg{Stream: s.stream, Code: code, Reason: reason, Clean: code != 1006})
		s.shut <- struct{}{} // after it: its run may end now, and nothing follows that
	}
}

// Receive registers the callbacks and delivers what came before.
func (s *socket) Receive(message func([]byte, bool), closed func(int, string, bool)) {
	s.order.Lock()
	defer s.order.Unlock()
	s.message, s.closed = message, closed
	for _, m := range s.early {
		message(m.data, m.binary)
	}
	s.early = nil
	s.tell()
}

func (s *socket) deliver(data []byte, binary bool) error {
	s.order.Lock()
	defer s.order.Unlock()
	if s.flooded {
		return nil
	}
	if s.over != nil {
		return violation("message after the close of socket %d", s.stream)
	}
	if s.message != nil {
		s.message(data, binary)
		return nil
	}
	if s.bytes += len(data) + 64; s.bytes > window {
		// A program may do that, so it costs the connection and not the child.
		const why = "too much was sent before anybody listened"
		s.flooded, s.early, s.over = true, nil, &sockEndMsg{Stream: s.stream, Code: 1009, Reason: why}
		s.shut <- struct{}{}
		s.Close(1009, why)
		s.tell()
		return nil
	}
	s.early = append(s.early, earlyMessage{data, binary})
	return nil
}

// finish delivers the other side's close; only the first counts.
func (s *socket) finish(m sockEndMsg) {
	s.order.Lock()
	defer s.order.Unlock()
	if s.over == nil {
		s.over = &m
		s.shut <- struct{}{}
	}
	s.tell()
}

func (s *socket) tell() {
	if s.over != nil && s.closed != nil && !s.told {
		s.told = true
		s.closed(s.over.Code, s.over.Reason, s.over.Clean)
	}
}

var errTooLarge = errors.New("the message is larger than 1 MiB")

// bridge joins two sockets.
func bridge(a, b webapi.Socket) {
	join := func(from, to webapi.Socket) {
		from.Receive(
			func(data []byte, binary bool) {
				if to.Send(data, binary) != nil {
					from.Close(1009, "message not delivered")
				}
			},
			func(code int, reason string, _ bool) { to.Close(code, reason) },
		)
	}
	join(a, b)
	join(b, a)
}
