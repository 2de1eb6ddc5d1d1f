package sandbox

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/sandbox/trace"
)

// Whoever adds does not wait, order is kept, and what waits is bounded.
func TestPump(t *testing.T) {
	p := &pump{}
	held := make(chan struct{})
	var did []int
	p.last(func() { <-held })
	n := 0
	for p.add(1<<10, func() { did = append(did, len(did)) }) {
		n++
	}
	if n != pumpMax/(1<<10+pumpEach) {
		t.Errorf("%d messages wait", n)
	}
	p.last(func() { did = append(did, -1) })
	close(held)
	p.wait()
	if len(did) != n+1 || did[n] != -1 || !slices.IsSorted(did[:n]) {
		t.Errorf("%d of %d done, or not in order", len(did), n)
	}
	if !p.add(1, func() {}) {
		t.Error("there is no room again")
	}
	p.wait()
}

// A visitor who does not read loses the connection; the runner's other runs
// do not wait for it.
func TestVisitorWhoDoesNotReadHoldsNobody(t *testing.T) {
	s := open(t, func(c *Config) { c.Runners = 1 })
	deploy(t, s, key("flood"), worker(`export default { fetch() {
		const [a, b] = Object.values(new WebSocketPair());
		b.accept();
		b.addEventListener("message", () => { for (let i = 0; i < 100; i++) b.send("x".repeat(1 << 17)); });
		return new Response(null, { status: 101, webSocket: a });
	} };`), trace.Limits{CPU: 2e9, Memory: 128 << 20})
	deploy(t, s, key("b"), worker(hello))
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		if err := (HTTP{Door: s}).Serve(w, r, Run{Key: key("flood"), URL: "https://flood.example/"}); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	conn := connect(t, server.URL)
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte("go")); err != nil {
		t.Fatal(err)
	}
	before := serving(t, s)
	for range 5 {
		if a := get(t, s, key("b"), "/x"); a.body != "hello /x" {
			t.Errorf("%q %+v", a.body, a.sum.Fault)
		}
	}
	<-ended
	if serving(t, s) != before {
		t.Error("the runner was replaced")
	}
}

// connect opens a WebSocket, which the caller closes.
func connect(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	conn, resp, err := websocket.DefaultDialer.Dial(strings.Replace(url, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return conn
}

// A visitor who sends faster than a Worker takes messages waits, as the network has
// it, also where another Worker passes them on: what was sent is neither in this
// process nor in theirs.
func TestVisitorWhoFloodsWaits(t *testing.T) {
	for _, from := range []string{"itself", "another"} {
		t.Run(from, func(t *testing.T) { floods(t, from == "another") })
	}
}

func floods(t *testing.T, another bool) {
	s := open(t, func(c *Config) { c.Runners = 1 })
	files := map[string]string{
		"worker.js": `import { WorkerEntrypoint } from "cloudflare:workers";
const take = () => {
	const [a, b] = Object.values(new WebSocketPair());
	let n = 0;
	b.accept();
	b.addEventListener("message", (e) => {
		if (e.data === "hold") for (let i = 0; i < 1.5e7; i++);
		else if (e.data === "how many") b.send(String(n));
		else n++;
	});
	return new Response(null, { status: 101, webSocket: a });
};
export class Far extends WorkerEntrypoint { fetch() { return take(); } }
export default { fetch(r, env, ctx) { return ` + map[bool]string{true: "ctx.exports.Far.fetch(r)", false: "take()"}[another] + `; } };`,
	}
	deploy(t, s, key("flood"), files, trace.Limits{CPU: 30e9, Memory: 128 << 20})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := (HTTP{Door: s}).Serve(w, r, Run{Key: key("flood"), URL: "https://flood.example/"}); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	conn := connect(t, server.URL)
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte("hold")); err != nil {
		t.Fatal(err)
	}
	const all = 48
	var sent atomic.Int64
	piece := make([]byte, 1<<20)
	done := make(chan error, 1)
	go func() {
		for range all {
			if err := conn.WriteMessage(websocket.BinaryMessage, piece); err != nil {
				done <- err
				return
			}
			sent.Add(1)
		}
		done <- conn.WriteMessage(websocket.TextMessage, []byte("how many"))
	}()
	<-time.After(200 * time.Millisecond)
	if n := sent.Load(); n > 24 { // the kernel's buffers hold some
		t.Errorf("a Worker that takes nothing was sent %d MiB", n)
	}
	if err := <-done; err != nil {
		_, _, why := conn.ReadMessage()
		t.Fatal(err, why)
	}
	if _, said, err := conn.ReadMessage(); err != nil || string(said) != strconv.Itoa(all) {
		t.Errorf("of %d messages %s came: %v", all, said, err)
	}
}
