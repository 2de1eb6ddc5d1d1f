// MessageChannel and MessagePort. Specification: HTML, section 9.4. Both ports stay
// in this isolate; a message is cloned when it is posted and arrives in a later turn.

import { ArrayIsArray, ArrayPush, NativeError, NativeTypeError, PromiseResolve, PromiseThen, enumerable, expose, tag, wrongType } from "./primordials";
import { Event, EventTarget, MessageEvent, dispatch, trust, getHandler, onListenerAdded, setHandler } from "./events";
import { clone } from "./clone";
import { current, enter } from "./run";

const key = {};
let link: (a: MessagePort, b: MessagePort) => void;
let isPort: (o: unknown) => o is MessagePort;
let start: (p: MessagePort) => void;

export class MessagePort extends EventTarget {
  #peer: MessagePort | null = null;
  #started = false;
  #closed = false;
  #queue: unknown[] = [];
  constructor(k?: unknown) {
    if (k !== key) throw new NativeTypeError("Illegal constructor");
    super();
  }
  static {
    link = (a, b) => {
      a.#peer = b;
      b.#peer = a;
    };
    isPort = (o): o is MessagePort => typeof o === "object" && o !== null && #peer in o;
    start = (p) => {
      if (p.#started) return;
      p.#started = true;
      const q = p.#queue;
      p.#queue = [];
      for (let i = 0; i < q.length; i++) p.#arrive(q[i]);
    };
  }
  #arrive(data: unknown): void {
    if (!this.#started) {
      ArrayPush(this.#queue, data);
      return;
    }
    const give = () => {
      const e = new MessageEvent("message", { origin: null, data, source: this.#peer });
      trust(e);
      dispatch(this, e);
    };
    const { run, context } = current;
    PromiseThen(PromiseResolve(), () => enter(run, context, give));
  }
  postMessage(value: unknown, options?: any): void {
    if (options !== undefined && options !== null && typeof options !== "object" && typeof options !== "function") throw wrongType("MessagePort.postMessage", 2, "Array or PostMessageOptions");
    const moved = ArrayIsArray(options) ? options : options?.transfer;
    if (moved !== undefined && moved !== null && moved.length > 0) throw new NativeError("Transfer list is not supported");
    const copy = clone(value);
    if (this.#peer !== null && !this.#closed) this.#peer.#arrive(copy);
  }
  start(): void { start(this); }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const peer = this.#peer;
    if (peer !== null) {
      peer.#closed = true;
      dispatch(peer, new Event("close"));
    }
    dispatch(this, new Event("close"));
  }
  get onmessage() { return getHandler(this, "message"); }
  set onmessage(f: unknown) {
    setHandler(this, "message", f);
    start(this);
  }
}
onListenerAdded((t, type) => {
  if (type === "message" && isPort(t)) start(t);
});

class MessageChannel {
  #a: MessagePort = new (MessagePort as any)(key);
  #b: MessagePort = new (MessagePort as any)(key);
  constructor() {
    link(this.#a, this.#b);
  }
  get port1() { return this.#a; }
  get port2() { return this.#b; }
}
for (const [name, C] of Object.entries({ MessagePort, MessageChannel })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
