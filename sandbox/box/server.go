package box

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed server.mjs
var serverProgram string

// Server is a Node process that counts visits and listens on a port of this
// host's loopback address. Its methods are safe for concurrent use.
type Server struct {
	process *command
	PID     int
	Port    int
	Took    time.Duration // from starting the process until it listened
}

// ErrRefused is what a visitor meets when no process has the port.
var ErrRefused = errors.New("connection refused")

// Listen starts a server. It ends with Stop, with p, and with this program.
func (p *Processes) Listen(ctx context.Context) (*Server, error) {
	begin := time.Now()
	b, err := p.spawn(func(l *launch) error { return p.run(l, serverProgram) })
	if err != nil {
		return nil, fmt.Errorf("box: start node: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startMax, fmt.Errorf("it does not listen after %v", startMax))
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = b.conn.SetReadDeadline(time.Now()) })()
	line, err := b.read.ReadString('\n')
	took := time.Since(begin)
	port, perr := strconv.Atoi(strings.TrimSpace(line))
	if err = errors.Join(err, perr); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		_ = b.Stop() // so that all it said is there
		return nil, fmt.Errorf("box: start the server: %w %s", err, bytes.TrimSpace(b.stderr.Bytes()))
	}
	return &Server{process: b, PID: b.cmd.Process.Pid, Port: port, Took: took}, nil
}

// Visit sends GET / over a connection of its own and gives the visits that the
// process has counted. Once the process is gone the error is ErrRefused.
func (s *Server) Visit(ctx context.Context) (visits int, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port))+"/", nil)
	if err != nil {
		return 0, 0, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: this host and nobody else
	begin := time.Now()
	resp, err := client.Do(r)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return 0, time.Since(begin), ErrRefused
	}
	if err != nil {
		return 0, 0, fmt.Errorf("box: visit: %w", err)
	}
	defer resp.Body.Close()
	var answer struct{ Visits, PID int }
	err = json.NewDecoder(io.LimitReader(resp.Body, 1<<10)).Decode(&answer)
	if err != nil || answer.PID != s.PID {
		return 0, 0, errors.New("box: visit: another program has this port now")
	}
	return answer.Visits, time.Since(begin), nil
}

// Memory is what the process holds, in bytes.
func (s *Server) Memory() (int64, error) { return Memory(s.PID) }

// Stop kills the process and waits until it is gone. Stopping twice is fine.
func (s *Server) Stop() error { return s.process.Stop() }
