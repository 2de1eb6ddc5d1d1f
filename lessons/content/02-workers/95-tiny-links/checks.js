const make = (send, body) => send("POST /links", { json: body });
const day = 24 * 60 * 60 * 1000;

test("1: a link is made and followed", async ({ send, expect }) => {
  const r = await make(send, { url: "https://example.com/long?a=1", days: 7 });
  expect(r.status, "A new link is answered with 201").toBe(201);
  const { code, short } = await r.json();
  expect(code, "The answer holds the code as a text").toMatch(/^[\w-]+$/);
  expect(short, "short is the whole address: the Worker's own origin, a slash, the code").toBe("https://site.example/" + code);
  const followed = await send(`GET /${code}`);
  expect(followed.status, "A code redirects: status 302, and the long address in the header location").toBe(302);
  expect(followed.headers.get("location"), "location is the long address").toBe("https://example.com/long?a=1");
});

test.hidden("1: two links do not get in each other's way", async ({ send, expect }) => {
  const a = await (await make(send, { url: "https://example.com/a" })).json();
  const b = await (await make(send, { url: "https://example.com/b" })).json();
  expect(a.code, "Every link needs a code of its own").not.toBe(b.code);
  expect((await send(`GET /${a.code}`)).headers.get("location"), "The first code still leads to the first address").toBe("https://example.com/a");
  expect((await send(`GET /${b.code}`)).headers.get("location"), "The second code leads to the second address").toBe("https://example.com/b");
});

test("1: hits are counted, looks are not", async ({ send, expect }) => {
  const { code } = await (await make(send, { url: "https://example.com/" })).json();
  const look = async () => (await send(`GET /links/${code}`)).json();
  expect(await look(), "A new link has no hits").toEqual({ url: "https://example.com/", hits: 0 });
  await send(`GET /${code}`);
  await send(`GET /${code}`);
  expect((await look()).hits, "Two visits are two hits").toBe(2);
  expect((await look()).hits, "Looking at the count does not raise it").toBe(2);
});

test("2: addresses that are none", async ({ send, expect }) => {
  for (const url of ["not an address", "javascript:alert(1)", "ftp://example.com/", "", 5, null]) {
    const r = await make(send, { url });
    expect(r.status, `The url ${JSON.stringify(url)} should be refused with 400`).toBe(400);
    expect(typeof (await r.json()).error, "Say in JSON what is wrong: { error: \"…\" }").toBe("string");
  }
});

test.hidden("2: bodies and days that make no sense", async ({ send, expect }) => {
  expect((await send("POST /links", { body: "{" })).status, "A body that is not JSON is the caller's mistake: 400").toBe(400);
  for (const days of [0, -1, "seven"]) {
    expect((await make(send, { url: "https://example.com/", days })).status, `days ${JSON.stringify(days)} should be refused with 400`).toBe(400);
  }
});

test("2: unknown codes and other methods", async ({ send, expect }) => {
  expect((await send("GET /nobody")).status, "An unknown code is 404").toBe(404);
  expect((await send("GET /links/nobody")).status, "An unknown code is 404 when you look at it, too").toBe(404);
  const r = await send("DELETE /links");
  expect(r.status, "/links takes POST only; refuse DELETE with 405").toBe(405);
  expect(r.headers.get("allow"), "Say in allow what is taken").toBe("POST");
  const { code } = await (await make(send, { url: "https://example.com/" })).json();
  const put = await send(`PUT /${code}`, { body: "x" });
  expect(put.status, "A code takes GET only; refuse PUT with 405").toBe(405);
});

test("3: nothing is lost with an isolate", async ({ send, evict, expect }) => {
  const { code } = await (await make(send, { url: "https://example.com/kept" })).json();
  await evict();
  expect((await send(`GET /${code}`)).headers.get("location"), "After an eviction the link is unknown; keep everything in env.LINKS").toBe("https://example.com/kept");
  await evict();
  expect((await (await send(`GET /links/${code}`)).json()).hits, "After an eviction the hits are lost; keep them beside the address").toBe(1);
});

test("3: links end", async ({ send, tick, expect }) => {
  const made = Date.now();
  const week = await (await make(send, { url: "https://example.com/week", days: 7 })).json();
  const month = await (await make(send, { url: "https://example.com/month" })).json();
  await tick("0 * * * *", { time: made + 6 * day });
  expect((await send(`GET /${week.code}`)).status, "After six days a link for seven still works; a day is 86,400,000 of the milliseconds that Date.now() counts").toBe(302);
  const swept = await tick("0 * * * *", { time: made + 8 * day });
  expect(swept.outcome, "The scheduled handler should not throw").toBe("ok");
  expect((await send(`GET /${week.code}`)).status, "After eight days a link for seven is gone; delete it when the clock strikes, and compare with controller.scheduledTime").toBe(404);
  expect((await send(`GET /${month.code}`)).status, "Without days a link lives 30 days; after eight it must still work").toBe(302);
});
