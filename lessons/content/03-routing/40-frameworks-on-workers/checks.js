const body = async (send, path) => (await send(path)).text();

test("1: parameters and words", async ({ send, expect }) => {
  expect(await body(send, "/users/42"), "/users/42 answers the id, c.req.param(\"id\"); is there an app.all before that route?").toBe("42");
  expect(await body(send, "/users/a%20b"), "Parameters arrive decoded").toBe("a b");
  expect(await body(send, "/users/me"), "/users/me has its own answer; Hono takes the first route that fits, so add it before /users/:id").toBe("it is you");
});

test("1: making a user", async ({ send, expect }) => {
  const r = await send("POST /users", { body: "Ada" });
  expect(r.status, "POST /users answers 201; does the handler return what c.text gives?").toBe(201);
  expect(await r.text(), "The answer is \"made \" and the body").toBe("made Ada");
});

test("1: right path, wrong method", async ({ send, expect }) => {
  const post = await send("POST /users/42", { body: "x" });
  expect(post.status, "POST /users/42 fits a path but not its method: 405").toBe(405);
  expect(post.headers.get("allow"), "Allow names the methods of this path").toBe("GET");
  const get = await send("GET /users");
  expect(get.status, "GET /users is a 405, too; an app.all for that path, after its routes, says so").toBe(405);
  expect(get.headers.get("allow"), "Allow names the methods of this path").toBe("POST");
});

test.guard("1: what is unknown stays unknown", async ({ send, expect }) => {
  expect((await send("/nothing")).status, "An unknown path is a 404").toBe(404);
  expect((await send("/users/")).status, "/users/ is no user; answer 404").toBe(404);
  expect(await body(send, "/"), "The home page still answers").toBe("home");
});

test("2: one line per request", async ({ send, expect }) => {
  for (const [request, line] of [["GET /users/42", "GET /users/42 200"], ["GET /nothing", "GET /nothing 404"], ["POST /users/42", "POST /users/42 405"]]) {
    const r = await send(request, { body: request.startsWith("POST") ? "x" : undefined });
    const lines = r.logs.map((l) => l.text);
    expect(lines, `${request} should log one line: "${line}"; log after await next(), when the status is known, and add the middleware before the routes`).toEqual([line]);
  }
});
