const account = (curl, token) => curl("mall.example", "/account", { headers: token ? { authorization: token } : {} });

test("1: known people are greeted by name", async ({ curl, expect }) => {
  const ada = await account(curl, "Bearer tea");
  expect(ada.status, "Ada's token is good; let her in. Do you ask through env.AUTH, and does auth get to see the visitor's headers?").toBe(200);
  expect(await ada.text(), "auth names the person in the header x-person of its answer; greet that name").toBe("Hello, Ada");
  expect(await (await account(curl, "Bearer milk")).text(), "Another token is another person").toBe("Hello, Grace");
});

test("1: strangers stay outside", async ({ curl, expect }) => {
  expect((await account(curl)).status, "Without a token the answer is 401").toBe(401);
  expect((await account(curl, "Bearer wine")).status, "A token that auth does not know is a 401").toBe(401);
  expect((await account(curl, "Bearer rum")).status, "auth refused this token in another way, with 403; only on a 204 is somebody known, everything else is a 401").toBe(401);
});

test("1: the visitor cannot name himself", async ({ curl, expect }) => {
  const r = await curl("mall.example", "/account", { headers: { "x-person": "Mallory" } });
  expect(r.status, "A header x-person from the visitor proves nothing; believe only the answer of auth").toBe(401);
});

test("1: one public request, one call behind it", async ({ curl, expect }) => {
  const r = await account(curl, "Bearer tea");
  expect(r.trace.worker, "The public request is answered by site").toBe("site");
  expect(r.trace.calls.length, "Ask auth once per request, through env.AUTH").toBe(1);
});

test.hidden("1: nobody at the door", async ({ curl, kill, expect }) => {
  await kill("auth");
  expect((await account(curl, "Bearer tea")).status, "When auth cannot answer, nobody is known, Ada included; only auth may judge a token").not.toBe(200);
});

test.guard("1: auth has no door to the street", async ({ curl, expect }) => {
  expect((await curl("auth.example", "/check", { headers: { authorization: "Bearer tea" } })).status, "auth has no route, so no address leads to it; leave it that way").toBe(404);
});

test("2: a broken neighbour", async ({ curl, kill, expect }) => {
  await kill("img");
  const r = await curl("mall.example", "/img/cup");
  expect(r.status, "With img broken, answer 200 all the same; await the call inside of try").toBe(200);
  expect(await r.text(), "Say what is missing").toBe("no picture today");
  expect(r.headers.get("x-fallback"), "Mark the replacement with x-fallback: yes").toBe("yes");
});

test("2: a neighbour that says no", async ({ curl, expect }) => {
  const r = await curl("mall.example", "/img/");
  expect(r.status, "img answers 404 to an empty name. Fail it did, though it did not throw: look at picture.ok, and answer 200").toBe(200);
  expect(await r.text(), "Say what is missing").toBe("no picture today");
});

test.guard("2: a healthy neighbour", async ({ curl, expect }) => {
  const r = await curl("mall.example", "/img/cup");
  expect(r.headers.get("content-type"), "A good picture passes through as it is").toMatch(/^image\/svg/);
  expect(r.headers.get("x-fallback"), "Only the replacement carries x-fallback").toBe(null);
});

test.guard("2: a loop is stopped", async ({ curl, expect }) => {
  const r = await curl("mall.example", "/mirror");
  expect(r.status, "/mirror calls itself until the platform stops it; leave it in").toBeGreaterThanOrEqual(500);
});
