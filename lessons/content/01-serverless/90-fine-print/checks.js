const progress = async (send) => {
  const r = await send("GET /");
  return r.status === 200 ? (await r.json()).done : 0; // a run that was stopped takes its isolate along
};

// found is what step(n) of src/work.js gives.
function found(n) {
  let x = n + 1;
  for (let i = 0; i < 16_000; i++) x = (x * 1103515245 + 12345) % 2147483648;
  return x;
}
const steps = (r) => r.logs.map((l) => l.text).filter((t) => /^step \d+$/.test(t));

async function finish(send, wait) {
  let done = 0;
  for (let idle = 0; done < 40 && idle < 40; idle++) { // until nothing new comes for four seconds
    await wait(100);
    const now = await progress(send);
    if (now > done) idle = 0;
    done = now;
  }
  return done;
}

test("1: the request only begins the job", async ({ send, expect }) => {
  const r = await send("POST /", { body: "" });
  expect(r.status, "The POST should send a first message and answer 202; the forty steps do not fit into its CPU time").toBe(202);
  expect(steps(r), "The POST itself should compute no step; leave that to the queue handler").toHaveLength(0);
});

test("1: forty steps get done", async ({ send, wait, expect }) => {
  await send("POST /", { body: "" });
  expect(await finish(send, wait), "After the POST, run after run, all 40 steps should be saved; does each run send a message for the next one, with the step to go on from, and end within its limit?").toBe(40);
  for (const n of [0, 7, 39]) {
    const r = await send("GET /" + n);
    expect(r.status === 200 ? await r.json() : null, `What step(${n}) of src/work.js gives should be saved as "step/${n}"; the report needs every figure`).toBe(found(n));
  }
});

test("1: each run is a small piece", async ({ enqueue, expect }) => {
  const r = await enqueue("jobs", [{ at: 0 }]);
  expect(r.outcome, "One message should be handled within the limit; do fewer steps a run").toBe("ok");
  expect(steps(r).length, "A message { at: 0 } should compute a few steps and log each, as step 0, step 1 …").toBeGreaterThan(0);
  expect(steps(r).length, "More than 10 steps a run come too near the limit").toBeLessThanOrEqual(10);
  let least = r.trace.cpu; // of three runs: a busy machine makes one dearer, not all
  for (const at of [12, 24]) {
    const { trace, logs } = await enqueue("jobs", [{ at }]);
    least = Math.min(least, (trace.cpu / Math.max(steps({ logs }).length, 1)) * steps(r).length);
  }
  expect(least, "A run should leave a fifth of its 50 ms of CPU time unused; do fewer steps a run").toBeLessThan(40);
});

test("2: a run that died in the middle", async ({ enqueue, evict, expect }) => {
  const saved = steps(await enqueue("jobs", [{ at: 5 }])); // as if a run from step 4 on had got so far before
  expect(saved.length, "A message { at: 5 } should compute some steps and log them").toBeGreaterThan(0);
  await evict();
  const resumed = steps(await enqueue("jobs", [{ at: 4 }], { attempts: 2 }));
  expect(resumed, "Step 4 was never saved; the run that takes over should compute it").toContain("step 4");
  expect(resumed, "Step 5 was saved by a run that then died; look for each step in env.STATE, not for the first one alone").not.toContain(saved[0]);
});

test("2: a message that comes twice", async ({ enqueue, expect }) => {
  const first = steps(await enqueue("jobs", [{ at: 5 }], { id: "twice" }));
  expect(first.length, "A message { at: 5 } should compute some steps and log them").toBeGreaterThan(0);
  expect(first[0], "A message { at: 5 } should go on at step 5").toBe("step 5");
  const again = await enqueue("jobs", [{ at: 5 }], { id: "twice", attempts: 2 });
  expect(steps(again), "These steps were done already; look into env.STATE before you compute").toHaveLength(0);
});
