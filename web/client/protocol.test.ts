import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bytes, decode, encode, phases, seqOf, type ClientMessage } from "./protocol.ts";

const shared = (name: string): unknown[] =>
  JSON.parse(readFileSync(new URL(`../live/testdata/${name}`, import.meta.url), "utf8"));

// What a page would send, written with this side's types; Go reads the same list strictly.
const sent: ClientMessage[] = [
  { type: "hello", project: "first-worker" },
  { type: "hello", project: "first-worker", stream: "k3v9q2mzp7x4", after: 41 },
  {
    type: "run", id: "r1", revision: 7,
    request: { method: "POST", path: "/hello?x=1", headers: [["content-type", "application/json"]], body: '{"name":"Ada"}' },
  },
  { type: "run", id: "r2", request: { method: "GET", path: "https://shop.example/cart" }, cold: true, times: 20 },
  { type: "check", id: "c1", revision: 7 },
  { type: "lab", id: "l1", lab: "density", revision: 7 },
  { type: "lab", id: "l2", lab: "race", values: { samples: "30" } },
  { type: "act", id: "l2", lab: "race", action: "pause", values: { on: "1" } },
  { type: "cancel", id: "r2" },
  { type: "evict" },
  { type: "keep", on: true },
  { type: "keep" },
  { type: "pages", isolate: "7f3a" },
  { type: "ping" },
];

test("client messages are the shared examples", () => {
  assert.deepEqual(sent.map((m) => JSON.parse(encode(m))), shared("client.json"));
});

test("server examples read, and each event carries the field of its kind", () => {
  const kinds = new Set<string>();
  for (const example of shared("server.json")) {
    const [m] = decode(JSON.stringify(example));
    assert.ok(m);
    assert.deepEqual(m, example);
    if (!m.event) continue;
    kinds.add(m.event.kind);
    const field = ({ phase: "span", done: "summary" } as Record<string, string>)[m.event.kind] ?? m.event.kind;
    assert.ok(field in m.event, `${m.event.kind} without ${field}`);
    assert.equal(seqOf(m), m.event.seq);
  }
  assert.deepEqual([...kinds].sort(), ["body", "call", "done", "fault", "isolate", "log", "phase", "queued", "response"]);
});

test("a message outside the protocol is refused", () => {
  assert.throws(() => decode('{"type":"shout"}'), /unknown message type "shout"/);
  assert.throws(() => decode('{"type":"event"}'), /without event/);
  assert.deepEqual(decode('{"type":"pong"}\n{"type":"isolates"}\n').map((m) => m.type), ["pong", "isolates"]);
  assert.throws(() => decode("null"), /unknown message type/);
});

test("only events and checks are numbered", () => {
  assert.equal(seqOf({ type: "event", event: { seq: 7, at_us: 1, kind: "done" } }), 7);
  assert.equal(seqOf({ type: "check", seq: 8, check: { run: "a" } }), 8);
  assert.equal(seqOf({ type: "welcome", stream: "s", seq: 9 }), 0);
});

test("bytes of base64", () => {
  assert.deepEqual([...bytes("AAEC/w==")], [0, 1, 2, 255]);
});

test("seven phases in order", () => {
  assert.deepEqual(phases.join(" "), "build route queue start load handle stream");
});
