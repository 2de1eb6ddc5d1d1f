// Streams. Specification: Streams. The classes are web-streams-polyfill's; this
// file adds what Workers have besides (IdentityTransformStream,
// FixedLengthStream, text streams) and the readers the platform itself uses.

import { refuseAtStart } from "./run";
import {
  ByteLengthQueuingStrategy as PolyByteLength, CountQueuingStrategy as PolyCount, ReadableByteStreamController, ReadableStream, ReadableStreamBYOBReader, ReadableStreamBYOBRequest,
  ReadableStreamDefaultController, ReadableStreamDefaultReader, TransformStream, TransformStreamDefaultController,
  WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter,
} from "web-streams-polyfill";
import { NativePromise, NativeRangeError, NativeTypeError, NativeUint8Array, PromiseReject, PromiseResolve, PromiseThen, ReflectApply, ReflectConstruct, ReflectOwnKeys, SafeWeakMap, RegExpExec, SafeWeakSet, TypedArrayLength, bytesOf, enumerable, expose, tag, uncurryThis, wrongType } from "./primordials";
import { TextDecoder, encodeUTF8 } from "./encoding";

// Workers take a strategy without a highWaterMark.
export class CountQueuingStrategy extends PolyCount {
  constructor(init: { highWaterMark?: number }) {
    super(init === undefined ? init : { highWaterMark: (init?.highWaterMark as any) ?? 0 });
  }
}
export class ByteLengthQueuingStrategy extends PolyByteLength {
  constructor(init: { highWaterMark?: number }) {
    super(init === undefined ? init : { highWaterMark: (init?.highWaterMark as any) ?? 0 });
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
function bytePipe(want = -1): { readable: ReadableStream; writable: WritableStream } {
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
  } as any);
  return { readable, writable };
}

class IdentityTransformStream extends TransformStream {
  constructor(_strategy?: unknown, length = -1) {
    refuseAtStart("a stream of bytes");
    super();
    // The polyfill keeps its two ends in these fields; the pipe replaces them.
    const { readable, writable } = bytePipe(length);
    for (const [k, value] of [["_readable", readable], ["_writable", writable]] as const) Object.defineProperty(this, k, { value, configurable: true });
  }
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
    const d = new TextDecoder(label, options);
    super({
      transform(chunk: any, c: any) {
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
      c._now = start === undefined; // the bundler has the polyfill look at this: without a start, pull begins inside the constructor
      if (start === undefined) return;
      if (typeof start !== "function") throw new NativeTypeError("The start member of a stream's source is not a function.");
      try {
        return ReflectApply(start, source, [c]);
      } catch (e) {
        c.error(e);
      }
    },
  };
  if (start !== undefined && typeof start !== "function") out.start = start;
  if (type !== undefined) out.type = type;
  if (autoAllocateChunkSize !== undefined || type === "bytes") out.autoAllocateChunkSize = autoAllocateChunkSize ?? 4096;
  if (pull !== undefined) out.pull = typeof pull === "function" ? (c: any) => ReflectApply(pull, source, [c]) : pull;
  if (cancel !== undefined) out.cancel = typeof cancel === "function" ? (reason: any) => (controller?._closeRequested ? undefined : ReflectApply(cancel, source, [reason])) : cancel;
  return out;
}

// A chunk that waits in the queue is read without asking the source for another.
{
  const proto: any = ReadableStreamDefaultController.prototype;
  const steps = ReflectOwnKeys(proto).find((k) => typeof k === "symbol" && k.description === "[[PullSteps]]") as symbol, pull = uncurryThis(proto[steps] as any) as any;
  proto[steps] = function (this: any, request: unknown) {
    if (this._queue.length === 0 || !this._started) return pull(this, request);
    this._started = false;
    try {
      pull(this, request);
    } finally {
      this._started = true;
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
    const over = this._ownerReadableStream?._state === "closed";
    old(this);
    if (over) this._closedPromise = PromiseResolve();
  });
}
around(WritableStreamDefaultWriter, "releaseLock", (old) => function () {
  const over = this._ownerWritableStream?._state === "closed";
  old(this);
  if (over) this._closedPromise = PromiseResolve();
});
// Closing a stream that failed fails with its reason.
const broken = (s: any) => s !== undefined && (s._state === "errored" || s._state === "erroring");
around(WritableStream, "close", (old) => function () { return !this._writer && broken(this) ? PromiseReject(this._storedError) : old(this); });
around(WritableStreamDefaultWriter, "close", (old) => function () { return broken(this._ownerWritableStream) ? PromiseReject(this._ownerWritableStream._storedError) : old(this); });
around(ReadableStreamBYOBReader, "read", (old) => function (view: any, options: any) {
  return PromiseThen(old(this, view, options), undefined, (e: unknown) => { throw e instanceof NativeRangeError ? new NativeTypeError((e as Error).message) : e; });
});
Object.defineProperty(ReadableStreamBYOBReader.prototype, "readAtLeast", {
  value: function readAtLeast(this: any, min: number, view: any) { return this.read(view, { min }); }, writable: true, enumerable: true, configurable: true,
});
around(ReadableStream, "pipeTo", (old) => function (to: any, options: any) {
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
const branches = new SafeWeakSet<object>();
around(ReadableStream, "tee", (old) => function () {
  if (isReadableStream(this) && isLocked(this)) throw new NativeTypeError("This ReadableStream is currently locked to a reader,");
  const [a, b] = old(this);
  this._disturbed = true; // nobody else can read it, as Workers' bodyUsed says at once
  branches.add(a);
  branches.add(b);
  return [a, b];
});
const dontWait = (p: Promise<unknown>): Promise<void> => {
  PromiseThen(p, undefined, () => { });
  return PromiseResolve();
};
around(ReadableStream, "cancel", (old) => function (reason: unknown) {
  const p = old(this, reason);
  return branches.has(this) && this._state === "closed" ? dontWait(p) : p;
});
around(ReadableStreamDefaultReader, "cancel", (old) => function (reason: unknown) {
  const s = this._ownerReadableStream, p = old(this, reason);
  return s !== undefined && branches.has(s) && s._state === "closed" ? dontWait(p) : p;
});

// Iteration: a reader whose results have done first, as Workers make them.
const iterators = new SafeWeakMap<object, { reader: any; keep: boolean; over: boolean; last: Promise<unknown> | null }>();
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
    return step(this, (s) => (s.over ? { done: true, value: undefined } : PromiseThen(readerRead(s.reader), (r: any) => {
      if (r.done) release(s);
      return { done: r.done, value: r.value };
    }, (e: unknown) => {
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
    const it = Object.create(iteratorProto);
    iterators.set(it, { reader: getReader(this), keep: !!options?.preventCancel, over: false, last: null });
    return it;
  };
  Object.defineProperty(ReadableStream.prototype, "values", { value: values, writable: true, enumerable: true, configurable: true });
  Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, { value: values, writable: true, configurable: true });
}

const sourceOf = (C: unknown): string => C === ReadableStream ? "UnderlyingSource" : C === WritableStream ? "UnderlyingSink" : "Transformer";

// Workers reject a bad strategy or type with a TypeError.
for (const C of [ReadableStream, WritableStream, TransformStream] as any[]) {
  const Exposed: any = { [C.name]: function (this: unknown, ...args: any[]) {
    if (new.target === undefined) throw new NativeTypeError(`Failed to construct '${C.name}': Please use the 'new' operator, this object constructor cannot be called as a function.`);
    if (args[0] !== undefined && args[0] !== null && typeof args[0] !== "object" && typeof args[0] !== "function") throw wrongType(C.name + " constructor", 1, sourceOf(C));
    try {
      if (C === ReadableStream) args[0] = manners(args[0]);
      let waits = false;
      if (C === WritableStream) {
        const sink = args[0];
        if (sink === null) args[0] = undefined;
        else if (typeof sink === "object" && sink.type !== undefined) args[0] = { start: sink.start?.bind(sink), write: sink.write?.bind(sink), close: sink.close?.bind(sink), abort: sink.abort?.bind(sink) };
        if (typeof args[0]?.start === "function") {
          waits = true;
          // What start throws errors the stream.
          const given = args[0], start = given.start;
          args[0] = Object.create(given, { start: { value: (c: any) => {
            try {
              return ReflectApply(start, given, [c]);
            } catch (e) {
              c.error(e);
            }
          } } });
          for (const k of ["write", "close", "abort"]) {
            const f = given[k];
            if (typeof f === "function") Object.defineProperty(args[0], k, { value: f.bind(given) });
          }
        }
      }
      const made: any = ReflectConstruct(C, args, new.target);
      // Without a start to wait for, the first write begins at once.
      if (C === WritableStream && !waits) made._writableStreamController._started = true;
      return made;
    } catch (e) {
      const field = RegExpExec(/^(First|Second|Third) parameter has member '(\w+)' that is not a function\.$/, (e as Error)?.message);
      if (field !== null) throw new NativeTypeError(`Incorrect type for the '${field[2]}' field on '${field[1] !== "First" ? "StreamQueuingStrategy" : sourceOf(C)}': the provided value is not of type 'function'.`);
      if ((e as Error)?.message === "Invalid highWaterMark") throw new NativeTypeError(+args[1]?.highWaterMark < 0 || +args[2]?.highWaterMark < 0 ? "The value cannot be converted because it is negative and this API expects a positive bigint." : "The value cannot be converted because it is not an integer.");
      if (e instanceof NativeRangeError && (C === TransformStream || (typeof args[1]?.highWaterMark === "number" && !(args[1].highWaterMark >= 0)))) throw new NativeTypeError((e as Error).message);
      throw e;
    }
  } }[C.name];
  Object.defineProperty(Exposed, "prototype", { value: C.prototype, writable: false });
  Object.defineProperty(C.prototype, "constructor", { value: Exposed, writable: true, configurable: true });
  if (C.from) Object.defineProperty(Exposed, "from", Object.getOwnPropertyDescriptor(C, "from")!);
  expose(C.name, Exposed);
}
for (const [name, C] of Object.entries({
  ReadableStreamDefaultReader, ReadableStreamBYOBReader, ReadableStreamBYOBRequest, ReadableStreamDefaultController, ReadableByteStreamController,
  WritableStreamDefaultWriter, WritableStreamDefaultController, TransformStreamDefaultController,
  ByteLengthQueuingStrategy, CountQueuingStrategy, IdentityTransformStream, FixedLengthStream, TextEncoderStream, TextDecoderStream,
})) expose(name, C);
export { FixedLengthStream, IdentityTransformStream };
