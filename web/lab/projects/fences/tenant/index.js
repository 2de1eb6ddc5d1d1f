// Both tenants of the lab run this file, and so does what disturbs them.
let note = null;
let visits = 0;

const probes = {
  visit: () => "visit " + ++visits,

  // Leaves "tea" in four places, and reads them.
  async plant(env) {
    globalThis.secret = "tea";
    Array.prototype.stolen = "tea";
    note = "tea";
    await env.NOTES.put("secret", "tea");
    return "planted";
  },
  global: () => globalThis.secret ?? null,
  prototype: () => [].stolen ?? null,
  module: () => note,
  storage: (env) => env.NOTES.get("secret"),

  // Waits for a timer that somebody else tries to clear.
  timer: () => new Promise((resolve) => setTimeout(() => resolve("it fired"), 200)),
  clear() {
    for (let id = 0; id < 10_000; id++) clearTimeout(id);
    return "10,000 timers cleared";
  },

  // Out of the sandbox.
  async network() {
    const response = await fetch("http://127.0.0.1:22/");
    return "an answer with status " + response.status;
  },
  async files() {
    const name = "node:fs";
    const fs = await import(name);
    return fs.readFileSync("/etc/passwd", "utf8").slice(0, 20);
  },
  spin() {
    for (;;);
  },
  sleep: () => new Promise((resolve) => setTimeout(resolve, 3_600_000)),
  async hoard(env) {
    await env.NOTES.put("hoard", "begun"); // what had an effect is not tried again
    const all = [];
    for (;;) all.push(new Uint8Array(1 << 20).fill(7));
  },
  deep() {
    const down = (n) => 1 + down(n + 1);
    return String(down(0));
  },
};

export default {
  async fetch(request, env) {
    try {
      return new Response(String(await probes[new URL(request.url).pathname.slice(1)](env)));
    } catch (e) {
      return new Response(e.name + ": " + e.message, { status: 400 });
    }
  },
};
