package runner

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"
)

// narrow is a connection that takes one write at a time, when told to.
type narrow struct {
	bytes.Buffer
	began, gone chan struct{}
}

func (n *narrow) Write(p []byte) (int, error) {
	n.began <- struct{}{}
	<-n.gone
	return n.Buffer.Write(p)
}
func (*narrow) Close() error { return nil }

// What is small overtakes large answers of other runs, and never its own run's.
func TestLargeAnswersAreOvertaken(t *testing.T) {
	w := &narrow{began: make(chan struct{}), gone: make(chan struct{})}
	c := newConn(w)
	big := make([]byte, 4*largeMin)
	send := func(k kind, n uint64, v any) {
		t.Helper()
		if err := c.send(queued, k, n, v); err != nil {
			t.Fatal(err)
		}
	}
	send(kindEvict, 9, nil)
	<-w.began // it is being written; what follows waits
	send(kindReply, 1, replyMsg{Call: 1, Result: big})
	send(kindCancel, 1, cancelMsg{Why: "after the answer"})
	send(kindReply, 2, replyMsg{Call: 1, Result: big})
	send(kindStart, 3, startMsg{Payload: big}) // calls and starts keep their order, however large
	send(kindReply, 4, replyMsg{Call: 1, Result: "small"})
	go func() {
		w.gone <- struct{}{}
		<-w.began // runs 3 and 4
		_ = c.send(queued, kindReply, 5, replyMsg{Call: 1})
		for w.gone <- struct{}{}; ; w.gone <- struct{}{} {
			<-w.began
		}
	}()
	c.wg.Wait()
	var got []uint64
	for r := newFrameReader(&w.Buffer, false); ; {
		f, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, f.n)
	}
	if want := []uint64{9, 3, 4, 5, 1, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("left in the order %v, want %v", got, want)
	}
	if c.weight != 0 || len(c.behind) != 0 {
		t.Errorf("afterwards %d bytes and %v wait", c.weight, c.behind)
	}
}

// Who sends for a run waits while its own large answers wait; of the others only who adds an answer does.
func TestOnlyItsOwnRunWaitsForALargeAnswer(t *testing.T) {
	c := newConn(nowhere{io.Discard})
	c.writing = true // by somebody who is slow
	if err := c.send(queued, kindReply, 1, replyMsg{Call: 1, Result: make([]byte, pendingMax+1)}); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.full(1, false) || c.full(2, false) || !c.full(2, true) {
		t.Errorf("run 1 has to wait: %t, run 2: %t, with an answer: %t", c.full(1, false), c.full(2, false), c.full(2, true))
	}
}

// gate is a socket whose far side reads when it is told to.
type gate struct{ wants, reads chan struct{} }

func (g gate) Write(p []byte) (int, error) {
	g.wants <- struct{}{}
	<-g.reads
	return len(p), nil
}

func (g gate) Close() error { return nil }

// Whoever sends a frame of his own does not write what others added meanwhile: he
// may be a turn, which would seem not to yield.
func TestOthersFramesAreLeftToOthers(t *testing.T) {
	g := gate{make(chan struct{}, 10), make(chan struct{}, 10)}
	c := newConn(g)
	sent := make(chan error, 1)
	go func() { sent <- c.send(now, kindPong, 1, nil) }()
	<-g.wants
	if err := c.raw(held, kindBody, 2, 0, 0, make([]byte, handOver)); err != nil {
		t.Fatal(err)
	}
	g.reads <- struct{}{}
	select {
	case err := <-sent:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a small frame is not sent before a large one of others is")
	}
	<-g.wants // the large one leaves all the same
	g.reads <- struct{}{}
	c.close()
}

// A run whose frame was written has begun: its child may have done things and
// died of them before the writer knows that it wrote. One whose frame was not has not.
func TestWhatWasWrittenWasSent(t *testing.T) {
	g := gate{make(chan struct{}, 10), make(chan struct{}, 10)}
	p := &Runner{conn: newConn(g), runs: map[uint64]*Run{}}
	begun := make(chan error, 1)
	go func() { begun <- p.begin(&Run{p: p, n: 1}, kindStart, startMsg{}) }()
	<-g.wants
	p.conn.close() // as the reader does when the child is gone
	g.reads <- struct{}{}
	if err := <-begun; err != nil || p.runs[1] == nil {
		t.Errorf("it has begun and is to be told of its end: %v, %v", err, p.runs)
	}
	for name, c := range map[string]*conn{"closed": p.conn, "broken": newConn(broken{})} {
		p.conn = c
		if err := p.begin(&Run{p: p, n: 2}, kindStart, startMsg{}); err == nil || p.runs[2] != nil {
			t.Errorf("%s: it has not begun and would be told of its end: %v, %v", name, err, p.runs)
		}
	}
}

// broken is a socket whose far side is gone.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (broken) Close() error              { return nil }
