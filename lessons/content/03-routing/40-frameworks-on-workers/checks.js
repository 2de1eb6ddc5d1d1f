const body = async (send, path) => (await send(path)).text();
const some = String(100 + Math.floor(Math.random() * 900)); // a number that no route can know

test("1: parameters and words", async ({ send, expect }) => {
  for (const id of ["42", some]) expect(await body(send, "/users/" + id), `/users/${id} answers the id, c.req.param("id"); is there an app.all before that route?`).toBe(id);
  expect(await body(send, "/users/a%20b"), "Parameters arrive decoded").toBe("a b");
  expect(await body(send, "/users/me"), "/users/me has its own answer; Hono takes the first route that fits, so add it before /users/:id").toBe("it is you");
});

test("1: making a user", async ({ send, expect }) => {
  const r = await send("POST /users", { body: "Ada" });
  expect(r.status, "POST /users answers 201; does the handler return what c.text gives?").toBe(201);
  expect(await r.text(), "The answer is \"made \" and the body, which await c.req.text() reads").toBe("made Ada");
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
  for (const [request, line] of [[`GET /users/${some}`, `GET /users/${some} 200`], ["GET /nothing", "GET /nothing 404"], ["POST /users/42", "POST /users/42 405"]]) {
    const r = await send(request, { body: request.startsWith("POST") ? "x" : undefined });
    const lines = r.logs.map((l) => l.text);
    expect(lines, `${request} should log one line: "${line}"; log after await next(), when the status is known, and add the middleware before the routes`).toEqual([line]);
  }
});

test("3: how many times as long", async ({ files, measure, wait, note, fail, expect }) => {
  let times;
  try {
    times = JSON.parse(files["answer.json"]).times;
  } catch (e) {
    fail("answer.json is not JSON; write one number: { \"times\": 2 }", "JSON", String(e.message));
  }
  expect(times, "In answer.json, times is Express's load divided by Hono's; measure both with ×20 cold").toBeGreaterThan(0);
  let nearest = Infinity;
  for (let i = 0; i < 4 && !(times <= nearest * 2 && times >= nearest / 2); i++) { // a busy machine may spoil one measurement, but not four
    if (i > 0) await wait(500);
    const now = await measure(6, "/", { cold: true, of: "starter", against: "src/express.js" });
    for (const found of [now.other.phases.load / now.phases.load, now.other.min / now.min]) { // on a busy machine what computes longer is held up more; the quickest of six least
      if (Math.abs(Math.log(times / found)) < Math.abs(Math.log(times / nearest))) nearest = found;
    }
  }
  note(`Measured just now: Express takes ${nearest.toFixed(1)} times as long to load as Hono.`);
  if (times > nearest * 2 || times < nearest / 2) fail("Measured just now, it is less than half or more than twice your answer. Divide Express's load by Hono's, the middles of twenty cold runs each", `${(nearest / 2).toFixed(1)} to ${(nearest * 2).toFixed(1)}`, times);
});
