// The same beginning in Express, to compare. Nothing imports this file; to run
// it, let src/index.js be: export { default } from "./express.js";
import express from "express";
import { httpServerHandler } from "cloudflare:node";

const app = express();

app.get("/", (req, res) => res.send("home"));

app.listen(3000);

export default httpServerHandler({ port: 3000 });
