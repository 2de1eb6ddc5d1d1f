package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// What webSocketClose does after an await is done, though its client is gone and
// nothing else of the run is left.
func TestCloseHandlersEnd(t *testing.T) {
	s := open(t)
	deploy(t, s, key("closes"), map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","durable_objects":{"bindings":[{"name":"ROOM","class_name":"Room"}]},"migrations":[{"tag":"v1","new_sqlite_classes":["Room"]}]}`,
		"worker.js": `import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject {
  fetch() {
    const [client, server] = Object.values(new WebSocketPair());
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }
  webSocketMessage(ws, m) { ws.send(m); }
  async webSocketClose(ws, code) {
    ws.close(code, "bye");
    await scheduler.wait(30);
    await this.ctx.storage.put("closed", code);
  }
  closed() { return this.ctx.storage.get("closed"); }
}
export default { async fetch(request, env) {
  const room = env.ROOM.getByName("r");
  return request.headers.get("upgrade") ? room.fetch(request) : new Response(String(await room.closed()));
} };`,
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := (HTTP{Door: s}).Serve(w, r, Run{Key: key("closes"), URL: "https://closes.example/"}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4001, "left"), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _, _ = conn.ReadMessage() // the answer to the close
	conn.Close()
	time.Sleep(300 * time.Millisecond)
	if got := get(t, s, key("closes"), "/").body; got != "4001" {
		t.Errorf("the handler stored %q, want the close code", got)
	}
}

// A listener that throws is told so by an error event, once its socket is closed and
// its client cut off; a client that vanishes leaves its socket open to the program.
func TestListenerThatThrows(t *testing.T) {
	s := open(t)
	deploy(t, s, key("throws"), map[string]string{
		"worker.js": `const seen = [];
export default { fetch(request) {
  if (!request.headers.get("upgrade")) return Response.json(seen);
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.addEventListener("message", (e) => { throw new RangeError(e.data); });
  server.addEventListener("error", (e) => seen.push([e.constructor.name, e.message, String(e.error), server.readyState]));
  server.addEventListener("close", (e) => seen.push([e.code, e.wasClean, server.readyState]));
  return new Response(null, { status: 101, webSocket: client });
} };`,
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := (HTTP{Door: s}).Serve(w, r, Run{Key: key("throws"), URL: "https://throws.example/"}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	dial := func() *websocket.Conn {
		conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	conn := dial()
	if err := conn.WriteMessage(websocket.TextMessage, []byte("boom")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Error("the client is not cut off")
	}
	conn.Close()
	dial().Close()
	want := `[["ErrorEvent","Uncaught RangeError: boom","RangeError: boom",3],[1006,false,1]]`
	got := ""
	for end := time.Now().Add(3 * time.Second); got != want && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got = get(t, s, key("throws"), "/").body
	}
	if got != want {
		t.Errorf("the program saw\n%s, want\n%s", got, want)
	}
}
