const pick = (call, expect) => async (w, want, sentence) => {
  const got = await call("src/choose.js", "choose", [w], { frozen: true });
  expect(typeof got, "choose answers an object: { box, reason }").toBe("object");
  expect(got && got.box, sentence).toBe(want);
  expect(typeof got.reason, "Every answer needs a reason, in words").toBe("string");
  expect(got.reason.length, "A reason takes more than a word").toBeGreaterThan(4);
};

test.guard("1: a container where nothing else can", async ({ call, expect }) => {
  const p = pick(call, expect);
  await p({ nativeBinary: true, memoryMB: 10, spiky: true }, "container", "A native program needs a Linux around it, however small and spiky the work is");
  await p({ longRunning: true, memoryMB: 50 }, "container", "Hours of computing meet every limit on CPU time; use a container");
  await p({ memoryMB: 6000 }, "container", "6,000 MB do not fit into an isolate");
});

test("1: only a VM", async ({ call, expect }) => {
  const p = pick(call, expect);
  await p({ ownKernel: true }, "vm", "A kernel of its own needs a VM; containers share the host's");
  await p({ ownKernel: true, nativeBinary: true, memoryMB: 20 }, "vm", "Ask for the kernel first: it rules out more than the native program does");
});

test("2: small and quick", async ({ call, expect }) => {
  const p = pick(call, expect);
  await p({ spiky: true, coldMs: 50, memoryMB: 5 }, "isolate", "Small, spiky, and nobody wants to wait for its start: an isolate");
  await p({}, "isolate", "Nothing is known that an isolate could not do");
  await p({ memoryMB: 100 }, "isolate", "100 MB still fit into an isolate, whose heap ends at 128");
  await p({ stateful: true, spiky: true, memoryMB: 20 }, "isolate", "State is no reason for a container; it belongs into storage");
});

test.hidden("2: cases you have not seen", async ({ call, expect }) => {
  const cases = [
    [{ memoryMB: 128 }, "isolate"], [{ memoryMB: 129 }, "container"], [{ stateful: true, memoryMB: 4000 }, "container"], [{ coldMs: 5, memoryMB: 60, stateful: true }, "isolate"],
    [{ ownKernel: true, spiky: true, coldMs: 50 }, "vm"], [{ longRunning: true, stateful: true }, "container"], [{ ownKernel: false, nativeBinary: false, longRunning: false, memoryMB: 1 }, "isolate"],
    [{ nativeBinary: true, coldMs: 10 }, "container"], [{ spiky: false, memoryMB: 30 }, "isolate"], [{ ownKernel: true, longRunning: true, memoryMB: 9000 }, "vm"], [{ coldMs: 1000, memoryMB: 100 }, "isolate"], [{ nativeBinary: true, longRunning: true, stateful: true }, "container"],
  ];
  let right = 0;
  for (const [w, want] of cases) {
    const got = await call("src/choose.js", "choose", [w], { frozen: true });
    if (got && got.box === want) right++;
  }
  expect(right, "Of 12 workloads you have not seen, at least 10 should get the box that can run them; is 128 MB itself still small enough for you?").toBeGreaterThanOrEqual(10);
});
