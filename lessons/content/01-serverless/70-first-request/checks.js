test("1: a cold /health takes a fifth of the time, or less", async ({ measure, expect }) => {
  const now = await measure(12, "/health", { cold: true, against: "starter" });
  expect(now.p50 * 5, "Five cold answers should take no longer than one of the starter's; is the table still built before anybody needs it?").toBeLessThan(now.starter.p50);
});

test.guard("1: every answer stays the same", async ({ send, evict, expect }) => {
  for (const [path, want] of [["/health", "ok"], ["/?c=code7", "7"], ["/?c=code100", "3"], ["/?c=code49999", "44"], ["/?c=code50000", "undefined"], ["/?c=nothing", "undefined"], ["/", "undefined"]]) {
    await evict();
    const r = await send(path);
    expect(await r.text(), `A cold GET ${path} must answer what it did before; does the first lookup already get the table?`).toBe(want);
    expect(await (await send(path)).text(), `The second GET ${path} must give the same answer as the first`).toBe(want);
  }
});

test("2: the table is built with the first lookup, once", async ({ send, expect }) => {
  const built = (r) => r.logs.filter((l) => l.text === "table built").length;
  expect(built(await send("/health")), "A cold /health needs no table, so it should not log \"table built\"").toBe(0);
  expect(built(await send("/?c=code1")), "The first lookup builds the table; log \"table built\" there").toBe(1);
  expect(built(await send("/?c=code2")), "The second lookup should find the table; keep it in a variable outside of fetch").toBe(0);
});

test.guard("2: warm lookups keep their speed", async ({ measure, expect }) => {
  const now = await measure(12, "/?c=code7", { against: "starter" });
  expect(now.cpu, "A warm lookup should take as little CPU time as the starter's (20 % and 0.5 ms more are allowed); is the table built again for each request?").toBeLessThan(now.starter.cpu * 1.2 + 0.5);
});
