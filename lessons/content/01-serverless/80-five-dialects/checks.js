const cases = [
  ["the right password", "POST", { user: "ada", pass: "tea" }, 200],
  ["another person", "POST", { user: "grace", pass: "milk" }, 200],
  ["another person's password", "POST", { user: "grace", pass: "tea" }, 401],
  ["a wrong password", "POST", { user: "ada", pass: "milk" }, 401],
  ["an unknown name", "POST", { user: "constructor" }, 401],
  ["no name and no password", "POST", {}, 401],
  ["another method", "GET", undefined, 405],
];
const dialects = [
  ["express", "/login", "express.json() puts the parsed body into req.body"],
  ["lambda", "/login", "event.body is a text, the method is in event.requestContext.http.method, and the answer is { statusCode, body }"],
  ["gcf", "/login", "req.body is parsed already, and res sends the answer"],
  ["azure", "/api/login", "request.json() is a promise and wants a body, which a GET has not; the answer is { status, body }"],
  ["worker", "/login", "request.json() is a promise and wants a body, which a GET has not; the answer is a Response"],
];

test("1: the login itself", async ({ call, expect }) => {
  for (const [what, method, who, status] of cases) {
    const got = await call("shared/login.js", "login", [{ method, ...who }], { frozen: true });
    expect(got.status, `With ${what} the login should give status ${status}, in plain data: { status, body }`).toBe(status);
    expect(typeof got.body, "The answer is plain data: { status, body }, with a text as body").toBe("string");
  }
});

test.guard("1: no accent", async ({ files, fail }) => {
  const accent = /\bimport\b|\brequire\b|\bResponse\b|\breq\b|\bevent\b/.exec(files["shared/login.js"] || "");
  if (accent) fail("shared/login.js should import nothing and know no provider", "plain data", accent[0]);
});

for (const [worker, path, accent] of dialects) {
  test(`2: ${worker} answers like the login`, async ({ send, call, expect }) => {
    for (const [what, method, who, status] of cases) {
      const want = await call("shared/login.js", "login", [{ method, ...who }]);
      expect([want && want.status, want && typeof want.body], `First finish the login of task 1: with ${what} it gives status ${status}, and a text as body`).toEqual([status, "string"]);
      const r = await send(`${method} ${path}`, { worker, ...(who ? { json: who } : {}) });
      expect(r.status, `${worker}, with ${what}: status ${status}. Pass method, user and pass on to ../../shared/login.js; ${accent}`).toBe(status);
      expect(await r.text(), `${worker}, with ${what}: the body should be what the login said; ${accent}`).toBe(want.body);
    }
  });
}
