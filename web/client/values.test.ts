import assert from "node:assert/strict";
import { test } from "node:test";
import { curl, parseHeaders } from "./_request.ts";
import { hex, toValue } from "./_response.ts";
import { Checks, phaseTime, Runs, temperature, wall } from "./_runs.ts";
import { badPath } from "./_files.ts";
import { preview } from "./_values.ts";
import type { RunEvent, Value } from "./protocol.ts";

test("values on one line", () => {
  const object: Value = { t: "object", s: "Object", e: [{ k: "entries", v: { t: "number", s: "50000" } }, { k: "name", v: { t: "string", s: "Ada" } }] };
  assert.equal(preview(object), '{ entries: 50000, name: "Ada" }');
  assert.equal(preview({ t: "string", s: "plain" }), "plain");
  assert.equal(preview({ t: "array", e: [{ k: "0", v: { t: "number", s: "1" } }], more: 3 }), "[ 1, … 3 more ]");
  assert.equal(preview({ t: "map", s: "Map(1)", e: [{ k: "a", v: { t: "boolean", s: "true" } }] }), "Map(1) { a => true }");
  const long = preview({ t: "array", e: Array.from({ length: 100 }, (_, i) => ({ k: `${i}`, v: { t: "number", s: "123456" } })) });
  assert.ok(long.length < 90 && long.endsWith("… ]"), long);
});

test("JSON becomes the same trees as logs", () => {
  assert.equal(preview(toValue(JSON.parse('{"a":[1,null],"b":{"c":true}}'))), "{ a: [ 1, null ], b: { c: true } }");
  assert.equal(toValue(Array.from({ length: 300 }, () => 1)).more, 100);
});

test("hex shows offset, bytes and text", () => {
  assert.equal(hex(Uint8Array.from([0, 65, 255])), `00000000  00 41 ff${" ".repeat(39)}  .A.`);
});

test("header lines", () => {
  assert.deepEqual(parseHeaders("A: 1\n\nb:2:3\n"), { headers: [["A", "1"], ["b", "2:3"]], bad: 0 });
  assert.equal(parseHeaders("ok: 1\nnot a header").bad, 2);
  assert.equal(parseHeaders("bad name: 1").bad, 1);
});

test("curl quotes what a shell would read", () => {
  const r = { method: "POST", path: "/a?b=1&c", headers: [["x", "it's"]] as [string, string][], body: "{\"n\":1}" };
  assert.equal(curl(r, "http://h/w/s"), `curl -i -X POST -H 'x: it'\\''s' --data-binary '{"n":1}' 'http://h/w/s/a?b=1&c'`);
  assert.equal(curl({ method: "HEAD", path: "/" }, "http://h"), "curl -i --head 'http://h/'");
  assert.equal(curl({ method: "GET", path: "https://shop.example/x" }, "http://h"), "curl -i 'https://shop.example/x'");
});

test("names of files", () => {
  const files = { "src/index.ts": "" };
  assert.equal(badPath("src/util.ts", files), null);
  for (const bad of ["", "/a", "a/", "a//b", "../a", "a/./b", "a\\b", "SRC/index.ts", "src", "a\u0000"]) {
    assert.notEqual(badPath(bad, files), null, JSON.stringify(bad));
  }
});

const events: RunEvent[] = [
  { seq: 1, run: "x.1", at_us: 9, kind: "phase", span: { phase: "start", start_us: 4, end_us: 9 } },
  { seq: 2, run: "x.1", at_us: 11, kind: "log", log: { level: "error", text: "boom" } },
  { seq: 3, run: "x.1", at_us: 12, kind: "body", body: { data: "aGk=" } },
  {
    seq: 4, run: "x.1", at_us: 20, kind: "done",
    summary: { run: "x.1", outcome: "ok", temperature: "cold", status: 200, spans: [{ phase: "start", start_us: 4, end_us: 9 }], cpu_us: 1, memory_bytes: 1, wall_us: 20, body_bytes: 2, logs: 1 },
  },
];

test("a run is built from its events", () => {
  const runs = new Runs();
  for (const e of events) runs.take(e);
  const run = runs.last;
  assert.ok(run?.over);
  assert.deepEqual([temperature(run), wall(run), phaseTime(run, "start"), phaseTime(run, "load"), run.errors, run.bodyBytes], ["cold", 20, 5, null, 1, 2]);
  assert.deepEqual(runs.rows.map((r) => r.log?.text ?? "head"), ["head", "boom"]);
});

test("a visit to the public address is logged, and replaces no run of one's own", () => {
  const runs = new Runs();
  for (const e of events) runs.take(e);
  runs.take({ seq: 9, run: "w-abc", at_us: 1, kind: "log", log: { level: "log", text: "visited" } });
  assert.equal(runs.last?.id, "x.1");
  assert.deepEqual(runs.rows.map((r) => r.log?.text ?? `head ${r.run.n}`), ["head 1", "boom", "head 0", "visited"]);
});

test("an ask ends with its last run, with a cancelled one, or when the server forgets it", () => {
  const runs = new Runs();
  const done = (id: string, outcome = "ok"): RunEvent => ({
    seq: 0, run: id, at_us: 1, kind: "done",
    summary: { run: id, outcome, spans: null, cpu_us: 0, memory_bytes: 0, wall_us: 1, body_bytes: 0, logs: 0 },
  });
  const two = runs.ask({ method: "GET", path: "/" }, 2, false);
  runs.take(done(`${two.id}.1`));
  assert.equal(runs.pending, two);
  runs.take(done(`${two.id}.2`));
  assert.equal(runs.pending, null);
  const cancelled = runs.ask({ method: "GET", path: "/" }, 20, true);
  runs.take(done(`${cancelled.id}.1`, "canceled"));
  assert.equal(cancelled.over, true);
  const lost = runs.ask({ method: "GET", path: "/" }, 1, false);
  runs.forget("gone", [lost.id]);
  assert.equal(lost.over, false);
  runs.forget("gone");
  assert.equal(lost.refused, "gone");
});

test("checks keep the newest word on each", () => {
  const checks = new Checks();
  checks.begin("c");
  checks.take({ run: "c", task: 1, name: "a", state: "running" });
  checks.take({ run: "c", task: 1, name: "a", state: "failed", got: "5" });
  checks.take({ run: "c", done: true, passed: 0, total: 1 });
  assert.deepEqual([checks.list.length, checks.list[0]?.state, checks.over, checks.total], [1, "failed", true, 1]);
});
