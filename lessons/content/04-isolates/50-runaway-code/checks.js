const MB = 1024 * 1024;

test("1: it waits, and does not work", async ({ send, expect }) => {
  const r = await send("/wait", { worker: "loud" });
  expect(r.status, "/wait should answer and not be stopped; give the time back while you wait, with await").toBe(200);
  expect(await r.text(), "After waiting, /wait says \"rested\"").toBe("rested");
  expect(r.trace.wall, "/wait should take its second; is the timer awaited?").toBeGreaterThan(950);
  expect(r.trace.cpu, "A second of waiting costs next to no CPU").toBeLessThan(100);
});

test("1: ten wait in one second", async ({ send, expect }) => {
  expect((await send("/wait", { worker: "loud" })).status, "Before ten can wait, one must").toBe(200);
  const all = await Promise.all(Array.from({ length: 10 }, () => send("/wait", { worker: "loud" })));
  for (const r of all) expect(r.status, "Ten requests that wait at the same time should all be answered").toBe(200);
  expect(Math.max(...all.map((r) => r.trace.wall)), "Ten waits at the same time should be over after about one second, not after ten; they can share an isolate while nobody computes").toBeLessThan(6000);
});

test("2: fifty megabytes, counted", async ({ send, expect }) => {
  const r = await send("/total", { worker: "loud" });
  expect(r.status, "/total still fills the heap; add each piece's length and let the piece go").toBe(200);
  expect(await r.text(), "200 pieces of 256 kB are 52,428,800 bytes; add up their lengths, and give the sum back").toBe("52428800");
  expect(r.trace.memory, "Fifty megabytes passed through, and the isolate should hold less than 16 of them; is anything still kept?").toBeLessThan(16 * MB);
  const pieces = 120 + Math.floor(Math.random() * 60);
  const other = await send("/total?pieces=" + pieces, { worker: "loud" });
  expect(await other.text(), `${pieces} pieces are fewer bytes. A sum that stands in the code fits one download only; add up what comes`).toBe(String(pieces * 262144));
});

test.guard("2: a spinner is stopped, and the next request finds a fresh isolate", async ({ send, expect }) => {
  const before = await send("/", { worker: "loud" });
  const spun = await send("/spin", { worker: "loud" });
  expect(spun.fault && spun.fault.kind, "/spin should still spin, so that the CPU limit can stop it").toBe("cpu");
  expect(spun.trace.cpu, "A spinner should be stopped at its 400 ms of CPU time, or shortly after").toBeLessThan(600);
  const after = await send("/", { worker: "loud" });
  expect(after.status, "The request after the kill is answered").toBe(200);
  expect(after.trace.isolate === before.trace.isolate, "The stopped isolate is thrown away, with all it held").toBe(false);
});

test.guard("2: the neighbour hears nothing", async ({ send, note, expect }) => {
  await send("/", { worker: "quiet" });
  let over = false, meanwhile = 0;
  const spinning = send("/spin", { worker: "loud" }).then(() => (over = true));
  while (!over && meanwhile < 200) {
    const quiet = await send("/", { worker: "quiet" });
    expect(await quiet.text(), "While one Worker spins, the other one answers").toBe("quiet");
    if (!over) meanwhile++;
  }
  await spinning;
  note(`While /spin ran, its neighbour answered ${meanwhile} visits.`);
  expect(meanwhile, "The neighbour should answer visit after visit while the other Worker spins; its own isolate has its own limits").toBeGreaterThanOrEqual(20);
});
