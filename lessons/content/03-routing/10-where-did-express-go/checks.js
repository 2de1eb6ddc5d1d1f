const asJSON = async (r) => {
  const text = await r.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

test("1: both answer GET /route alike", async ({ send, expect }) => {
  const theirs = await send("GET /route", { worker: "express" });
  const ours = await send("GET /route", { worker: "worker" });
  expect(ours.status, "The Worker should answer GET /route with the status that Express gives").toBe(theirs.status);
  expect(await asJSON(ours), "The Worker should answer the same JSON as Express").toEqual(await asJSON(theirs));
});

test("1: a query changes nothing", async ({ send, expect }) => {
  const r = await send("GET /route?x=1", { worker: "worker" });
  expect(r.status, "/route?x=1 is still /route; compare the pathname, not the whole address").toBe(200);
});

test.guard("1: everything else is a 404", async ({ send, expect }) => {
  for (const request of ["POST /route", "GET /other", "GET /route/more", "GET /"]) {
    const r = await send(request, { worker: "worker", body: request.startsWith("POST") ? "x" : undefined });
    expect(r.status, `${request} has no handler in Express either; answer 404`).toBe(404);
  }
});
