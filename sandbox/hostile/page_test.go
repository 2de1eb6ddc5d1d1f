package hostile

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/sandbox/trace"
)

// page is a learner's open lesson: it runs the Worker, its socket is cut again
// and again, and it comes back for what it missed.
type page struct {
	l       *learner
	stream  string
	after   uint64 // newest message seen
	life    int64  // of the server that began the stream
	running string // run that was begun and not seen to end
	body    strings.Builder
	runs    int64
	resumed int64
}

// pageMessage is what a page looks at in a server's message.
type pageMessage struct {
	Type    string       `json:"type"`
	ID      string       `json:"id"`
	Seq     uint64       `json:"seq"`
	Stream  string       `json:"stream"`
	Missed  bool         `json:"missed"`
	Running []string     `json:"running"`
	Event   *trace.Event `json:"event"`
	Message string       `json:"message"`
}

func (g *page) live(ctx context.Context, t *testing.T) {
	for ctx.Err() == nil {
		if !g.connect(ctx, t) {
			pause(ctx, 200*time.Millisecond)
		}
	}
}

// connect follows the stream until the socket is cut or breaks. It reports
// whether there was a connection.
func (g *page) connect(ctx context.Context, t *testing.T) bool {
	life := g.l.s.lives.Load()
	d := websocket.Dialer{Jar: g.l.x.client.Jar, HandshakeTimeout: 5 * time.Second, Subprotocols: []string{"coldstart.live.1"}}
	conn, _, err := d.DialContext(ctx, "ws://"+g.l.s.addr+"/api/live", http.Header{"Origin": {g.l.s.base}})
	if err != nil {
		return false
	}
	defer conn.Close()
	cut := time.Now().Add(time.Duration(500+rand.IntN(3000)) * time.Millisecond)
	_ = conn.SetReadDeadline(cut)
	if conn.WriteJSON(map[string]any{"type": "hello", "project": "kept", "stream": g.stream, "after": g.after}) != nil {
		return false
	}
	for begun := 0; ctx.Err() == nil; {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return true
		}
		for _, line := range strings.Split(string(frame), "\n") {
			var m pageMessage
			if json.Unmarshal([]byte(line), &m) != nil {
				t.Errorf("%s: not a message: %.200q", g.l.name, line)
				return true
			}
			g.take(t, life, &m)
		}
		if g.running == "" && begun < 3 {
			begun++
			g.running = "p" + token()[:12]
			g.body.Reset()
			if conn.WriteJSON(map[string]any{"type": "run", "id": g.running, "request": map[string]any{"method": "GET", "path": "/"}}) != nil {
				return true
			}
		}
	}
	return true
}

// take demands that messages continue where the page was.
func (g *page) take(t *testing.T, life int64, m *pageMessage) {
	name := g.l.name
	switch {
	case m.Type == "welcome":
		if g.l.s.lives.Load() == life {
			g.l.s.welcomed.CompareAndSwap(0, time.Now().UnixNano())
		}
		switch {
		case m.Stream == g.stream && m.Missed:
			t.Errorf("%s: messages after %d were gone from a stream that goes on", name, g.after)
		case m.Stream == g.stream:
			g.resumed++
		case g.stream != "" && g.life == life && g.l.s.lives.Load() == life:
			t.Errorf("%s: the stream was lost though the server lived on", name)
		}
		if m.Stream != g.stream {
			g.stream, g.after, g.life, g.running = m.Stream, m.Seq, life, ""
		} else if !slices.Contains(m.Running, g.running) && m.Seq == g.after {
			g.running = "" // the cut took the wish to run along
		}
	case m.Type == "error":
		g.running = ""
	case m.Seq != 0:
		if m.Seq != g.after+1 {
			t.Errorf("%s: message %d came after %d", name, m.Seq, g.after)
		}
		g.after = m.Seq
		g.event(t, m.Event)
	}
}

func (g *page) event(t *testing.T, e *trace.Event) {
	if e == nil || e.Run != g.running {
		return
	}
	switch e.Kind {
	case trace.KindBody:
		g.body.Write(e.Body.Data)
	case trace.KindDone:
		if e.Summary.Outcome == "ok" {
			if owner, _, _ := strings.Cut(g.body.String(), " "); owner != g.l.name {
				t.Errorf("%s: a run answered %.100q", g.l.name, g.body.String())
			}
			g.runs++
		}
		g.running = ""
	}
}
