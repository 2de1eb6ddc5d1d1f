package live

import (
	"context"
	"errors"
	"testing"
)

// measurer is a lab that tells one thing and then goes on until told to stop.
type measurer struct {
	began chan struct{}
	ended chan error
}

func (m measurer) Lab(ctx context.Context, r LabRun) error {
	if r.Lab != "density" {
		return &InputError{Message: "There is no such lab on this server."}
	}
	if r.Action != "" {
		r.Emit(LabEvent{HTML: "<p>" + r.Values["n"] + "</p>"})
		return nil
	}
	r.Emit(LabEvent{Say: "1 isolate", HTML: "<p>drawn</p>", Figures: map[string]string{"iso.each": "300 kB"}})
	m.began <- struct{}{}
	for {
		select {
		case a := <-r.Acts:
			r.Emit(LabEvent{Say: a.Action + " " + a.Values["n"], HTML: "<p>again</p>"})
			continue
		case <-ctx.Done():
		}
		break
	}
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

// What a page asks reaches the lab that runs; beside a run it is answered by itself.
func TestActs(t *testing.T) {
	w, m := newLabWorld(t)
	p, welcome := w.dial("", 0)
	p.send(ClientMessage{Type: "lab", ID: "l1", Lab: "density"})
	<-m.began
	p.want("lab")
	p.send(ClientMessage{Type: "act", ID: "l1", Lab: "density", Action: "kill", Values: map[string]string{"n": "3"}})
	if got := p.want("lab"); got.Lab.Say != "kill 3" || got.Lab.Action != "" || got.Lab.Done {
		t.Errorf("got %+v", got.Lab)
	}
	p.send(ClientMessage{Type: "act", ID: "a2", Lab: "density", Action: "work", Values: map[string]string{"n": "4"}})
	if got := p.want("lab"); got.Lab.HTML != "<p>4</p>" || got.Lab.Action != "work" {
		t.Errorf("got %+v", got.Lab)
	}
	if got := p.want("lab"); !got.Lab.Done || got.Lab.Say != "" || got.Lab.Action != "work" {
		t.Errorf("got %+v", got.Lab)
	}
	p.send(ClientMessage{Type: "act", ID: "a2", Lab: "density", Action: "work"})
	if got := p.want("error"); got.Message != "The lab has ended. Start it again." {
		t.Errorf("got %+v", got)
	}
	// A page that comes back draws once, the newest.
	again, _ := w.dial(welcome.Stream, welcome.Seq)
	var drawn []string
	for range 4 {
		if e := again.want("lab").Lab; e.HTML != "" {
			drawn = append(drawn, e.HTML)
		}
	}
	if len(drawn) != 1 || drawn[0] != "<p>4</p>" {
		t.Errorf("it draws %q", drawn)
	}
}
