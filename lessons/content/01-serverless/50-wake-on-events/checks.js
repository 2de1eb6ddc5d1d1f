const hour = 60 * 60 * 1000;
const records = async (send) => (await send("/")).json();
const plain = (list) => list.map(({ kind, key, table, id }) => (kind === "row" ? { kind, table, id } : { kind, key })).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

test("1: an upload is recorded once", async ({ upload, send, expect }) => {
  const first = await upload("photos", "cat.jpg", "meow", { id: "m1" });
  expect(first.outcome, "The queue handler should take the message; message.body is an object already").toBe("ok");
  const again = await upload("photos", "cat.jpg", "meow", { id: "m1" });
  expect(again.outcome, "The second delivery of a message should do nothing, not fail").toBe("ok");
  const recorded = plain(await records(send));
  expect(recorded.length, "An upload should leave a record; do you await what env.RECORDS answers? Without await it is a promise, which is never null").toBeGreaterThan(0);
  expect(recorded, "The same upload was delivered twice; name the record after its key, so that it is there once").toEqual([{ kind: "upload", key: "cat.jpg" }]);
});

test("1: a repeat long after, and another key", async ({ upload, send, evict, expect }) => {
  await upload("photos", "a.jpg", "1");
  await upload("photos", "b.jpg", "2");
  await evict();
  await upload("photos", "a.jpg", "1");
  expect(plain(await records(send)), "Two keys are two records, also when a key comes again in another message, after an eviction; name a record after its key, and remember in env.RECORDS, not in a variable").toEqual([{ kind: "upload", key: "a.jpg" }, { kind: "upload", key: "b.jpg" }]);
});

test("2: rows and uploads in one batch", async ({ enqueue, send, expect }) => {
  const row = (id, version) => ({ row: { table: "users", id, version } });
  const r = await enqueue("events", [row(7, 1), { object: { key: "x.jpg" } }, row(7, 1), row(8, 1)]);
  expect(r.outcome, "A message about a row has no object; look which of the two is there").toBe("ok");
  expect(plain(await records(send)), "Row 7 once, although it came twice, row 8, and the upload").toEqual([{ kind: "row", table: "users", id: 7 }, { kind: "row", table: "users", id: 8 }, { kind: "upload", key: "x.jpg" }]);
  await enqueue("events", [row(7, 2)]);
  expect((await records(send)).length, "Version 2 of row 7 is a new event; let the version be a part of the record's name").toBe(4);
});

test("3: the clock sweeps", async ({ upload, tick, send, expect }) => {
  await upload("photos", "old.jpg", "1");
  await upload("photos", "older.jpg", "1");
  expect((await records(send)).length, "Two uploads should leave two records to sweep; finish task 1 first").toBe(2);
  const soon = await tick("0 * * * *", { time: Date.now() + 2 * hour });
  expect(soon.logs.map((l) => l.text), "After two hours nothing is a day old; log \"swept 0\"").toContain("swept 0");
  expect((await records(send)).length, "Records of two hours should stay").toBe(2);
  const late = await tick("0 * * * *", { time: Date.now() + 25 * hour });
  expect(late.logs.map((l) => l.text), "After 25 hours both records are older than a day; log \"swept 2\". Does each record hold its time in milliseconds, and do you compare it with controller.scheduledTime, not with the present?").toContain("swept 2");
  expect((await records(send)).length, "Records of 25 hours should be gone; delete what you count").toBe(0);
});

test.guard("3: quiet in your lab", async ({ lab, note, expect }) => {
  const { available, why, samples } = await lab("events");
  if (!available || !samples.after.took_us) {
    note(`The lab's quiet end: ${available ? "it did not come to it" : why}. Run the lab to have it looked at, too.`);
    return;
  }
  const { items, after } = samples;
  expect(after.invocations, "When nothing happens, nothing should be invoked").toBe(0);
  expect(after.isolates, "When nothing happens, no isolate should be left").toBe(0);
  note(`Your lab: ${items.length} invocations, and then ${after.invocations} of them and ${after.isolates} isolates in ${(after.took_us / 1e6).toFixed(1)} quiet seconds.`);
});
