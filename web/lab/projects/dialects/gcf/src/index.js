import { login as core } from "../../shared/login.js";
import { show } from "../../shared/show.js";

export const login = (req, res) => {
  const { status, body } = core(req.method, req.body?.user, req.body?.pass);
  show({ req: { method: req.method, url: req.url, query: req.query, headers: req.headers, body: req.body, rawBody: String(req.rawBody ?? "") } }, "res.status(" + status + ").send(" + JSON.stringify(body) + ")");
  res.status(status).send(body);
};
