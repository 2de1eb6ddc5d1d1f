// The visit counter of the labs as a Node program. It answers on the one
// connection that it inherits, so it listens nowhere, and it ends with it. Its
// answers say when this runtime began and when the handler did, by the clock
// that all processes of a machine share.
import { createServer } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";

const born = process.hrtime.bigint() - BigInt(Math.round(performance.now() * 1e6));
let visits = 0;

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  response.setHeader("x-handle", String(process.hrtime.bigint()));
  response.setHeader("x-born", String(born));
  response.end("visit " + ++visits);
});
server.emit("connection", process.env.BOX_STDIO ? Duplex.from({ readable: process.stdin, writable: process.stdout }) : new Socket({ fd: 3 }));
