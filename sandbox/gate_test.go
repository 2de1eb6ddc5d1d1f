package sandbox

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
)

// heldWrites is a store whose writes of objects' data wait, or fail.
type heldWrites struct {
	platform.Store
	wait chan struct{} // each write of an object takes one value
	came chan struct{} // and gives one before
	fail atomic.Bool
}

func (h *heldWrites) Write(ctx context.Context, ns platform.Namespace, batch []platform.Change, check func(platform.Usage) error) error {
	if ns.Kind == "sql" || ns.Kind == "durable" {
		if h.fail.Load() {
			return errors.New("disk full")
		}
		h.came <- struct{}{}
		<-h.wait
	}
	return h.Store.Write(ctx, ns, batch, check)
}

var counter = map[string]string{
	"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","durable_objects":{"bindings":[{"name":"O","class_name":"O"}]},"migrations":[{"tag":"v1","new_sqlite_classes":["O"]}]}`,
	"worker.js": `import { DurableObject } from "cloudflare:workers";
		export class O extends DurableObject {
			constructor(ctx, env) { super(ctx, env); ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t (n)"); }
			fetch(request) {
				const path = new URL(request.url).pathname;
				if (path === "/sql") this.ctx.storage.sql.exec("INSERT INTO t VALUES (1)");
				if (path === "/put") this.ctx.storage.put("k", 1);
				if (path === "/call") { this.ctx.storage.sql.exec("INSERT INTO t VALUES (1)"); return this.env.O.getByName("other").fetch("https://o/"); }
				return new Response("n=" + this.ctx.storage.sql.exec("SELECT count(*) AS n FROM t").one().n);
			}
			add() { this.ctx.storage.sql.exec("INSERT INTO t VALUES (1)"); return "added"; }
		}
		export default { async fetch(request, env) {
			const o = env.O.getByName("o");
			return new URL(request.url).pathname === "/rpc" ? new Response(await o.add()) : o.fetch(request);
		} };`,
}

// What a Durable Object answers is held back until what it wrote before is
// stored, whichever way it wrote and answers.
func TestOutputGate(t *testing.T) {
	store := &heldWrites{Store: platform.NewMemory(), wait: make(chan struct{}), came: make(chan struct{})}
	s := open(t, func(c *Config) { c.Store = store })
	deploy(t, s, key("a"), counter)
	for _, path := range []string{"/sql", "/put", "/rpc", "/call"} {
		done := make(chan answer, 1)
		go func() {
			a, err := try(s, key("a"), path)
			if err != nil {
				t.Error(err)
			}
			done <- a
		}()
		var a answer
		for writes := 0; a.sum == nil; {
			select {
			case <-store.came:
				writes++
				select {
				case a := <-done:
					t.Fatalf("%s answered %q while a write waits", path, a.body)
				case <-time.After(20 * time.Millisecond): // time to answer wrongly
				}
				store.wait <- struct{}{}
			case a = <-done:
				if writes == 0 {
					t.Errorf("%s wrote nothing before it answered", path)
				}
			}
		}
		t.Log(path, time.Duration(a.sum.Wall)*time.Microsecond)
		if a.status != 200 || a.sum.Fault != nil {
			t.Errorf("%s: %d %q %+v", path, a.status, a.body, a.sum.Fault)
		}
	}
	go func() { // what may come late, and at the end
		for range store.came {
			store.wait <- struct{}{}
		}
	}()
	if a := get(t, s, key("a"), "/"); a.body != "n=3" {
		t.Errorf("%q", a.body)
	}
}

// An answer whose writes cannot be stored is not given, and they are gone.
func TestOutputGateStaysShut(t *testing.T) {
	store := &heldWrites{Store: platform.NewMemory(), wait: make(chan struct{}), came: make(chan struct{})}
	s := open(t, func(c *Config) { c.Store = store })
	go func() {
		for range store.came {
			store.wait <- struct{}{}
		}
	}()
	deploy(t, s, key("a"), counter)
	if a := get(t, s, key("a"), "/sql"); a.body != "n=1" {
		t.Fatalf("%q %+v", a.body, a.sum.Fault)
	}
	store.fail.Store(true)
	a := get(t, s, key("a"), "/sql")
	if a.status != 500 || a.sum.Fault == nil || !strings.Contains(a.sum.Fault.Message, "could not be stored") {
		t.Errorf("%d %q %+v", a.status, a.body, a.sum.Fault)
	}
	store.fail.Store(false)
	if a := get(t, s, key("a"), "/"); a.body != "n=1" {
		t.Errorf("afterwards: %q %+v", a.body, a.sum.Fault)
	}
}

// What a Durable Object wrote without waiting for it is kept, all of it and in
// order, though its answer was the last that it did; a transaction that was left
// open is not.
func TestUnawaitedWritesAreKept(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), map[string]string{
		"wrangler.jsonc": counter["wrangler.jsonc"],
		"worker.js": `import { DurableObject } from "cloudflare:workers";
		export class O extends DurableObject {
			fill() { for (let i = 0; i < 300; i++) { this.ctx.storage.put("k" + i, i); this.ctx.storage.put("last", i); } return "filled"; }
			leave() { this.ctx.storage.transaction(async (t) => { t.put("k0", "lost"); await new Promise(() => {}); }); return "left"; }
			async seen() { const all = await this.ctx.storage.list(); return all.size + " " + all.get("last") + " " + all.get("k0"); }
		}
		export default { async fetch(request, env) { return new Response(String(await env.O.getByName("o")[new URL(request.url).pathname.slice(1)]())); } };`,
	}, trace.Limits{CPU: 2 * time.Second})
	for _, step := range [][2]string{{"/fill", "filled"}, {"/seen", "301 299 0"}, {"/leave", "left"}, {"/seen", "301 299 0"}} {
		if a := get(t, s, key("a"), step[0]); a.body != step[1] {
			t.Errorf("%s: %q %+v, want %q", step[0], a.body, a.sum.Fault, step[1])
		}
	}
}
