// The live connection: reconnects, resumes after the last number seen, and
// never sends a run twice.

import { decode, encode, seqOf, type ClientMessage, type ServerMessage } from "./protocol.ts";

export interface Wire {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
}

export interface LiveOptions {
  project: string;
  /** Opens a connection; the page gives a WebSocket. */
  open: () => Wire;
  message: (m: ServerMessage) => void;
  /** Open after a welcome, lost as soon as it is known that nothing arrives. */
  state: (s: "open" | "lost") => void;
  /** The server no longer has what happened before: runs under way will not report. */
  restart?: () => void;
  later?: (fn: () => void, ms: number) => unknown;
  cancel?: (handle: unknown) => void;
  random?: () => number;
}

const quiet = 600; // ms without a message before the page asks whether anyone is there
const patience = 650; // ms to wait for the answer

export class Live {
  #o: Required<LiveOptions>;
  #wire: Wire | null = null;
  #ready = false;
  #stream = "";
  #after = 0;
  #tries = 0;
  #retry: unknown;
  #watch: unknown;
  #closed = false;

  constructor(o: LiveOptions) {
    this.#o = {
      restart: () => {},
      later: (fn, ms) => setTimeout(fn, ms),
      cancel: (h) => clearTimeout(h as number),
      random: Math.random,
      ...o,
    };
    this.#connect();
  }

  /** Whether a message would be sent now. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Sends a message, or says false: nothing is queued, so nothing runs later by surprise. */
  send(m: ClientMessage): boolean {
    if (!this.#ready || !this.#wire) return false;
    this.#wire.send(encode(m));
    return true;
  }

  /** Tries now instead of waiting for the next attempt. */
  now(): void {
    if (this.#wire || this.#closed) return;
    this.#tries = 0;
    this.#connect();
  }

  /** Treats the connection as gone, for instance when the browser says it is offline. */
  drop(): void {
    const wire = this.#wire;
    if (!wire) return;
    this.#lost(wire);
    wire.close();
  }

  close(): void {
    this.#closed = true;
    this.#o.cancel(this.#retry);
    this.#o.cancel(this.#watch);
    const wire = this.#wire;
    this.#wire = null;
    this.#ready = false;
    wire?.close();
  }

  #connect(): void {
    this.#o.cancel(this.#retry);
    const wire = this.#o.open();
    this.#wire = wire;
    this.#guard(wire, 5000);
    wire.onopen = () =>
      wire.send(encode({
        type: "hello", project: this.#o.project,
        ...(this.#stream ? { stream: this.#stream, after: this.#after } : {}),
      }));
    wire.onmessage = (e) => {
      if (wire === this.#wire) this.#read(wire, String(e.data));
    };
    wire.onclose = () => this.#lost(wire);
  }

  #read(wire: Wire, frame: string): void {
    this.#listen(wire);
    for (const m of decode(frame)) this.#take(m);
  }

  #take(m: ServerMessage): void {
    if (m.type === "pong") return;
    if (m.type === "welcome") {
      this.#tries = 0;
      if (m.stream !== this.#stream) {
        const had = this.#stream !== "";
        this.#stream = m.stream ?? "";
        this.#after = 0;
        if (had) this.#o.restart();
      }
      if (m.missed) this.#o.restart();
      this.#ready = true;
      this.#o.state("open");
    }
    const seq = seqOf(m);
    if (seq) {
      if (seq <= this.#after) return;
      this.#after = seq;
    }
    this.#o.message(m);
  }

  // After a quiet while the page sends a ping; anything that comes back will do.
  #listen(wire: Wire): void {
    this.#o.cancel(this.#watch);
    this.#watch = this.#o.later(() => {
      if (wire !== this.#wire) return;
      wire.send(encode({ type: "ping" }));
      this.#guard(wire, patience);
    }, quiet);
  }

  // A busy page may have the answer waiting behind this timer, so it looks twice.
  #guard(wire: Wire, ms: number): void {
    this.#o.cancel(this.#watch);
    this.#watch = this.#o.later(() => {
      this.#watch = this.#o.later(() => {
        if (wire === this.#wire) this.drop();
      }, 60);
    }, ms);
  }

  #lost(wire: Wire): void {
    if (wire !== this.#wire) return;
    this.#wire = null;
    this.#ready = false;
    this.#o.cancel(this.#watch);
    if (this.#closed) return;
    this.#o.state("lost");
    const wait = Math.min(5000, 200 * 2 ** this.#tries++) * (0.75 + this.#o.random() / 2);
    this.#retry = this.#o.later(() => this.#connect(), wait);
  }
}
