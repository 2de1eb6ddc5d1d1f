// The visit counter of the density lab as a Node program. It answers on the
// one connection that it inherits, so it listens nowhere, and it ends with it.
import { createServer } from "node:http";
import { Socket } from "node:net";

let visits = 0;

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => response.end("visit " + ++visits));
server.emit("connection", new Socket({ fd: 3 }));
