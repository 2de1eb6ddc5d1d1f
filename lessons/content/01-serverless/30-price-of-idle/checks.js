const cents = (call, expect) => async (plan, use, want, sentence) => {
  const got = await call("src/cost.js", "monthly", [plan, use]);
  expect(typeof got, "monthly should give a number of dollars, neither a text nor nothing").toBe("number");
  expect(got, sentence).toBeCloseTo(want, 2);
};
const small = { cpu_ms: 7, ms: 50, mb: 128 };

test("1: the machine", async ({ call, expect }) => {
  const costs = cents(call, expect);
  await costs("vm", { requests: 0, ...small }, 30.368, "The VM costs its hours, with or without requests: 730 × $0.0416");
  await costs("vm", { requests: 1e9, ...small }, 30.368, "More requests do not change what the VM costs");
});

test("1: the Worker", async ({ call, expect }) => {
  const costs = cents(call, expect);
  await costs("workers", { requests: 0, ...small }, 5, "Without requests the Worker's plan costs its base, $5; nothing goes below the allowance");
  await costs("workers", { requests: 15e6, ...small }, 8, "15 million requests with 7 ms of CPU each cost $8.00: 5 million requests and 75 million ms of cpu_ms are beyond the allowance");
  await costs("workers", { requests: 100e6, ...small }, 45.4, "100 million requests with 7 ms of CPU each cost $45.40");
  await costs("workers", { requests: 15e6, cpu_ms: 7, ms: 5000, mb: 128 }, 8, "Waiting is not billed here: only cpu_ms counts, not ms");
});

test("2: the function", async ({ call, expect }) => {
  const costs = cents(call, expect);
  await costs("lambda", { requests: 3e6, cpu_ms: 1, ms: 1000, mb: 512 }, 18.733, "3 million requests of 1 s with 512 MB cost $18.73: 1.1 million GB-s and 2 million requests are beyond what is free");
  expect(await call("src/cost.js", "monthly", ["lambda", { requests: 500_000, ...small }]), "Half a million small requests lie inside of what is free; the bill is 0, never below").toBe(0);
});

test("2: waiting costs", async ({ call, expect }) => {
  const quick = await call("src/cost.js", "monthly", ["lambda", { requests: 50e6, cpu_ms: 5, ms: 100, mb: 512 }]);
  const slow = await call("src/cost.js", "monthly", ["lambda", { requests: 50e6, cpu_ms: 5, ms: 1000, mb: 512 }]);
  expect(slow, "Ten times the waiting is nearly ten times the bill, also with the same cpu_ms").toBeGreaterThan(quick * 8);
});

test.hidden("2: other months", async ({ call, expect }) => {
  const costs = cents(call, expect);
  for (const plan of ["vm", "workers", "lambda"]) {
    let before = 0;
    for (const requests of [0, 1e6, 2e7, 3e8]) {
      const bill = await call("src/cost.js", "monthly", [plan, { requests, ...small }]);
      expect(bill, `More requests never cost less (${plan}, ${requests} requests)`).toBeGreaterThanOrEqual(before);
      before = bill;
    }
  }
  const beyond = (amount, included) => Math.max(0, amount - included);
  for (let i = 0; i < 3; i++) {
    const use = { requests: Math.round(2e7 + Math.random() * 2e8), cpu_ms: 3 + Math.round(Math.random() * 9), ms: 100 + Math.round(Math.random() * 900), mb: 512 };
    const shape = `${use.requests} requests of ${use.ms} ms, ${use.cpu_ms} ms of it CPU, with 512 MB`;
    await costs("workers", use, 5 + beyond(use.requests, 1e7) * 0.3e-6 + beyond(use.requests * use.cpu_ms, 3e7) * 0.02e-6, `${shape}, as a Worker: compute the bill from use and the prices, for any month`);
    await costs("lambda", use, beyond(use.requests, 1e6) * 0.2e-6 + beyond(use.requests * (use.ms / 1000) * 0.5, 400_000) * 0.0000166667, `${shape}, as a function: compute the bill from use and the prices, for any month`);
  }
});

test("3: the crossings", async ({ call, expect }) => {
  const cross = async (plan, shape, want) => expect(await call("src/cost.js", "breakEven", [plan, shape]), `${plan} with ${JSON.stringify(shape)} costs as much as the VM at about ${Math.round(want / 1e5) / 10} million requests`).toBeWithin(want, 0.01);
  await cross("lambda", { cpu_ms: 5, ms: 50, mb: 128 }, 121.9e6);
  await cross("lambda", { cpu_ms: 5, ms: 200, mb: 1024 }, 10.49e6);
  await cross("workers", { cpu_ms: 7, ms: 50, mb: 128 }, 65.8e6);
});

test("3: the crossing is where the order changes", async ({ call, expect }) => {
  const shape = { cpu_ms: 3, ms: 80, mb: 256 };
  const at = await call("src/cost.js", "breakEven", ["lambda", shape]);
  const cost = (plan, requests) => call("src/cost.js", "monthly", [plan, { ...shape, requests }]);
  const vm = await cost("vm", 0);
  expect(await cost("lambda", Math.ceil(at * 1.01)), "One per cent above the crossing the function is dearer than the VM").toBeGreaterThan(vm);
  expect(await cost("lambda", Math.floor(at * 0.99)), "One per cent below the crossing the function is cheaper than the VM").toBeLessThan(vm);
});
