const file = "src/inside.js";
const all = ["ipc", "mnt", "net", "pid", "user", "uts"];
const link = (name, n) => `${name}:[${4026530000 + n}]`;
const report = (ns, more) => ({
  pid: 1, processes: 1, hostname: "box", interfaces: ["lo"], files: 2, kernel: "6.1.0", boot: "b-1",
  ns: Object.fromEntries(all.map((name) => [name, link(name, ns.includes(name) ? 77 : 1)])), answers: { tcp: false, socket: true }, ...more,
});
const host = report([], { pid: 4242, processes: 90, hostname: "box", interfaces: ["lo", "eth0"], files: 25, answers: { tcp: true, socket: true } });

// reports reads the recorded ones from the Worker, as a learner does.
const reports = async (send) => (await send("/reports")).json();
const sorted = (v) => (Array.isArray(v) ? v.slice().sort() : v);

test("1: namespaces by their numbers", async ({ call, expect }) => {
  for (const ns of [["pid"], ["net", "uts"], all]) {
    expect(sorted(await call(file, "hidden", [host, report(ns)])), `This report differs from the one outside in ns.${ns.join(", ns.")}, and only there`).toEqual(ns);
  }
  expect(await call(file, "hidden", [host, report([], { pid: 99, hostname: "other" })]), "Another process number and another name, but the same six links: nothing is hidden").toEqual([]);
});

test("1: the recorded boxes", async ({ call, send, expect }) => {
  const { outside, boxes } = await reports(send);
  const got = {};
  for (const name of Object.keys(boxes)) got[name] = sorted(await call(file, "hidden", [outside, boxes[name]]));
  expect(got["network"], "The box \"network\" was made with a network and a user namespace").toEqual(["net", "user"]);
  expect(got["numbers"], "In the box \"numbers\", 117 processes are in sight and the pid namespace is its own all the same; compare links, not counts").toEqual(["pid", "user"]);
  expect(got["all six, own files"], "The box \"all six, own files\" hides six namespaces").toEqual(all);
});

test("2: process or container", async ({ call, expect }) => {
  expect(await call(file, "kind", [host, report([], { hostname: "renamed", pid: 17 })]), "The same six namespaces: a plain process, whatever it is called").toBe("process");
  expect(await call(file, "kind", [host, report(["pid", "mnt"])]), "Namespaces of its own and the same running kernel: a container, also if it kept the host's name").toBe("container");
});

test("2: another kernel", async ({ call, expect }) => {
  expect(await call(file, "kind", [host, report(all, { kernel: "6.6.2", boot: "b-2" })]), "Another kernel is running there: a VM").toBe("vm");
  expect(await call(file, "kind", [host, report(all, { boot: "b-3" })]), "The version is the same, yet this kernel was booted another time: two kernels. A version is no proof").toBe("vm");
  expect(await call(file, "kind", [host, report([], { boot: "b-4" })]), "Links of two machines mean nothing to each other; look at the boot first").toBe("vm");
});

test.hidden("2: all that was recorded shares one kernel", async ({ call, send, expect }) => {
  const { outside, boxes } = await reports(send);
  for (const name of Object.keys(boxes)) expect(await call(file, "kind", [outside, boxes[name]]), `The box "${name}" has walls, and the kernel that runs outside`).toBe("container");
  expect(await call(file, "kind", [outside, outside]), "Compared with itself, the program outside is a plain process").toBe("process");
});

// walls are those of box.json.
function walls(files, fail) {
  let w;
  try {
    w = JSON.parse(files["box.json"]);
  } catch (e) {
    fail("box.json is not JSON; true and false need no quotation marks, and no comma stands before a closing bracket", "JSON", String(e.message));
  }
  for (const name of all) if (typeof (w && w[name]) !== "boolean") fail(`In box.json, ${name} is switched by true or false, without quotation marks`, "true or false", w && w[name] !== undefined ? w[name] : "nothing");
  if (!Number.isInteger(w.memory_mb) || w.memory_mb < 0) fail("memory_mb is a whole number of megabytes; 0 means no cap", "a whole number", w.memory_mb);
  if (!["port", "socket", "none"].includes(w.door)) fail("door is \"port\", \"socket\" or \"none\"", "one of the three", w.door);
  return w;
}

// recorded is what the recorded reports say of a box with these walls.
function recorded(w, outside) {
  if (w.memory_mb > 0 && w.memory_mb < 64) return { refused: "with less than 64 MB the program does not begin" };
  return {
    ...outside, ns: Object.fromEntries(all.map((name) => [name, w[name] ? link(name, 77) : outside.ns[name]])),
    pid: w.pid ? 1 : 25332, processes: w.pid ? (w.mnt ? 1 : 117) : outside.processes, hostname: w.uts ? "box" : outside.hostname,
    files: w.mnt ? 2 : outside.files, reaches: !w.net, seen: !w.mnt, answers: { tcp: w.door === "port" && !w.net, socket: w.door === "socket" },
    took_mb: 256, stopped: w.memory_mb > 0 && w.memory_mb <= 256 ? "its cgroup" : "",
  };
}

// tried is the learner's box: made on this host, or, where the host makes none, as the recorded reports tell.
async function tried({ box, files, fail, send }) {
  const w = walls(files, fail);
  const here = await box("container", { walls: w });
  const { outside } = here.available ? here : await reports(send);
  const inside = here.available ? here.inside : recorded(w, outside);
  if (inside.refused) fail("This box cannot be made", "a box", inside.refused);
  return { w, here, inside, outside };
}

test("3: the first of its processes, and alone", async (t) => {
  const { here, inside, outside } = await tried(t);
  t.expect(inside.pid, "Inside, the program should be process 1: give it process numbers of its own (pid)").toBe(1);
  if (inside.processes) t.expect(inside.processes, `It is process 1, and /proc still lists ${inside.processes} processes: it is the list of before. Mount another one (mnt)`).toBe(1);
  t.note(here.available
    ? `Your box, made here just now: process ${inside.pid}, called ${inside.hostname}, with ${inside.files} entries in its root; outside there are ${outside.files}, and ${outside.processes} processes.`
    : `Told from the recorded reports. No box on this host, because ${here.why}.`);
});

test("3: another name, the same kernel", async (t) => {
  const { inside, outside } = await tried(t);
  t.expect(inside.hostname, "The program still finds the host's name; let the box have one of its own (uts)").toBe("box");
  t.expect(inside.kernel, "Whatever the walls, the kernel is the one outside").toBe(outside.kernel);
});

test("3: what it writes stays inside", async (t) => {
  const { inside } = await tried(t);
  t.expect(inside.seen ? "outside, too" : "inside only", "The program wrote a file. It should not be there for others: give the box files of its own (mnt)").toBe("inside only");
});

test("3: no way out, and a way in", async (t) => {
  const { w, inside } = await tried(t);
  t.expect(inside.reaches ? "connected" : "no connection", "The program could connect to a port of the host; give it a network of its own (net)").toBe("no connection");
  const why = w.door === "port" ? "Its port is open in the box's own network, where no visitor is" : "A box that serves nobody is no answer";
  t.expect(inside.answers.tcp || inside.answers.socket ? "an answer" : "none", `${why}; hand the program a socket from outside (door)`).toBe("an answer");
});

test("3: an end to memory", async (t) => {
  const { w, inside } = await tried(t);
  const cap = w.memory_mb > 0 ? `The cap of ${w.memory_mb} MB was never met; lower memory_mb` : "Set a cap (memory_mb)";
  t.expect(inside.stopped ? "stopped" : "not stopped", `The program took ${inside.took_mb} MB, and nobody stopped it. ${cap}`).toBe("stopped");
  t.note(`Stopped by ${inside.stopped}.`);
});

test("3: nothing shared but the kernel", async (t) => {
  const { inside, outside } = await tried(t);
  const own = all.filter((name) => inside.ns[name] !== outside.ns[name]);
  t.expect(own, "Stricter is possible: these are the namespaces that the box has for itself, of six").toEqual(all);
});

test.guard("3: your functions and a box of this host", async ({ box, call, expect, note }) => {
  const w = { memory_mb: 0, door: "none" };
  for (const name of all) w[name] = true;
  const { available, why, inside, outside } = await box("container", { walls: w });
  if (!available) {
    note(`Not on this host, because ${why}.`);
    return;
  }
  const got = sorted(await call(file, "hidden", [outside, inside]));
  if (got.length === 0) return; // not written yet; the other checks say so
  expect(got, "A container made on this host a moment ago, and a plain process beside it: all six links differ").toEqual(all);
  if (inside.boot) expect(await call(file, "kind", [outside, inside]), "The container made on this host has walls, and the kernel that runs outside").toBe("container"); // else /proc is not to be had in it
});
