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

	"coldstart/sandbox/trace"
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

// A connection lasts longer than the time limit of a request: its messages arrive
// and are answered, and it takes no place from others, in a Worker and in objects.
func TestSocketsOutliveTheTimeLimit(t *testing.T) {
	const wall = time.Second
	object := func(fetch, more string) map[string]string {
		return map[string]string{"wrangler.jsonc": counter["wrangler.jsonc"], "worker.js": `import { DurableObject } from "cloudflare:workers";
			export class O extends DurableObject { fetch() { const { 0: a, 1: b } = new WebSocketPair(); ` + fetch + ` return new Response(null, { status: 101, webSocket: a }); } ` + more + ` }
			export default { fetch(r, env) { return env.O.getByName("a").fetch(r); } };`}
	}
	const echo = `b.accept(); b.addEventListener("message", (e) => b.send("echo " + e.data));`
	for name, files := range map[string]map[string]string{
		"worker":     worker(`export default { fetch() { const { 0: a, 1: b } = new WebSocketPair(); ` + echo + ` return new Response(null, { status: 101, webSocket: a }); } };`),
		"object":     object(echo, ""),
		"hibernates": object(`this.ctx.acceptWebSocket(b);`, `webSocketMessage(b, m) { b.send("echo " + m); }`),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			deploy(t, s, key("a"), files, trace.Limits{Wall: wall, CPU: time.Second, Requests: 2})
			var sockets []Socket
			got, closed := make(chan string, 100), make(chan int, 100)
			for range 6 { // three times the places of the object's isolate
				resp, err := s.Invoke(t.Context(), Run{Key: key("a"), Method: "GET", URL: "https://a.example/", Length: -1, Upgrade: true, Headers: [][2]string{{"Upgrade", "websocket"}}})
				if err != nil || resp.Socket == nil {
					t.Fatalf("%+v %v", resp, err)
				}
				resp.Socket.Receive(func(b []byte, _ bool) { got <- string(b) }, func(code int, _ string, _ bool) { closed <- code })
				sockets = append(sockets, resp.Socket)
			}
			time.Sleep(2 * wall)
			for _, sock := range sockets {
				if err := sock.Send([]byte("x"), false); err != nil {
					t.Error(err)
				}
				select {
				case text := <-got:
					if text != "echo x" {
						t.Errorf("answered %q", text)
					}
				case code := <-closed:
					t.Fatalf("closed with %d", code)
				case <-time.After(10 * time.Second):
					t.Fatal("no answer to a message")
				}
			}
			for _, sock := range sockets {
				sock.Close(1000, "")
			}
		})
	}
}

// A run that the time limit ends while it still holds a connection to another Worker
// closes that one: nobody waits at its other end for ever.
func TestEndedRunsCloseTheirSockets(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","services":[{"binding":"SELF","service":"w"}],"kv_namespaces":[{"binding":"KV","id":"kv"}]}`,
		"worker.js": `export default { async fetch(request, env, ctx) {
			const path = new URL(request.url).pathname;
			if (path === "/server") {
				const { 0: a, 1: b } = new WebSocketPair();
				b.accept();
				b.addEventListener("close", (e) => ctx.waitUntil(env.KV.put("closed", String(e.code))));
				return new Response(null, { status: 101, webSocket: a });
			}
			if (path === "/closed") return new Response(await env.KV.get("closed"));
			const r = await env.SELF.fetch("https://w.example/server", { headers: { upgrade: "websocket" } });
			r.webSocket.accept();
			return new Response("connected");
		} };`,
	}, trace.Limits{Wall: 400 * time.Millisecond})
	if a := get(t, s, key("a"), "/"); a.body != "connected" {
		t.Fatalf("%d %q %+v", a.status, a.body, a.sum.Fault)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if a := get(t, s, key("a"), "/closed"); a.body == "1011" {
			return
		} else if time.Now().After(end) {
			t.Fatalf("its other end saw %q", a.body)
		}
	}
}
