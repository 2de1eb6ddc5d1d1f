const quantile = (call) => (numbers, q) => call("src/verdict.js", "quantile", [numbers, q]);
const verdict = (call, samples) => call("src/verdict.js", "verdict", [samples]);

const phases = ["start", "load", "handle"];
const middle = (numbers) => numbers.slice().sort((a, b) => a - b)[Math.ceil(numbers.length / 2) - 1];
const whole = (s) => s.start + s.load + s.handle;
const of = (samples, box, f) => middle(samples.filter((s) => s.box === box).map(f));

// agree compares a verdict with the samples that it was made from. Where two
// figures are within a tenth of each other, either order is right.
function agree(expect, got, samples, where) {
  const boxes = [...new Set(samples.map((s) => s.box))];
  const quickest = Math.min(...boxes.map((box) => of(samples, box, whole)));
  expect(got && Array.isArray(got.order) && got.order.slice().sort().join(), `${where}: order should name each box once`).toBe(boxes.slice().sort().join());
  for (let i = 1; i < got.order.length; i++) {
    const [a, b] = [got.order[i - 1], got.order[i]].map((box) => of(samples, box, whole));
    expect(a, `${where}: the middle of ${got.order[i - 1]} is ${a.toFixed(2)} ms, of ${got.order[i]} ${b.toFixed(2)} ms; the quicker box comes first`).toBeLessThanOrEqual(b * 1.1);
  }
  for (const box of boxes) {
    expect(got.times && got.times[box], `${where}: times.${box} is its middle divided by that of the quickest box, ${quickest.toFixed(2)} ms`).toBeWithin(of(samples, box, whole) / quickest, 0.1);
  }
}

function mostly(expect, got, samples, where) {
  for (const box of new Set(samples.map((s) => s.box))) {
    const middles = phases.map((p) => of(samples, box, (s) => s[p]));
    const most = Math.max(...middles);
    const right = phases.filter((p, i) => middles[i] >= most * 0.9);
    expect(got && got.mostly && got.mostly[box], `${where}: in ${box}, start, load and handle have their middles at ${middles.map((n) => n.toFixed(2)).join(", ")} ms; name the phase with the largest`).toBeOneOf(right);
  }
}

// race sends n cold and n warm requests to the learner's Worker, in turns.
async function race(send, n) {
  const samples = [];
  for (let i = 0; i <= n; i++) {
    for (const box of ["cold", "warm"]) {
      const { trace } = await send("/", { cold: box === "cold" });
      if (i > 0) samples.push({ box, start: trace.phases.start, load: trace.phases.load, handle: trace.phases.handle });
    }
  }
  return samples;
}

const drawn = [
  [5, 40, 300], [6, 41, 310], [5, 39, 1],
].flatMap(([a, b, c]) => [{ box: "ant", start: a, load: 1, handle: 2 }, { box: "bee", start: 3, load: b, handle: 9 }, { box: "cow", start: c, load: 20, handle: 50 }]);

test("1: the middle", async ({ call, expect }) => {
  const q = quantile(call);
  expect(await q([7, 1, 5], 0.5), "The middle of 7, 1 and 5 is 5; put them in order and take the one in the middle, not the average").toBe(5);
  expect(await q([100, 9, 10], 0.5), "The middle of 100, 9 and 10 is 10. sort() without a function compares texts, and \"100\" stands before \"9\"").toBe(10);
  expect(await q([2, 3, 2, 4, 2, 3, 900], 0.5), "One sample of 900 ms moves the average to 131; the middle stays at 3").toBe(3);
});

test("1: the slow end", async ({ call, expect }) => {
  const q = quantile(call);
  const hundred = Array.from({ length: 100 }, (_, i) => (i * 37) % 100 + 1);
  expect(await q(hundred, 0.99), "Of the numbers 1 to 100, 99 are at most 99: take the number at place ceil(q × n) of the sorted list").toBe(99);
  expect(await q([5, 1, 3], 0.99), "With three samples the 99th percentile is the slowest one").toBe(5);
  expect(await q([8], 0.5), "One sample is its own middle").toBe(8);
});

test("2: samples drawn by hand", async ({ call, expect }) => {
  agree(expect, await verdict(call, drawn), drawn, "Three boxes drawn by hand");
});

test("2: your own isolates, measured now", async ({ call, send, expect, note }) => {
  const samples = await race(send, 30);
  const got = await verdict(call, samples);
  agree(expect, got, samples, "30 cold and 30 warm requests");
  note(`A cold request takes ${got.times.cold.toFixed(1)} times as long as a warm one, n = 30 each.`);
});

test.hidden("2: one slow sample decides nothing", async ({ call, expect }) => {
  const samples = [1, 1, 1, 1, 500].flatMap((n) => [{ box: "a", start: n, load: 0, handle: 1 }, { box: "b", start: 3, load: 0, handle: 1 }]);
  agree(expect, await verdict(call, samples), samples, "A box with one slow sample of five");
});

test("3: where the time goes, drawn by hand", async ({ call, expect }) => {
  const samples = [...drawn, ...[30, 31, 90].map((handle) => ({ box: "dog", start: 2, load: 3, handle }))];
  mostly(expect, await verdict(call, samples), samples, "Four boxes drawn by hand");
});

test("3: the recorded boxes", async ({ send, expect }) => {
  const got = await (await send("/verdict")).json();
  expect(got.mostly, "/verdict should judge the four recorded boxes").toBeDefined();
  expect([got.mostly.walls, got.mostly.node, got.mostly.container], "The recorded walls, Node and the container all spend most of their time in the same phase").toEqual(["start", "start", "start"]);
  expect(got.order.slice(0, 2), "Of the recorded boxes the isolate is the quickest, walls with nobody inside come next").toEqual(["isolate", "walls"]);
});

test.guard("3: your own race in the lab", async ({ call, lab, note, expect }) => {
  const { available, why, samples } = await lab("race");
  if (!available || !Array.isArray(samples) || samples.length === 0) {
    note(`Your own race: ${why || "it has no samples"}. Press Race, then check again.`);
    return;
  }
  const got = await verdict(call, samples);
  if (got.order.length === 0) return; // not written yet; the other checks say so
  agree(expect, got, samples, "Your race");
  mostly(expect, got, samples, "Your race");
  const boxes = got.order.slice(0, 6).map((box) => `${box} ×${got.times[box].toFixed(1)}`);
  note(`Your race on this host: ${boxes.join(", ")}; n = ${samples.filter((s) => s.box === got.order[0]).length} each.`);
});
