const said = (r) => r.logs.map((l) => l.text);

test("1: logs the body's text", async ({ send, expect }) => {
  const r = await send("POST /", { body: '{"a":1}' });
  expect(said(r), "One log line should be the body as it was sent; request.body is the stream, its text comes from await request.text()").toContain('{"a":1}');
  const other = await send("POST /", { body: "plain words" });
  expect(said(other), "Log whatever text arrives, not only JSON").toContain("plain words");
});

test.guard("1: an empty body is no accident", async ({ send, expect }) => {
  const r = await send("GET /");
  expect(r.status, "A GET has no body; reading it must not fail").toBe(200);
});

test("2: logs one line per header", async ({ send, expect }) => {
  const r = await send("GET /", { headers: { "x-demo": "hello", "x-other": "a=b" } });
  expect(said(r), "Log each header as name=value, for example x-demo=hello; for (const [name, value] of request.headers) walks through them, Object.entries finds none").toContain("x-demo=hello");
  expect(said(r), "A value may hold an equals sign of its own; print it unchanged").toContain("x-other=a=b");
});

test("3: HEAD counts as a get", async ({ send, expect }) => {
  const get = await send("GET /");
  expect(get.headers.get("x-get"), "A GET should be answered with x-get: yes").toBe("yes");
  const head = await send("HEAD /");
  expect(head.status, "HEAD should succeed like GET").toBe(200);
  expect(head.headers.get("x-get"), "HEAD is a GET without a body, so x-get should be yes").toBe("yes");
  expect(await head.text(), "The answer to HEAD has no body").toBe("");
  for (const method of ["POST", "PUT", "DELETE"]) {
    const r = await send(`${method} /`, { body: method === "DELETE" ? undefined : "x" });
    expect(r.headers.get("x-get"), `${method} is not a get, so x-get should be no; the second argument of Response.json is { headers: { "x-get": … } }`).toBe("no");
  }
});

test.guard("3: both messages stay word for word", async ({ send, expect }) => {
  expect(await (await send("GET /")).json(), "The answer to GET changed").toEqual({ message: "you sent a get request" });
  expect(await (await send("POST /", { body: "{}" })).json(), "The answer to POST changed").toEqual({ message: "you did not send a get request" });
});
