const body = async (send, path) => (await send(path)).text();
const some = String(100 + Math.floor(Math.random() * 900)); // a number that no route can know

test("1: one parameter", async ({ send, expect }) => {
  for (const id of ["42", some]) expect(await body(send, "/users/" + id), `/users/${id} calls the handler of /users/:id with params.id; a handler gets one object, { request, params }`).toBe(id);
  expect(await body(send, "/users/a%20b"), "The address bar writes a space as %20; decode each parameter").toBe("a b");
});

test("1: two parameters", async ({ send, expect }) => {
  expect(await body(send, `/shops/${some}/items/tea`), "Each :name gets its own segment").toBe(some + " sells tea");
});

test("1: a slash inside a parameter stays inside", async ({ send, expect }) => {
  expect(await body(send, "/users/a%2Fb"), "%2F is a slash that belongs to the name; cut the path first, decode afterwards").toBe("a/b");
});

test.guard("1: what matches nothing", async ({ send, expect }) => {
  for (const path of ["/users/", "/users/1/2", "/nothing", "/shops//items/tea", "/shops/7/items"]) {
    expect((await send(path)).status, `${path} fits no pattern, since an empty segment is no parameter; answer 404`).toBe(404);
  }
  expect(await body(send, "/"), "The home page still answers").toBe("home");
});

test("2: a word beats a parameter, in any order", async ({ send, expect }) => {
  expect(await body(send, "/users/me"), "/users/me was registered after /users/:id and still wins; try routes with words before those with parameters").toBe("it is you");
  expect(await body(send, "/users/you"), "Any other name goes to /users/:id").toBe("you");
  expect(await body(send, "/shops/best"), "/shops/best was registered before /shops/:id and wins as well").toBe("the best shop");
  expect(await body(send, "/shops/worst"), "Any other shop goes to /shops/:id").toBe("shop worst");
});

test("3: right path, wrong method", async ({ send, expect }) => {
  const r = await send("POST /users/42", { body: "x" });
  expect(r.status, "The path /users/42 exists, POST does not fit it: 405, not 404").toBe(405);
  expect(r.headers.get("allow"), "Allow names the methods that this path has").toBe("GET");
  const get = await send("GET /users");
  expect(get.status, "/users takes POST only; a GET is a 405").toBe(405);
  expect(get.headers.get("allow"), "Allow names the methods that this path has").toBe("POST");
  const two = await send("DELETE /shops/9");
  expect((two.headers.get("allow") || "").split(",").map((m) => m.trim()).sort(), "A shop can be read and bought at: Allow names both methods, with a comma between them").toEqual(["GET", "POST"]);
});

test.guard("3: the right method still arrives", async ({ send, expect }) => {
  const r = await send("POST /users", { body: "Ada" });
  expect(r.status, "POST /users has a handler").toBe(201);
  expect(await r.text(), "The handler gets the request").toBe("made Ada");
});
