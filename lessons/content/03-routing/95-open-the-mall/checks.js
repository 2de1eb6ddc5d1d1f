const mall = (curl) => (path, o) => curl("mall.example", path, o);
const sell = (curl, token) => curl("mall.example", "/till", { method: "POST", headers: token ? { authorization: token } : {}, body: "{}" });

test("1: shops answer for their shelves", async ({ curl, expect }) => {
  const go = mall(curl);
  const hat = await go("/clothes/hat");
  expect(await hat.text(), "The street answers /clothes/hat itself; hand the request on to the shop, through env.CLOTHES").not.toBe("Welcome to the mall");
  expect(await hat.json(), "/clothes/hat is answered by the clothes shop").toEqual({ shop: "clothes", item: "hat" });
  expect(await (await go("/gadgets/lamp")).json(), "/gadgets/lamp is answered by the gadgets shop").toEqual({ shop: "gadgets", item: "lamp" });
  expect((await go("/clothes/lamp")).status, "There are no lamps among the clothes").toBe(404);
  expect((await (await go("/gadgets/")).json()).shelf, "/gadgets/ shows the whole shelf").toEqual(["lamp", "radio", "clock"]);
});

test("1: the missing slash and the unknown", async ({ curl, expect }) => {
  const go = mall(curl);
  const r = await go("/clothes?size=m");
  expect(r.status, "/clothes is redirected for good").toBe(301);
  expect((r.headers.get("location") || "").replace(/^https?:\/\/[^/]+/, ""), "The redirect adds the slash and keeps the query").toBe("/clothes/?size=m");
  for (const path of ["/food/", "/clothesline", "/Clothes/hat"]) {
    expect((await go(path)).status, `${path} belongs to no shop, since a shop's addresses begin with its name and a slash; answer 404`).toBe(404);
  }
});

test("1: the till", async ({ curl, expect }) => {
  const ada = await sell(curl, "Bearer tea");
  expect(ada.status, "Ada's token is good; the sale is made").toBe(201);
  expect(await ada.json(), "The answer names the person whom auth knows").toEqual({ sold: true, to: "Ada" });
  expect((await sell(curl, "Bearer wine")).status, "An unknown token buys nothing").toBe(401);
  expect((await sell(curl)).status, "No token buys nothing").toBe(401);
  const get = await curl("mall.example", "/till");
  expect(get.status, "The till takes POST only; tell others 405").toBe(405);
});

test.guard("1: the front page", async ({ curl, expect }) => {
  expect(await (await curl("mall.example", "/")).text(), "The front page stays").toBe("Welcome to the mall");
});

test.hidden("2: one shop closes", async ({ curl, kill, expect }) => {
  await kill("clothes");
  const r = await curl("mall.example", "/clothes/hat");
  expect(r.status, "With clothes broken, its addresses answer 503; await the call inside of try").toBe(503);
  expect(typeof (await r.json()).error, "Say in JSON what happened: { error: \"…\" }").toBe("string");
  expect((await curl("mall.example", "/")).status, "The front page carries on").toBe(200);
  expect((await sell(curl, "Bearer tea")).status, "The till carries on").toBe(201);
});

test("2: nobody at the door", async ({ curl, kill, expect }) => {
  await kill("auth");
  const r = await sell(curl, "Bearer tea");
  expect(r.status, "When nobody can check a token, sell nothing and answer 503").toBe(503);
  expect((await curl("mall.example", "/clothes/hat")).status, "The shops carry on").toBe(200);
});

test("3: one keeper for two shops", async ({ curl, kill, expect }) => {
  await kill("gadgets");
  const r = await curl("mall.example", "/gadgets/radio");
  expect(r.status, "The Worker gadgets is gone; clothes should answer for its addresses now. Did you point the binding GADGETS at it?").toBe(200);
  expect(await r.text(), "The street answers /gadgets/radio itself; finish task 1 first").not.toBe("Welcome to the mall");
  expect(await r.json(), "The answer is the same as before the merge").toEqual({ shop: "gadgets", item: "radio" });
  expect((await (await curl("mall.example", "/clothes/")).json()).shelf, "The clothes are still on their own shelf").toEqual(["coat", "hat", "scarf"]);
  expect((await curl("mall.example", "/clothes/radio")).status, "There are no radios among the clothes, also after the merge").toBe(404);
});

test("4: a reasoned answer", async ({ files, expect }) => {
  const words = (files["RATIONALE.md"] || "").replace(/^#.*$/gm, "").split(/\s+/).filter(Boolean);
  expect(words.length, "Write at least 60 words in RATIONALE.md; a reason and a price for every cut").toBeGreaterThanOrEqual(60);
  expect(words.length, "Say it in 300 words or fewer").toBeLessThanOrEqual(300);
  const text = words.join(" ").toLowerCase();
  for (const name of ["street", "auth"]) {
    expect(text, `Say what you do with the Worker ${name}, and why`).toContain(name);
  }
});
