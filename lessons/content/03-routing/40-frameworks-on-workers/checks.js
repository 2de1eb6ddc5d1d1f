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

test("3: how many times as long", async ({ files, measure, lab, note, fail, expect }) => {
  let times;
  try {
    times = JSON.parse(files["answer.json"]).times;
  } catch (e) {
    fail("answer.json is not JSON; write one number: { \"times\": 2 }", "JSON", String(e.message));
  }
  expect(times, "In answer.json, times is Express's load divided by Hono's; measure both with ×20 cold").toBeGreaterThan(0);
  const both = (n) => measure(n, "/", { cold: true, of: "starter", against: "src/express.js" });
  const now = await both(1);

  // Judged by the learner's own runs where there are both. Which is which tells
  // the memory that an isolate holds: it hardly differs from start to start.
  const own = { hono: [], express: [] };
  for (const s of (await lab("repeats")).samples || []) {
    if (s.temperature !== "cold" || s.n < 10) continue;
    const far = (other) => Math.abs(Math.log(s.memory / other.memory));
    own[far(now) < far(now.other) ? "hono" : "express"].push(s.phases.load);
  }
  if (own.hono.length > 0 && own.express.length > 0) {
    const ratios = own.express.flatMap((e) => own.hono.map((h) => e / h));
    if (!ratios.some((r) => Math.abs(times / r - 1) <= 0.2)) fail(`In your own ×20 cold runs, the middle of load is ${own.express[0].toFixed(1)} ms with Express and ${own.hono[0].toFixed(1)} ms with Hono. Divide the first by the second; within 20 % is right`, ratios[0].toFixed(1), times);
    return;
  }

  const hono = await both(5), found = hono.other.load_cpu / hono.load_cpu; // CPU time: what else the machine does is not in it
  note(`Measured just now: loading Express takes ${found.toFixed(1)} times the CPU time of loading Hono.`);
  if (times > found * 2 || times < found / 2) fail("Measured just now, it is less than half or more than twice your answer. Press ×20 cold with each, and divide Express's load by Hono's, the middles of both", `${(found / 2).toFixed(1)} to ${(found * 2).toFixed(1)}`, times);
});
