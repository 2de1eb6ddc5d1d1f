// The Location of an answer, without scheme and host: a redirect may name them.
const location = (r) => (r.headers.get("location") || "").replace(/^https?:\/\/[^/]+/, "");

test("1: one slash too many is redirected", async ({ send, expect }) => {
  for (const page of ["/about", "/contact"]) {
    const r = await send(`GET ${page}/`);
    expect(r.status, `${page}/ should be redirected for good, with status 301 and a Location header (Response.redirect wants a whole address)`).toBe(301);
    expect(location(r), `The Location of ${page}/ is the page without the slash`).toBe(page);
  }
});

test("1: the query survives the redirect", async ({ send, expect }) => {
  const n = Math.floor(Math.random() * 1000);
  const r = await send(`GET /about/?from=ad&n=${n}`);
  expect(location(r), "Append url.search to the new address, so that the visitor's query is not lost").toBe(`/about?from=ad&n=${n}`);
});

test.guard("1: the three pages and everything unknown", async ({ send, expect }) => {
  for (const [path, text] of [["/", "Welcome to Home!"], ["/about", "This is About Page"], ["/contact", "Contact us at hello@example.com"], ["/about?x=1", "This is About Page"]]) {
    const r = await send(`GET ${path}`);
    expect(r.status, `${path} is a page and should be found${path === "/" ? "; the home page's only slash is not one too many" : ""}`).toBe(200);
    expect(await r.text(), `The text of ${path} changed`).toBe(text);
  }
  for (const path of ["/About", "/abouts", "/about/us", "/nowhere/", "/about//"]) {
    const r = await send(`GET ${path}`);
    expect(r.status, `${path} is no page of this site; answer 404`).toBe(404);
  }
});

test("2: other methods are refused", async ({ send, expect }) => {
  for (const method of ["POST", "DELETE", "PUT"]) {
    const r = await send(`${method} /about`, { body: method === "DELETE" ? undefined : "x" });
    expect(r.status, `${method} /about should be refused with status 405`).toBe(405);
    const allow = (r.headers.get("allow") || "").split(/\s*,\s*/).sort();
    expect(allow, "The Allow header lists what a page takes: GET, HEAD").toEqual(["GET", "HEAD"]);
  }
});

test.guard("2: HEAD still reads, and unknown stays unknown", async ({ send, expect }) => {
  const head = await send("HEAD /contact");
  expect(head.status, "HEAD asks for a page's headers; answer it like GET").toBe(200);
  const lost = await send("POST /nowhere", { body: "x" });
  expect(lost.status, "There is nothing at /nowhere, so POST gets 404 as well; ask for the page before you ask for the method").toBe(404);
});
