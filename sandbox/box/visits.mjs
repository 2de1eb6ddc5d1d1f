// The visit counter of the labs as a Node program. It answers on the one
// connection that it inherits, so it listens nowhere, and it ends with it. Its
// answers say when this runtime began and when the handler did, by the clock
// that all processes of a machine share.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:http";
import { Socket } from "node:net";
import { hostname, networkInterfaces, release } from "node:os";
import { Duplex } from "node:stream";

const born = process.hrtime.bigint() - BigInt(Math.round(performance.now() * 1e6));
let visits = 0;

// What a program can tell of where it is.
function inside() {
  const attempt = (f) => { try { return f(); } catch { return undefined; } };
  const spaces = ["ipc", "mnt", "net", "pid", "user", "uts"].map((name) => [name, attempt(() => readlinkSync("/proc/self/ns/" + name))]);
  return {
    pid: process.pid,
    processes: attempt(() => readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length),
    hostname: hostname(),
    interfaces: Object.keys(networkInterfaces()),
    files: readdirSync("/").length,
    kernel: release(),
    boot: attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    ns: Object.fromEntries(spaces),
    answers: { tcp: false, socket: true },
  };
}

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  response.setHeader("x-handle", String(process.hrtime.bigint()));
  response.setHeader("x-born", String(born));
  response.end(request.url === "/inside" ? JSON.stringify(inside()) : "visit " + ++visits);
});
server.emit("connection", process.env.BOX_STDIO ? Duplex.from({ readable: process.stdin, writable: process.stdout }) : new Socket({ fd: 3 }));
