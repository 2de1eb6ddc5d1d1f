package runner

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"
)

type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }

// A program that sends before anybody listens loses its connection. It is no lie
// of the child, whose other runs go on.
func TestSocketFloodedBeforeAnybodyListens(t *testing.T) {
	s := newSocket(newConn(nowhere{io.Discard}), 1, 0)
	for range 2 * window / (32 << 10) {
		if err := s.deliver(make([]byte, 32<<10), true); err != nil {
			t.Fatal(err)
		}
	}
	code := 0
	s.Receive(func([]byte, bool) { t.Error("a message came through") }, func(c int, _ string, _ bool) { code = c })
	if code != 1009 {
		t.Errorf("closed with %d", code)
	}
	s.finish(sockEndMsg{Code: 1009}) // the other side's answer
	s.settled()
	if err := s.Send([]byte("x"), false); err == nil {
		t.Error("it still sends")
	}
}

// What the other side has not taken counts: who can wait for it does, who cannot
// is refused once it is too much, and a close lets go of whoever waits.
func TestSocketsCountWhatIsNotTaken(t *testing.T) {
	s := newSocket(newConn(nowhere{io.Discard}), 1, 0)
	s.Room() // nothing was sent
	for range 3 {
		if err := s.Send(make([]byte, 64<<10), true); err != nil {
			t.Fatal(err)
		}
	}
	waits := func() chan struct{} {
		free := make(chan struct{})
		go func() { defer close(free); s.Room() }()
		select {
		case <-free:
			t.Error("with 192 kB that nobody took there is room")
		case <-time.After(50 * time.Millisecond):
		}
		return free
	}
	took := func(n uint32) {
		if err := s.credit(binary.BigEndian.AppendUint32(nil, n)); err != nil {
			t.Fatal(err)
		}
	}
	free := waits()
	took(100 << 10)
	<-free
	took(1 << 30) // a lie makes no debt
	sent, err := 0, error(nil)
	for ; err == nil && sent < 2*outMax; sent += 1 << 20 {
		err = s.Send(make([]byte, 1<<20), true)
	}
	if !errors.Is(err, errFull) || sent < outMax {
		t.Errorf("after %d bytes: %v", sent, err)
	}
	free = waits()
	s.finish(sockEndMsg{Code: 1001})
	<-free
	if err := s.credit([]byte{1}); err == nil {
		t.Error("credit of a byte is taken")
	}
}

// A receiver with a pace of its own says when it is done with a message; for one
// without, that is when its callback returns. The other side hears of either.
func TestSocketsTellWhatTheyTook(t *testing.T) {
	var wire bytes.Buffer
	s := newSocket(newConn(nowhere{&wire}), 1, 0)
	taken := s.Pace()
	s.Receive(func([]byte, bool) {}, func(int, string, bool) {})
	give := func() {
		t.Helper()
		if err := s.deliver(make([]byte, tellMin), true); err != nil {
			t.Fatal(err)
		}
		s.conn.wg.Wait()
	}
	give()
	if wire.Len() > 0 {
		t.Error("it was told before it was taken")
	}
	taken(tellMin)
	s.conn.wg.Wait()
	if wire.Len() == 0 {
		t.Error("it was taken and not told")
	}
	wire.Reset()
	s.paced = false
	if give(); wire.Len() == 0 {
		t.Error("a callback returned, and it was not told")
	}
	s.Close(1000, "")
	s.conn.wg.Wait()
	wire.Reset()
	if give(); wire.Len() > 0 {
		t.Error("something follows the close")
	}
}
