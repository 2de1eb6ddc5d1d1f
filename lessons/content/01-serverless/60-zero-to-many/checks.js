const crowd = (send, n) => Promise.all(Array.from({ length: n }, () => send("/")));

test("1: thirty at once", async ({ send, expect }) => {
  await send("/");
  let slowest = Infinity;
  for (let i = 0; i < 3 && slowest >= 500; i++) { // a busy machine may slow one crowd down, but not three
    const answers = await crowd(send, 30);
    for (const r of answers) expect(r.status, "Every caller of the crowd should be answered; wait with a timer, as nap does, since a loop that computes meets the CPU limit").toBe(200);
    slowest = Math.min(slowest, Math.max(...answers.map((r) => r.trace.phases.handle)));
  }
  expect(slowest, "Thirty naps of 50 ms at the same time take little more than one; the slowest caller still waited for the others").toBeLessThan(500);
});

test.guard("1: everybody still naps", async ({ send, expect }) => {
  const r = await send("/");
  expect(await r.text(), "The answer stays").toBe("served");
  expect(r.trace.phases.handle, "Every visitor needs the 50 ms of the database; do not leave them out").toBeGreaterThan(45);
});

test.guard("1: the crowd in your lab", async ({ lab, note, expect }) => {
  const { available, why, samples } = await lab("autoscale");
  if (!available || !samples?.whole) {
    note(`The lab's crowd: ${available ? "it did not come to its end" : why}. Run the lab to have it looked at, too.`);
    return;
  }
  const { isolates, pool } = samples;
  const again = "With your present code it is otherwise? Run the lab again";
  expect(isolates.cold, "A crowd that came to nothing running meets a cold start").toBeGreaterThan(0);
  expect(isolates.answered, `Of ${isolates.requests} visitors in your lab nearly all should be answered. ${again}`).toBeGreaterThan(isolates.requests * 0.95);
  expect(isolates.after, "Long after the last visitor of your lab no isolate should be left").toBe(0);
  if (pool.p99_ms > 500) expect(isolates.p99_ms, `The modelled servers were overrun. In your lab one visitor in a hundred waited longer for the isolates than for the modelled servers. ${again}`).toBeLessThan(pool.p99_ms);
  note(`Your lab: ${isolates.requests} visitors, at most ${isolates.peak} isolates, ${isolates.cold} cold starts, ${isolates.after} isolates in the end; 99 of 100 waited less than ${Math.round(isolates.p99_ms)} ms, at the modelled servers ${Math.round(pool.p99_ms)} ms.`);
});

test("2: a trace drawn by hand", async ({ call, expect }) => {
  const runs = [
    { isolate: "a", temperature: "cold", start: 0, end: 50 },
    { isolate: "a", temperature: "warm", start: 10, end: 60 },
    { isolate: "b", temperature: "cold", start: 20, end: 60 },
    { isolate: "a", temperature: "warm", start: 60, end: 110 },
    { isolate: "b", temperature: "warm", start: 60, end: 100 },
  ];
  const got = await call("src/trace.js", "read", [runs], { frozen: true });
  expect(got, "Two isolates, two cold starts; at 20 ms three requests are inside. One that ends at 60 is gone when another begins at 60").toEqual({ isolates: 2, cold: 2, together: 3 });
});

test("2: an empty trace, and one caller", async ({ call, expect }) => {
  expect(await call("src/trace.js", "read", [[{ isolate: "x", temperature: "warm", start: 5, end: 6 }]]), "One warm caller: one isolate, no cold start, one inside").toEqual({ isolates: 1, cold: 0, together: 1 });
  expect(await call("src/trace.js", "read", [[]]), "Without requests there is no isolate at all, and nobody inside; Math.max() of nothing is not 0").toEqual({ isolates: 0, cold: 0, together: 0 });
});

test.hidden("2: traces that nobody drew", async ({ call, expect }) => {
  for (const n of [6, 9, 14]) {
    const runs = Array.from({ length: n }, () => {
      const start = Math.floor(Math.random() * 200);
      return { isolate: "i" + Math.floor(Math.random() * 4), temperature: Math.random() < 0.3 ? "cold" : "warm", start, end: start + 5 + Math.floor(Math.random() * 80) };
    });
    const inside = (at) => runs.filter((r) => r.start <= at && at < r.end).length;
    const want = { isolates: new Set(runs.map((r) => r.isolate)).size, cold: runs.filter((r) => r.temperature === "cold").length, together: Math.max(...runs.map((r) => inside(r.start))) };
    expect(await call("src/trace.js", "read", [runs], { frozen: true }), `A trace of ${n} requests at random times: at every start, count who is inside, and keep the largest count`).toEqual(want);
  }
});

test("2: a crowd of yours", async ({ send, evict, call, expect }) => {
  await evict();
  const answers = await crowd(send, 12);
  const runs = answers.map((r) => ({ isolate: r.trace.isolate, temperature: r.trace.temperature, start: 0, end: r.trace.wall }));
  const got = await call("src/trace.js", "read", [runs]);
  expect(got.isolates, "Count each isolate once").toBe(new Set(runs.map((r) => r.isolate)).size);
  expect(got.cold, "After an eviction a crowd meets at least one cold start").toBe(runs.filter((r) => r.temperature === "cold").length);
});
