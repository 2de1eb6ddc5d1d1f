// Streams. Specification: Streams. The classes are web-streams-polyfill's; this
// file adds what Workers have besides (IdentityTransformStream,
// FixedLengthStream, text streams) and the readers the platform itself uses.

import {
  ByteLengthQueuingStrategy as PolyByteLength, CountQueuingStrategy, ReadableByteStreamController, ReadableStream, ReadableStreamBYOBReader, ReadableStreamBYOBRequest,
  ReadableStreamDefaultController, ReadableStreamDefaultReader, TransformStream, TransformStreamDefaultController,
  WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter,
} from "web-streams-polyfill";
import { NativePromise, NativeRangeError, NativeTypeError, NativeUint8Array, PromiseThen, ReflectConstruct, TypedArrayLength, bytesOf, enumerable, expose, tag, uncurryThis } from "./primordials";
import { TextDecoder, encodeUTF8 } from "./encoding";

// Workers take a strategy without a highWaterMark.
export class ByteLengthQueuingStrategy extends PolyByteLength {
  constructor(init: { highWaterMark?: number }) {
    super({ highWaterMark: (init?.highWaterMark as any) ?? 0 });
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

/** Reads a stream to its end, giving each chunk as bytes. */
export async function eachChunk(s: ReadableStream, f: (b: Uint8Array) => unknown, chunk = bodyBytes): Promise<void> {
  const r = getReader(s);
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
        const e = new NativeTypeError("Attempt to write too many bytes through a FixedLengthStream.");
        out.error(e);
        throw e;
      }
      if (n === 0) return;
      return new NativePromise<void>((done, fail) => {
        waiting = { b, done, fail };
        ring();
      });
    },
    close() {
      if (want >= 0 && seen < want) {
        const e = new NativeTypeError("FixedLengthStream did not see all expected bytes before close().");
        out.error(e);
        throw e;
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
    super();
    // The polyfill keeps its two ends in these fields; the pipe replaces them.
    const { readable, writable } = bytePipe(length);
    for (const [k, value] of [["_readable", readable], ["_writable", writable]] as const) Object.defineProperty(this, k, { value, configurable: true });
  }
}

class FixedLengthStream extends IdentityTransformStream {
  constructor(length: number | bigint) {
    const want = Number(length);
    if (!(want >= 0)) throw new NativeTypeError("FixedLengthStream requires an expected length of zero or more bytes.");
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

for (const [name, C] of Object.entries({ IdentityTransformStream, FixedLengthStream, TextEncoderStream, TextDecoderStream, ByteLengthQueuingStrategy })) {
  enumerable(C as any);
  tag(C as any, name);
}
// Workers reject a bad highWaterMark with a TypeError.
for (const C of [ReadableStream, WritableStream, TransformStream] as any[]) {
  const Exposed: any = { [C.name]: function (this: unknown, ...args: any[]) {
    if (new.target === undefined) throw new NativeTypeError(`Class constructor ${C.name} cannot be invoked without 'new'`);
    try {
      return ReflectConstruct(C, args, new.target);
    } catch (e) {
      const mark = args[1]?.highWaterMark;
      if (typeof mark === "number" && !(mark >= 0) && e instanceof NativeRangeError) throw new NativeTypeError((e as Error).message);
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
