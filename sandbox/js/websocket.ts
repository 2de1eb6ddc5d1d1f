// WebSocketPair and WebSocket. Two ends of a pair are linked here; an end returned
// in a 101 response or received from a subrequest continues at the host.

import { call, op } from "./host";
import { ArrayPush, ArrayShift, NativeError, NativeTypeError, NativeUint8Array, SafeMap, TypedArrayLength, SymbolToString, bytesOf, enumerable, expose, isError, need, tag } from "./primordials";
import { CloseEvent, ErrorEvent, EventTarget, MessageEvent, dispatch, handlers, report } from "./events";
import { domError } from "./dom";
import { sockets } from "./response";
import { begin, current, enter, refuseAtStart } from "./run";
import { clone } from "./clone";
import { Blob } from "./blob";
import { queueMicrotask } from "./timers";
import { encodeUTF8 } from "./encoding";
import { serializedSize } from "./size";

const SEND = op("socket.send"), CLOSE = op("socket.close"), ACCEPT = op("socket.accept"), BIND = op("socket.bind");
const key = {};

type Packet = ({ data: string | ArrayBuffer } | { code: number; reason: string; clean: boolean }) & { arrived?: boolean };

/** What hibernation does with the events of a socket; durable.ts sets it on a socket. */
export type Hibernation = { message(ws: WebSocket, data: string | ArrayBuffer): void; close(ws: WebSocket, code: number, reason: string, clean: boolean): void; tags: string[] };

export let isSocket: (o: unknown) => o is WebSocket;
/** Gives an end of a pair to the host and returns its number there. */
export let giveToHost: (s: WebSocket) => number;
/** A WebSocket whose other end is at the host. */
export let hostSocket: (id: number) => WebSocket;
export let hibernate: (s: WebSocket, h: Hibernation) => void;
export let tagsOf: (s: WebSocket) => string[] | null;
export let isAccepted: (s: WebSocket) => boolean;
let link: (a: WebSocket, b: WebSocket) => void;
let deliver: (s: WebSocket, p: Packet) => void;

const atHost = new SafeMap<number, WebSocket>();

export class WebSocket extends EventTarget {
  #peer: WebSocket | null = null;
  #host = 0; // its number when the other side is the host
  #given = false; // this end was handed on: nobody may use it here
  #accepted = false;
  #state = 1;
  #sentClose = false;
  #halfOpen = false; // closes are not answered by themselves
  #gotClose = false;
  #waiting: Packet[] = [];
  #coming: Packet[] = [];
  #attachment: unknown = null;
  #hibernation: Hibernation | null = null;
  #run = 0;
  #context: unknown = undefined;
  #binaryType = current.date < "2026-03-17" ? "arraybuffer" : "blob";

  constructor(url: unknown, _protocols?: unknown) {
    super();
    if (url !== key) {
      need(arguments.length, 1, "WebSocket constructor");
      throw domError("NotSupportedError", "new WebSocket(url) is not available here: use fetch(url, { headers: { Upgrade: \"websocket\" } }) and response.webSocket.");
    }
  }

  static {
    isSocket = (o): o is WebSocket => typeof o === "object" && o !== null && #peer in o;
    sockets.is = isSocket;
    link = (a, b) => {
      a.#peer = b;
      b.#peer = a;
    };
    hostSocket = (id) => {
      const s = new WebSocket(key);
      s.#host = id;
      atHost.set(id, s);
      return s;
    };
    giveToHost = (s) => {
      if (s.#given) throw new NativeTypeError("This WebSocket was already returned in a response.");
      if (s.#accepted) throw new NativeTypeError("Can't return WebSocket in a Response after calling accept().");
      s.#given = true;
      if (s.#host !== 0) return s.#host;
      const peer = s.#peer!;
      peer.#peer = null;
      const id: number = call(BIND);
      peer.#host = id;
      atHost.set(id, peer);
      if (peer.#accepted) call(ACCEPT, id);
      for (let i = 0; i < s.#waiting.length; i++) peer.#toHost(s.#waiting[i]);
      s.#waiting = [];
      for (let i = 0; i < s.#coming.length; i++) if (!s.#coming[i].arrived) peer.#toHost(s.#coming[i]); // still on their way
      return id;
    };
    hibernate = (s, h) => {
      s.#hibernation = h;
      s.#accept();
    };
    isAccepted = (s) => s.#accepted;
    tagsOf = (s) => s.#hibernation?.tags ?? null;
    deliver = (s, p) => {
      if (s.#given && s.#peer !== null) return;
      if (!s.#accepted) {
        ArrayPush(s.#waiting, p);
        return;
      }
      s.#take(p);
    };
  }

  #take(p: Packet): void {
    enter(this.#run || current.run, this.#context, () => {
      if ("data" in p) {
        if (this.#gotClose) return;
        if (this.#hibernation !== null) this.#hibernation.message(this, p.data);
        else dispatch(this, new MessageEvent("message", { origin: null, data: typeof p.data === "string" || this.#binaryType === "arraybuffer" ? p.data : new Blob([p.data]) }), this.#host === 0 ? undefined : (e) => {
          report(e);
          this.#abort(e);
        });
        return;
      }
      if (this.#gotClose) return;
      this.#gotClose = true;
      // From this date on a close is answered by itself, but for a socket that hibernates.
      if (!this.#sentClose && p.code !== 1006 && this.#hibernation === null && !this.#halfOpen && current.date >= "2026-04-07") {
        this.#sentClose = true;
        if (this.#peer !== null || this.#host !== 0) this.#put({ code: p.code, reason: p.reason, clean: true });
      }
      // A client that vanished leaves a socket open: it may still be closed, and nobody hears of it.
      if (p.code !== 1006 || this.#hibernation !== null || this.#sentClose) this.#state = this.#sentClose ? 3 : 2;
      if (this.#hibernation !== null) this.#hibernation.close(this, p.code, p.reason, p.clean);
      else dispatch(this, new CloseEvent("close", { code: p.code, reason: p.reason, wasClean: p.clean }));
    });
  }

  /** A listener threw: its client is cut off, and hears no more. */
  #abort(error: unknown): void {
    if (this.#gotClose && this.#sentClose) return;
    this.#gotClose = this.#sentClose = true;
    this.#state = 3;
    call(CLOSE, this.#host, 1006, "");
    dispatch(this, new ErrorEvent("error", { error, message: `Uncaught ${isError(error) || typeof error !== "symbol" ? error as string : SymbolToString(error)}` }));
  }

  #toHost(p: Packet): void {
    if ("data" in p) call(SEND, this.#host, typeof p.data === "string" ? p.data : new NativeUint8Array(p.data));
    else call(CLOSE, this.#host, p.code, p.reason);
  }

  #put(p: Packet): void {
    if (this.#host !== 0) {
      this.#toHost(p);
      return;
    }
    const peer = this.#peer!;
    ArrayPush(peer.#coming, p);
    if (peer.#coming.length === 1) queueMicrotask(() => peer.#next());
  }

  // One packet at a time: what its listener sends arrives before the next packet.
  #next(): void {
    this.#coming[0].arrived = true;
    deliver(this, this.#coming[0]);
    const more = () => {
      ArrayShift(this.#coming);
      if (this.#coming.length > 0) this.#next();
    };
    queueMicrotask(() => queueMicrotask(() => queueMicrotask(more)));
  }

  #accept(): void {
    if (this.#accepted) return;
    this.#accepted = true;
    this.#run = current.run;
    this.#context = current.context;
    if (this.#host !== 0) call(ACCEPT, this.#host);
    const w = this.#waiting;
    this.#waiting = [];
    if (w.length > 0) queueMicrotask(() => { for (let i = 0; i < w.length; i++) this.#take(w[i]); });
  }

  get readyState() { return this.#state; }
  get url() { return null; }
  get protocol() { return ""; }
  get extensions() { return ""; }
  get binaryType() { return this.#binaryType; }
  set binaryType(v: string) { if (v === "blob" || v === "arraybuffer") this.#binaryType = v; }
  get bufferedAmount() { return 0; }
  accept(options?: { allowHalfOpen?: boolean }): void {
    if (this.#given) throw new NativeTypeError("Can't accept() WebSocket that was already used in a response.");
    if (this.#hibernation !== null) throw new NativeTypeError("Can't accept() WebSocket after enabling hibernation.");
    if (!this.#accepted && options?.allowHalfOpen) this.#halfOpen = true;
    this.#accept();
  }
  send(data: unknown): void {
    need(arguments.length, 1, "WebSocket.send", "ArrayBuffer or ArrayBufferView or string");
    if (this.#given) throw new NativeTypeError("Can't call send() on a WebSocket that was returned in a response.");
    if (!this.#accepted) throw new NativeTypeError("You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.");
    if (this.#sentClose) throw new NativeTypeError("Can't call WebSocket send() after close().");
    const b = bytesOf(data);
    if (this.#gotClose) return;
    this.#put({ data: b === undefined ? `${data as string}` : (new NativeUint8Array(b).buffer as ArrayBuffer) });
  }
  close(code?: number, reason?: string): void {
    if (this.#given) throw new NativeTypeError("Can't call close() on a WebSocket that was returned in a response.");
    let c = 1005;
    if (code !== undefined) {
      c = Math.trunc(+code);
      if (!(c >= 1000 && c < 5000) || c === 1004 || c === 1005 || c === 1006 || c === 1015) throw domError("InvalidAccessError", `Invalid WebSocket close code: ${c || 0}.`);
    } else if (reason !== undefined) throw domError("InvalidAccessError", "If you specify a WebSocket close reason, you must also specify a code.");
    const r = reason === undefined ? "" : `${reason}`;
    if (r !== "" && TypedArrayLength(encodeUTF8(r)) > 123) throw domError("SyntaxError", "WebSocket close reason must not be longer than 123 bytes when UTF-8 encoded.");
    if (!this.#accepted) throw new NativeTypeError("You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.");
    if (this.#sentClose || this.#state === 3) return;
    this.#sentClose = true;
    this.#state = this.#gotClose ? 3 : 2;
    this.#put({ code: c, reason: r, clean: true });
  }
  serializeAttachment(v: unknown): void {
    need(arguments.length, 1, "WebSocket.serializeAttachment", "Value");
    const kept = clone(v), size = serializedSize(kept);
    if (size > 16384) throw new NativeError(`A WebSocket 'attachment' cannot be larger than 16384 bytes.'attachment' was ${size} bytes.`);
    this.#attachment = kept;
  }
  deserializeAttachment(): unknown {
    return this.#attachment === null ? null : clone(this.#attachment);
  }
}
handlers(WebSocket, ["message", "close", "open", "error"]);
for (const [i, n] of ["CONNECTING", "OPEN", "CLOSING", "CLOSED"].entries()) {
  for (const o of [WebSocket, WebSocket.prototype]) Object.defineProperty(o, n, { value: i, enumerable: true });
  Object.defineProperty(WebSocket, "READY_STATE_" + n, { value: i, enumerable: true });
}

class WebSocketPair {
  0: WebSocket;
  1: WebSocket;
  *[Symbol.iterator]() {
    yield this[0];
    yield this[1];
  }
  constructor() {
    refuseAtStart("new WebSocketPair()");
    this[0] = new WebSocket(key);
    this[1] = new WebSocket(key);
    link(this[0], this[1]);
  }
}

/** Entry: a message from outside. */
export function socketMessage(id: number, data: string | ArrayBuffer, run: number): void {
  begin(run);
  const s = atHost.get(id);
  if (s !== undefined) deliver(s, { data });
}
/** Entry: the outside closed, or went away. */
export function socketClose(id: number, code: number, reason: string, clean: boolean, run: number): void {
  begin(run);
  const s = atHost.get(id);
  if (s === undefined) return;
  atHost.delete(id);
  deliver(s, { code, reason, clean });
}

enumerable(WebSocket);
tag(WebSocket, "WebSocket");
expose("WebSocket", WebSocket);
tag(WebSocketPair, "WebSocketPair");
expose("WebSocketPair", WebSocketPair);
