import { Hono } from "hono";

const app = new Hono();

app.use(async (c, next) => {
  await next();
  console.log(`${c.req.method} ${c.req.path} ${c.res.status}`);
});

app.get("/", (c) => c.text("home"));
app.get("/users/me", (c) => c.text("it is you"));
app.get("/users/:id", (c) => c.text(c.req.param("id")));
app.post("/users", async (c) => c.text("made " + (await c.req.text()), 201));
app.all("/users/:id", (c) => c.text("Method Not Allowed", 405, { allow: "GET" }));
app.all("/users", (c) => c.text("Method Not Allowed", 405, { allow: "POST" }));

export default app;
