const hit = async (curl, path, host = "example.com") => (await curl(host, path)).trace.worker || "nobody";

test("1: pictures reach their Worker", async ({ curl, send, expect }) => {
  for (const path of ["/img/a.jpg", "/img/", "/img/deep/b.png?w=100"]) {
    expect(await hit(curl, path), `${path} should reach img; give img a pattern that names the host and ends with /img/*, since a star in place of the host loses to example.com`).toBe("img");
  }
  expect((await send("http://example.com/img/a.jpg", { routed: true })).trace.worker, "A pattern without https:// in front takes both schemes; leave the scheme away").toBe("img");
});

test("1: the API answers its own front door", async ({ curl, expect }) => {
  expect(await hit(curl, "/api"), "/api without a slash should reach api, too; a pattern of its own does it").toBe("api");
  expect(await hit(curl, "/api/users"), "/api/users still belongs to api").toBe("api");
});

test.guard("1: nobody takes what is not theirs", async ({ curl, expect }) => {
  for (const [path, worker] of [["/", "site"], ["/about", "site"], ["/API/users", "site"], ["/apiary", "site"], ["/imgs/a.jpg", "site"], ["/img", "site"]]) {
    expect(await hit(curl, path), `${path} belongs to ${worker}; is one of your patterns too wide? /api* would also catch /apiary`).toBe(worker);
  }
});

test.guard("1: other hosts are not ours", async ({ curl, expect }) => {
  expect(await hit(curl, "/api/users", "shop.example.com"), "shop.example.com is another host; patterns here begin with example.com").toBe("nobody");
});

test("2: the logo skips all Workers", async ({ curl, expect }) => {
  expect(await hit(curl, "/img/logo.png"), "/img/logo.png should reach no Worker; add { \"pattern\": \"example.com/img/logo.png\", \"script\": null }").toBe("nobody");
  expect(await hit(curl, "/img/logo.png?v=2"), "With a question mark the address is another one, and img answers; do not end the pattern with a star").toBe("img");
});

test.guard("2: one broken Worker leaves the others alone", async ({ curl, kill, expect }) => {
  await kill("img");
  expect((await curl("example.com", "/")).status, "With img broken, pages still answer").toBe(200);
  expect((await curl("example.com", "/api/users")).status, "With img broken, the API still answers").toBe(200);
});
