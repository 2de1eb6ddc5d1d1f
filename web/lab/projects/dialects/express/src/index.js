import express from "express";
import { login } from "../../shared/login.js";
import { show } from "../../shared/show.js";

const app = express();
app.use(express.json());

app.all("/login", (req, res) => {
  const { status, body } = login(req.method, req.body?.user, req.body?.pass);
  show({ req: { method: req.method, url: req.url, query: req.query, headers: req.headers, body: req.body } }, "res.status(" + status + ").send(" + JSON.stringify(body) + ")");
  res.status(status).send(body);
});

app.listen(3000);
