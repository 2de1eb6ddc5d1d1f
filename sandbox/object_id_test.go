package sandbox

import "testing"

// An object is the same one by its name, by its id and from another Worker of
// the project; an id of another class is refused.
func TestAnObjectIsOne(t *testing.T) {
	s := open(t)
	k := key("a")
	deploy(t, s, k, map[string]string{
		"a/wrangler.jsonc": `{"name":"a","main":"a.js","compatibility_date":"2026-11-01",
			"durable_objects":{"bindings":[{"name":"COUNT","class_name":"Count"},{"name":"OTHER","class_name":"Other"}]},
			"migrations":[{"tag":"v1","new_sqlite_classes":["Count","Other"]}],"services":[{"binding":"B","service":"b"}]}`,
		"a/a.js": `import { DurableObject } from "cloudflare:workers";
		export class Count extends DurableObject {
			async hit() {
				const n = (await this.ctx.storage.get("n") ?? 0) + 1;
				await this.ctx.storage.put("n", n);
				return n;
			}
		}
		export class Other extends DurableObject {}
		export default {
			async fetch(request, env) {
				const { COUNT, OTHER, B } = env, id = COUNT.idFromName("x");
				const n = [await COUNT.get(id).hit(), await COUNT.get(COUNT.idFromString(String(id))).hit()];
				n.push(await (await B.fetch("http://b/" + id)).text());
				for (const f of [() => OTHER.idFromString(String(id)), () => COUNT.idFromString("0".repeat(64)), () => COUNT.idFromString("x")]) {
					try { f(); n.push("taken"); } catch (e) { n.push(e.name); }
				}
				return new Response(n.join(" "));
			},
		};`,
		"b/wrangler.jsonc": `{"name":"b","main":"b.js","compatibility_date":"2026-11-01",
			"durable_objects":{"bindings":[{"name":"THEIRS","class_name":"Count","script_name":"a"}]}}`,
		"b/b.js": `export default {
			async fetch(request, { THEIRS }) {
				const id = new URL(request.url).pathname.slice(1);
				const n = [await THEIRS.getByName("x").hit(), await THEIRS.get(THEIRS.idFromString(id)).hit(), THEIRS.idFromName("x").toString() === id];
				return new Response(n.join(" "));
			},
		};`,
	})
	if a := get(t, s, k, "/", func(r *Run) { r.Worker = "a" }); a.body != "1 2 3 4 true TypeError TypeError TypeError" {
		t.Errorf("%d %q %+v", a.status, a.body, a.sum.Fault)
	}
}
