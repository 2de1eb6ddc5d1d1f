// What no lab ships: a program that takes all the memory, processor time and
// tasks it can get, so that a test sees who stops it.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { Socket } from "node:net";
import { Worker } from "node:worker_threads";

const held = [];
const greed = {
  "/memory": () => { for (;;) held.push(Buffer.alloc(8 << 20, 1)); },
  "/processor": () => { for (let i = 0; i < 3; i++) held.push(new Worker("for (;;);", { eval: true })); },
  "/tasks": () => { for (let i = 0; i < 24; i++) held.push(spawn(process.execPath, ["--eval", "setTimeout(() => {}, 1e6)"], { stdio: "inherit" }).on("error", () => {})); },
};
createServer({ keepAliveTimeout: 0 }, (request, response) => {
  response.end("as you wish");
  if (greed[request.url]) setTimeout(greed[request.url], 10);
}).emit("connection", new Socket({ fd: 3 }));
