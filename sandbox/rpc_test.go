package sandbox

import (
	"math"
	"testing"
	"time"

	"coldstart/sandbox/trace"
)

// A request may wait for what another request of its isolate brings about: its
// answer must still be its own.
func TestARequestWokenByAnotherAnswersItself(t *testing.T) {
	s := open(t)
	k := key("a")
	deploy(t, s, k, map[string]string{"worker.js": `let wake;
		export default {
			async fetch(request) {
				if (new URL(request.url).pathname === "/wait") {
					const text = await new Promise((f) => { wake = f; setTimeout(() => {}, 9000); });
					return new Response("woken by " + text);
				}
				if (wake === undefined) return new Response("nobody waits");
				wake("the other");
				return new Response("woke it");
			},
		};`})
	if a := get(t, s, k, "/wake"); a.body != "nobody waits" { // one isolate is warm from here on
		t.Fatalf("first request: %q %+v", a.body, a.sum.Fault)
	}
	woken := make(chan string, 1)
	go func() { woken <- get(t, s, k, "/wait").body }()
	for end := time.Now().Add(8 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		a := get(t, s, k, "/wake")
		if a.body == "woke it" {
			break
		}
		if a.body != "nobody waits" || time.Now().After(end) {
			t.Fatalf("waking: %q %+v", a.body, a.sum.Fault)
		}
	}
	if got := <-woken; got != "woken by the other" {
		t.Errorf("the request that waited: %q", got)
	}
}

// Calls made without awaiting one another arrive in their order, also while the
// isolate they go to is being made, and so do an object's storage operations.
func TestCallsArriveInOrder(t *testing.T) {
	s := open(t)
	k := key("a")
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01",
			"durable_objects":{"bindings":[{"name":"LIST","class_name":"List"}]},
			"migrations":[{"tag":"v1","new_sqlite_classes":["List"]}]}`,
		"worker.js": `import { DurableObject, RpcTarget } from "cloudflare:workers";
		class View extends RpcTarget {
			#list;
			constructor(list) { super(); this.#list = list; }
			add(x) { return this.#list.push(x); }
		}
		export class List extends DurableObject {
			list = [];
			add(x) { return this.list.push(x); }
			view() { return new View(this.list); }
			async last() {
				const { storage } = this.ctx;
				for (let i = 0; i < 20; i++) storage.put("n", i);
				return storage.get("n");
			}
		}
		export default {
			async fetch(request, env) {
				const o = env.LIST.getByName("one"), calls = [];
				for (let i = 0; i < 12; i++) calls.push(o.add(i));
				const view = await o.view();
				for (let i = 0; i < 12; i++) calls.push(view.add(i));
				return Response.json([await Promise.all(calls), await o.last()]);
			},
		};`,
	})
	a := get(t, s, k, "/")
	if want := "[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24],19]"; a.body != want {
		t.Errorf("%q %+v, want %q", a.body, a.sum.Fault, want)
	}
}

// What a method gives back and cannot be sent has a place: the method, which is
// over when that is found.
func TestRPCResultPlace(t *testing.T) {
	s, k := open(t), key("a")
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{ "main": "worker.js", "compatibility_date": "2026-11-01", "services": [{ "binding": "SELF", "service": "worker", "entrypoint": "Api" }] }`,
		"worker.js": `import { WorkerEntrypoint } from "cloudflare:workers";
class Row {}
class Base extends WorkerEntrypoint {
  rows() { return [new Row()]; }
}
export class Api extends Base {}
export default { async fetch(request, env) { return Response.json(await env.SELF.rows()); } };
`,
	})
	a := get(t, s, k, "/")
	for _, e := range a.events {
		if e.Kind == trace.KindFault && e.Fault.Name == "DataCloneError" && len(e.Fault.Frames) > 0 {
			if at := e.Fault.Frames[0]; at.Func != "rows" || at.File != "worker.js" || at.Line != 4 || at.Column != 3 {
				t.Errorf("%+v", at)
			}
			return
		}
	}
	t.Errorf("no fault has a place: %d %+v", a.status, a.sum.Fault)
}

// Long strings cross as they are, whatever is around them and in them.
func TestRPCLongStrings(t *testing.T) {
	s, k := open(t), key("a")
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{ "main": "worker.js", "compatibility_date": "2026-11-01", "services": [{ "binding": "SELF", "service": "worker", "entrypoint": "Api" }] }`,
		"worker.js": `import { WorkerEntrypoint } from "cloudflare:workers";
export class Api extends WorkerEntrypoint {
  same(...args) { return args; }
  one(x) { return x; }
  async read(response) { return (await response.text()).length; }
  fail(x) { throw Object.assign(new Error(x), { x }); }
}
const long = ["x".repeat(5000), "=7,é\n\"\\".repeat(1000), "\u{1f600}".repeat(3000), "\0".repeat(4096), "a\ud800".repeat(3000), "\udc00".repeat(4096)];
const values = [...long, { a: long, b: { c: long[0] } }, new Map([[long[0], long[1]], ["k", new Set(long)]]), [1, long[2], ["t", 0, 9], "=3,abc"], ["t", 0, 4096], "=5,[1,2]", "short", ""];
const twice = { x: long[0] };
values.push([twice, twice, long[0]]);
const bad = [];
const same = (a, b, at) => {
  if (typeof a === "string" || typeof a === "number") return a === b ? 0 : bad.push(at);
  if (a instanceof Map || a instanceof Set) return b instanceof a.constructor ? same([...a], [...b], at + "#") : bad.push(at);
  const keys = Object.keys(a);
  if (keys.join() !== Object.keys(b).join()) return bad.push(at + " keys");
  for (const k of keys) same(a[k], b[k], at + "." + k);
};
export default { async fetch(request, env) {
  same(values, await env.SELF.same(...values), "all");
  for (const i in values) same(values[i], await env.SELF.one(values[i]), i);
  const back = await env.SELF.same(twice, twice);
  if (back[0] !== back[1]) bad.push("identity");
  if (await env.SELF.read(new Response(long[0])) !== 5000) bad.push("response");
  for (const x of long.slice(0, 4)) await env.SELF.fail(x).catch((e) => { same(x, e.message, "message"); same(x, e.x, "own"); });
  return Response.json(bad);
} };
`,
	}, trace.Limits{CPU: 2 * time.Second, Memory: 64 << 20})
	if a := get(t, s, k, "/"); a.body != "[]" {
		t.Errorf("%d %q %+v", a.status, a.body, a.sum.Fault)
	}
}

// What a call gives back takes little more CPU time to send than to make: as JSON
// it took a second where others work, and the runner was ended for it.
func TestRPCLongAnswerIsCheap(t *testing.T) {
	s, k := open(t), key("a")
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{ "main": "worker.js", "compatibility_date": "2026-11-01", "services": [{ "binding": "SELF", "service": "worker", "entrypoint": "Api" }] }`,
		"worker.js": `import { WorkerEntrypoint } from "cloudflare:workers";
const text = "x".repeat(6 << 20);
export class Api extends WorkerEntrypoint { text() { return text; } }
export default { async fetch(request, env) {
  if (new URL(request.url).pathname === "/json") return new Response(String(JSON.stringify(text).length));
  return new Response(String((await env.SELF.text()).length));
} };
`,
	}, trace.Limits{CPU: 2 * time.Second, StartCPU: 2 * time.Second, Memory: 128 << 20})
	used := func() int64 { // by all runs, once they are over
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			s.mu.Lock()
			l := s.learnerOf(k.Learner)
			cpu, running := l.cpu, l.running
			s.mu.Unlock()
			if running == 0 {
				return cpu
			}
			if time.Now().After(end) {
				t.Fatalf("%d runs do not end", running)
			}
		}
	}
	cpu := func(path string) time.Duration {
		least := int64(math.MaxInt64)
		for range 4 { // the first loads
			before := used()
			if a := get(t, s, k, path); a.status != 200 {
				t.Fatalf("%s: %d %q %+v", path, a.status, a.body, a.sum.Fault)
			}
			least = min(least, used()-before)
		}
		return time.Duration(least)
	}
	if json, rpc := cpu("/json"), cpu("/"); rpc > json {
		t.Errorf("a call takes %v, writing its result as JSON %v", rpc, json)
	}
}
