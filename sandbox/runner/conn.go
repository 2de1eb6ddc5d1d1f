package runner

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"sync"
)

const (
	// pendingMax is how many bytes may wait for the other side before senders wait too.
	pendingMax = 1 << 20
	// largeMin is the size of an answer that others do not wait for.
	largeMin = 64 << 10
)

var errClosed = errors.New("runner: connection closed")

// handOver is how many bytes of others whoever writes for himself leaves to a
// goroutine: he may be a turn, whose CPU time is a learner's.
const handOver = 64 << 10

// conn sends frames. Whoever finds nobody writing writes for all who add a little
// meanwhile, so that frames coalesce under load and need no second goroutine
// without.
//
// Frames leave in the order in which they came, but for large answers and what
// their runs send after them: these leave one at a time, with all that is
// smaller before each, so that nobody waits for more than one of another's.
type conn struct {
	w io.WriteCloser

	mu      sync.Mutex
	room    sync.Cond
	pending *bytes.Buffer
	spare   *bytes.Buffer
	large   []overtaken
	behind  map[uint64]int // frames in large, by run
	weight  int            // bytes in large
	writing bool
	err     error
	wg      sync.WaitGroup
	frames  uint64 // sent
}

// overtaken is a frame that others overtake.
type overtaken struct {
	run   uint64
	frame *bytes.Buffer
}

func newConn(w io.WriteCloser) *conn {
	c := &conn{w: w, pending: new(bytes.Buffer), spare: new(bytes.Buffer), behind: map[uint64]int{}}
	c.room.L = &c.mu
	return c
}

// mode says how a frame leaves.
type mode uint8

const (
	now    mode = iota // written by the caller, who may wait for room
	queued             // the caller is a reader and must not wait: another goroutine writes
	held               // leaves with the next frame or flush
)

// send adds a CBOR frame. An encoding error is the caller's; a broken
// connection is an error too, and stays one. One that breaks behind the frame
// is none: the other side may have it, and do what it says.
func (c *conn) send(m mode, k kind, n uint64, v any) error {
	return c.add(m, n, answerBytes(v), func(b *bytes.Buffer) error { return appendFrame(b, k, n, v) })
}

// raw adds a stream frame.
func (c *conn) raw(m mode, k kind, n uint64, stream uint32, flags byte, data []byte) error {
	return c.add(m, n, 0, func(b *bytes.Buffer) error {
		appendRaw(b, k, n, stream, flags, data)
		return nil
	})
}

// add has put append a frame. size is about what an answer takes, 0 of other kinds.
func (c *conn) add(m mode, n uint64, size int, put func(*bytes.Buffer) error) error {
	c.mu.Lock()
	large := size > largeMin
	for m == now && c.writing && c.full(n, large) && c.err == nil {
		c.room.Wait()
	}
	if c.err != nil {
		c.mu.Unlock()
		return c.err
	}
	frame := c.pending
	apart := large || c.behind[n] > 0
	if apart {
		frame = bytes.NewBuffer(make([]byte, 0, headerLen+size+64))
	}
	if err := put(frame); err != nil {
		c.mu.Unlock()
		return err
	}
	if apart {
		c.large = append(c.large, overtaken{n, frame})
		c.behind[n]++
		c.weight += frame.Len()
	}
	c.frames++
	return c.leave(m)
}

// full reports whether who sends for a run has to wait; large is a large answer's sender.
func (c *conn) full(n uint64, large bool) bool {
	return c.pending.Len() > pendingMax || c.weight > pendingMax && (large || c.behind[n] > 0)
}

// answerBytes is about what is in an answer, 0 for what is none.
func answerBytes(v any) int {
	switch v := v.(type) {
	case []byte:
		return len(v)
	case replyMsg:
		return argBytes([]any{v.Result})
	}
	return 0
}

// next takes what is to be written, nil when there is nothing.
func (c *conn) next() *bytes.Buffer {
	if c.pending.Len() > 0 {
		out := c.pending
		c.pending, c.spare = c.spare, nil
		return out
	}
	if len(c.large) == 0 {
		return nil
	}
	l := c.large[0]
	c.large[0] = overtaken{}
	c.large = c.large[1:]
	c.weight -= l.frame.Len()
	if c.behind[l.run]--; c.behind[l.run] == 0 {
		delete(c.behind, l.run)
	}
	return l.frame
}

// kick sends what is held, in the caller or, for queued, elsewhere.
func (c *conn) kick(m mode) {
	c.mu.Lock()
	_ = c.leave(m)
}

// leave starts writing as m says unless somebody writes already. It is entered
// with mu held and releases it.
func (c *conn) leave(m mode) error {
	if c.writing || m == held || c.err != nil || c.pending.Len() == 0 && len(c.large) == 0 {
		c.mu.Unlock()
		return nil
	}
	c.writing = true
	if m == now {
		return c.write(handOver)
	}
	c.writeBeside()
	c.mu.Unlock()
	return nil
}

// writeBeside has another goroutine write. It is entered with mu held and writing set.
func (c *conn) writeBeside() {
	c.wg.Go(func() {
		c.mu.Lock()
		_ = c.write(math.MaxInt)
	})
}

// write writes until nothing is pending, or leaves it to another goroutine if
// more than most bytes came meanwhile. It is entered with mu held and writing set,
// and returns with mu released.
func (c *conn) write(most int) error {
	var failed error
	for first := true; c.err == nil; first = false {
		if !first && c.pending.Len()+c.weight > most {
			c.writeBeside()
			c.mu.Unlock()
			return nil
		}
		out := c.next()
		if out == nil {
			break
		}
		c.mu.Unlock()
		_, err := c.w.Write(out.Bytes())
		c.mu.Lock()
		if c.spare == nil {
			if out.Cap() > 4*pendingMax {
				out = new(bytes.Buffer)
			}
			out.Reset()
			c.spare = out
		}
		if err != nil && c.err == nil {
			c.err = errClosed
		}
		if err != nil && first {
			failed = errClosed
		}
		c.room.Broadcast()
	}
	c.writing = false
	c.mu.Unlock()
	return failed
}

// count is how many frames were sent.
func (c *conn) count() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames
}

// close makes every later send fail and closes the socket.
func (c *conn) close() {
	c.mu.Lock()
	if c.err == nil {
		c.err = errClosed
	}
	c.room.Broadcast()
	c.mu.Unlock()
	_ = c.w.Close()
	c.wg.Wait()
}

func newFrameReader(r io.Reader, child bool) *frameReader {
	return &frameReader{r: bufio.NewReaderSize(r, 64<<10), child: child}
}
