package sandbox

import "testing"

// While a Durable Object waits for its storage nothing else reaches it, and
// while it is in a transaction only what belongs to that; while it waits for
// anything else, others do. So counting with get and put counts everybody.
func TestInputGate(t *testing.T) {
	s := open(t)
	deploy(t, s, key("a"), map[string]string{
		"wrangler.jsonc": counter["wrangler.jsonc"],
		"worker.js": `import { DurableObject } from "cloudflare:workers";
			let inside = 0, most = 0;
			export class O extends DurableObject {
				async add() {
					const n = (await this.ctx.storage.get("n")) ?? 0;
					await this.ctx.storage.put("n", n + 1);
				}
				async addLater() { await scheduler.wait(1); await this.add(); }
				async addInTransaction() {
					await this.ctx.storage.transaction(async (tx) => {
						const n = (await tx.get("n")) ?? 0;
						await scheduler.wait(1); // no storage, and yet nobody comes between
						await tx.put("n", n + 1);
					});
				}
				async leave() { await this.ctx.storage.get("n"); this.ctx.storage.put("other", 1); return "left"; }
				async together() { most = Math.max(most, ++inside); await scheduler.wait(20); inside--; return most; }
				async count() { return await this.ctx.storage.get("n"); }
			}
			const many = (f) => Promise.all(Array.from({ length: 8 }, f));
			export default { async fetch(request, env) {
				const o = env.O.getByName("o");
				await many(() => o.add());
				await many(() => o.addLater());
				await many((_, i) => i % 2 ? o.addInTransaction() : o.add());
				await many(() => o.leave());
				const together = Math.max(...await many(() => o.together()));
				return new Response((await o.count()) + " counted, " + together + " together");
			} };`,
	})
	for _, want := range []string{"24 counted, 8 together", "48 counted, 8 together"} {
		if a := get(t, s, key("a"), "/"); a.body != want {
			t.Fatalf("%q, want %q; %+v", a.body, want, a.sum.Fault)
		}
	}
}
