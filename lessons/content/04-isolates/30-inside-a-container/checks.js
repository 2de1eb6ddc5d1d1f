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

test("3: strict and reachable", async ({ call, send, expect }) => {
  const { outside, boxes } = await reports(send);
  const got = await call(file, "strictest", [outside, boxes]);
  expect(got, "Nobody can reach the program in \"all six, own files, no door\"; a box that serves nobody is no answer").not.toBe("all six, own files, no door");
  expect(got, "Two boxes have six namespaces and still answer, through the socket that they were given; one of them shows its program fewer files").toBe("all six, own files");
});

test.hidden("3: other boxes", async ({ call, expect }) => {
  const boxes = { a: report(["pid", "mnt"], { files: 2 }), b: report(["pid", "mnt", "uts"], { files: 25 }), c: report(all, { answers: { tcp: false, socket: false } }), d: report(["uts"], { files: 1 }) };
  expect(await call(file, "strictest", [host, boxes]), "Namespaces count first: b has three and answers; c has six and does not").toBe("b");
  const tcp = { x: report(["uts"], { files: 9, answers: { tcp: true, socket: false } }), y: report(["ipc"], { files: 3, answers: { tcp: true, socket: false } }) };
  expect(await call(file, "strictest", [host, tcp]), "Either way of answering will do, and with as many namespaces the fewer files win").toBe("y");
});

test.guard("3: a box of this host", async ({ box, call, note, expect }) => {
  const here = await box("container");
  if (!here.available) {
    note(`A container: not on this host, because ${here.why}.`);
    return;
  }
  expect(here.each_mb > 0, "A container of this host was started and measured").toBe(true);
  const { inside, outside } = here;
  if (inside && outside && inside.ns.pid) { // else /proc is not to be had in it
    const got = sorted(await call(file, "hidden", [outside, inside]));
    if (got.length === 0) return; // not written yet; the other checks say so
    expect(got, "A container made on this host a moment ago, and a plain process beside it: all six links differ").toEqual(all);
    expect(await call(file, "kind", [outside, inside]), "The container made on this host has walls, and the kernel that runs outside").toBe("container");
  }
  note(`A container made here just now: process ${inside.pid} of ${inside.processes}, ${inside.files} entries in its root, called ${inside.hostname}; outside it is ${outside.processes} processes and ${outside.files} entries. Each adds ${here.each_mb.toFixed(1)} MB.`);
});
