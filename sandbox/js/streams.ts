// Streams. Specification: Streams. The classes are web-streams-polyfill's; this
// file adds what Workers have besides (IdentityTransformStream,
// FixedLengthStream, text streams) and the readers the platform itself uses.

import {
  ByteLengthQueuingStrategy as PolyByteLength, CountQueuingStrategy, ReadableByteStreamController, ReadableStream, ReadableStreamBYOBReader, ReadableStreamBYOBRequest,
  ReadableStreamDefaultController, ReadableStreamDefaultReader, TransformStream, TransformStreamDefaultController,
  WritableStream, WritableStreamDefaultController, WritableStreamDefaultWriter,
} from "web-streams-polyfill";
import { NativePromise, NativeTypeError, NativeUint8Array, PromiseThen, TypedArrayLength, bytesOf, enumerable, expose, tag, uncurryThis } from "./primordials";
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
export async function eachChunk(s: ReadableStream, f: (b: Uint8Array) => unknown): Promise<void> {
  const r = getReader(s);
  for (;;) {
    const { done, value } = await readerRead(r);
    if (done) return;
    let b: Uint8Array;
    try {
      b = bodyChunk(value);
    } catch (e) {
      PromiseThen(readerCancel(r, e), undefined, () => { });
      throw e;
    }
    const w = f(b);
    if (w !== undefined) await w;
  }
}

/** A chunk that a learner's stream gave as a body: bytes only. */
function bodyChunk(v: unknown): Uint8Array {
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

class IdentityTransformStream extends TransformStream {
  constructor(_strategy?: unknown) {
    super({
      transform(chunk: unknown, c: any) {
        const b = chunkBytes(chunk);
        if (TypedArrayLength(b) > 0) c.enqueue(new NativeUint8Array(b));
      },
    }, undefined, { highWaterMark: 0 });
  }
}

class FixedLengthStream extends IdentityTransformStream {
  constructor(length: number | bigint) {
    super();
    const want = Number(length);
    if (!(want >= 0)) throw new NativeTypeError("FixedLengthStream requires an expected length of zero or more bytes.");
    let seen = 0;
    const count = new TransformStream({
      transform(chunk: unknown, c: any) {
        const b = chunkBytes(chunk);
        seen += TypedArrayLength(b);
        if (seen > want) throw new NativeTypeError("Attempt to write too many bytes through a FixedLengthStream.");
        if (TypedArrayLength(b) > 0) c.enqueue(new NativeUint8Array(b));
      },
      flush() {
        if (seen < want) throw new NativeTypeError("FixedLengthStream did not see all expected bytes before close().");
      },
    }, undefined, { highWaterMark: 0 });
    Object.defineProperty(this, "readable", { value: count.readable, configurable: true });
    Object.defineProperty(this, "writable", { value: count.writable, configurable: true });
    fixedLength.set(count.readable, want);
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
for (const [name, C] of Object.entries({
  ReadableStream, ReadableStreamDefaultReader, ReadableStreamBYOBReader, ReadableStreamBYOBRequest, ReadableStreamDefaultController, ReadableByteStreamController,
  WritableStream, WritableStreamDefaultWriter, WritableStreamDefaultController, TransformStream, TransformStreamDefaultController,
  ByteLengthQueuingStrategy, CountQueuingStrategy, IdentityTransformStream, FixedLengthStream, TextEncoderStream, TextDecoderStream,
})) expose(name, C);
export { FixedLengthStream, IdentityTransformStream };
