// What the module "cloudflare:node" exports.

import { Server, handle } from "./node-http";

const portOf = (v: any): number => {
  if (v instanceof Server) v = v.address()?.port;
  else if (typeof v === "object" && v !== null) v = v.port;
  if (typeof v !== "number" || !(v > 0 && v < 65536)) {
    throw new TypeError("httpServerHandler wants a server that listens, or { port } of one.");
  }
  return v;
};

/** Answers one request with the Node server that listens on a port. */
export async function handleAsNodeRequest(port: any, request: any): Promise<any> { return handle(portOf(port), request); }

/** A Worker's handler for a Node server, by its port. */
export function httpServerHandler(target: any, rest: Record<string, unknown> = {}): any {
  if (target instanceof Server && !target.listening) target.listen(0);
  const port = portOf(target);
  return { ...rest, fetch: (request: any) => handleAsNodeRequest(port, request) };
}
