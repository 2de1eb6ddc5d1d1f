package sandbox

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstart/sandbox/trace"

	"github.com/gorilla/websocket"
)

// calling is a project of one Worker that calls its own entrypoint E and its objects O.
func calling(code string) map[string]string {
	return map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","services":[{"binding":"E","service":"w","entrypoint":"E"}],
			"durable_objects":{"bindings":[{"name":"O","class_name":"O"}]},"migrations":[{"tag":"v1","new_sqlite_classes":["O"]}]}`,
		"worker.js": `import { WorkerEntrypoint, DurableObject, RpcTarget } from "cloudflare:workers";
			const twenty = (f) => Promise.all(Array.from({ length: 20 }, (_, i) => f(i)));
			const pieces = (n) => new ReadableStream({ pull(c) { if (n-- > 0) c.enqueue(new Uint8Array(4).fill(65)); else c.close(); } });
			const read = async (s) => (await new Response(s).text()).length;
			` + code,
	}
}

const (
	noEntry  = "\nexport class E extends WorkerEntrypoint {}\n"
	noObject = "\nexport class O extends DurableObject {}\n"
)

// More runs may wait for one another than an isolate has places: a stub's calls are
// what those wait for that passed it on, and so is whatever reads their streams.
func TestRunsThatWaitForOneAnotherNeedNoPlaces(t *testing.T) {
	s := open(t)
	for _, test := range []struct{ name, code, want string }{
		{
			"callbacks", `export class E extends WorkerEntrypoint { run(f) { return f(1); } }` + noObject + `
			export default { async fetch(r, env) { return new Response((await twenty((i) => env.E.run((x) => x + i))).join()); } };`,
			"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20",
		},
		{"streams of a Worker", `export class E extends WorkerEntrypoint { s() { return pieces(3); } }` + noObject + `
			export default { async fetch(r, env) { let n = 0; for (const s of await twenty(() => env.E.s())) n += await read(s); return new Response(n); } };`, "240"},
		{"streams of an object", `export class O extends DurableObject { s() { return pieces(3); } }` + noEntry + `
			export default { async fetch(r, env) { const o = env.O.getByName("a"); let n = 0; for (const s of await twenty(() => o.s())) n += await read(s); return new Response(n); } };`, "240"},
		{"streams behind a lock", `export class O extends DurableObject {
				last = Promise.resolve();
				async s(i) { const before = this.last; let free; this.last = new Promise((f) => free = f); await before; if (i === 0) await scheduler.wait(20); free(); return pieces(3); }
			}` + noEntry + `
			export default { async fetch(r, env) { const o = env.O.getByName("a"), all = await twenty((i) => o.s(i)); await scheduler.wait(50); let n = 0; for (const s of all) n += await read(s); return new Response(n); } };`, "240"},
		{"a barrier", `export class O extends DurableObject {
				here = 0; open = new Promise((f) => this.go = f);
				async wait() { if (++this.here === 20) this.go("open"); return this.open; }
			}` + noEntry + `
			export default { async fetch(r, env) { const o = env.O.getByName("a"); return new Response(new Set(await twenty(() => o.wait())).size); } };`, "1"},
		{"intervals beside one that waits", `export class O extends DurableObject {
				here = 0; open = new Promise((f) => this.go = f);
				async wait() { await this.open; return 1; }
				begin() { setInterval(() => { }, 50); if (++this.here === 20) this.go(); return 1; }
			}` + noEntry + `
			export default { async fetch(r, env) { const o = env.O.getByName("a"), first = o.wait(); for (let i = 0; i < 20; i++) await o.begin(); return new Response(await first); } };`, "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := key(test.name)
			deploy(t, s, k, calling(test.code), trace.Limits{Wall: 10 * time.Second})
			if a := get(t, s, k, "/"); a.body != test.want || a.sum.Fault != nil {
				t.Errorf("%q %+v, want %q", a.body, a.sum.Fault, test.want)
			}
		})
	}
}

// A room of accepted sockets has as many as want to come.
func TestARoomHasRoom(t *testing.T) {
	s := open(t)
	k := key("room")
	deploy(t, s, k, calling(noEntry+`export class O extends DurableObject {
			all = [];
			fetch() {
				const [client, server] = Object.values(new WebSocketPair());
				server.accept();
				this.all.push(server);
				server.addEventListener("message", (e) => { for (const s of this.all) s.send(e.data); });
				return new Response(null, { status: 101, webSocket: client });
			}
		}
		export default { fetch(request, env) { return env.O.getByName("r").fetch(request); } };`))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := (HTTP{Door: s}).Serve(w, r, Run{Key: k, URL: "https://room.example/"}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	var all []*websocket.Conn
	begun := time.Now()
	for range 20 {
		conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
		if err != nil {
			t.Fatalf("socket %d: %v", len(all)+1, err)
		}
		defer conn.Close()
		all = append(all, conn)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v until all were there", took)
	}
	if err := all[19].WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	for i, conn := range all {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, text, err := conn.ReadMessage(); err != nil || string(text) != "hello" {
			t.Fatalf("socket %d: %q %v", i, text, err)
		}
	}
}

// What a request leaves behind is nothing: in an isolate of little memory as many
// answer as want to.
func TestNothingIsLeftBehind(t *testing.T) {
	s := open(t)
	for _, test := range []struct {
		name  string
		times int // so many filled it once, or as many as there is time for; ten times as many in the full form
		code  string
	}{
		{"streams by RPC", 300, `export class E extends WorkerEntrypoint { s() { return pieces(3); } }` + noObject + `
			export default { async fetch(r, env) { return new Response(await read(await env.E.s())); } };`},
		{"streams by RPC that nobody reads", 300, `export class E extends WorkerEntrypoint { s() { return pieces(3); } }` + noObject + `
			export default { async fetch(r, env) { await env.E.s(); return new Response("12"); } };`},
		{"streams as arguments", 200, `export class E extends WorkerEntrypoint { s(x) { return read(x); } }` + noObject + `
			export default { async fetch(r, env) { return new Response(await env.E.s(pieces(3))); } };`},
		{"answers that nobody reads", 300, `export class E extends WorkerEntrypoint { fetch() { return new Response(pieces(1e6)); } }` + noObject + `
			export default { async fetch(r, env) { await env.E.fetch("https://e/"); return new Response("12"); } };`},
		{"empty streams", 2000, noEntry + noObject + `
			export default { fetch() { return new Response(new ReadableStream({ start(c) { c.close(); } })); } };`},
		{"nested transactions", 100, `export class O extends DurableObject {
				async t() { const { storage } = this.ctx; await storage.transaction(async (a) => { await a.put("n", 1); await storage.transaction((b) => b.put("n", 12)); }); return storage.transactionSync(() => storage.transactionSync(() => storage.kv.get("n"))); }
			}` + noEntry + `
			export default { async fetch(r, env) { return new Response(await env.O.getByName("a").t()); } };`},
		{"locks", 300, `export class O extends DurableObject {
				last = Promise.resolve();
				async t() { const before = this.last; let free; this.last = new Promise((f) => free = f); await before; await scheduler.wait(1); free(); setTimeout(() => { }, 1e6); return 12; }
			}` + noEntry + `
			export default { async fetch(r, env) { return new Response(await env.O.getByName("a").t()); } };`},
		{"waits with one signal", 300, noEntry + noObject + `const { signal } = new AbortController();
			export default { async fetch() { await Promise.all(Array.from({ length: 40 }, () => scheduler.wait(0, { signal }))); return new Response("12"); } };`},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := key(test.name)
			deploy(t, s, k, calling(test.code), trace.Limits{Memory: 12 << 20})
			first := get(t, s, k, "/")
			n := test.times
			if !testing.Short() {
				n *= 10
			}
			todo := make(chan struct{}, n)
			for range n {
				todo <- struct{}{}
			}
			close(todo)
			goroutines := runtime.NumGoroutine()
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for range todo {
						if a, err := try(s, k, "/"); err != nil || a.body != first.body || a.sum.Fault != nil {
							t.Errorf("%v %q %+v, want %q", err, a.body, a.sum, first.body)
							return
						}
					}
				})
			}
			wg.Wait()
			busy := func() bool {
				return slices.ContainsFunc(s.Isolates(k), func(i trace.IsolateState) bool { return i.State != "idle" })
			}
			for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines+4 || busy(); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d goroutines, and %d before; %+v", runtime.NumGoroutine(), goroutines, s.Isolates(k))
				}
			}
		})
	}
}
