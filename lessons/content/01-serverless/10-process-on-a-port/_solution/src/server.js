import express from "express";
import { httpServerHandler } from "cloudflare:node";

const app = express();
const port = Number(process.env.PORT);
let visits = 0;

app.get("/", (req, res) => {
  visits++;
  res.json({ visits, port: server.address().port });
});

app.get("/health", (req, res) => {
  res.send("ok");
});

app.use((req, res) => {
  res.status(404).send("nothing here");
});

const server = app.listen(port);

// With `node server.js` you would leave this line out: there, listen opens a
// real port. Here it tells the platform which listener gets the requests.
export default httpServerHandler({ port });
