package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/sandbox/trace"
	"coldstart/web/live"
)

// TestDrain stops a server while a run is under way: the run ends, its page
// gets the result and is told to connect again, and the result is kept.
func TestDrain(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	r := launch(t, "--data", data)
	r.ready()
	v := newVisitor(t)
	v.send(r, http.MethodGet, "/", "")
	body, err := json.Marshal(map[string]any{"files": map[string]string{
		"src/index.js": `export default { async fetch() { console.log("begun"); await new Promise((done) => setTimeout(done, 1500)); return new Response("ended"); } }`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := v.send(r, http.MethodPut, "/api/projects/shared", string(body)); status != http.StatusOK {
		t.Fatalf("save: %d %s", status, answer)
	}
	page := v.page(r)
	if err := page.conn.WriteJSON(live.ClientMessage{Type: "run", ID: "mine", Request: &live.Request{Method: "GET", Path: "/"}}); err != nil {
		t.Fatal(err)
	}
	page.until("the run's first line", func(m live.ServerMessage) bool { return m.Event != nil && m.Event.Kind == trace.KindLog })
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	page.until("the run's end", func(m live.ServerMessage) bool {
		if m.Event == nil || m.Event.Kind != trace.KindDone {
			return false
		}
		if s := m.Event.Summary; s.Outcome != "ok" {
			t.Errorf("the run ended as %s: %+v", s.Outcome, s.Fault)
		}
		return true
	})
	var closed *websocket.CloseError
	for {
		if _, _, err := page.conn.ReadMessage(); err != nil {
			if !errors.As(err, &closed) || closed.Code != websocket.CloseServiceRestart {
				t.Errorf("the page's socket ends with %v", err)
			}
			break
		}
	}
	page.conn.Close()
	select {
	case <-r.done:
	case <-time.After(patience):
		t.Fatalf("the server does not end:\n%s", r.log.String())
	}
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, r.log.String())
	}
	again := launch(t, "--data", data)
	again.ready()
	if status, runs := v.send(again, http.MethodGet, "/api/projects/shared/runs", ""); status != http.StatusOK || !strings.Contains(runs, "begun") {
		t.Errorf("the kept runs: %d %s", status, runs)
	}
}
