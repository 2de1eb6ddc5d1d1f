package sandbox

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// An answer that is whole says its length, as on Workers; one that streams,
// or says a length of its own, is left as it is.
func TestAnswersSayTheirLength(t *testing.T) {
	s := open(t)
	deploy(t, s, key("length"), worker(`export default { fetch(request) {
  switch (new URL(request.url).pathname) {
    case "/text": return new Response("hällo");
    case "/none": return new Response(null);
    case "/large": return new Response("x".repeat(200_000));
    case "/fixed": { const f = new FixedLengthStream(5); const w = f.writable.getWriter(); w.write(new TextEncoder().encode("hello")); w.close(); return new Response(f.readable); }
  }
  return new Response(new ReadableStream({ async start(c) { c.enqueue(new TextEncoder().encode("a")); await scheduler.wait(5); c.enqueue(new TextEncoder().encode("b")); c.close(); } }));
} };`))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := (HTTP{Door: s}).Serve(w, r, Run{Key: key("length"), URL: "https://length.example" + r.URL.Path}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	for _, c := range []struct {
		method, path, body string
		length             int64
	}{
		{"GET", "/text", "hällo", 6},
		{"HEAD", "/text", "", 6},
		{"GET", "/none", "", 0},
		{"GET", "/large", strings.Repeat("x", 200_000), 200_000},
		{"GET", "/fixed", "hello", 5},
		{"GET", "/stream", "ab", -1},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), c.method, srv.URL+c.path, nil)
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != c.body || resp.ContentLength != c.length {
			t.Errorf("%s %s: length %d, want %d; %d bytes, %v", c.method, c.path, resp.ContentLength, c.length, len(body), err)
		}
	}
}

// A request with a body says its length once, or that it is sent in chunks:
// without either, Express takes it for a request that has none.
func TestRequestsSayTheirLength(t *testing.T) {
	s := open(t)
	deploy(t, s, key("lengths"), worker(`export default { async fetch(request) {
  return Response.json([request.headers.get("content-length"), request.headers.get("transfer-encoding"), await request.text()]);
} };`))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := (HTTP{Door: s}).Serve(w, r, Run{Key: key("lengths"), URL: "https://lengths.example/"}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	for _, c := range []struct {
		body io.Reader
		want string
	}{
		{strings.NewReader("abc"), `["3",null,"abc"]`},
		{struct{ io.Reader }{strings.NewReader("abc")}, `[null,"chunked","abc"]`},
		{nil, `["0",null,""]`},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, c.body)
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != c.want {
			t.Errorf("%s, want %s; %v", body, c.want, err)
		}
	}
}

// A listener that throws cuts its client off, as on Workers; a socket that was
// accepted half open answers a close when its Worker says so.
func TestSocketsEnd(t *testing.T) {
	s := open(t)
	deploy(t, s, key("ends"), worker(`export default { fetch() {
  const [client, server] = Object.values(new WebSocketPair());
  server.accept({ allowHalfOpen: true });
  server.addEventListener("message", () => { throw new Error("no"); });
  server.addEventListener("close", (e) => server.close(4000, "after " + e.code));
  return new Response(null, { status: 101, webSocket: client });
} };`))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := (HTTP{Door: s}).Serve(w, r, Run{Key: key("ends"), URL: "https://ends.example/"}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	for _, c := range []struct {
		kind int
		data []byte
		want int
	}{
		{websocket.TextMessage, []byte("x"), 1006},
		{websocket.CloseMessage, websocket.FormatCloseMessage(4001, ""), 4000},
	} {
		conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if err := conn.WriteMessage(c.kind, c.data); err != nil {
			t.Fatal(err)
		}
		_, _, err = conn.ReadMessage()
		if !websocket.IsCloseError(err, c.want) {
			t.Errorf("closed with %v, want %d", err, c.want)
		}
		conn.Close()
	}
}
