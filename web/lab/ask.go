package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/box"
	"coldstart/sandbox/trace"
)

// Answer is what came of one event in a lab, as it is kept.
type Answer struct {
	Status  int          `json:"status"`
	Body    string       `json:"body,omitempty"` // its first bytes
	Worker  string       `json:"worker,omitempty"`
	Route   string       `json:"route,omitempty"`
	Isolate string       `json:"isolate,omitempty"`
	Cold    bool         `json:"cold,omitempty"`
	CPU     int64        `json:"cpu_us"`
	Wall    int64        `json:"wall_us"`
	Outcome string       `json:"outcome"` // ok, or the fault's kind
	Fault   string       `json:"fault,omitempty"`
	Calls   []trace.Call `json:"calls,omitempty"`
	Logs    []string     `json:"logs,omitempty"`
	Result  []byte       `json:"-"` // of a scheduled or queue event
}

// What is kept of an answer.
const (
	answerBytes = 300  // of the body
	answerLine  = 4000 // bytes of one log line
	answerCalls = 20
	answerLogs  = 10
)

// ask runs one event to its end. A fault is an answer; an error means that
// there is none.
func ask(ctx context.Context, door sandbox.Door, r sandbox.Run) (Answer, error) {
	var a Answer
	if r.Body == nil {
		r.Length = -1
	}
	logs := make(chan []string, 1)
	var lines []string
	r.Watch = func(e trace.Event) {
		switch {
		case e.Kind == trace.KindLog && len(lines) < answerLogs:
			lines = append(lines, cut(e.Log.Text, answerLine))
		case e.Kind == trace.KindDone:
			logs <- lines
		}
	}
	resp, err := door.Invoke(ctx, r)
	if err != nil {
		return a, err
	}
	if resp.Body != nil {
		var b bytes.Buffer
		if _, err := io.CopyN(&b, resp.Body, answerBytes+1); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
		}
		_ = resp.Body.Close() // what failed is in the summary
		a.Body = cut(b.String(), answerBytes)
	}
	s, err := resp.Summary(ctx)
	if err != nil {
		return a, err
	}
	if ctx.Err() != nil {
		return a, context.Cause(ctx)
	}
	a.Status, a.Worker, a.Route, a.Isolate, a.Cold = resp.Head.Status, s.Worker, s.Route, s.Isolate, s.Temperature == trace.Cold
	a.CPU, a.Wall, a.Outcome, a.Result = s.CPU, s.Wall, s.Outcome, resp.Result
	a.Calls = s.Calls[:min(len(s.Calls), answerCalls)]
	if s.Fault != nil {
		a.Fault = s.Fault.Message
	}
	select {
	case a.Logs = <-logs:
	case <-ctx.Done():
		return a, context.Cause(ctx)
	}
	return a, nil
}

// cut keeps the first n bytes of a text, whole characters only.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// stage builds a project and deploys it for a lab of a learner, in the site's
// own sandbox. change may alter what was built. A project that does not build is a *CodeError.
func (l *Labs) stage(ctx context.Context, key sandbox.Key, p trace.Project, change func(*trace.Deployment)) (*trace.Deployment, error) {
	d, err := l.cfg.Door.Build(ctx, key, p)
	if err != nil {
		return nil, err
	}
	if d.Fault != nil {
		return nil, &CodeError{d.Fault.Message}
	}
	own := &trace.Deployment{Workers: append([]trace.Worker(nil), d.Workers...)} // what is cached stays as it is
	if change != nil {
		change(own)
	}
	return own, l.cfg.Door.Deploy(ctx, key, own)
}

// Stamp says where and when something was measured.
type Stamp struct {
	Machine string    `json:"machine"`
	At      time.Time `json:"at"`
}

func (l *Labs) stamp() Stamp { return Stamp{box.Machine(), l.cfg.Now()} }

// String is a sentence's end for a method line.
func (s Stamp) String() string {
	return fmt.Sprintf("%s, on %s", s.At.UTC().Format("2 January 2006, 15:04 UTC"), s.Machine)
}
