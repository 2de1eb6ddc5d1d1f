import express from "express";
import { login } from "../../shared/login.js";

const app = express();
app.use(express.json());

app.all("/login", (req, res) => {
  const { status, body } = login({ method: req.method, user: req.body?.user, pass: req.body?.pass });
  res.status(status).send(body);
});

app.listen(3000);
