package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/sandbox/trace"
	"coldstart/web/live"
)

// runWait is how long a simulated learner waits for an answer.
const runWait = time.Minute

// classLearner is one simulated browser.
type classLearner struct {
	room   *classRoom
	n      int
	cookie string
	conn   *websocket.Conn
	read   sync.WaitGroup

	mu    sync.Mutex
	sent  int
	runs  map[string]*classRun
	ended error
}

// classRun is one press of Run.
type classRun struct {
	begin   time.Time
	took    time.Duration
	summary *trace.Summary
	queued  []classPlace
	done    chan error
}

// classPlace is a place in line as it was shown.
type classPlace struct {
	place            int
	waited, estimate time.Duration
}

// request asks the site as the learner's browser would.
func (l *classLearner) request(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, l.room.site+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if l.cookie != "" {
		req.Header.Set("Cookie", l.cookie)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", l.room.site)
	}
	return l.room.client.Do(req)
}

// open loads a page whole and keeps the session that comes with it.
func (l *classLearner) open(ctx context.Context, path string) error {
	begin := time.Now()
	resp, err := l.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	l.room.add(&l.room.page, time.Since(begin))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	for _, c := range resp.Cookies() {
		l.cookie = c.Name + "=" + c.Value
	}
	return nil
}

// starter finds the lesson's program.
func (r *classRoom) starter(ctx context.Context) error {
	l := &classLearner{room: r}
	page := "/learn/" + r.plan.Lesson
	if err := l.open(ctx, page); err != nil {
		return err
	}
	r.page = nil // the first one was not a part of the class
	r.id = path.Base(r.plan.Lesson)
	resp, err := l.request(ctx, http.MethodGet, "/api/projects/"+r.id, nil)
	if err != nil {
		return err
	}
	var p struct {
		Files map[string]string `json:"files"`
	}
	if err := decode(resp, &p); err != nil {
		return err
	}
	if r.files = p.Files; len(r.files) == 0 {
		return fmt.Errorf("the lesson %s has no program to run", r.plan.Lesson)
	}
	return nil
}

// look opens pages while the class works.
func (r *classRoom) look(ctx context.Context) {
	l := &classLearner{room: r}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := l.open(ctx, []string{"/", "/learn/" + r.plan.Lesson, "/progress"}[n%3]); err != nil && ctx.Err() == nil {
			r.failed(err)
		}
	}
}

// enter opens the lesson, saves a change and connects.
func (l *classLearner) enter(ctx context.Context) error {
	if err := l.open(ctx, "/learn/"+l.room.plan.Lesson); err != nil {
		return err
	}
	files := map[string]string{}
	for name, text := range l.room.files {
		if strings.HasSuffix(name, ".ts") || strings.HasSuffix(name, ".js") {
			text = fmt.Sprintf("// learner %d\n%s", l.n, text) // nobody's program is built already
		}
		files[name] = text
	}
	body, err := json.Marshal(map[string]any{"files": files})
	if err != nil {
		return err
	}
	begin := time.Now()
	resp, err := l.request(ctx, http.MethodPut, "/api/projects/"+l.room.id, body)
	if err != nil {
		return err
	}
	if err := decode(resp, &struct{}{}); err != nil {
		return err
	}
	l.room.add(&l.room.save, time.Since(begin))
	begin = time.Now()
	d := websocket.Dialer{Subprotocols: []string{live.Subprotocol}, HandshakeTimeout: runWait}
	conn, resp, err := d.DialContext(ctx, "ws"+strings.TrimPrefix(l.room.site, "http")+"/api/live", http.Header{"Origin": {l.room.site}, "Cookie": {l.cookie}})
	if err != nil {
		if resp != nil {
			err = fmt.Errorf("%w: %s", err, resp.Status)
		}
		return err
	}
	if err := conn.WriteJSON(live.ClientMessage{Type: "hello", Project: l.room.id}); err != nil {
		return errors.Join(err, conn.Close())
	}
	if _, _, err := conn.ReadMessage(); err != nil { // the welcome
		return errors.Join(err, conn.Close())
	}
	l.room.add(&l.room.socket, time.Since(begin))
	l.conn = conn
	l.read.Go(l.receive)
	return nil
}

func (l *classLearner) leave() {
	if l.conn != nil {
		_ = l.conn.Close() // it ends the reader
		l.read.Wait()
	}
}

// run presses Run and waits for the end.
func (l *classLearner) run(ctx context.Context) (*classRun, error) {
	l.mu.Lock()
	if l.ended != nil {
		defer l.mu.Unlock()
		return nil, l.ended
	}
	l.sent++
	id := fmt.Sprint("r", l.sent)
	run := &classRun{begin: time.Now(), done: make(chan error, 1)}
	l.runs[id] = run
	err := l.conn.WriteJSON(live.ClientMessage{Type: "run", ID: id, Request: &live.Request{Method: "GET", Path: "/"}})
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(runWait)
	defer timer.Stop()
	select {
	case err := <-run.done:
		return run, err
	case <-timer.C:
		return nil, fmt.Errorf("no answer within %v", runWait)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// classMessage is what a simulated page needs of a server's message.
type classMessage struct {
	Type    string       `json:"type"`
	ID      string       `json:"id"`
	Message string       `json:"message"`
	Event   *trace.Event `json:"event"`
}

// receive notes what comes until the socket closes.
func (l *classLearner) receive() {
	for {
		_, data, err := l.conn.ReadMessage()
		if err != nil {
			l.end(fmt.Errorf("socket: %w", err))
			return
		}
		now := time.Now()
		for line := range bytes.Lines(data) {
			if !slices.ContainsFunc([]string{`"queued"`, `"done"`, `"error"`}, func(s string) bool { return bytes.Contains(line, []byte(s)) }) {
				continue // logs and spans are for people
			}
			var m classMessage
			if err := json.Unmarshal(line, &m); err != nil {
				l.end(err)
				return
			}
			l.note(m, now)
		}
	}
}

func (l *classLearner) note(m classMessage, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.Type == "error" {
		if run := l.runs[m.ID]; run != nil {
			run.done <- errors.New(m.Message)
			delete(l.runs, m.ID)
		}
		return
	}
	e := m.Event
	if e == nil || l.runs[e.Run] == nil {
		return
	}
	run := l.runs[e.Run]
	switch e.Kind {
	case trace.KindQueued:
		run.queued = append(run.queued, classPlace{e.Queued.Place, now.Sub(run.begin), time.Duration(e.Queued.Wait) * time.Microsecond})
	case trace.KindDone:
		run.took, run.summary = now.Sub(run.begin), e.Summary
		var err error
		if e.Summary.Outcome != "ok" {
			err = fmt.Errorf("a run ended as %s", e.Summary.Outcome)
			if f := e.Summary.Fault; f != nil {
				err = fmt.Errorf("%w: %s", err, f.Message)
			}
		}
		run.done <- err
		delete(l.runs, e.Run)
	}
}

func (l *classLearner) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = err
	for _, run := range l.runs {
		run.done <- err
	}
	clear(l.runs)
}
