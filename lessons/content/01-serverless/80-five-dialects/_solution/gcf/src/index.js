import { login as core } from "../../shared/login.js";

export const login = (req, res) => {
  const { status, body } = core({ method: req.method, user: req.body?.user, pass: req.body?.pass });
  res.status(status).send(body);
};
