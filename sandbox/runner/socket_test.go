package runner

import (
	"io"
	"testing"
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
