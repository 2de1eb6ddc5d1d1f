test("1: fifty megabytes, counted", async ({ send, expect }) => {
  const r = await send("/total");
  expect(r.status, "/total still fills the heap; add each piece's length and let the piece go").toBe(200);
  expect(await r.text(), "50 MB are 52,428,800 bytes").toBe("52428800");
  expect(r.trace.memory, "Afterwards the isolate should hold less than 16 MB; is anything still kept?").toBeLessThan(16 * 1024 * 1024);
});

test.guard("1: the spinner is stopped, its neighbours are not", async ({ send, expect }) => {
  const spun = await send("/spin");
  expect(spun.fault && spun.fault.kind, "/spin should still spin; the CPU limit stops it").toBe("cpu");
  expect((await send("/")).status, "The next request meets a working isolate").toBe(200);
});

test.guard("1: waiting is free", async ({ send, expect }) => {
  const r = await send("/sleep");
  expect(await r.text(), "/sleep should still wait and answer").toBe("rested");
  expect(r.trace.cpu, "A second of waiting costs next to no CPU").toBeLessThan(100);
});
