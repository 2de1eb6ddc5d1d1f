import express from "express";
import { httpServerHandler } from "cloudflare:node";

const app = express();

app.get("/route", (req, res) => {
  // runs for GET /route, and for nothing else
  res.json({ message: "you asked for the route" });
});

app.listen(3000);

// On Workers no port is opened. This line hands requests to the server above.
export default httpServerHandler({ port: 3000 });
