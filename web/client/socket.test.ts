import assert from "node:assert/strict";
import { test } from "node:test";
import { Live, type Wire } from "./_socket.ts";
import type { ServerMessage } from "./protocol.ts";

class Fake implements Wire {
  sent: { type: string; [k: string]: unknown }[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string) { this.sent.push(JSON.parse(text)); }
  close() { this.closed = true; }
  say(m: object) { this.onmessage?.({ data: JSON.stringify(m) }); }
}

function setup() {
  const wires: Fake[] = [];
  const got: ServerMessage[] = [];
  const states: string[] = [];
  let restarts = 0;
  // A clock that moves only when told.
  let now = 0;
  const timers: { at: number; fn: () => void }[] = [];
  const live = new Live({
    project: "p",
    open: () => { const w = new Fake(); wires.push(w); return w; },
    message: (m) => got.push(m),
    state: (s) => states.push(s),
    restart: () => restarts++,
    later: (fn, ms) => { const t = { at: now + ms, fn }; timers.push(t); return t; },
    cancel: (h) => { const i = timers.indexOf(h as never); if (i >= 0) timers.splice(i, 1); },
    random: () => 0.5,
  });
  const pass = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const next = timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      now = next.at;
      timers.splice(timers.indexOf(next), 1);
      next.fn();
    }
    now = end;
  };
  return { live, wires, got, states, pass, restarts: () => restarts };
}

const event = (seq: number) => ({ type: "event", event: { seq, at_us: seq, kind: "log", log: { level: "log", text: `${seq}` } } });
const seqs = (got: ServerMessage[]) => got.filter((m) => m.event).map((m) => m.event?.seq);

test("resumes after the last number, in order, none twice", () => {
  const { wires, got, pass } = setup();
  const a = wires[0]!;
  a.onopen?.();
  assert.deepEqual(a.sent, [{ type: "hello", project: "p" }]);
  a.say({ type: "welcome", stream: "s1", seq: 0 });
  a.say(event(1)); a.say(event(2));
  a.onclose?.();
  pass(1000);
  const b = wires[1]!;
  b.onopen?.();
  assert.deepEqual(b.sent[0], { type: "hello", project: "p", stream: "s1", after: 2 });
  b.say({ type: "welcome", stream: "s1", seq: 4 });
  b.say(event(2)); b.say(event(3)); b.say(event(4));
  assert.deepEqual(seqs(got), [1, 2, 3, 4]);
});

test("a run asked for while the connection is lost is refused, not queued", () => {
  const { live, wires, pass } = setup();
  const run = { type: "run", id: "a", request: { method: "GET", path: "/" } } as const;
  assert.equal(live.send(run), false);
  wires[0]!.onopen?.();
  wires[0]!.say({ type: "welcome", stream: "s", seq: 0 });
  assert.equal(live.send(run), true);
  wires[0]!.onclose?.();
  assert.equal(live.send({ ...run, id: "b" }), false);
  pass(1000);
  wires[1]!.onopen?.();
  wires[1]!.say({ type: "welcome", stream: "s", seq: 0 });
  assert.deepEqual(wires[1]!.sent.map((m) => m.type), ["hello"]);
});

test("a silent network is noticed within two seconds", () => {
  const { wires, states, pass } = setup();
  wires[0]!.onopen?.();
  wires[0]!.say({ type: "welcome", stream: "s", seq: 0 });
  pass(650);
  assert.equal(wires[0]!.sent.at(-1)?.type, "ping");
  wires[0]!.say({ type: "pong" });
  pass(1800);
  assert.deepEqual(states, ["open", "lost"]);
  assert.equal(wires[0]!.closed, true);
});

test("a server that lost the stream is said once, and numbers begin again", () => {
  const { wires, got, pass, restarts } = setup();
  wires[0]!.onopen?.();
  wires[0]!.say({ type: "welcome", stream: "s1", seq: 0 });
  wires[0]!.say(event(9));
  wires[0]!.onclose?.();
  pass(1000);
  wires[1]!.onopen?.();
  wires[1]!.say({ type: "welcome", stream: "s2", seq: 0 });
  wires[1]!.say(event(1));
  assert.equal(restarts(), 1);
  assert.deepEqual(seqs(got), [9, 1]);
});

test("waits grow to five seconds and no further", () => {
  const { wires, pass } = setup();
  for (let i = 0; i < 12; i++) { wires.at(-1)!.onclose?.(); pass(5000); }
  assert.equal(wires.length, 13);
});
