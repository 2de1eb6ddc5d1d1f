// node:stream: Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished, with
// object mode, high-water marks, decoding, pipes, async iteration and the
// bridges to web streams. Omitted: captureRejections, compose, duplexPair.

import { argType, callable, nodeError, objectArg, whole } from "./node-errors";
import { isAbortSignal } from "./abort";
import { inspect } from "./inspect";
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { StringDecoder } from "node:string_decoder";
import { ReadableStream, WritableStream } from "./streams";
import { Blob } from "./blob";
import { queueMicrotask } from "./timers";

type Done = (error?: Error | null) => void;

const bytesMark = 64 * 1024, objectMark = 16;

let byteDefault = bytesMark, objectDefault = objectMark;
export function getDefaultHighWaterMark(objectMode: boolean): number { return objectMode ? objectDefault : byteDefault; }
export function setDefaultHighWaterMark(objectMode: boolean, value: number): void {
  whole("value", value, 0, Number.MAX_SAFE_INTEGER);
  if (objectMode) objectDefault = value;
  else byteDefault = value;
}
const mark = (own: unknown, part: unknown, objectMode: boolean): number => {
  const n = part ?? own;
  if (n === undefined || n === null) return getDefaultHighWaterMark(objectMode);
  if (typeof n !== "number" || !(n >= 0)) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The property 'options.highWaterMark' is invalid. Received ${inspect(n)}`);
  return Math.floor(n);
};

/** The old base class; a function, because older packages call it on their own objects. */
export const Stream: any = function Stream(this: any) {
  this._events = { __proto__: null };
  this._eventsCount = 0;
  this._maxListeners = undefined;
};
Object.setPrototypeOf(Stream, EventEmitter);
Stream.prototype = Object.create(EventEmitter.prototype, { constructor: { value: Stream, writable: true, configurable: true } });

/** What a chunk becomes in a stream of bytes. */
function toBytes(chunk: any, encoding: any): Buffer {
  if (typeof chunk === "string") return Buffer.from(chunk, encoding);
  if (chunk instanceof Buffer) return chunk;
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  throw argType("chunk", "of type string or an instance of Buffer, TypedArray, or DataView", chunk);
}

/** Ends a stream for good: 'error' when there is one, then 'close'. */
function destroyStream(s: any, error?: Error | null, after?: Done): any {
  if (s.destroyed) return s;
  const r = s._readableState, w = s._writableState;
  for (const state of [r, w]) {
    if (!state) continue;
    state.destroyed = true;
    if (error) state.errored ??= error;
  }
  s._destroy(error ?? null, (e?: Error | null) => {
    for (const state of [r, w]) {
      if (state && e) state.errored ??= e;
    }
    after?.(e);
    queueMicrotask(() => {
      for (const state of [r, w]) {
        if (state) state.closed = true;
      }
      if (e && !s._errorTold) {
        s._errorTold = true;
        s.emit("error", e);
      }
      s.emit("close");
    });
  });
  return s;
}

/** Destroys a stream whose work is over, when it wants that. */
function settle(s: any): void {
  const r = s._readableState, w = s._writableState;
  if ((r && (!r.endEmitted || !r.autoDestroy)) || (w && (!w.finished || !w.autoDestroy))) return;
  destroyStream(s);
}

class ReadableState {
  buffer: any[] = [];
  length = 0;
  flowing: boolean | null = null;
  ended = false;
  endEmitted = false;
  reading = false;
  sync = false;
  scheduled = false;
  told = false; // 'readable' is on its way
  pipes: any[] = [];
  awaiting = new Set<any>();
  decoder: any = null;
  encoding: string | null = null;
  destroyed = false;
  closed = false;
  errored: Error | null = null;
  didRead = false;
  objectMode: boolean;
  highWaterMark: number;
  autoDestroy: boolean;
  defaultEncoding: string;
  constructor(o: any, duplex: boolean) {
    this.objectMode = !!(o.objectMode || (duplex && o.readableObjectMode));
    this.highWaterMark = mark(o.highWaterMark, duplex ? o.readableHighWaterMark : undefined, this.objectMode);
    this.autoDestroy = o.autoDestroy !== false;
    this.defaultEncoding = o.defaultEncoding ?? "utf8";
    if (o.encoding) {
      this.decoder = new StringDecoder(o.encoding);
      this.encoding = o.encoding;
    }
  }
}

export class Readable extends Stream {
  constructor(o: any = {}) {
    super(o);
    this._readableState = new ReadableState(o ?? {}, this instanceof Duplex);
    this._errorTold = false;
    if (typeof o?.read === "function") this._read = o.read;
    if (typeof o?.destroy === "function") this._destroy = o.destroy;
    if (typeof o?.construct === "function") o.construct.call(this, (e?: Error) => e && this.destroy(e));
    if (o?.signal) addAbortSignal(o.signal, this);
  }
  _read(_size: number): void { this.destroy(nodeError(Error, "ERR_METHOD_NOT_IMPLEMENTED", "The _read() method is not implemented")); }
  _destroy(error: Error | null, done: Done): void { done(error); }
  destroy(error?: Error | null): this { return destroyStream(this, error); }

  push(chunk: any, encoding?: any): boolean { return this._add(chunk, encoding, false); }
  unshift(chunk: any, encoding?: any): boolean { return this._add(chunk, encoding, true); }

  _add(chunk: any, encoding: any, front: boolean): boolean {
    const s = this._readableState;
    if (!front) s.reading = false;
    if (s.destroyed) return false;
    if (chunk === null) {
      if (s.ended) return false;
      s.ended = true;
      const rest = s.decoder?.end();
      if (rest) this._keep(rest, false);
      this._schedule();
      return false;
    }
    if (!s.objectMode) {
      try {
        chunk = toBytes(chunk, encoding ?? s.defaultEncoding);
      } catch (e) {
        this.destroy(e as Error);
        return false;
      }
      if (chunk.length === 0) {
        this._more();
        return !s.ended && s.length < s.highWaterMark;
      }
    }
    if (s.ended && !front) {
      this.destroy(nodeError(Error, "ERR_STREAM_PUSH_AFTER_EOF", "stream.push() after EOF"));
      return false;
    }
    if (s.endEmitted) {
      this.destroy(nodeError(Error, "ERR_STREAM_UNSHIFT_AFTER_END_EVENT", "stream.unshift() after end event"));
      return false;
    }
    if (s.decoder) chunk = s.decoder.write(chunk);
    if (s.objectMode || chunk.length > 0) this._keep(chunk, front);
    this._schedule();
    return !s.ended && (s.length < s.highWaterMark || s.length === 0);
  }
  _keep(chunk: any, front: boolean): void {
    const s = this._readableState;
    if (front) s.buffer.unshift(chunk);
    else s.buffer.push(chunk);
    s.length += s.objectMode ? 1 : chunk.length;
  }
  /** Asks the source for more, once at a time. */
  _more(): void {
    const s = this._readableState;
    if (s.reading || s.ended || s.destroyed || s.length >= Math.max(s.highWaterMark, 1)) return;
    s.reading = s.sync = true;
    try {
      this._read(s.highWaterMark);
    } catch (e) {
      this.destroy(e as Error);
    }
    s.sync = false;
  }
  /** Lets consumers see what is there, in a microtask. */
  _schedule(): void {
    const s = this._readableState;
    if (s.scheduled) return;
    s.scheduled = true;
    queueMicrotask(() => {
      s.scheduled = false;
      this._deliver();
    });
  }
  _deliver(): void {
    const s = this._readableState;
    if (s.destroyed) return;
    if (s.flowing) {
      while (s.flowing && this.read() !== null);
      return;
    }
    if ((s.length > 0 || s.ended) && this.listenerCount("readable") > 0) this.emit("readable");
    if (s.flowing !== false || s.ended) this._atEnd();
    if (this.listenerCount("readable") > 0) this._more();
  }
  _atEnd(): void {
    const s = this._readableState;
    if (!s.ended || s.length > 0 || s.endEmitted || s.told || s.destroyed) return;
    if (s.flowing === null && this.listenerCount("readable") === 0) return; // nobody reads yet
    s.told = true;
    queueMicrotask(() => {
      if (s.endEmitted || s.destroyed || s.length > 0) {
        s.told = false;
        return;
      }
      s.endEmitted = true;
      this.readable = false;
      this.emit("end");
      if (this._writableState && !this.allowHalfOpen) this.end();
      settle(this);
    });
  }
  read(n?: number): any {
    const s = this._readableState;
    if (s.length < s.highWaterMark) this._more();
    if (n === 0) {
      this._atEnd();
      return null;
    }
    if (s.length === 0) {
      this._atEnd();
      return null;
    }
    let out: any;
    if (s.objectMode) {
      out = s.buffer.shift();
      s.length--;
    } else if (n === undefined || Number.isNaN(n)) {
      if (s.flowing) out = s.buffer.shift();
      else {
        out = s.buffer.length === 1 ? s.buffer[0] : s.decoder ? s.buffer.join("") : Buffer.concat(s.buffer);
        s.buffer.length = 0;
      }
      s.length -= out.length;
    } else {
      if (n > s.length && !s.ended) {
        s.highWaterMark = Math.max(s.highWaterMark, n);
        this._more();
        return null;
      }
      const all = s.buffer.length === 1 ? s.buffer[0] : s.decoder ? s.buffer.join("") : Buffer.concat(s.buffer);
      out = s.decoder ? all.slice(0, n) : all.subarray(0, n);
      const rest = s.decoder ? all.slice(n) : all.subarray(n);
      s.buffer = rest.length > 0 ? [rest] : [];
      s.length = rest.length;
    }
    s.didRead = true;
    this.emit("data", out);
    if (s.length === 0) {
      if (s.ended) this._atEnd();
      else this._more();
    }
    return out;
  }
  on(name: any, f: any): this {
    super.addListener(name, f);
    const s = this._readableState;
    if (name === "data" && s.flowing !== false && this.listenerCount("readable") === 0) this.resume();
    if (name === "readable") {
      if (s.flowing) s.flowing = false;
      this._schedule();
    }
    return this;
  }
  addListener(name: any, f: any): this { return this.on(name, f); }
  resume(): this {
    const s = this._readableState;
    if (!s.flowing) {
      s.flowing = this.listenerCount("readable") === 0;
      queueMicrotask(() => {
        if (!s.flowing) return;
        this.emit("resume");
        if (s.length === 0) this._more();
        this._deliver();
      });
    }
    return this;
  }
  pause(): this {
    const s = this._readableState;
    if (s.flowing !== false) {
      s.flowing = false;
      this.emit("pause");
    }
    return this;
  }
  isPaused(): boolean { return this._readableState.flowing === false; }
  setEncoding(encoding: any): this {
    const s = this._readableState;
    s.decoder = new StringDecoder(encoding);
    s.encoding = s.decoder.encoding;
    const text = s.buffer.map((b: any) => s.decoder.write(b)).join("");
    s.buffer = text ? [text] : [];
    s.length = text.length;
    return this;
  }
  pipe(to: any, options?: { end?: boolean }): any {
    const s = this._readableState;
    const data = (chunk: any) => {
      if (to.write(chunk) === false) {
        s.awaiting.add(to);
        this.pause();
      }
    };
    const drain = () => {
      if (s.awaiting.delete(to) && s.awaiting.size === 0) this.resume();
    };
    const end = () => to.end();
    const leave = () => this.unpipe(to);
    const entry = { to, forget: () => {
      this.removeListener("data", data);
      this.removeListener("end", end);
      to.removeListener("drain", drain);
      to.removeListener("close", leave);
      to.removeListener("finish", leave);
      drain();
    } };
    s.pipes.push(entry);
    to.on("drain", drain);
    to.once("close", leave);
    to.once("finish", leave);
    if (options?.end !== false) {
      if (s.endEmitted) queueMicrotask(end);
      else this.once("end", end);
    }
    to.emit("pipe", this);
    this.on("data", data);
    if (s.flowing !== true && s.awaiting.size === 0) this.resume();
    return to;
  }
  unpipe(to?: any): this {
    const s = this._readableState;
    const gone = s.pipes.filter((p: any) => to === undefined || p.to === to);
    s.pipes = s.pipes.filter((p: any) => !gone.includes(p));
    for (const p of gone) {
      p.forget();
      p.to.emit("unpipe", this, { hasUnpiped: true });
    }
    if (gone.length > 0 && s.pipes.length === 0 && this.listenerCount("data") === 0) this.pause();
    return this;
  }
  wrap(old: any): this {
    old.on("data", (c: any) => {
      if (!this.push(c)) old.pause?.();
    });
    old.on("end", () => this.push(null));
    old.on("error", (e: Error) => this.destroy(e));
    this._read = () => old.resume?.();
    return this;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<any> {
    let wake: (() => void) | undefined, over = false, failed: Error | null | undefined;
    const ring = () => wake?.();
    const stop = finished(this, { writable: false }, (e?: Error | null) => {
      over = true;
      failed = e;
      ring();
    });
    this.on("readable", ring);
    try {
      for (;;) {
        const chunk = this.destroyed ? null : this.read();
        if (chunk !== null) yield chunk;
        else if (failed) throw failed;
        else if (over) return;
        else await new Promise<void>((f) => (wake = f));
      }
    } finally {
      stop();
      this.removeListener("readable", ring);
      this.destroy();
    }
  }
  iterator(): AsyncGenerator<any> { return this[Symbol.asyncIterator](); }
  [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }
  async toArray(): Promise<any[]> {
    const all = [];
    for await (const x of this as any) all.push(x);
    return all;
  }
  async forEach(f: (x: any) => unknown): Promise<void> {
    for await (const x of this as any) await f(x);
  }
  async reduce(f: (a: any, x: any) => any, ...initial: any[]): Promise<any> {
    let has = initial.length > 0, sum = initial[0];
    for await (const x of this as any) {
      sum = has ? await f(sum, x) : x;
      has = true;
    }
    if (!has) throw nodeError(TypeError, "ERR_MISSING_ARGS", "Reduce of an empty stream requires an initial value");
    return sum;
  }
  map(f: (x: any) => any): Readable { return Readable.from(each(this, async function* (x) { yield await f(x); })); }
  filter(f: (x: any) => any): Readable { return Readable.from(each(this, async function* (x) { if (await f(x)) yield x; })); }
  flatMap(f: (x: any) => any): Readable { return Readable.from(each(this, async function* (x) { yield* await f(x); })); }
  take(n: number): Readable {
    const self: any = this;
    return Readable.from((async function* () {
      if (n > 0) {
        for await (const x of self) {
          yield x;
          if (--n <= 0) return;
        }
      }
    })());
  }
  drop(n: number): Readable { return Readable.from(each(this, async function* (x) { if (n-- <= 0) yield x; })); }
  async some(f: (x: any) => any): Promise<boolean> {
    for await (const x of this as any) if (await f(x)) return true;
    return false;
  }
  async every(f: (x: any) => any): Promise<boolean> { return !(await this.some(async (x) => !(await f(x)))); }
  async find(f: (x: any) => any): Promise<any> {
    for await (const x of this as any) if (await f(x)) return x;
  }

  get destroyed(): boolean { return this._readableState?.destroyed ?? false; }
  set destroyed(v: boolean) { if (this._readableState) this._readableState.destroyed = v; }
  get readable(): boolean {
    const s = this._readableState;
    return !!s && s.readable !== false && !s.destroyed && !s.endEmitted && !s.errored;
  }
  set readable(v: boolean) { if (this._readableState) this._readableState.readable = v; }
  get readableFlowing(): boolean | null { return this._readableState.flowing; }
  get readableLength(): number { return this._readableState.length; }
  get readableHighWaterMark(): number { return this._readableState.highWaterMark; }
  get readableObjectMode(): boolean { return this._readableState.objectMode; }
  get readableEncoding(): string | null { return this._readableState.encoding; }
  get readableEnded(): boolean { return this._readableState.endEmitted; }
  get readableDidRead(): boolean { return this._readableState.didRead; }
  get readableAborted(): boolean { return (this.destroyed || !!this.errored) && !this.readableEnded; }
  get closed(): boolean { return (this._readableState ?? this._writableState)?.closed ?? false; }
  get errored(): Error | null { return this._readableState?.errored ?? this._writableState?.errored ?? null; }

  /** A stream of what an iterable yields; a string or bytes are one chunk. */
  static from(source: any, o: any = {}): Readable {
    const one = typeof source === "string" || source instanceof Uint8Array;
    const list = one ? [source][Symbol.iterator]() : (source?.[Symbol.asyncIterator]?.() ?? source?.[Symbol.iterator]?.());
    if (!list) throw argType("iterable", "an instance of Iterable", source);
    let busy = false;
    const pull = async (s: Readable) => {
      if (busy) return;
      busy = true;
      try {
        for (;;) {
          const { value, done } = await list.next();
          if (done) {
            s.push(null);
            return;
          }
          if (value === null) throw nodeError(TypeError, "ERR_STREAM_NULL_VALUES", "May not write null values to stream");
          if (!s.push(await value)) break;
        }
      } catch (e) {
        s.destroy(e as Error);
      } finally {
        busy = false;
      }
    };
    return new Readable({
      objectMode: true, highWaterMark: 1, ...o,
      read(this: Readable) { void pull(this); },
      destroy(error: Error | null, done: Done) {
        Promise.resolve(list.return?.()).then(() => done(error), () => done(error));
      },
    });
  }
  static fromWeb(web: any, o?: any): Readable {
    if (!(web instanceof ReadableStream)) throw argType("readableStream", "an instance of ReadableStream", web);
    const reader = web.getReader();
    return new Readable({
      ...o,
      read(this: Readable) {
        reader.read().then(({ value, done }: any) => this.push(done ? null : value), (e: Error) => this.destroy(e));
      },
      destroy(error: Error | null, done: Done) {
        reader.cancel(error ?? undefined).then(() => done(error), () => done(error));
      },
    });
  }
  static toWeb(s: any): any {
    if (!isNode(s)) throw argType("streamReadable", "an stream.Readable", s);
    const list = s[Symbol.asyncIterator]();
    return new ReadableStream({
      async pull(c: any) {
        const { value, done } = await list.next();
        if (done) c.close();
        else c.enqueue(value instanceof Uint8Array ? new Uint8Array(value) : value);
      },
      cancel(reason: any) { s.destroy(reason instanceof Error ? reason : undefined); },
    } as any, { highWaterMark: 0 } as any);
  }
  static isDisturbed(s: any): boolean { return isDisturbed(s); }
}
Object.defineProperty(Readable.prototype, "_readableState", { value: undefined, writable: true, configurable: true });

function each(s: any, f: (x: any) => AsyncGenerator<any>): AsyncGenerator<any> {
  return (async function* () {
    for await (const x of s) yield* f(x);
  })();
}

class WritableState {
  queue: { chunk: any; encoding: any; done?: Done }[] = [];
  length = 0;
  writing = false;
  ending = false;
  finalCalled = false;
  finished = false;
  needDrain = false;
  corked = 0;
  destroyed = false;
  closed = false;
  errored: Error | null = null;
  objectMode: boolean;
  highWaterMark: number;
  decodeStrings: boolean;
  defaultEncoding: string;
  autoDestroy: boolean;
  constructor(o: any, duplex: boolean) {
    this.objectMode = !!(o.objectMode || (duplex && o.writableObjectMode));
    this.highWaterMark = mark(o.highWaterMark, duplex ? o.writableHighWaterMark : undefined, this.objectMode);
    this.decodeStrings = o.decodeStrings !== false;
    this.defaultEncoding = o.defaultEncoding ?? "utf8";
    this.autoDestroy = o.autoDestroy !== false;
  }
}

function startWritable(s: any, o: any, duplex: boolean): void {
  s._writableState = new WritableState(o ?? {}, duplex);
  s._errorTold = false;
  if (typeof o?.write === "function") s._write = o.write;
  if (typeof o?.writev === "function") s._writev = o.writev;
  if (typeof o?.final === "function") s._final = o.final;
}

export class Writable extends Stream {
  constructor(o: any = {}) {
    super(o);
    startWritable(this, o, false);
    if (typeof o?.destroy === "function") this._destroy = o.destroy;
    if (typeof o?.construct === "function") o.construct.call(this, (e?: Error) => e && this.destroy(e));
    if (o?.signal) addAbortSignal(o.signal, this);
  }
  static [Symbol.hasInstance](v: any): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, v)) return true;
    return this === Writable && v?._writableState instanceof WritableState;
  }
  _write(_chunk: any, _encoding: any, done: Done): void { done(nodeError(Error, "ERR_METHOD_NOT_IMPLEMENTED", "The _write() method is not implemented")); }
  _destroy(error: Error | null, done: Done): void { done(error); }
  destroy(error?: Error | null): this {
    const s = this._writableState;
    const lost = s.queue;
    s.queue = [];
    for (const item of lost) item.done?.(error ?? nodeError(Error, "ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed"));
    return destroyStream(this, error);
  }
  pipe(): never {
    const e = nodeError(Error, "ERR_STREAM_CANNOT_PIPE", "Cannot pipe, not readable");
    this.destroy(e);
    return undefined as never;
  }
  write(chunk: any, encoding?: any, done?: any): boolean {
    if (typeof encoding === "function") [encoding, done] = [undefined, encoding];
    const s = this._writableState;
    encoding ??= s.defaultEncoding;
    if (chunk === null) throw nodeError(TypeError, "ERR_STREAM_NULL_VALUES", "May not write null values to stream");
    if (!s.objectMode) {
      if (typeof chunk !== "string" || s.decodeStrings) {
        chunk = toBytes(chunk, encoding);
        encoding = "buffer";
      }
    }
    const refused = s.ending
      ? nodeError(Error, "ERR_STREAM_WRITE_AFTER_END", "write after end")
      : s.destroyed ? nodeError(Error, "ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed") : undefined;
    if (refused) {
      queueMicrotask(() => done?.(refused));
      if (s.ending) this.destroy(refused);
      return false;
    }
    s.length += s.objectMode ? 1 : chunk.length;
    const room = s.length < s.highWaterMark;
    if (!room) s.needDrain = true;
    s.queue.push({ chunk, encoding, done });
    this._next();
    return room;
  }
  _next(): void {
    const s = this._writableState;
    while (!s.writing && s.corked === 0 && s.queue.length > 0 && !s.destroyed) {
      const items = typeof this._writev === "function" && s.queue.length > 1 ? s.queue.splice(0) : [s.queue.shift()];
      s.writing = true;
      let sync = true, told = false;
      const done = (error?: Error | null) => {
        if (told) return void this.destroy(nodeError(Error, "ERR_MULTIPLE_CALLBACK", "Callback called multiple times"));
        told = true;
        s.writing = false;
        for (const i of items) s.length -= s.objectMode ? 1 : i.chunk.length;
        const tell = () => {
          for (const i of items) i.done?.(error ?? null);
          if (!error && s.needDrain && s.length === 0 && !s.ending && !s.destroyed) {
            s.needDrain = false;
            this.emit("drain");
          }
        };
        if (error) {
          queueMicrotask(tell);
          this.destroy(error);
        } else if (sync) queueMicrotask(tell);
        else tell();
        if (!sync) this._next();
        this._finishMaybe();
      };
      try {
        if (items.length > 1) this._writev(items.map((i: any) => ({ chunk: i.chunk, encoding: i.encoding })), done);
        else this._write(items[0].chunk, items[0].encoding, done);
      } catch (e) {
        sync = false;
        if (!told) done(e as Error);
      }
      sync = false;
    }
  }
  end(chunk?: any, encoding?: any, done?: any): this {
    if (typeof chunk === "function") [chunk, encoding, done] = [undefined, undefined, chunk];
    else if (typeof encoding === "function") [encoding, done] = [undefined, encoding];
    const s = this._writableState;
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
    s.corked = 0;
    if (typeof done === "function") {
      if (s.finished) queueMicrotask(() => done());
      else finished(this, { readable: false }, done);
    }
    s.ending = true;
    this._next();
    this._finishMaybe();
    return this;
  }
  _finishMaybe(): void {
    const s = this._writableState;
    if (!s.ending || s.finalCalled || s.writing || s.queue.length > 0 || s.destroyed) return;
    s.finalCalled = true;
    const finish = (error?: Error | null) => {
      if (error) return void this.destroy(error);
      queueMicrotask(() => {
        if (s.finished || s.destroyed) return;
        s.finished = true;
        this.emit("finish");
        settle(this);
      });
    };
    if (typeof this._final !== "function") return finish();
    try {
      this._final(finish);
    } catch (e) {
      this.destroy(e as Error);
    }
  }
  cork(): void { this._writableState.corked++; }
  uncork(): void {
    const s = this._writableState;
    if (s.corked > 0 && --s.corked === 0) this._next();
  }
  setDefaultEncoding(encoding: string): this {
    if (!Buffer.isEncoding(encoding)) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${encoding}`);
    this._writableState.defaultEncoding = encoding;
    return this;
  }
  [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }
  get destroyed(): boolean { return this._writableState?.destroyed ?? false; }
  set destroyed(v: boolean) { if (this._writableState) this._writableState.destroyed = v; }
  get writable(): boolean {
    const s = this._writableState;
    return !!s && s.writable !== false && !s.destroyed && !s.ending && !s.errored;
  }
  set writable(v: boolean) { if (this._writableState) this._writableState.writable = v; }
  get writableEnded(): boolean { return this._writableState.ending; }
  get writableFinished(): boolean { return this._writableState.finished; }
  get writableLength(): number { return this._writableState.length; }
  get writableHighWaterMark(): number { return this._writableState.highWaterMark; }
  get writableObjectMode(): boolean { return this._writableState.objectMode; }
  get writableNeedDrain(): boolean { return this._writableState.needDrain && !this._writableState.ending && !this._writableState.destroyed; }
  get writableCorked(): number { return this._writableState.corked; }
  get writableAborted(): boolean { return (this.destroyed || !!this.errored) && !this.writableFinished; }
  get closed(): boolean { return this._writableState?.closed ?? false; }
  get errored(): Error | null { return this._writableState?.errored ?? null; }

  static toWeb(s: any): any {
    if (!isNode(s)) throw argType("streamWritable", "an stream.Writable", s);
    return new WritableStream({
      write: (chunk: any) => new Promise<void>((ok, fail) => s.write(chunk, (e?: Error | null) => (e ? fail(e) : ok()))),
      close: () => new Promise<void>((ok, fail) => s.end((e?: Error | null) => (e ? fail(e) : ok()))),
      abort: (reason: any) => void s.destroy(reason instanceof Error ? reason : undefined),
    } as any);
  }
  static fromWeb(web: any, o?: any): Writable {
    if (!(web instanceof WritableStream)) throw argType("writableStream", "an instance of WritableStream", web);
    const w = web.getWriter();
    return new Writable({
      ...o,
      write(chunk: any, _: any, done: Done) { w.write(chunk).then(() => done(), done); },
      final(done: Done) { w.close().then(() => done(), done); },
    });
  }
}

export class Duplex extends Readable {
  constructor(o: any = {}) {
    super(o);
    startWritable(this, o, true);
    this.allowHalfOpen = o?.allowHalfOpen !== false;
    if (o?.readable === false) this.push(null);
    if (o?.writable === false) this._writableState.writable = false;
  }
  static from(source: any, o?: any): any {
    refuseBody(source);
    return super.from(source, o);
  }
}
for (const key of Reflect.ownKeys(Writable.prototype)) {
  if (!(key in Duplex.prototype) && key !== "constructor") Object.defineProperty(Duplex.prototype, key, Object.getOwnPropertyDescriptor(Writable.prototype, key)!);
}

export class Transform extends Duplex {
  constructor(o: any = {}) {
    super(o);
    this._waiting = undefined;
    if (typeof o?.transform === "function") this._transform = o.transform;
    if (typeof o?.flush === "function") this._flush = o.flush;
  }
  _transform(_chunk: any, _encoding: any, done: (e?: Error | null, data?: any) => void): void {
    done(nodeError(Error, "ERR_METHOD_NOT_IMPLEMENTED", "The _transform() method is not implemented"));
  }
  _write(chunk: any, encoding: any, done: Done): void {
    this._transform(chunk, encoding, (e?: Error | null, data?: any) => {
      if (e) return done(e);
      const room = data === undefined || data === null ? true : this.push(data);
      const s = this._readableState;
      if (room || s.length < s.highWaterMark || s.ended) done();
      else this._waiting = done;
    });
  }
  _final(done: Done): void {
    const end = (e?: Error | null, data?: any) => {
      if (e) return done(e);
      if (data !== undefined && data !== null) this.push(data);
      this.push(null);
      done();
    };
    if (typeof this._flush === "function") this._flush(end);
    else end();
  }
  _read(): void {
    this._readableState.reading = false;
    const done = this._waiting;
    this._waiting = undefined;
    done?.();
  }
}

export class PassThrough extends Transform {
  _transform(chunk: any, _encoding: any, done: (e?: Error | null, data?: any) => void): void { done(null, chunk); }
}

const isNode = (s: any): boolean => !!s && (s._readableState || s._writableState || (typeof s.on === "function" && (typeof s.write === "function" || typeof s.pipe === "function")));

/** Refuses what no stream can be made of. */
function refuseBody(x: any): void {
  if (typeof x === "string" || typeof x === "function" || isNode(x)) return;
  if (typeof x === "object" && x !== null && (Symbol.iterator in x || Symbol.asyncIterator in x || x instanceof WritableStream || x instanceof Blob || "then" in x || "readable" in x || "writable" in x)) return;
  throw argType("body", "of type function or an instance of Blob, ReadableStream, WritableStream, Stream, Iterable, AsyncIterable, or Promise or { readable, writable } pair", x);
}

/** Calls back once when the stream is over; gives a function that stops waiting. */
export function finished(s: any, o: any, done?: Done): () => void {
  if (arguments.length === 2) [o, done] = [{}, o];
  else if (o === undefined || o === null) o = {};
  else objectArg("options", o);
  callable("callback", done);
  if (s === null || typeof s !== "object" || typeof s.on !== "function") throw argType("stream", "an instance of ReadableStream, WritableStream, or Stream", s);
  const r = s._readableState, w = s._writableState;
  const waitRead = o.readable !== false && (r || (!w && s.readable));
  const waitWrite = o.writable !== false && (w || (!r && s.writable));
  let read = !waitRead || !!r?.endEmitted, written = !waitWrite || !!w?.finished, told = false;
  const tell = (e?: Error | null) => {
    if (told) return;
    told = true;
    stop();
    done!.call(s, e ?? undefined);
  };
  const check = () => read && written && tell();
  const end = () => { read = true; check(); };
  const finish = () => { written = true; check(); };
  const close = () => {
    const e = r?.errored ?? w?.errored;
    if (e) tell(e);
    else if (read && written) tell();
    else tell(nodeError(Error, "ERR_STREAM_PREMATURE_CLOSE", "Premature close"));
  };
  const error = (e: Error) => tell(e);
  const events: [string, any][] = [["end", end], ["finish", finish], ["close", close], ...(o.error === false ? [] : [["error", error] as [string, any]])];
  const stop = () => { for (const [name, f] of events) s.removeListener(name, f); };
  for (const [name, f] of events) s.on(name, f);
  if (read && written || r?.closed || w?.closed) queueMicrotask(close);
  return stop;
}

/** Connects streams, iterables and generator functions, and destroys all when one fails. */
export function pipeline(...args: any[]): any {
  const done: any = args.pop();
  callable("streams[stream.length - 1]", done);
  const list: any[] = args.length === 1 && Array.isArray(args[0]) ? [...args[0]] : args;
  if (list.length < 2) {
    throw nodeError(TypeError, "ERR_MISSING_ARGS", "The \"streams\" argument must be specified");
  }
  let told = false, value: any, failed: Error | undefined;
  const streams: any[] = [];
  const tell = (e?: Error | null) => {
    if (e && !failed) {
      failed = e;
      for (const s of streams) if (!s.destroyed) s.destroy(e);
    }
  };
  let last: any, tail: Promise<any> | undefined;
  for (let i = 0; i < list.length; i++) {
    const x = list[i];
    if (typeof x === "function") {
      const out = x(last);
      if (i === list.length - 1 && typeof out?.then === "function") {
        tail = out.then((v: any) => void (value = v));
        continue;
      }
      if (!isNode(out) && typeof out?.[Symbol.asyncIterator] !== "function" && (i > 0 || typeof out?.[Symbol.iterator] !== "function")) {
        const [want, which] = i === 0 ? ["Iterable, AsyncIterable or Stream", "source"] : i < list.length - 1 ? ["AsyncIterable", `transform[${i - 1}]`] : ["AsyncIterable or Promise", "destination"];
        throw nodeError(TypeError, "ERR_INVALID_RETURN_VALUE", `Expected ${want} to be returned from the "${which}" function but got ${out === undefined || out === null ? out : typeof out === "object" ? `an instance of ${out.constructor?.name}` : `type ${typeof out} (${inspect(out)})`}.`);
      }
      last = Readable.from(out);
      streams.push(last);
      continue;
    }
    refuseBody(x);
    if (!isNode(x)) {
      last = Readable.from(x);
      streams.push(last);
      continue;
    }
    if (last) last.pipe(x);
    last = x;
    streams.push(x);
  }
  let left = streams.length + (tail ? 1 : 0);
  const one = (e?: Error | null) => {
    tell(e);
    if (--left === 0 && !told) {
      told = true;
      done?.(failed, value);
    }
  };
  streams.forEach((s, i) => {
    s.on("error", () => {}); // told once, by the callback
    finished(s, { readable: i < streams.length - 1 || !!tail, writable: i > 0 }, one);
  });
  tail?.then(() => one(), one);
  return last;
}

export function addAbortSignal(signal: AbortSignal, s: any): any {
  if (!isAbortSignal(signal)) throw argType("signal", "an instance of AbortSignal", signal);
  if (s instanceof ReadableStream || s instanceof WritableStream) throw nodeError(TypeError, "ERR_WEB_STREAM_INTEROP_UNSUPPORTED", "addAbortSignal() is not supported for web streams by the streams implementation in use");
  if (!isNode(s)) throw argType("stream", "an instance of ReadableStream, WritableStream, or Stream", s);
  const stop = () => s.destroy(Object.assign(new Error("The operation was aborted"), { name: "AbortError", code: "ABORT_ERR", cause: signal.reason }));
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return s;
}
export function isDisturbed(s: any): boolean { return !!(s?._readableState?.didRead || s?._readableState?.destroyed); }
export function isErrored(s: any): boolean { return !!(s?._readableState?.errored || s?._writableState?.errored); }
export function isReadable(s: any): boolean | null { return s?._readableState ? s.readable : null; }
export function isWritable(s: any): boolean | null { return s?._writableState ? s.writable : null; }
export function isDestroyed(s: any): boolean { return !!s?.destroyed; }
export function destroy(s: any, error?: Error): void { s.destroy(error); }
export function _isUint8Array(v: unknown): boolean { return v instanceof Uint8Array; }
export function _isArrayBufferView(v: unknown): boolean { return ArrayBuffer.isView(v); }
export function _uint8ArrayToBuffer(v: Uint8Array): Buffer { return Buffer.from(v.buffer as ArrayBuffer, v.byteOffset, v.byteLength); }

export const promises = {
  pipeline: (...args: any[]) => {
    const o = args[args.length - 1];
    const options = typeof o === "object" && o !== null && !isNode(o) && !o[Symbol.asyncIterator] && !o[Symbol.iterator] ? args.pop() : undefined;
    return new Promise((ok, fail) => {
      if (options?.signal !== undefined && !isAbortSignal(options.signal)) throw argType("options.signal", "an instance of AbortSignal", options.signal);
      const last = pipeline(...args, (e: Error | undefined, v: unknown) => (e ? fail(e) : ok(v)));
      if (options?.signal) addAbortSignal(options.signal, last);
    });
  },
  finished: (s: any, o?: any) => new Promise<void>((ok, fail) => void finished(s, o ?? {}, (e) => (e ? fail(e) : ok()))),
};

// As with require("stream"): the base class that holds the others.
Object.assign(Stream, {
  Stream, Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished, promises, addAbortSignal, isDisturbed, isErrored, isReadable, isWritable,
  isDestroyed, destroy, getDefaultHighWaterMark, setDefaultHighWaterMark, _isUint8Array, _isArrayBufferView, _uint8ArrayToBuffer,
});
export default Stream;
