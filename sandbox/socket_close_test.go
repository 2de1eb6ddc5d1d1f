package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// What webSocketClose does after an await is done, though its client is gone and
// nothing else of the run is left; a close after it still reaches the client.
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
    if (code === 4001) ws.close(code, "bye");
    await scheduler.wait(30);
    if (code !== 4001) ws.close(code, "late");
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
	for code, reason := range map[int]string{4001: "bye", 4002: "late"} {
		conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, "left"), time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		var answer *websocket.CloseError
		if _, _, err = conn.ReadMessage(); !errors.As(err, &answer) || answer.Code != code || answer.Text != reason {
			t.Errorf("the client's close %d is answered by %v, want %q", code, err, reason)
		}
		conn.Close()
		want := fmt.Sprint(code)
		if got := eventually(t, want, func() string { return get(t, s, key("closes"), "/").body }); got != want {
			t.Errorf("the handler stored %q, want the close code %d", got, code)
		}
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
	if got := eventually(t, want, func() string { return get(t, s, key("throws"), "/").body }); got != want {
		t.Errorf("the program saw\n%s, want\n%s", got, want)
	}
}

// eventually is what f gives once that is want, or after three seconds.
func eventually(t *testing.T, want string, f func() string) (got string) {
	t.Helper()
	for end := time.Now().Add(3 * time.Second); got != want && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got = f()
	}
	return got
}
