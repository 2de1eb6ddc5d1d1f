const off = (got, want) => Math.abs(got - want) / want;

test("1: the line through dots that were drawn by hand", async ({ call, expect }) => {
  const dots = [1, 20, 60].map((copies) => ({ copies, mb: 30 + 7 * copies }));
  const got = await call("src/fit.js", "line", [dots]);
  expect(got.each, "Between 1 and 60 copies these dots rise by 413 MB, which is 7 MB a copy").toBeCloseTo(7, 3);
  expect(got.fixed, "One copy needs 37 MB here and adds 7 of them, so 30 were paid once").toBeCloseTo(30, 3);
  const later = await call("src/fit.js", "line", [[5, 25].map((copies) => ({ copies, mb: 12 + 2 * copies }))]);
  expect(later.fixed, "Dots need not begin with one copy: at 5 copies these stand at 22 MB, at 25 at 62. Walk back all five copies, and 12 MB are left").toBeCloseTo(12, 3);
});

test("1: the line through dots measured just now", async ({ call, box, expect }) => {
  const measured = await box("isolate", { of: "starter" });
  const got = await call("src/fit.js", "line", [measured.dots]);
  expect(off(got.each, measured.each_mb), `These isolates add ${measured.each_mb.toFixed(3)} MB each; come within 20 %. Do you divide by the copies between the dots?`).toBeLessThan(0.2);
});

test.guard("1: the line of processes", async ({ call, box, note, expect }) => {
  const measured = await box("process");
  if (!measured.available) {
    note(`Processes: not on this host, because ${measured.why}.`);
    return;
  }
  const got = await call("src/fit.js", "line", [measured.dots]);
  if (got.each === 0) return; // not written yet; the other checks say so
  expect(off(got.each, measured.each_mb), `These processes add ${measured.each_mb.toFixed(2)} MB each; come within 20 %`).toBeLessThan(0.2);
});

test("2: whole copies, never over the budget", async ({ call, expect }) => {
  for (const [mb, fixed, each, want] of [[256, 30, 7, 32], [256, 30, 6, 37], [256, 12, 0.25, 976], [100, 99, 7, 0], [64, 1.5, 0.5, 125]]) {
    const got = await call("src/fit.js", "copies", [mb, { fixed, each }]);
    expect(got, `${mb} MB with ${fixed} MB paid once and ${each} MB each: take the fixed cost away, divide, and count whole copies`).toBe(want);
  }
});

test("2: a budget below the fixed cost holds nobody", async ({ call, expect }) => {
  expect(await call("src/fit.js", "copies", [10, { fixed: 30, each: 7 }]), "10 MB do not even pay the 30 MB that come first; the answer is 0, not less").toBe(0);
  expect(await call("src/fit.js", "copies", [44, { fixed: 30, each: 7 }]), "Above the fixed cost there is room again: 44 MB hold 2").toBe(2);
});

test("2: what you predict for this machine", async ({ call, box, answers, note, expect }) => {
  const { dots, fixed_mb, each_mb } = await box("isolate", { of: "starter" });
  const mb = Math.max(256, Math.ceil(fixed_mb) * 2);
  const line = await call("src/fit.js", "line", [dots]);
  const fits = Math.floor((mb - fixed_mb) / each_mb);
  expect(await call("src/fit.js", "copies", [mb, line]), `Of the isolates measured just now, ${fits} fit into ${mb} MB. What copies makes of your line should be within 20 % of that`).toBeWithin(fits, 0.2);
  if (answers.fit) note(`Measured just now: ${fits} isolates fit into ${mb} MB. Your guess was ${answers.fit[0]}.`);
});

test("3: copies that bring their own data", async ({ call, expect }) => {
  expect(await call("src/fit.js", "copiesWithData", [256, { fixed: 12, each: 0.25 }, 1]), "Each copy needs 0.25 MB and 1 MB of data; the 12 MB are paid once").toBe(195);
  expect(await call("src/fit.js", "copiesWithData", [256, { fixed: 30, each: 7 }, 50]), "Each copy needs 7 MB and 50 MB of data").toBe(3);
});

test("3: the tenant holds a megabyte more", async ({ measure, evict, send, tick, wait, expect }) => {
  const now = await measure(4, "/", { cold: true, against: "starter" });
  const more = (now.memory - now.starter.memory) / 1048576;
  expect(more, "An isolate of yours should hold about 1 MB more than the starter's; make the array outside of fetch and fill it").toBeGreaterThan(0.7); // what else an isolate holds differs by up to 0.2 MB from start to start
  expect(more, "An isolate of yours holds far more than 1 MB extra; one array of 1 << 20 bytes is enough").toBeLessThan(1.6);
  await evict();
  const unasked = (await tick("* * * * *")).trace.memory; // there is no such handler: an isolate is made, and fetch never called
  const asked = (await send("/", { cold: true })).trace.memory;
  expect((asked - unasked) / 1048576, "Your isolate grows with its first visit: the array is made inside of fetch, and gone after it. Make it above, where it lives as long as the isolate does").toBeLessThan(0.5);
  await wait(1000); // an isolate that rests gives back pages that hold only zeros
  const rested = (await send("/")).trace.memory;
  expect(rested / 1048576, "Your isolate rested for a second and held less than a megabyte: pages that hold only zeros were given back. Write into the array, as .fill(1) does").toBeGreaterThan(0.99);
});

test.guard("3: visits are still counted", async ({ send, expect }) => {
  expect(await (await send("/")).text(), "The first visit to a fresh isolate answers \"visit 1\"").toBe("visit 1");
  expect(await (await send("/")).text(), "The second visit to the same isolate answers \"visit 2\"").toBe("visit 2");
});
