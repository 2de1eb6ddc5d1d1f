// Runs a Node server program, such as an Express app, as a Worker.
//
// The program says app.listen(3000) and never exports anything. On Workers no
// port is opened: node:http remembers who listens, and httpServerHandler hands
// requests to that server. This file finds out which port the program chose.
import { listening } from "coldstart:listen";
import "coldstart:entry"; // runs after the line above, so that listen() is watched
import { httpServerHandler } from "cloudflare:node";

let handler: { fetch(request: Request, env: unknown, ctx: unknown): Promise<Response> } | undefined;

export default {
  async fetch(request: Request, env: unknown, ctx: unknown): Promise<Response> {
    if (!handler) {
      if (listening.ports.length === 0) {
        throw new Error("No server is listening: call app.listen(3000) at the top level.");
      }
      handler = httpServerHandler({ port: listening.ports[0] });
    }
    return handler.fetch(request, env, ctx);
  },
};
