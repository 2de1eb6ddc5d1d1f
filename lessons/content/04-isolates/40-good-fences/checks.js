test("1: a hundred shoppers, each with their own cart", async ({ send, expect }) => {
  for (let round = 0; round < 10; round++) {
    const users = Array.from({ length: 10 }, (_, i) => `user${round * 10 + i}`);
    const carts = await Promise.all(users.map(async (user) => (await send(`/?user=${user}`, { worker: "shop" })).text()));
    users.forEach((user, i) => expect(carts[i], `Ten visitors at once: ${user} should see ${user}'s cart. A variable above the handler is shared by all of them`).toBe("Cart of " + user));
  }
});

test.guard("1: five probes find nothing", async ({ send, evict, expect }) => {
  await send("/", { worker: "a" });
  await send("/", { worker: "a" });
  const third = await (await send("/", { worker: "a" })).json();
  expect(third.visits, "A counts its own visits: 1, 2, 3").toBe(3);
  const b = await (await send("/", { worker: "b" })).json();
  expect(b, "B should find nothing of A: no global, no prototype, no stored value, and its own counter").toEqual({ global: null, prototype: "undefined", storage: null, counter: 1, env: ["KV"] });
  await evict();
  expect((await (await send("/", { worker: "a" })).json()).visits, "After an eviction A counts from 1 again").toBe(1);
});
