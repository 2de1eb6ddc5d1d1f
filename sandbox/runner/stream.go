package runner

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// inStream is the receiving end of a stream: a reader that gives credit back
// as it is read. It holds at most window bytes.
type inStream struct {
	conn   *conn
	run    uint64
	number uint32

	mu     sync.Mutex
	cond   sync.Cond
	buf    []byte
	err    error // io.EOF when the sender ended it
	owed   int   // bytes read for which no credit was given back
	ended  bool  // the sender said so
	closed bool
	quit   func() // instead of a stop frame, when closed before the end
}

func newInStream(c *conn, run uint64, number uint32) *inStream {
	s := &inStream{conn: c, run: run, number: number}
	s.cond.L = &s.mu
	return s
}

// push adds a piece; more than the sender had credit for is a violation.
func (s *inStream) push(piece []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return violation("piece after the end of stream %d", s.number)
	}
	if s.err != nil {
		return nil // it was on its way when we stopped reading
	}
	if len(s.buf)+s.owed+len(piece) > window {
		return violation("stream %d without credit", s.number)
	}
	s.buf = append(s.buf, piece...)
	s.cond.Broadcast()
	return nil
}

// take adds a piece or the end, as a frame says.
func (s *inStream) take(flags byte, data []byte) error {
	if flags&flagEnd == 0 {
		return s.push(data)
	}
	s.mu.Lock()
	twice := s.ended
	s.ended = true
	s.mu.Unlock()
	if twice {
		return violation("stream %d ends twice", s.number)
	}
	if flags&flagBroken != 0 {
		s.finish(errors.New(string(data)))
	} else {
		s.finish(nil)
	}
	return nil
}

// finish ends the stream; nil is an ordinary end. Later calls do nothing.
func (s *inStream) finish(err error) {
	if err == nil {
		err = io.EOF
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.cond.Broadcast()
}

// Read blocks until there are bytes, the end or Close.
func (s *inStream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.mu.Lock()
	for len(s.buf) == 0 && s.err == nil {
		s.cond.Wait()
	}
	if s.closed {
		s.mu.Unlock()
		return 0, io.ErrClosedPipe
	}
	if len(s.buf) == 0 {
		err := s.err
		s.mu.Unlock()
		return 0, err
	}
	n := copy(p, s.buf)
	if n == len(s.buf) {
		s.buf = s.buf[:0]
	} else {
		s.buf = s.buf[n:]
	}
	give := 0
	s.owed += n
	if s.owed >= window/4 && s.err == nil {
		give, s.owed = s.owed, 0
	}
	s.mu.Unlock()
	if give > 0 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(give))
		_ = s.conn.raw(now, kindCredit, s.run, s.number, 0, b[:])
	}
	return n, nil
}

// Close tells the sender that nobody reads any more. Idempotent.
func (s *inStream) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	tell := s.err == nil
	s.closed = true
	if s.err == nil {
		s.err = io.ErrClosedPipe
	}
	s.buf = nil
	s.cond.Broadcast()
	s.mu.Unlock()
	switch {
	case !tell:
	case s.quit != nil:
		s.quit()
	default:
		_ = s.conn.raw(queued, kindStop, s.run, s.number, 0, nil)
	}
	return nil
}

// outStream is the sending end: it sends while it has credit and keeps the
// rest, which is one piece in practice because a writer waits for ready.
type outStream struct {
	conn   *conn
	run    uint64
	number uint32

	mu     sync.Mutex
	credit int
	queue  []outPiece
	ended  bool
	sent   bool // the end has been sent, or never will be
	err    error
	reason error
	after  func(mode) // called once sent
	unread func()     // called when the reader stops; nil for nobody
}

type outPiece struct {
	data  []byte
	ready func(error)
}

var errStopped = errors.New("the reader went away")

func newOutStream(c *conn, run uint64, number uint32) *outStream {
	return &outStream{conn: c, run: run, number: number, credit: window}
}

// write sends a piece, or keeps it until there is credit; ready is called once
// all of it is sent. data must not change until then.
func (s *outStream) write(m mode, data []byte, ready func(error)) {
	s.mu.Lock()
	if s.err != nil || s.ended {
		err := s.err
		s.mu.Unlock()
		if err == nil {
			err = errStopped
		}
		ready(err)
		return
	}
	s.queue = append(s.queue, outPiece{data, ready})
	s.pump(m)
}

// end ends the stream after what is queued.
func (s *outStream) end(m mode, reason error) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended, s.reason = true, reason
	s.pump(m)
}

// add gives credit; a reader calls it.
func (s *outStream) add(n int) error {
	s.mu.Lock()
	if n <= 0 || s.credit+n > window {
		s.mu.Unlock()
		return violation("credit of %d on stream %d", n, s.number)
	}
	s.credit += n
	s.pump(queued)
	return nil
}

// stop drops what is queued and fails later writes.
func (s *outStream) stop(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	q := s.queue
	s.queue = nil
	s.sent = true
	after, unread := s.after, s.unread
	s.after, s.unread = nil, nil
	s.mu.Unlock()
	if unread != nil {
		unread()
	}
	for _, p := range q {
		p.ready(err)
	}
	if after != nil {
		after(queued)
	}
}

// drained calls f once the end has been sent or never will be.
func (s *outStream) drained(f func(mode)) {
	s.mu.Lock()
	if !s.sent {
		s.after = f
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	f(now)
}

// pump sends what credit allows. It is entered with mu held and releases it.
func (s *outStream) pump(m mode) {
	var done []func(error)
	for len(s.queue) > 0 && s.credit > 0 {
		p := &s.queue[0]
		n := min(len(p.data), s.credit, pieceMax)
		if n > 0 {
			// Under mu, so that pieces keep their order; only held, so that a
			// reader that wants mu never waits for the socket.
			if s.conn.raw(held, kindBody, s.run, s.number, 0, p.data[:n]) != nil {
				s.err = errClosed
				break
			}
		}
		s.credit -= n
		p.data = p.data[n:]
		if len(p.data) == 0 {
			done = append(done, p.ready)
			s.queue = s.queue[1:]
		}
	}
	if len(s.queue) == 0 && s.ended && !s.sent {
		s.sent = true
		flags, why := byte(flagEnd), ""
		if s.reason != nil {
			flags |= flagBroken
			why = s.reason.Error()
		}
		_ = s.conn.raw(held, kindBody, s.run, s.number, flags, []byte(why[:min(len(why), 1024)]))
	}
	err := s.err
	var after func(mode)
	if s.sent {
		after, s.after = s.after, nil
	}
	s.mu.Unlock()
	s.conn.kick(m)
	for _, f := range done {
		f(nil)
	}
	if after != nil {
		after(m)
	}
	if err != nil {
		s.stop(err)
	}
}

// copyFrom sends all of r and ends. It returns when the last byte is sent, the
// reader stopped, or r failed. It closes r.
func (s *outStream) copyFrom(r io.ReadCloser) {
	defer r.Close()
	buf := make([]byte, 32<<10)
	ready := make(chan error, 1)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			s.write(now, buf[:n], func(err error) { ready <- err })
			if e := <-ready; e != nil {
				return
			}
		}
		if err == io.EOF {
			s.end(now, nil)
			return
		}
		if err != nil {
			s.end(now, err)
			return
		}
	}
}
