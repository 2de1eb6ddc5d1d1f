// Streams. Specification: Streams. The classes are web-streams-polyfill's; this
// file adds what Workers have besides (IdentityTransformStream,
// FixedLengthStream, text streams) and the readers the platform itself uses.

import { refuseAtStart } from "./run";
import * as poly from "web-streams-polyfill";
import {
  ReadableByteStreamController, ReadableStream, ReadableStreamBYOBReader, ReadableStreamBYOBRequest,
  ReadableStreamDefaultController, ReadableStreamDefaultReader, TransformStream, TransformStreamDefaultController,
  WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter,
} from "web-streams-polyfill";
import { NativePromise, NativeRangeError, NativeTypeError, NativeUint8Array, PromiseReject, PromiseResolve, PromiseThen, ReflectApply, ReflectConstruct, ReflectOwnKeys, NativeNumber, MathTrunc, TypedArrayTag, ArrayBufferIsView, viewLength, isPromise, SafeWeakMap, RegExpExec, SafeWeakSet, TypedArrayLength, bytesOf, enumerable, expose, lengthless, ownState, tag, uncurryThis, wrongType } from "./primordials";
import { TextDecoder, encodeUTF8 } from "./encoding";

// Where the polyfill keeps the state of its objects; see words.go.
export const { associatedReadableByteStreamController: $associatedController, pendingPullIntos: $pendingPullIntos, readableStreamController: $readableStreamController, now: $now, controlledReadableStream: $controlledReadableStream, closeRequested: $closeRequested, closedPromise: $closedPromise, disturbed: $disturbed, ownerReadableStream: $ownerReadableStream, ownerWritableStream: $ownerWritableStream, queue: $queue, readable: $readable, started: $started, state: $state, storedError: $storedError, writable: $writable, writableStreamController: $writableStreamController, writer: $writer } = (poly as any).fields as Record<string, symbol> as any;

for (const k of Object.values((poly as any).fields) as symbol[]) ownState.add(k);

const countOf = (): number => 1, lengthOf = (chunk?: any): number => chunk?.byteLength;
// The functions that size gives: nobody's size needs to be looked at again.
const sizes = new SafeWeakSet<object>();
const sized = <F extends object>(f: F): F => (sizes.add(f), f);

function highWaterMark(init: any, what: string): number {
  if (init === undefined || (init !== null && typeof init !== "object" && typeof init !== "function")) throw wrongType(what + " constructor", 1, "QueuingStrategyInit");
  if (init === null) throw new NativeTypeError("Cannot initialize QueuingStrategyInit with required members from an undefined or null value.");
  return NativeNumber(init.highWaterMark);
}
export class CountQueuingStrategy {
  #mark: number;
  constructor(init: { highWaterMark?: number }) { this.#mark = highWaterMark(init, "CountQueuingStrategy"); }
  get highWaterMark() { return this.#mark; }
  get size() {
    this.#mark;
    return sized(() => countOf());
  }
}
export class ByteLengthQueuingStrategy {
  #mark: number;
  constructor(init: { highWaterMark?: number }) { this.#mark = highWaterMark(init, "ByteLengthQueuingStrategy"); }
  get highWaterMark() { return this.#mark; }
  get size() {
    this.#mark;
    return sized(function () { return lengthOf(arguments[0]); });
  }
}

const getReader = uncurryThis(ReadableStream.prototype.getReader as any) as (s: ReadableStream) => ReadableStreamDefaultReader;
const readerRead = uncurryThis(ReadableStreamDefaultReader.prototype.read as any) as (r: any) => Promise<{ done: boolean; value?: any }>;
const readerRelease = uncurryThis(ReadableStreamDefaultReader.prototype.releaseLock as any) as (r: any) => void;
const readerCancel = uncurryThis(ReadableStreamDefaultReader.prototype.cancel as any) as (r: any, reason?: unknown) => Promise<void>;
const lockedGet = uncurryThis(Object.getOwnPropertyDescriptor(ReadableStream.prototype, "locked")!.get as any) as (s: any) => boolean;
const streamCancel = uncurryThis(ReadableStream.prototype.cancel as any) as (s: any, reason?: unknown) => Promise<void>;
const streamTee = uncurryThis(ReadableStream.prototype.tee as any) as (s: any) => [ReadableStream, ReadableStream];

export const isReadableStream = (o: unknown): o is ReadableStream => {
  if (typeof o !== "object" || o === null) return false;
  try {
    lockedGet(o);
    return true;
  } catch {
    return false;
  }
};
export const isLocked = lockedGet;
export const cancelStream = streamCancel;
export const teeStream = streamTee;
export { ReadableStream, WritableStream, TransformStream, getReader, readerCancel, readerRead, readerRelease };

/** A chunk of a body stream as bytes; bodies take bytes and, as Workers do, strings. */
export function chunkBytes(v: unknown): Uint8Array {
  const b = bytesOf(v);
  if (b !== undefined) return b;
  if (typeof v === "string") return encodeUTF8(v);
  throw new NativeTypeError("This TransformStream is being used as a byte stream, but received an object of non-ArrayBuffer/ArrayBufferView type on its writable side.");
}

/** Reads a stream to its end, giving each chunk as bytes. began gets its reader. */
export async function eachChunk(s: ReadableStream, f: (b: Uint8Array) => unknown, chunk = bodyBytes, began?: (r: ReadableStreamDefaultReader) => void): Promise<void> {
  const r = getReader(s);
  if (began !== undefined) began(r);
  for (;;) {
    const { done, value } = await readerRead(r);
    if (done) return;
    let b: Uint8Array;
    try {
      b = chunk(value);
    } catch (e) {
      PromiseThen(readerCancel(r, e), undefined, () => { });
      throw e;
    }
    const w = f(b);
    if (w !== undefined) await w;
  }
}

/** A chunk of a body that is read here: bytes only. */
export function strictBytes(v: unknown): Uint8Array {
  const b = bytesOf(v);
  if (b === undefined) throw new NativeTypeError("This ReadableStream did not return bytes.");
  return b;
}

/** A chunk of a body that is sent: bytes, or a string. */
export function bodyBytes(v: unknown): Uint8Array {
  const b = bytesOf(v);
  if (b === undefined && typeof v === "string") return encodeUTF8(v);
  if (b === undefined) throw new NativeTypeError("Received non-byte chunk in a stream used as a body: chunks must be an ArrayBuffer or a view on one.");
  return b;
}

/** A byte stream over one block of bytes. */
export function bytesStream(b: Uint8Array): ReadableStream {
  let sent = false;
  return new ReadableStream({
    type: "bytes",
    pull(c: any) {
      if (!sent && TypedArrayLength(b) > 0) {
        sent = true;
        c.enqueue(new NativeUint8Array(b));
      }
      c.close();
      c.byobRequest?.respond(0);
    },
  } as any);
}

/** Both ends of a byte pipe: a write is done once its bytes have been read. */
function bytePipe(want = -1, mark?: number): { readable: ReadableStream; writable: WritableStream } {
  let waiting: { b: Uint8Array; done: () => void; fail: (e: unknown) => void } | null = null;
  let wake: (() => void) | null = null, out: any, sink: any, ended = false, seen = 0;
  const ring = () => {
    const w = wake;
    wake = null;
    if (w !== null) w();
  };
  const readable = new ReadableStream({
    type: "bytes",
    start(c: any) { out = c; },
    pull() {
      return new NativePromise<void>((resolve) => {
        const give = () => {
          if (waiting !== null) {
            const w = waiting;
            waiting = null;
            out.enqueue(w.b);
            w.done();
          } else if (ended) {
            out.close();
            out.byobRequest?.respond(0);
          } else {
            wake = give;
            return;
          }
          resolve();
        };
        give();
      });
    },
    cancel(reason: unknown) {
      waiting?.fail(reason);
      waiting = null;
      sink.error(reason);
    },
  } as any, { highWaterMark: 0 });
  const writable = new WritableStream({
    start(c: any) { sink = c; },
    write(chunk: unknown) {
      const b = new NativeUint8Array(chunkBytes(chunk)), n = TypedArrayLength(b);
      seen += n;
      if (want >= 0 && seen > want) {
        out.error(new NativeTypeError("Attempt to write too many bytes through a FixedLengthStream."));
        return;
      }
      if (n === 0) return;
      return new NativePromise<void>((done, fail) => {
        waiting = { b, done, fail };
        ring();
      });
    },
    close() {
      if (want >= 0 && seen < want) {
        out.error(new NativeTypeError("FixedLengthStream did not see all expected bytes before close()."));
        return;
      }
      ended = true;
      ring();
    },
    abort(reason: unknown) {
      out.error(reason);
      ring();
    },
  } as any, mark === undefined ? { highWaterMark: 1, size: () => 0 } : { highWaterMark: mark, size: (chunk: any) => bytesOf(chunk)?.byteLength ?? 0 });
  return { readable, writable };
}

/** A number as Workers' native code takes it: an integer that is not negative. */
function whole(v: unknown): number {
  const n = MathTrunc(NativeNumber(v));
  if (n !== n || n - n !== 0) throw new NativeTypeError("The value cannot be converted because it is not an integer.");
  if (n < 0) throw new NativeTypeError("The value cannot be converted because it is negative and this API expects a positive bigint.");
  return n;
}

class IdentityTransformStream extends TransformStream {
  constructor(strategy?: any, length = -1) {
    refuseAtStart("a stream of bytes");
    super();
    // The polyfill keeps its two ends in these fields; the pipe replaces them.
    const { readable, writable } = bytePipe(length, strategy?.highWaterMark === undefined ? undefined : whole(strategy.highWaterMark));
    for (const [k, value] of [[$readable, readable], [$writable, writable]] as const) Object.defineProperty(this, k, { value, configurable: true });
  }
}

/**
 * Gives a TransformStream ends of bytes: what is written passes through put, and
 * end gives the last of it. Up to mark bytes wait for their reader, so that a
 * program can write and close before it begins to read.
 */
export function transformBytes(t: TransformStream, put: (chunk: unknown) => Uint8Array, end: () => Uint8Array, mark: number): void {
  let out: any, sink: any, wake: (() => void) | null = null;
  const ring = () => {
    const w = wake;
    wake = null;
    if (w !== null) w();
  };
  const give = (f: () => Uint8Array) => {
    try {
      const b = f();
      if (TypedArrayLength(b) > 0) out.enqueue(b);
    } catch (e) {
      out.error(e);
      throw e;
    }
  };
  const readable = new ReadableStream({
    type: "bytes",
    start(c: any) { out = c; },
    pull() { ring(); },
    cancel(reason: unknown) {
      sink.error(reason);
      ring();
    },
  } as any, { highWaterMark: mark });
  const writable = new WritableStream({
    start(c: any) { sink = c; },
    write(chunk: unknown) {
      give(() => put(chunk));
      if (out.desiredSize <= 0) return new NativePromise<void>((resolve) => { wake = resolve; });
    },
    close() {
      give(end);
      out.close();
      out.byobRequest?.respond(0);
    },
    abort(reason: unknown) {
      out.error(reason);
      ring();
    },
  } as any);
  for (const [k, value] of [[$readable, readable], [$writable, writable]] as const) Object.defineProperty(t, k, { value, configurable: true });
}

class FixedLengthStream extends IdentityTransformStream {
  constructor(length: number | bigint) {
    if (arguments.length === 0) throw wrongType("FixedLengthStream constructor", 1, "bigint");
    const want = Number(length);
    if (want < 0) throw new NativeTypeError("The value cannot be converted because it is negative and this API expects a positive bigint.");
    if (want !== want) throw new NativeTypeError("The value cannot be converted because it is not an integer.");
    super(undefined, want);
    fixedLength.set(this.readable, want);
  }
}
/** The length a FixedLengthStream promises, by its readable side. */
export const fixedLength = new WeakMap<object, number>();

class TextEncoderStream extends TransformStream {
  constructor() {
    let high = "";
    super({
      transform(chunk: unknown, c: any) {
        let s = high + `${chunk as string}`;
        high = "";
        const last = s.charCodeAt(s.length - 1);
        if (last >= 0xd800 && last <= 0xdbff) {
          high = s[s.length - 1];
          s = s.slice(0, -1);
        }
        if (s !== "") c.enqueue(encodeUTF8(s));
      },
      flush(c: any) {
        if (high !== "") c.enqueue(encodeUTF8(high));
      },
    });
  }
  get encoding() { return "utf-8"; }
}

class TextDecoderStream extends TransformStream {
  #d: TextDecoder;
  constructor(label = "utf-8", options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    if (options !== undefined && options !== null && typeof options !== "object" && typeof options !== "function") throw wrongType("TextDecoderStream constructor", 2, "TextDecoderStreamInit");
    const d = new TextDecoder(label, options);
    super({
      transform(chunk: any, c: any) {
        if (bytesOf(chunk) === undefined) throw new NativeTypeError("This TransformStream is being used as a byte stream, but received a value that is not a BufferSource.");
        const s = d.decode(chunk, { stream: true });
        if (s !== "") c.enqueue(s);
      },
      flush(c: any) {
        const s = d.decode();
        if (s !== "") c.enqueue(s);
      },
    });
    this.#d = d;
  }
  get encoding() { return this.#d.encoding; }
  get fatal() { return this.#d.fatal; }
  get ignoreBOM() { return this.#d.ignoreBOM; }
}

for (const [name, C] of Object.entries({ IdentityTransformStream, FixedLengthStream, TextEncoderStream, TextDecoderStream, ByteLengthQueuingStrategy, CountQueuingStrategy })) {
  enumerable(C as any);
  tag(C as any, name);
}

// Where Workers differ from the specification, and programs can tell.

/** A source with Workers' manners: what start throws errors the stream, a stream that is closing is not canceled, and byte sources are given buffers. */
function manners(source: any): any {
  if (source === null) return undefined;
  if (typeof source !== "object" && typeof source !== "function") return source;
  let controller: any;
  const { start, pull, cancel, type, autoAllocateChunkSize } = source;
  const out: any = {
    start(c: any) {
      controller = c;
      c[$now] = start === undefined; // the bundler has the polyfill look at this: without a start, pull begins inside the constructor
      if (start === undefined) return;
      if (typeof start !== "function") throw new NativeTypeError("The start member of a stream's source is not a function.");
      try {
        const made = ReflectApply(start, source, [c]);
        if (isPromise(made)) starting.add(c);
        return made;
      } catch (e) {
        c.error(e);
      }
    },
  };
  if (start !== undefined && typeof start !== "function") out.start = start;
  if (type !== undefined && type !== "") out.type = type;
  if (autoAllocateChunkSize !== undefined || type === "bytes") {
    out.autoAllocateChunkSize = autoAllocateChunkSize === undefined ? 4096 : MathTrunc(NativeNumber(autoAllocateChunkSize));
    if (!(out.autoAllocateChunkSize >= 1)) throw new NativeTypeError("The autoAllocateChunkSize option cannot be zero.");
  }
  if (pull !== undefined) out.pull = typeof pull === "function" ? (c: any) => ReflectApply(pull, source, [c]) : pull;
  if (cancel !== undefined) out.cancel = typeof cancel === "function" ? (reason: any) => (controller?.[$closeRequested] ? undefined : ReflectApply(cancel, source, [reason])) : cancel;
  return out;
}

// Controllers whose source has an asynchronous start. Who reads while it is under
// way and finds nothing has the source pulled all the same.
const starting = new SafeWeakSet<object>();
const asked = (c: any): void => {
  if (c !== undefined && !c[$started] && starting.has(c) && c[$queue].length === 0) c[$started] = true;
};
const stepsOf = (proto: object): symbol => ReflectOwnKeys(proto).find((k) => typeof k === "symbol" && k.description === "[[PullSteps]]") as symbol;
{
  const proto: any = ReadableByteStreamController.prototype, steps = stepsOf(proto), pull = uncurryThis(proto[steps] as any) as any;
  proto[steps] = function (this: any, request: unknown) {
    asked(this);
    pull(this, request);
  };
}

// A chunk that waits in the queue is read without asking the source for another.
{
  const proto: any = ReadableStreamDefaultController.prototype;
  const steps = stepsOf(proto), pull = uncurryThis(proto[steps] as any) as any;
  proto[steps] = function (this: any, request: unknown) {
    asked(this);
    if (this[$queue].length === 0 || !this[$started]) return pull(this, request);
    this[$started] = false;
    try {
      pull(this, request);
    } finally {
      this[$started] = true;
    }
  };
}

/** Replaces a method; f gets the old one. */
function around(C: any, name: string, f: (old: any) => (this: any, ...args: any[]) => any): void {
  const d = Object.getOwnPropertyDescriptor(C.prototype, name)!;
  const value = f(uncurryThis(d.value));
  Object.defineProperty(value, "name", { value: name, configurable: true });
  Object.defineProperty(value, "length", { value: d.value.length, configurable: true });
  Object.defineProperty(C.prototype, name, { ...d, value });
}
// closed of a stream that is over stays as it was after releaseLock.
for (const C of [ReadableStreamDefaultReader, ReadableStreamBYOBReader]) {
  around(C, "releaseLock", (old) => function () {
    const over = this[$ownerReadableStream]?.[$state] === "closed";
    old(this);
    if (over) this[$closedPromise] = PromiseResolve();
  });
}
around(WritableStreamDefaultWriter, "releaseLock", (old) => function () {
  const over = this[$ownerWritableStream]?.[$state] === "closed";
  old(this);
  if (over) this[$closedPromise] = PromiseResolve();
});
// Closing a stream that failed fails with its reason.
const broken = (s: any) => s !== undefined && (s[$state] === "errored" || s[$state] === "erroring");
around(WritableStream, "close", (old) => function () { return !this[$writer] && broken(this) ? PromiseReject(this[$storedError]) : old(this); });
around(WritableStreamDefaultWriter, "close", (old) => function () { return broken(this[$ownerWritableStream]) ? PromiseReject(this[$ownerWritableStream][$storedError]) : old(this); });
const views: Record<string, any> = {};
for (const C of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView]) views[C.name] = C;
around(ReadableStreamBYOBReader, "read", (old) => function (view: any, options: any) {
  let kind = "";
  if (ArrayBufferIsView(view)) {
    kind = TypedArrayTag(view) ?? "DataView";
    const size = viewLength(view), min = options?.min === undefined ? 1 : MathTrunc(NativeNumber(options.min)) || 0;
    if (min < 0 || (min > size && size > 0)) return PromiseReject(new NativeTypeError(`Minimum bytes to read (${BigInt.asUintN(64, BigInt(min))}) exceeds size of buffer (${size}).`));
    if (options?.min !== undefined) options = { min };
    asked(this[$ownerReadableStream]?.[$readableStreamController]);
  }
  // A read that a cancel ends gives back no buffer.
  return PromiseThen(old(this, view, options), (r: any) => (r.done && r.value === undefined ? { value: new (views[kind] === DataView ? NativeUint8Array : views[kind] ?? NativeUint8Array)(0), done: true } : r));
});
Object.defineProperty(ReadableStreamBYOBReader.prototype, "readAtLeast", {
  value: function readAtLeast(this: any, min: number, view: any) {
    if (arguments.length < 2) return PromiseReject(arguments.length === 0 ? wrongType("ReadableStreamBYOBReader.readAtLeast", 1, "integer") : wrongType("ReadableStreamBYOBReader.readAtLeast", 2, "ArrayBufferView"));
    return this.read(view, { min });
  }, writable: true, enumerable: true, configurable: true,
});
Object.defineProperty(ReadableStreamBYOBRequest.prototype, "atLeast", {
  get(this: any) {
    if (this.view === null) return null;
    const into = this[$associatedController]?.[$pendingPullIntos].peek();
    if (into === undefined) return null;
    const left = into.minimumFill - into.bytesFilled;
    return left > 1 ? left : 1;
  }, enumerable: true, configurable: true,
});
const dictionary = (v: unknown): boolean => v === undefined || v === null || typeof v === "object" || typeof v === "function";
around(ReadableStream, "getReader", (old) => function (options: any) {
  if (!dictionary(options)) throw wrongType("ReadableStream.getReader", 1, "GetReaderOptions");
  return old(this, options);
});
// A strategy's size that fails, or gives no number, errors the stream; enqueue itself says nothing.
around(ReadableStreamDefaultController, "enqueue", (old) => function (chunk: unknown) {
  try {
    old(this, chunk);
  } catch (e) {
    const s = this[$controlledReadableStream];
    if (s === undefined || s[$state] !== "errored" || s[$storedError] !== e) throw e;
  }
});
around(ReadableStream, "pipeTo", (old) => function (to: any, options: any) {
  if (to instanceof WritableStream && !dictionary(options)) return PromiseReject(wrongType("ReadableStream.pipeTo", 2, "PipeToOptions"));
  return to instanceof WritableStream ? old(this, to, options) : PromiseReject(new NativeTypeError("Failed to execute 'pipeTo' on 'ReadableStream': parameter 1 is not of type 'WritableStream'."));
});
around(ReadableStream, "pipeThrough", (old) => function (through: any, options: any) {
  if (arguments.length === 0 || (typeof through !== "object" && typeof through !== "function")) throw wrongType("ReadableStream.pipeThrough", 1, "Transform");
  if (!isReadableStream(through?.readable)) throw new NativeTypeError("Incorrect type for the 'readable' field on 'Transform': the provided value is not of type 'ReadableStream'.");
  if (!(through.writable instanceof WritableStream)) throw new NativeTypeError("Incorrect type for the 'writable' field on 'Transform': the provided value is not of type 'WritableStream'.");
  return old(this, through, options);
});
// A read is answered a turn of the microtask queue later.
around(ReadableStreamDefaultReader, "read", (old) => function () { return PromiseThen(old(this), (r: unknown) => r); });
// A branch of a tee is done with canceling at once; the source hears when both are.
const branches = new SafeWeakMap<object, { first: object | undefined }>();
around(ReadableStream, "tee", (old) => function () {
  if (isReadableStream(this) && isLocked(this)) throw new NativeTypeError("This ReadableStream is currently locked to a reader,");
  const [a, b] = old(this);
  this[$disturbed] = true; // nobody else can read it, as Workers' bodyUsed says at once
  const pair = { first: undefined };
  branches.set(a, pair);
  branches.set(b, pair);
  return [a, b];
});
/** What canceling a stream gives: the branch of a tee that is canceled first does not wait for the other. */
const canceling = (s: any, p: Promise<unknown>): Promise<unknown> => {
  const pair = s === undefined ? undefined : branches.get(s);
  if (pair === undefined || s[$state] !== "closed") return p;
  pair.first ??= s;
  if (pair.first !== s) return p;
  PromiseThen(p, undefined, () => { });
  return PromiseResolve();
};
around(ReadableStream, "cancel", (old) => function (reason: unknown) {
  const p = old(this, reason);
  return canceling(this, p);
});
around(ReadableStreamDefaultReader, "cancel", (old) => function (reason: unknown) {
  const s = this[$ownerReadableStream], p = old(this, reason);
  return canceling(s, p);
});

// Iteration: a reader whose results have done first, as Workers make them.
const iterators = new SafeWeakMap<object, { reader: any; keep: boolean; over: boolean; failed: { reason: unknown } | null; last: Promise<unknown> | null }>();
const iteratorProto = Object.create(Object.getPrototypeOf(Object.getPrototypeOf(async function* () { }).prototype));
function step(it: object, f: (s: any) => unknown): Promise<any> {
  const s = iterators.get(it);
  if (s === undefined) return PromiseReject(new NativeTypeError("Illegal invocation"));
  const run = () => f(s);
  const p: Promise<any> = s.last === null ? new NativePromise((resolve) => resolve(run())) : PromiseThen(s.last, run, run);
  s.last = p;
  const done = () => {
    if (s.last === p) s.last = null;
  };
  PromiseThen(p, done, done);
  return p;
}
const release = (s: any) => {
  s.over = true;
  readerRelease(s.reader);
};
for (const [name, value] of Object.entries({
  next(this: object) {
    return step(this, (s) => (s.failed !== null ? PromiseReject(s.failed.reason) : s.over ? { done: true, value: undefined } : PromiseThen(readerRead(s.reader), (r: any) => {
      if (r.done) release(s);
      return { done: r.done, value: r.value };
    }, (e: unknown) => {
      s.failed = { reason: e };
      release(s);
      throw e;
    })));
  },
  return(this: object, value: unknown) {
    return step(this, (s) => {
      if (s.over) return { done: true, value };
      const p = s.keep ? undefined : readerCancel(s.reader, value);
      release(s);
      return PromiseThen(PromiseResolve(p), () => ({ done: true, value }));
    });
  },
})) Object.defineProperty(iteratorProto, name, { value, writable: true, enumerable: true, configurable: true });
Object.defineProperty(iteratorProto, Symbol.toStringTag, { value: "ReadableStreamAsyncIterator", configurable: true });
{
  const values = function values(this: any, options?: { preventCancel?: boolean }) {
    if (!dictionary(options)) throw wrongType("ReadableStream.values", 1, "ValuesOptions");
    const it = Object.create(iteratorProto);
    iterators.set(it, { reader: getReader(this), keep: !!options?.preventCancel, over: false, failed: null, last: null });
    return it;
  };
  Object.defineProperty(ReadableStream.prototype, "values", { value: values, writable: true, enumerable: true, configurable: true });
  Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, { value: values, writable: true, configurable: true });
}

const sourceOf = (C: unknown): string => C === ReadableStream ? "UnderlyingSource" : C === WritableStream ? "UnderlyingSink" : "Transformer";

/** A strategy with numbers as Workers take them. bytes: of a byte stream, which counts bytes itself. */
function strategy(given: any, of: string, parameter: number, bytes: boolean): any {
  if (given === undefined || given === null) return undefined;
  if (!dictionary(given)) throw wrongType(of + " constructor", parameter, "StreamQueuingStrategy");
  const mark = given.highWaterMark, size = given.size, out: any = {};
  if (mark !== undefined) out.highWaterMark = whole(mark);
  if (size === undefined) return out;
  if (typeof size !== "function") throw new NativeTypeError("Incorrect type for the 'size' field on 'StreamQueuingStrategy': the provided value is not of type 'function'.");
  if (!bytes) out.size = sizes.has(size) ? size : (chunk: unknown) => whole(ReflectApply(size, undefined, [chunk]));
  return out;
}

/** A sink or transformer whose start, when it throws, errors the stream. */
function guarded(given: any, names: string[]): any {
  const start = given.start, out = Object.create(given, { start: { value: (c: any) => {
    try {
      return ReflectApply(start, given, [c]);
    } catch (e) {
      c.error(e);
    }
  } } });
  for (const k of names) {
    const f = given[k];
    if (typeof f === "function") Object.defineProperty(out, k, { value: f.bind(given) });
  }
  return out;
}

// Workers reject a bad strategy or type with a TypeError.
for (const C of [ReadableStream, WritableStream, TransformStream] as any[]) {
  const Exposed: any = { [C.name]: function (this: unknown, ...args: any[]) {
    if (new.target === undefined) throw new NativeTypeError(`Failed to construct '${C.name}': Please use the 'new' operator, this object constructor cannot be called as a function.`);
    if (!dictionary(args[0])) throw wrongType(C.name + " constructor", 1, sourceOf(C));
    args[1] = strategy(args[1], C.name, 2, C === ReadableStream && args[0]?.type === "bytes");
    if (C === TransformStream) args[2] = strategy(args[2], C.name, 3, false);
    try {
      if (C === ReadableStream) args[0] = manners(args[0]);
      else if (args[0] === null) args[0] = undefined;
      let waits = false;
      if (C === WritableStream) {
        const sink = args[0];
        if (sink?.type !== undefined) args[0] = { start: sink.start?.bind(sink), write: sink.write?.bind(sink), close: sink.close?.bind(sink), abort: sink.abort?.bind(sink) };
        if (typeof args[0]?.start === "function") {
          waits = true;
          args[0] = guarded(args[0], ["write", "close", "abort"]);
        }
      } else if (C === TransformStream && typeof args[0]?.start === "function") args[0] = guarded(args[0], ["transform", "flush", "cancel"]);
      const made: any = ReflectConstruct(C, args, new.target);
      // Without a start to wait for, the first write begins at once.
      if (C === WritableStream && !waits) made[$writableStreamController][$started] = true;
      return made;
    } catch (e) {
      const field = RegExpExec(/^First parameter has member '(\w+)' that is not a function\.$/, (e as Error)?.message);
      if (field !== null) throw new NativeTypeError(`Incorrect type for the '${field[1]}' field on '${sourceOf(C)}': the provided value is not of type 'function'.`);
      if (e instanceof NativeRangeError && RegExpExec(/^transformer\.(readable|writable)Type must/, e.message) !== null) throw new NativeTypeError(e.message);
      throw e;
    }
  } }[C.name];
  Object.defineProperty(Exposed, "prototype", { value: C.prototype, writable: false });
  Object.defineProperty(C.prototype, "constructor", { value: Exposed, writable: true, configurable: true });
  if (C === ReadableStream) {
    const from = C.from;
    Object.defineProperty(Exposed, "from", { value: { from(list: any) {
      if (list === undefined || list === null || typeof (list[Symbol.asyncIterator] ?? list[Symbol.iterator]) !== "function") throw wrongType("ReadableStream.from", 1, "AsyncGenerator");
      return ReflectApply(from, C, [list]);
    } }.from, writable: true, enumerable: true, configurable: true });
  }
  lengthless(Exposed);
  expose(C.name, Exposed);
}
for (const [name, C] of Object.entries({
  ReadableStreamDefaultReader, ReadableStreamBYOBReader, ReadableStreamBYOBRequest, ReadableStreamDefaultController, ReadableByteStreamController,
  WritableStreamDefaultWriter, WritableStreamDefaultController, TransformStreamDefaultController,
  ByteLengthQueuingStrategy, CountQueuingStrategy, IdentityTransformStream, FixedLengthStream, TextEncoderStream, TextDecoderStream,
})) expose(name, C);
for (const C of [
  ReadableStream, WritableStream, TransformStream, ReadableStreamDefaultReader, ReadableStreamBYOBReader, ReadableStreamBYOBRequest, ReadableStreamDefaultController, ReadableByteStreamController,
  WritableStreamDefaultWriter, WritableStreamDefaultController, TransformStreamDefaultController,
]) tag(C as any, (C.prototype as any)[Symbol.toStringTag]);
export { FixedLengthStream, IdentityTransformStream };
