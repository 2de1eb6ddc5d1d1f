package sandbox

import (
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
