import assert from "node:assert/strict";
import { test } from "node:test";
import { Saver, type Files, type SaveAnswer } from "./_save.ts";

// A server with revisions, a browser with storage, and a network that can be cut.
class World {
  revision = 1;
  files: Files = { "a.ts": "1" };
  disk = new Map<string, string>();
  online = true;
  loseAnswers = false;
  states: string[] = [];
  conflicts: Files[] = [];
  adopted: Files[] = [];
  puts: string[] = [];
  timers: (() => void)[] = [];

  put = async (b: { base: number; files: Files; why: string }): Promise<SaveAnswer> => {
    if (!this.online) throw new TypeError("network");
    if (b.base !== this.revision) return { status: 409, revision: this.revision, files: this.files };
    this.revision++;
    this.files = { ...b.files };
    this.puts.push(b.why);
    if (this.loseAnswers) throw new TypeError("network");
    return { status: 200, revision: this.revision };
  };

  page(): Saver {
    return new Saver({
      project: "p", revision: this.revision, files: this.files, put: this.put,
      recall: (k, f) => { const t = this.disk.get(k); return t === undefined ? f : JSON.parse(t); },
      keep: (k, v) => { if (v === undefined) this.disk.delete(k); else this.disk.set(k, JSON.stringify(v)); return true; },
      state: (s) => this.states.push(s),
      adopt: (f) => this.adopted.push(f),
      conflict: (f) => this.conflicts.push(f),
      later: (fn) => { this.timers.push(fn); return fn; },
      cancel: (h) => { this.timers = this.timers.filter((t) => t !== h); },
    });
  }

  async tick() { const t = this.timers.splice(0); for (const f of t) f(); await new Promise(setImmediate); }
}

test("an edit is saved and forgotten locally only after the answer", async () => {
  const w = new World();
  const s = w.page();
  s.edit({ "a.ts": "2" });
  assert.equal(w.disk.size, 1);
  await w.tick();
  assert.equal(w.files["a.ts"], "2");
  assert.equal(w.disk.size, 0);
  assert.deepEqual(w.states, ["saving", "saved"]);
});

test("a killed page comes back with the same text", async () => {
  const w = new World();
  w.page().edit({ "a.ts": "typed, never sent" });
  w.timers = [];
  const again = w.page();
  assert.equal(again.files["a.ts"], "typed, never sent");
  assert.deepEqual(w.adopted, [{ "a.ts": "typed, never sent" }]);
  await w.tick();
  assert.equal(w.files["a.ts"], "typed, never sent");
  assert.equal(w.conflicts.length, 0);
});

test("a save whose answer was lost is no conflict, before or after a kill", async () => {
  const w = new World();
  const s = w.page();
  w.loseAnswers = true;
  s.edit({ "a.ts": "2" });
  await w.tick();
  w.loseAnswers = false;
  s.edit({ "a.ts": "3" });
  w.timers = [];
  const again = w.page();
  await w.tick();
  assert.equal(again.files["a.ts"], "3");
  assert.equal(w.files["a.ts"], "3");
  assert.equal(w.conflicts.length, 0);
});

test("offline keeps everything and saves when the network is back", async () => {
  const w = new World();
  const s = w.page();
  w.online = false;
  s.edit({ "a.ts": "2" });
  await w.tick();
  assert.equal(w.states.at(-1), "offline");
  await assert.rejects(s.flush(), /Offline/);
  w.online = true;
  assert.equal(await s.flush(), 2);
  assert.equal(w.files["a.ts"], "2");
});

test("two devices: both are kept, the chosen one goes on", async () => {
  for (const which of ["mine", "theirs"] as const) {
    const w = new World();
    const s = w.page();
    w.revision = 5;
    w.files = { "a.ts": "phone" };
    s.edit({ "a.ts": "page" });
    await w.tick();
    assert.deepEqual(w.conflicts, [{ "a.ts": "phone" }]);
    s.edit({ "a.ts": "page, more" });
    await w.tick();
    assert.equal(w.files["a.ts"], "phone", "nothing is overwritten while the question is open");
    await s.choose(which);
    await w.tick();
    assert.equal(w.files["a.ts"], which === "mine" ? "page, more" : "phone");
    assert.equal(w.revision, which === "mine" ? 6 : 7, "the other one is a version too");
  }
});

test("another tab's save is taken over when nothing is unsaved here", async () => {
  const w = new World();
  const s = w.page();
  await s.remote(2, async () => ({ revision: 2, files: { "a.ts": "other tab" } }));
  assert.equal(s.revision, 2);
  assert.deepEqual(w.adopted, [{ "a.ts": "other tab" }]);
  await s.remote(2, () => assert.fail("our own revision needs no fetch"));
});

test("what the server refuses is said in its words, kept, and tried again with the next edit", async () => {
  const w = new World();
  const s = w.page();
  const put = w.put;
  w.put = async (b) => (b.files["a.ts"] === "bad" ? { status: 400, error: "The file is too big." } : put(b));
  const again = new Saver({ project: "p", revision: 1, files: w.files, put: w.put, recall: (_k, f) => f, keep: () => true, state: (x) => w.states.push(x), adopt: () => {}, conflict: () => {}, later: (fn) => { w.timers.push(fn); return fn; }, cancel: () => {} });
  again.edit({ "a.ts": "bad" });
  await w.tick();
  await assert.rejects(again.flush(), /The file is too big/);
  again.edit({ "a.ts": "good" });
  assert.equal(await again.flush(), 2);
  assert.equal(s.clean, true);
});

test("reset is one save that names its reason", async () => {
  const w = new World();
  const s = w.page();
  s.edit({ "b.ts": "x" }, "reset");
  await w.tick();
  assert.deepEqual(w.puts, ["reset"]);
  assert.deepEqual(w.files, { "b.ts": "x" });
});
