package live

import (
	"context"
	"errors"
	"testing"

	"coldstart/web/classroom"
)

// measurer is a lab that tells one thing and then goes on until told to stop.
type measurer struct {
	began chan struct{}
	ended chan error
}

func (m measurer) Lab(ctx context.Context, p classroom.Project, lab string, emit func(LabEvent)) error {
	if lab != "density" {
		return &InputError{Message: "There is no such lab on this server."}
	}
	emit(LabEvent{Say: "1 isolate", HTML: "<p>drawn</p>", Figures: map[string]string{"iso.each": "300 kB"}})
	m.began <- struct{}{}
	<-ctx.Done()
	m.ended <- context.Cause(ctx)
	return ctx.Err()
}

func newLabWorld(t *testing.T) (*world, measurer) {
	m := measurer{began: make(chan struct{}, 1), ended: make(chan error, 1)}
	return newWorld(t, nil, func(c *Config) { c.Labs = m }), m
}

func TestLabIsToldResumedAndCanceled(t *testing.T) {
	w, m := newLabWorld(t)
	p, welcome := w.dial("", 0)
	p.send(ClientMessage{Type: "lab", ID: "l1", Lab: "density"})
	first := p.want("lab")
	if e := first.Lab; e.Run != "l1" || e.Lab != "density" || e.HTML != "<p>drawn</p>" || e.Figures["iso.each"] != "300 kB" || e.Done {
		t.Errorf("got %+v", e)
	}
	<-m.began
	p.conn.Close()
	again, resumed := w.dial(welcome.Stream, welcome.Seq)
	if len(resumed.Running) != 1 || resumed.Running[0] != "l1" {
		t.Errorf("running %v", resumed.Running)
	}
	if got := again.want("lab"); got.Seq != first.Seq || got.Lab.HTML != first.Lab.HTML {
		t.Errorf("resumed with %+v, want %+v", got, first)
	}
	again.send(ClientMessage{Type: "cancel", ID: "l1"})
	if got := again.want("lab"); !got.Lab.Done || got.Lab.Say != "Stopped. What was measured stays." || got.Seq != first.Seq+1 {
		t.Errorf("got %+v", got.Lab)
	}
	if err := <-m.ended; !errors.Is(err, errCanceled) {
		t.Errorf("the lab ended because %v", err)
	}
}

func TestLabEndsWhenTheLastPageHasGone(t *testing.T) {
	w, m := newLabWorld(t)
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "lab", ID: "l1", Lab: "density"})
	<-m.began
	p.conn.Close()
	if err := <-m.ended; !errors.Is(err, errLeft) {
		t.Errorf("the lab ended because %v", err)
	}
}

func TestUnknownLabSaysSo(t *testing.T) {
	w, _ := newLabWorld(t)
	p, _ := w.dial("", 0)
	p.send(ClientMessage{Type: "lab", ID: "l1", Lab: "alchemy"})
	if got := p.want("lab"); !got.Lab.Done || got.Lab.Say != "There is no such lab on this server." {
		t.Errorf("got %+v", got.Lab)
	}
	without := newWorld(t, nil)
	p, _ = without.dial("", 0)
	p.send(ClientMessage{Type: "lab", ID: "l1", Lab: "density"})
	if got := p.want("error"); got.Message != "This server runs no labs." || got.ID != "l1" {
		t.Errorf("got %+v", got)
	}
}
