package runner

import (
	"testing"
	"time"
)

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
