const login = (send, body) => send("POST /login", { json: body });

test.guard("1: the right password", async ({ send, expect }) => {
  for (const body of [{ user: "ada", pass: "tea" }, { user: "grace", pass: "milk" }]) {
    const r = await login(send, body);
    expect(r.status, `${body.user} knows the password; let her in with 200, and send the answer through res: res.send(…). req.body is an object already, nothing to parse`).toBe(200);
    expect(await r.text(), "The answer is exactly: User logged in").toBe("User logged in");
  }
});

test("1: the wrong password", async ({ send, expect }) => {
  for (const body of [{ user: "ada", pass: "milk" }, { user: "ada" }, { user: "eve", pass: "tea" }, { user: "eve" }, {}, { pass: "tea" }]) {
    const r = await login(send, body);
    const why = body.user === "ada" ? "is that her password, do you send the answer through res, and do you return after it?" : "nobody has that name, and a missing password equals a missing one; ask first whether you know the user";
    expect(r.status, `${JSON.stringify(body)} should be refused with 401: ${why}`).toBe(401);
    expect(await r.text(), "A refused visitor must not read that anybody was logged in").not.toContain("logged in");
  }
});

test.hidden("1: names that every object has", async ({ send, expect }) => {
  for (const user of ["constructor", "toString", "__proto__"]) {
    expect((await login(send, { user })).status, `${user} is in every object and still nobody you know; ask Object.hasOwn(people, user)`).toBe(401);
  }
});

test.guard("1: no port", async ({ files, fail }) => {
  const port = /\.listen\s*\(|createServer/.exec(files["src/index.js"] || "");
  if (port) fail("Whoever calls this function has a port already; export login, and open none", "no server", port[0]);
});

test("1: other methods", async ({ send, expect }) => {
  for (const method of ["GET", "DELETE"]) {
    expect((await send(`${method} /login`)).status, `${method} is no way to log in; answer 405, and send it: res.status(405).send(…)`).toBe(405);
  }
});
