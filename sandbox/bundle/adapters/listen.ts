// Watches which ports a Node server program listens on. It must be imported
// before the program.
import http from "node:http";

export const listening = { ports: [] as number[] };

const original = http.Server.prototype.listen;

http.Server.prototype.listen = function (this: any, ...args: any[]) {
  const result = original.apply(this, args);
  const first = args[0];
  const asked = typeof first === "object" && first !== null ? first.port : first;
  const bound = this.address?.()?.port;
  const port = Number(bound || asked || 0);
  if (port > 0) {
    listening.ports.push(port);
  }
  return result;
};
