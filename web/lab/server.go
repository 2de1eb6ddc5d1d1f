package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"coldstart/sandbox/box"
)

// Server is what became of a learner's server process.
type Server struct {
	Stamp
	Learner string      `json:"learner,omitempty"`
	ID      string      `json:"id,omitempty"` // of the process as this lab knows it; "" when none was started
	PID     int         `json:"pid,omitempty"`
	Port    int         `json:"port,omitempty"`
	Bytes   int64       `json:"bytes,omitempty"` // what it held when it was asked last
	Steps   []ServerDid `json:"steps,omitempty"` // oldest first, the newest twelve
	Off     string      `json:"off,omitempty"`   // why there are none on this host: "no node is on PATH"
}

// ServerDid is one thing that was done, and what came of it.
type ServerDid struct {
	Do     string `json:"do"` // start, request or kill
	PID    int    `json:"pid"`
	Port   int    `json:"port"`
	Answer string `json:"answer"`
	Took   int64  `json:"took"` // µs; 0 for what has no duration
}

// What servers may take of the host.
const (
	mostServers = 8                // alive at once, each of about 45 MB
	serverIdle  = 90 * time.Second // without a request
	serverSteps = 12               // kept of one learner
)

// servers are the processes of all learners, one each.
type servers struct {
	mu    sync.Mutex
	nodes *box.Processes // nil until the first start
	by    map[string]*server
	n     int // started so far
}

type server struct {
	*box.Server
	id    string
	timer *time.Timer // ends it when nobody asks any more
}

// Serving reports whether a process that was started is still alive.
func (l *Labs) Serving(learner, id string) bool {
	l.servers.mu.Lock()
	defer l.servers.mu.Unlock()
	s := l.servers.by[learner]
	return s != nil && s.id == id
}

// end forgets a learner's server and stops it.
func (x *servers) end(learner, id string) error {
	x.mu.Lock()
	s := x.by[learner]
	if s == nil || s.id != id {
		x.mu.Unlock()
		return nil
	}
	delete(x.by, learner)
	x.mu.Unlock()
	s.timer.Stop()
	return s.Stop()
}

// Close ends what learners left running.
func (l *Labs) Close() error {
	x := &l.servers
	x.mu.Lock()
	nodes, all := x.nodes, x.by
	x.nodes, x.by = nil, nil
	x.mu.Unlock()
	for _, s := range all {
		s.timer.Stop()
	}
	if nodes == nil {
		return nil
	}
	return nodes.Close()
}

// Serve starts a learner's server process in the place of an earlier one.
func (l *Labs) Serve(ctx context.Context, learner string, known Server) (Server, error) {
	x := &l.servers
	known.Stamp = l.stamp()
	if known.ID != "" {
		if err := x.end(learner, known.ID); err != nil {
			return known, err
		}
	}
	nodes, err := x.kind()
	var missing *box.MissingError
	if errors.As(err, &missing) {
		known.Off = missing.Why
		return known, nil
	}
	if err != nil {
		return known, err
	}
	s, err := nodes.Listen(ctx)
	switch {
	case errors.Is(err, box.ErrFull):
		return known, ErrBusy
	case err != nil:
		return known, err
	}
	x.mu.Lock()
	if x.nodes != nodes { // closed meanwhile
		x.mu.Unlock()
		return known, errors.Join(ErrBusy, s.Stop())
	}
	x.n++
	id := fmt.Sprintf("%d-%d", s.PID, x.n)
	old := x.by[learner] // started by another page meanwhile
	x.by[learner] = &server{Server: s, id: id, timer: time.AfterFunc(serverIdle, func() { _ = x.end(learner, id) })}
	x.mu.Unlock()
	if old != nil {
		old.timer.Stop()
		err = old.Stop()
	}
	known.Off, known.ID, known.PID, known.Port = "", id, s.PID, s.Port
	known.Bytes, _ = s.Memory() // 0 when it ended at once
	known.did(ServerDid{"start", s.PID, s.Port, "listens", s.Took.Microseconds()})
	return known, err
}

// kind is the host's Node, or why there is none.
func (x *servers) kind() (*box.Processes, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.nodes == nil {
		nodes, err := box.NewProcesses(box.Config{Most: mostServers})
		if err != nil {
			return nil, err
		}
		x.nodes = nodes
		if x.by == nil {
			x.by = map[string]*server{}
		}
	}
	return x.nodes, nil
}

// Knock sends one request to the port where the learner's server listens or
// listened.
func (l *Labs) Knock(ctx context.Context, learner string, known Server) (Server, error) {
	x := &l.servers
	x.mu.Lock()
	s := x.by[learner]
	x.mu.Unlock()
	known.Stamp = l.stamp()
	step := ServerDid{Do: "request", PID: known.PID, Port: known.Port}
	if s == nil || s.id != known.ID {
		s = &server{Server: &box.Server{PID: known.PID, Port: known.Port}} // gone; its port is still known
	} else {
		s.timer.Reset(serverIdle)
	}
	n, took, err := s.Visit(ctx)
	step.Took = took.Microseconds()
	switch {
	case errors.Is(err, box.ErrRefused):
		step.Answer = err.Error()
	case err != nil:
		return known, err
	default:
		step.Answer = fmt.Sprintf("visit %d", n)
		known.Bytes, _ = s.Memory() // 0 when it ended meanwhile
	}
	known.did(step)
	return known, nil
}

// Kill ends the learner's server.
func (l *Labs) Kill(learner string, known Server) (Server, error) {
	alive := l.Serving(learner, known.ID)
	begin := l.cfg.Now()
	err := l.servers.end(learner, known.ID)
	step := ServerDid{Do: "kill", PID: known.PID, Port: known.Port, Answer: "gone, and its memory with it", Took: l.cfg.Now().Sub(begin).Microseconds()}
	if !alive {
		step.Answer, step.Took = "no such process", 0
	}
	known.Stamp, known.Bytes = l.stamp(), 0
	known.did(step)
	return known, err
}

func (s *Server) did(step ServerDid) {
	s.Steps = append(s.Steps, step)
	s.Steps = s.Steps[max(0, len(s.Steps)-serverSteps):]
}
