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

// unstored is what a Durable Object answers whose writes its store does not take:
// nothing, unless its code knows of it.
var unstored = map[string]string{
	"wrangler.jsonc": counter["wrangler.jsonc"],
	"worker.js": `import { DurableObject } from "cloudflare:workers";
		const big = "x".repeat(9000), said = (e) => new Response("caught " + e.message);
		export class O extends DurableObject {
			async fetch(request) {
				const { storage } = this.ctx;
				switch (new URL(request.url).pathname) {
				case "/left": storage.put("k", big); break;
				case "/left-busy": storage.put("k", big); for (let i = 0; i < 200000; i++); break;
				case "/left-stream": storage.put("k", big); return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(9)); c.close(); } }));
				case "/left-alarm": storage.put("k", big); storage.setAlarm(Date.now() + 1e6); break;
				case "/awaited": await storage.put("k", big); break;
				case "/caught": try { await storage.put("k", big); } catch (e) { return said(e); } break;
				case "/caught-later": { const p = storage.put("k", big).catch(said); await scheduler.wait(20); return p; }
				case "/caught-sync": try { storage.kv.put("k", big); } catch (e) { return said(e); } break;
				case "/caught-then-left": try { await storage.put("k", big); } catch {} storage.put("k", big); break;
				}
				return new Response("written");
			}
			left() { this.ctx.storage.put("k", big); return "written"; }
			async caught() { try { await this.ctx.storage.put("k", big); } catch (e) { return "caught " + e.message; } return "written"; }
		}
		export default { async fetch(request, env) {
			const o = env.O.getByName("o"), path = new URL(request.url).pathname;
			return path.startsWith("/rpc-") ? new Response(await o[path.slice(5)]()) : o.fetch(request);
		} };`,
}

// A Durable Object that does not wait for a write, and whose write is refused, does
// not get to say that it wrote; one whose code met the refusal says what it likes.
// Whose doing it was is told: a limit of the project's, or the server's disk.
func TestUnstoredWritesHoldTheAnswerBack(t *testing.T) {
	for name, c := range map[string]struct {
		store platform.Store
		kind  trace.FaultKind
		why   string
		hint  string
	}{
		"limit": {platform.NewMemory(), trace.FaultLimit, "Durable Objects: this project's 8 KiB of storage are full; delete some first.", "Delete some data"},
		"disk":  {fullStore{platform.NewMemory()}, trace.FaultPlatform, "The server's disk is full, so nothing was stored. It was not your code; your instructor has to make room.", "what was stored before is there"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, func(conf *Config) { conf.Store = c.store })
			deploy(t, s, key(name), unstored, trace.Limits{CPU: time.Second, KVBytes: 8 << 10})
			for _, path := range []string{"/left", "/left-busy", "/left-stream", "/left-alarm", "/caught-then-left", "/rpc-left"} {
				for range 3 {
					a := get(t, s, key(name), path)
					var told *trace.Fault
					for _, e := range a.events {
						if e.Kind == trace.KindFault && strings.HasPrefix(e.Fault.Message, "What the object wrote could not be stored, so its answer was held back: ") && told == nil {
							told = e.Fault
						}
					}
					if a.status != 500 || a.body != "" || told == nil {
						t.Errorf("%s: %d %q %+v", path, a.status, a.body, a.sum.Fault)
					} else if told.Kind != c.kind || !strings.HasSuffix(told.Message, c.why) || !strings.Contains(told.Hint, c.hint) {
						t.Errorf("%s: told %+v", path, told)
					}
				}
			}
			if a := get(t, s, key(name), "/awaited"); a.status != 500 || a.sum.Fault == nil || a.sum.Fault.Message != c.why || len(a.sum.Fault.Frames) == 0 {
				t.Errorf("/awaited: %d %q %+v", a.status, a.body, a.sum.Fault)
			}
			for _, path := range []string{"/caught", "/caught-later", "/caught-sync", "/rpc-caught"} {
				if a := get(t, s, key(name), path); a.body != "caught "+c.why {
					t.Errorf("%s: %d %q %+v", path, a.status, a.body, a.sum.Fault)
				}
			}
		})
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
