package runner

import (
	"encoding/binary"
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
	room  sync.Cond     // something was taken, or a side closed
	out   int           // bytes sent that the other side has not taken
	gone  bool          // the other side closed
	paced bool          // the receiver says when it is done with a message
	owed  int           // bytes taken that the other side does not know of
}

// Messages that one side has not taken are in one of the two processes: in the
// buffer of frames that all its runs share, or before the isolate's next turn.
// So there is a bound for each socket. Who can wait, waits; who cannot, loses it.
const (
	roomMax  = 128 << 10 // bytes not taken with which Room waits
	tellMin  = 32 << 10  // bytes taken that the other side is told of at once
	outMax   = 16 << 20  // bytes not taken with which a socket takes no more
	eachCost = 64        // of a message, beside its bytes
)

// closeWait is how long the other direction may take to close.
const closeWait = 2 * time.Second

func newSocket(c *conn, run uint64, stream uint32) *socket {
	s := &socket{conn: c, run: run, stream: stream, shut: make(chan struct{}, 2)}
	s.room.L = &s.mu
	return s
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

var (
	_ webapi.Socket = (*socket)(nil)
	_ webapi.Paced  = (*socket)(nil)
)

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
	if s.out > outMax {
		return errFull
	}
	s.out += len(data) + eachCost
	return s.conn.raw(queued, kindMessage, s.run, s.stream, flags, data)
}

// Close starts the closing handshake. Later calls do nothing.
func (s *socket) Close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		s.room.Broadcast()
		_ = s.conn.send(queued, kindSockEnd, s.run, sockEndMsg{Stream: s.stream, Code: code, Reason: reason, Clean: code != 1006})
		s.shut <- struct{}{} // after it: its run may end now, and nothing follows that
	}
}

// Room implements webapi.Paced.
func (s *socket) Room() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.out > roomMax && !s.ended && !s.gone {
		s.room.Wait()
	}
}

// Pace implements webapi.Paced.
func (s *socket) Pace() (taken func(size int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paced = true
	return s.taken
}

// taken counts a message that whoever receives is done with.
func (s *socket) taken(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owed += size + eachCost; s.ended || s.owed < tellMin {
		return
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(s.owed))
	s.owed = 0
	_ = s.conn.raw(queued, kindCredit, s.run, s.stream, flagSocket, b[:])
}

// credit is what the other side says it took. One that lies, as only a child can,
// gets more than it should, and kills itself.
func (s *socket) credit(data []byte) error {
	if s == nil || len(data) != 4 {
		return violation("credit of %d bytes for a socket", len(data))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = max(0, s.out-int(binary.BigEndian.Uint32(data)))
	s.room.Broadcast()
	return nil
}

// gave hands a message over. s.order is held.
func (s *socket) gave(data []byte, binary bool) {
	s.message(data, binary)
	s.mu.Lock()
	paced := s.paced
	s.mu.Unlock()
	if !paced {
		s.taken(len(data))
	}
}

// Receive registers the callbacks and delivers what came before.
func (s *socket) Receive(message func([]byte, bool), closed func(int, string, bool)) {
	s.order.Lock()
	defer s.order.Unlock()
	s.message, s.closed = message, closed
	for _, m := range s.early {
		s.gave(m.data, m.binary)
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
		s.gave(data, binary)
		return nil
	}
	if s.bytes += len(data) + eachCost; s.bytes > window {
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
	s.mu.Lock()
	s.gone = true
	s.room.Broadcast()
	s.mu.Unlock()
	s.tell()
}

func (s *socket) tell() {
	if s.over != nil && s.closed != nil && !s.told {
		s.told = true
		s.closed(s.over.Code, s.over.Reason, s.over.Clean)
	}
}

var (
	errTooLarge = errors.New("the message is larger than 1 MiB")
	errFull     = errors.New("too many messages wait for the other side")
)
