package check

import (
	"testing"

	"coldstart/lessons"
)

// factsProject is two Workers behind routes; /burn computes, /nap waits, /hold
// keeps memory, /ask calls the other Worker and the store.
var factsProject = map[string][]byte{
	"shop/wrangler.jsonc": []byte(`{ "name": "shop", "main": "src/index.js", "routes": ["shop.example/*"], "services": [{ "binding": "BANK", "service": "bank" }], "kv_namespaces": [{ "binding": "KV", "id": "kv" }] }`),
	"shop/src/index.js": []byte(`const held = [];
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    console.log("asked for " + pathname);
    if (pathname === "/burn") { let x = 1; for (let i = 0; i < 20000; i++) x = (x * 31 + i) % 65521; return new Response(String(x)); }
    if (pathname === "/nap") await scheduler.wait(60);
    if (pathname === "/hold") held.push(new Uint8Array(2 << 20).fill(7));
    if (pathname === "/ask") { await env.KV.put("a", "1"); return env.BANK.fetch(request); }
    if (pathname === "/throw") throw new TypeError("no");
    return new Response("ok");
  },
};
`),
	"bank/wrangler.jsonc": []byte(`{ "name": "bank", "main": "src/index.js", "routes": ["shop.example/bank/*"] }`),
	"bank/src/index.js":   []byte(`export default { fetch: () => new Response("bank") };`),
}

// TestFacts asserts, as an author would, every fact that a run tells a check:
// one test for each, in real isolates.
func TestFacts(t *testing.T) {
	const checks = `
const shop = { worker: "shop" };
test("1: temperature", async ({ send, evict, expect }) => {
  expect((await send("/", shop)).trace.temperature).toBe("cold");
  expect((await send("/", shop)).trace.temperature).toBe("warm");
  expect((await send("/", { ...shop, cold: true })).trace.temperature).toBe("cold");
  await evict();
  expect((await send("/", shop)).trace.temperature).toBe("cold");
});
test("1: phases, in ms", async ({ send, expect }) => {
  const cold = (await send("/nap", shop)).trace, warm = (await send("/nap", shop)).trace;
  for (const name of ["build", "route", "queue", "start", "load", "handle", "stream"]) expect(typeof cold.phases[name], name).toBe("number");
  expect(cold.phases.start, "a cold start takes time").toBeGreaterThan(0);
  expect(cold.phases.load, "so does loading").toBeGreaterThan(0);
  expect(warm.phases.start + warm.phases.load, "a warm run has neither").toBe(0);
  expect(cold.load_cpu, "the CPU time of loading").toBeGreaterThan(0);
  expect(warm.load_cpu, "of which a warm run has none").toBe(0);
  expect(warm.phases.handle, "handling waits for the nap").toBeGreaterThan(55);
});
test("1: ms is start, load, handle and stream; wall is everything", async ({ send, expect }) => {
  const { phases, ms, wall } = (await send("/nap", shop)).trace;
  expect(ms).toBeCloseTo(phases.start + phases.load + phases.handle + phases.stream, 3);
  expect(wall + 0.01).toBeGreaterThan(phases.handle);
});
test("1: CPU time in ms does not count waiting", async ({ send, expect }) => {
  await send("/", shop);
  const nap = (await send("/nap", shop)).trace, burn = (await send("/burn", shop)).trace;
  expect(nap.wall).toBeGreaterThan(55);
  expect(nap.cpu).toBeLessThan(burn.cpu);
  expect(burn.cpu).toBeGreaterThan(0);
});
test("1: memory in bytes", async ({ send, expect }) => {
  const before = (await send("/", shop)).trace.memory, after = (await send("/hold", shop)).trace.memory;
  expect(before).toBeGreaterThan(4096);
  expect(after - before, "two megabytes are held").toBeGreaterThan(1.9 * 1048576);
});
test("1: route and Worker", async ({ curl, expect }) => {
  const shop = (await curl("shop.example", "/")).trace, bank = (await curl("shop.example", "/bank/x")).trace;
  expect([shop.route, shop.worker]).toEqual(["shop.example/*", "shop"]);
  expect([bank.route, bank.worker]).toEqual(["shop.example/bank/*", "bank"]);
  expect((await curl("other.example", "/")).trace.route).toBe("");
});
test("1: isolate and isolates", async ({ send, evict, expect }) => {
  const first = (await send("/", shop)).trace, second = (await send("/", shop)).trace;
  expect(first.isolate).toMatch(/./);
  expect(second.isolate).toBe(first.isolate);
  expect(second.isolates, "one is alive").toBe(1);
  await evict();
  expect((await send("/", shop)).trace.isolate).not.toBe(first.isolate);
});
test("1: calls", async ({ send, expect }) => {
  const { trace } = await send("/ask", shop);
  const bank = trace.calls.find((c) => c.worker === "bank");
  expect(bank, "the call of the other Worker").toBeDefined();
  expect(bank.status).toBe(200);
  expect(trace.calls.length, "and that of the store").toBe(2);
});
test("1: logs and fault", async ({ send, expect }) => {
  const r = await send("/throw", shop);
  expect(r.logs.map((l) => [l.level, l.text])).toEqual([["log", "asked for /throw"]]);
  expect([r.fault.kind, r.fault.name, r.fault.message]).toEqual(["exception", "TypeError", "no"]);
  expect(r.fault.frames[0].file).toBe("shop/src/index.js");
  expect(r.trace.outcome).toBe("exception");
});
test("1: engine", async ({ send, expect }) => expect((await send("/", shop)).trace.engine).toMatch(/./));
test("1: what measure tells", async ({ measure, expect }) => {
  const m = await measure(3, "/burn", { ...shop, against: "starter" });
  for (const name of ["p50", "p99", "min", "max", "cpu", "memory"]) {
    expect(m[name], name).toBeGreaterThan(0);
    expect(m.starter[name], name).toBeGreaterThan(0);
  }
  expect(m.phases.handle).toBeGreaterThan(0);
  expect(m.statuses).toEqual([200, 200, 200]);
});
`
	l := &lessons.Lesson{ID: "facts", Checks: checks, Starter: factsProject, Track: &lessons.Track{}}
	l.Tasks = []*lessons.Task{{N: 1}}
	r, err := Run(t.Context(), Config{Door: realDoor(t), Learner: "facts"}, l, factsProject, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Total != 11 {
		t.Fatalf("%d checks ran; %+v", r.Total, r.Fault)
	}
	for _, x := range r.Tests {
		t.Run(x.Name, func(t *testing.T) {
			if x.State != Passed {
				t.Errorf("%+v", x.Failure)
			}
		})
	}
}
