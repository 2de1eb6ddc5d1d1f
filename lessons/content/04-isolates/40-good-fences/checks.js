const places = ["global", "prototype", "module", "kv"];
const left = { global: "tea", prototype: "milk", module: "sugar", kv: "lemon" };
const goods = { alice: "a lamp", bob: "a hat", carol: "a radio" };
const look = async (send, worker) => (await send("/look", { worker })).json();

test("1: the probes find what their own Worker left", async ({ send, expect }) => {
  await send("/plant", { worker: "a" });
  const found = await look(send, "a");
  for (const place of places) {
    expect(found[place], `Worker a left "${left[place]}" in the place ${place} and must find it there; a probe that never looks there proves nothing${place === "kv" ? ", and KV answers later: await it" : ""}`).toBe(left[place]);
  }
});

test("1: the neighbour finds nothing", async ({ send, expect }) => {
  expect(await look(send, "a"), "Before anything was planted all four places are empty: null").toEqual({ global: null, prototype: null, module: null, kv: null });
  await send("/plant", { worker: "a" });
  const mine = await look(send, "a");
  const theirs = await look(send, "b");
  for (const place of places) {
    expect(mine[place], `First let Worker a find its own "${left[place]}" in the place ${place}`).toBe(left[place]);
    expect(theirs[place], `Worker b looked into the place ${place} and must report what is there: nothing. Does look() read the place, or repeat what plant() wrote?`).toBe(null);
  }
});

test.hidden("1: the probes read, they do not remember", async ({ send, evict, expect }) => {
  await send("/plant", { worker: "a" });
  await evict();
  const found = await look(send, "a");
  expect(found.kv, "Stored data outlives the isolate: after an eviction the place kv still holds \"lemon\"").toBe("lemon");
  for (const place of ["global", "prototype", "module"]) {
    expect(found[place], `A new isolate begins empty: after an eviction the place ${place} holds nothing`).toBe(null);
  }
});

test.guard("1: each Worker counts its own visits", async ({ send, evict, expect }) => {
  const visit = async (worker) => (await send("/", { worker })).text();
  for (const want of ["visit 1", "visit 2", "visit 3"]) expect(await visit("a"), "Worker a counts its visits; leave the counter in").toBe(want);
  expect(await visit("b"), "Worker b has a counter of its own").toBe("visit 1");
  await evict();
  expect(await visit("a"), "A new isolate counts from 1").toBe("visit 1");
});

test("2: two people at the same time", async ({ curl, expect }) => {
  const ask = async (user) => (await curl("shop.example", "/", { headers: { "x-user": user } })).text();
  for (let round = 0; round < 4; round++) {
    const [alice, bob] = await Promise.all([ask("alice"), ask("bob")]);
    expect(alice, "open() answers later; await it, or you greet somebody with a promise").not.toContain("[object Promise]");
    expect(alice, "Alice asked while Bob did and must get her own name and basket; who else writes that variable while she waits?").toBe("alice has a lamp");
    expect(bob, "Bob asked while Alice did and must get his own name and basket; who else writes that variable while he waits?").toBe("bob has a hat");
  }
});

test.hidden("2: a hundred people, never swapped", async ({ curl, expect }) => {
  const names = Object.keys(goods);
  for (let round = 0; round < 10; round++) {
    const users = Array.from({ length: 10 }, (_, i) => names[(round + i) % 3]);
    const answers = await Promise.all(users.map(async (user) => (await curl("shop.example", "/", { headers: { "x-user": user } })).text()));
    answers.forEach((text, i) => expect(text, "Ten people asked at once, and somebody got another person's answer").toBe(`${users[i]} has ${goods[users[i]]}`));
  }
});

test.guard("2: people wait side by side", async ({ curl, expect }) => {
  const all = await Promise.all([1, 2, 3, 4].map(() => curl("shop.example", "/", { headers: { "x-user": "carol" } })));
  expect(all[0].trace.phases.handle, "Baskets are kept far away and take 5 ms to come; ask open() for each").toBeGreaterThan(4);
  expect(await all[0].text(), "Carol has a radio").toBe("carol has a radio");
  expect((await (await curl("shop.example", "/", { headers: { "x-user": "dave" } })).text()), "A stranger has nothing").toBe("dave has nothing");
});
