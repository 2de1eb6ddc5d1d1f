test("1: a round trip", async ({ call, expect }) => {
  expect(await call("src/plan.js", "roundTrip", [1000]), "1,000 km away: 2,000 km there and back, 3,000 with the detour, at 200 km a millisecond").toBeCloseTo(15, 6);
  expect(await call("src/plan.js", "roundTrip", [0]), "No distance takes no time in this model").toBe(0);
});

test("2: waits at the edge", async ({ call, expect }) => {
  const sydney = { edge: 50, data: 16640 };
  expect(await call("src/plan.js", "wait", ["edge", sydney, { calls: 0, cached: 0 }]), "Without a call only the visitor's short trip counts: 0.75 ms").toBeCloseTo(0.75, 6);
  expect(await call("src/plan.js", "wait", ["edge", sydney, { calls: 4, cached: 0 }]), "Four calls cross to the database one after the other: 4 × 249.6 ms and the short trip").toBeCloseTo(999.15, 4);
  expect(await call("src/plan.js", "wait", ["edge", sydney, { calls: 4, cached: 0.75 }]), "Three of four calls are answered by the cache; one still crosses").toBeCloseTo(250.35, 4);
});

test("2: a write always crosses", async ({ call, expect }) => {
  const sydney = { edge: 50, data: 16640 };
  const sentence = "A cache answers reads. A write has to reach the database, or it is lost: each crosses, however full the cache is";
  expect(await call("src/plan.js", "wait", ["edge", sydney, { calls: 4, cached: 1, writes: 1 }]), sentence).toBeCloseTo(250.35, 4);
  expect(await call("src/plan.js", "wait", ["edge", sydney, { calls: 4, cached: 0.5, writes: 3 }]), sentence).toBeCloseTo(1248.75, 4);
});

test("2: waits in the centre", async ({ call, expect }) => {
  const sydney = { edge: 50, data: 16640 };
  for (const calls of [0, 1, 9]) {
    expect(await call("src/plan.js", "wait", ["central", sydney, { calls, cached: 0 }]), "In the centre the visitor's trip is the long one, and calls next door cost nothing here").toBeCloseTo(249.6, 4);
  }
});

test.hidden("2: other cities, other loads", async ({ call, expect }) => {
  for (let i = 0; i < 4; i++) {
    const place = { edge: 10 + Math.floor(Math.random() * 90), data: 500 + Math.floor(Math.random() * 15000) };
    const load = { calls: 1 + Math.floor(Math.random() * 9), cached: [0, 0.25, 0.5, 0.75][i] };
    const told = `${place.edge} km to the edge, ${place.data} km to the data, ${load.calls} calls, ${load.cached * 100} % cached`;
    expect(await call("src/plan.js", "wait", ["edge", place, load]), `${told}: at the edge, the short trip once and the long one for each call that the cache cannot answer`).toBeCloseTo(0.015 * place.edge + load.calls * (1 - load.cached) * 0.015 * place.data, 3);
    expect(await call("src/plan.js", "wait", ["central", place, load]), `${told}: in the centre, the visitor's own trip to the data`).toBeCloseTo(0.015 * place.data, 3);
  }
});

test("3: eight cities, three loads", async ({ send, expect }) => {
  const best = async (query) => (await (await send("/?" + query)).json()).map((c) => c.best);
  expect((await best("calls=4&cached=0")).slice(1), "Four uncached calls: outside of Amsterdam, code near the data is faster").toEqual(["central", "central", "central", "central", "central", "central", "central"]);
  expect((await best("calls=1&cached=0")).slice(1), "One uncached call is nearly a draw, but the edge pays its short trip on top: the centre wins by a hair").toEqual(["central", "central", "central", "central", "central", "central", "central"]);
  expect((await best("calls=4&cached=1")).slice(1), "A full cache: outside of Amsterdam, code near the visitor is faster").toEqual(["edge", "edge", "edge", "edge", "edge", "edge", "edge"]);
  expect((await best("calls=4&cached=1&writes=1")).slice(1), "A full cache and one write: the write crosses, and the centre wins by a hair again").toEqual(["central", "central", "central", "central", "central", "central", "central"]);
});

test("3: a chatty page beside the database, a quiet one beside the visitor", async ({ call, expect }) => {
  expect(await call("src/plan.js", "choose", [{ edge: 40, data: 9000 }, { calls: 2, cached: 0 }]), "Two calls over 9,000 km are longer than one visitor's trip").toBe("central");
  expect(await call("src/plan.js", "choose", [{ edge: 40, data: 9000 }, { calls: 2, cached: 0.9 }]), "With nine calls of ten cached, the edge wins").toBe("edge");
  expect(await call("src/plan.js", "choose", [{ edge: 40, data: 60 }, { calls: 1, cached: 0.6 }]), "40 km to the edge, 60 to the data: with so short a way, even 0.4 calls cost the edge its lead. Compare the two waits").toBe("central");
  expect(await call("src/plan.js", "choose", [{ edge: 40, data: 60 }, { calls: 1, cached: 0.75 }]), "The same way with a better cache: now the edge is quicker").toBe("edge");
  expect(await call("src/plan.js", "choose", [{ edge: 100, data: 100 }, { calls: 0, cached: 0 }]), "Equal waits: say edge").toBe("edge");
});
