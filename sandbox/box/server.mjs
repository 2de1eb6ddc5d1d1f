// The server of the first lesson as a Node program: it counts visits in its
// memory and listens on a port of this host, which it tells whoever started it.
// It ends with the connection that it inherits.
import { createServer } from "node:http";
import { Socket } from "node:net";

let visits = 0;

const server = createServer((request, response) => {
  const answer = request.url === "/" ? { visits: ++visits, pid: process.pid } : { error: "not found" };
  response.writeHead(request.url === "/" ? 200 : 404, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(answer));
});

const starter = new Socket({ fd: 3 });
starter.on("close", () => process.exit()).on("error", () => {}).resume();
server.listen(0, "127.0.0.1", () => starter.write(`${server.address().port}\n`));
