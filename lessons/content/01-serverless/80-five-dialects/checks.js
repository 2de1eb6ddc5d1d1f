const cases = [
  ["the right password", "POST", { user: "ada", pass: "tea" }, 200],
  ["a wrong password", "POST", { user: "ada", pass: "milk" }, 401],
  ["an unknown name", "POST", { user: "constructor" }, 401],
  ["another method", "GET", undefined, 405],
];
const dialects = [["express", "/login"], ["lambda", "/login"], ["gcf", "/login"], ["azure", "/api/login"], ["worker", "/login"]];

test("1: the login itself", async ({ call, expect }) => {
  for (const [what, method, who, status] of cases) {
    const got = await call("shared/login.js", "login", [{ method, ...who }], { frozen: true });
    expect(got.status, `With ${what} the login should give status ${status}`).toBe(status);
    expect(typeof got.body, "The answer is plain data: { status, body }, with a text as body").toBe("string");
  }
});

test.guard("1: no accent", async ({ files, expect }) => {
  expect(files["shared/login.js"] || "", "shared/login.js should import nothing and know no provider").not.toMatch(/\bimport\b|\brequire\b|\bResponse\b|\breq\b|\bevent\b/);
});

for (const [worker, path] of dialects) {
  test(`2: ${worker} answers like the login`, async ({ send, call, expect }) => {
    for (const [what, method, who, status] of cases) {
      const want = await call("shared/login.js", "login", [{ method, ...who }]);
      const r = await send(`${method} ${path}`, { worker, ...(who ? { json: who } : {}) });
      expect(r.status, `${worker}, with ${what}: status ${status}. Does its file import ../../shared/login.js and pass method, user and pass on?`).toBe(status);
      expect(await r.text(), `${worker}, with ${what}: the body should be what the login said`).toBe(want.body);
    }
  });
}
