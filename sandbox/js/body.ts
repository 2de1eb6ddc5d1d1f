// Body: what Request and Response share. Specification: Fetch, section 5.3.
// A body stays what it was given as (text, bytes, the host's stream) until somebody
// asks for .body; reading it whole then needs no stream at all.

import { call, op } from "./host";
import {
  ArrayPush, NativePromise, NativeString, NativeTypeError, NativeUint8Array, PromiseReject, PromiseResolve, PromiseThen, StringToWellFormed,
  TypedArrayLength, bytesOf, defaults, enumerable, expose, tag,
} from "./primordials";
import { Blob, blobBytes, concat, isBlob, typedBlob } from "./blob";
import { decodeUTF8, encodeUTF8 } from "./encoding";
import { FormData, encodeMultipart, isFormData, parseForm } from "./formdata";
import { Headers, headerGet, headersList } from "./headers";
import { $disturbed, ReadableStream, bytesStream, eachChunk, getReader, isLocked, isReadableStream, strictBytes, teeStream } from "./streams";
import { isParams, paramsList, serialize } from "./url";
import { hostAsync } from "./async";
import { here, stackOf } from "./errors";
import { parseJSON } from "./json";
import { mimeType } from "./mime";
import { holdsObjects } from "./durable";
import { current, refuseAtStart } from "./run";
import { isOpen } from "./workers";
import { AbortSignal, onAbort } from "./abort";

const READ = op("body.read"), READ_ALL = op("body.all"), CANCEL = op("body.cancel");

/** A body that the host holds; run is the one it belongs to. */
export class HostBody {
  declare signal: AbortSignal | null; // that ends it while it is read
  constructor(public id: number, public run: number, public length: number) { }
}
defaults(HostBody, { signal: null });

export type Source = null | string | Uint8Array | HostBody | ReadableStream;

export class BodyState {
  declare stream: ReadableStream | null;
  declare used: boolean;
  declare length: number; // bytes, -1 unless a stream's length is known
  declare type: string | null; // the Content-Type that what it was given implies
  declare run: number; // whose it is; 0 for none, a stream of the program's own, and where Durable Objects live, whose requests share what they make
  constructor(public source: Source) { }
}
defaults(BodyState, { stream: null, used: false, length: -1, type: null, run: 0 });

/** Marks a body with content as the current run's: no other may read it, and the top level has none. */
function owned(s: BodyState): BodyState {
  refuseAtStart("a Request or Response with a body");
  s.run = holdsObjects() ? 0 : current.run;
  return s;
}

/** Whether a body belongs to another run, which is over. */
export const isForeign = (s: BodyState): boolean => s.run !== 0 && s.run !== current.run && !isOpen(s.run);

function typed(source: Source, type: string): BodyState {
  const s = owned(new BodyState(source));
  s.type = type;
  return s;
}

/** Takes a BodyInit apart: what to send and the Content-Type it implies. */
export function extract(init: unknown): BodyState {
  if (init === null || init === undefined) return new BodyState(null);
  if (typeof init === "string") return typed(StringToWellFormed(init), "text/plain;charset=UTF-8");
  const b = bytesOf(init);
  if (b !== undefined) return owned(new BodyState(new NativeUint8Array(b)));
  if (isReadableStream(init)) {
    if (disturbed(init)) throw new NativeTypeError("This ReadableStream is disturbed (has already been read from), and cannot be used as a body.");
    if (isLocked(init)) throw new NativeTypeError("This ReadableStream is currently locked to a reader.");
    const s = new BodyState(init);
    s.stream = init;
    const own = owners.get(init);
    if (own !== undefined) s.length = own.length;
    return s;
  }
  if (isBlob(init)) return init.type === "" ? owned(new BodyState(blobBytes(init))) : typed(blobBytes(init), init.type);
  if (isFormData(init)) {
    const { bytes, boundary } = encodeMultipart(init);
    return typed(bytes, `multipart/form-data; boundary=${boundary}`);
  }
  if (isParams(init)) return typed(serialize(paramsList(init)), "application/x-www-form-urlencoded;charset=UTF-8");
  if (typeof init === "object" && !(init instanceof NativeString) && (typeof (init as any)[Symbol.asyncIterator] === "function" || typeof (init as any)[Symbol.iterator] === "function")) {
    const stream = (ReadableStream as any).from(init);
    const s = new BodyState(stream);
    s.stream = stream;
    return s;
  }
  return typed(StringToWellFormed(`${init as any}`), "text/plain;charset=UTF-8");
}

// The body state behind a stream that a body made.
const owners = new WeakMap<object, BodyState>();

/** The length of a stream that a body of known length made, as a bigint, for console. */
export function bodyLength(s: ReadableStream): bigint | undefined {
  const b = owners.get(s), src = b?.source;
  if (src === undefined || src === null) return undefined;
  if (typeof src === "string") return BigInt(TypedArrayLength(encodeUTF8(src)));
  if (src instanceof HostBody) return src.length >= 0 ? BigInt(src.length) : undefined;
  return bytesOf(src) === undefined ? undefined : BigInt(TypedArrayLength(src as Uint8Array));
}

/** Whether somebody has read from a stream or canceled it. */
export function disturbed(s: ReadableStream): boolean {
  return (s as any)[$disturbed] === true;
}

/** The stream of a body, made when first asked for. */
export function streamOf(s: BodyState): ReadableStream | null {
  if (s.stream !== null || s.source === null) return s.stream;
  const src = s.source;
  if (typeof src === "string") s.stream = bytesStream(encodeUTF8(src));
  else if (src instanceof HostBody) s.stream = hostStream(src);
  else s.stream = bytesStream(src as Uint8Array);
  owners.set(s.stream, s);
  if (s.used) {
    // The content is gone: the stream says so, and its reader is not given back.
    (s.stream as any)[$disturbed] = true;
    getReader(s.stream);
  }
  return s.stream;
}

function hostStream(h: HostBody): ReadableStream {
  const { signal } = h;
  let undo = () => { };
  return new ReadableStream({
    type: "bytes",
    start: signal === null ? undefined : (c: any) => {
      const abort = (reason: unknown) => {
        call(CANCEL, h.id);
        c.error(reason);
      };
      undo = onAbort(signal, abort);
    },
    async pull(c: any) {
      const b: ArrayBuffer | undefined = await hostAsync(READ, h.id);
      if (b === undefined) {
        undo(); // a signal may outlive many bodies
        c.close();
        c.byobRequest?.respond(0);
      } else c.enqueue(new NativeUint8Array(b));
    },
    cancel() {
      undo();
      call(CANCEL, h.id);
    },
  } as any, { highWaterMark: 0 });
}

/** Whether the body was read or its stream was. */
export function isUsed(s: BodyState): boolean {
  return s.used || (s.stream !== null && disturbed(s.stream));
}

/** Marks a body read; throws when it was read before or is locked. */
export function use(s: BodyState): void {
  if (isForeign(s)) throw foreign();
  if (isUsed(s)) throw new NativeTypeError("Body has already been used. It can only be used once. Use tee() first if you need to read it twice.");
  if (s.stream !== null && isLocked(s.stream)) throw new NativeTypeError("This ReadableStream is currently locked to a reader.");
  if (s.source !== null) s.used = true;
}

/** All bytes of a body, a string where it was given as one. */
export function consume(s: BodyState): Promise<string | Uint8Array> {
  use(s);
  const src = s.source;
  if (src === null) return PromiseResolve("");
  if (s.stream === null) {
    if (typeof src === "string") return PromiseResolve(src);
    if (src instanceof HostBody) {
      if (src.run !== current.run) return PromiseReject(foreign());
      const all = PromiseThen(hostAsync(READ_ALL, src.id), (b: ArrayBuffer) => new NativeUint8Array(b)), { signal } = src;
      if (signal === null) return all;
      return new NativePromise((resolve, reject) => {
        const abort = (reason: unknown) => {
          call(CANCEL, src.id);
          reject(reason);
        };
        const undo = onAbort(signal, abort), end = <T>(f: (v: T) => void) => (v: T) => {
          undo();
          f(v);
        };
        PromiseThen(all, end(resolve), end(reject));
      });
    }
    return PromiseResolve(src as Uint8Array);
  }
  return collect(s.stream);
}

async function collect(stream: ReadableStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await eachChunk(stream, (b) => {
    ArrayPush(parts, b);
  }, strictBytes);
  return parts.length === 0 ? new NativeUint8Array(0) : concat(parts);
}

export function foreign(): Error {
  return new Error("Cannot perform I/O on behalf of a different request. I/O objects (such as streams, request/response bodies, and others) created in the context of one request handler cannot be accessed from a different request's handler. This is a limitation of Cloudflare Workers which allows us to improve overall performance. (I/O type: ReadableStreamSource)");
}

/** Splits a body in two, for clone(). */
export function cloneBody(s: BodyState): BodyState {
  if (isForeign(s)) throw foreign();
  if (isUsed(s) || (s.stream !== null && isLocked(s.stream))) throw new NativeTypeError("This ReadableStream is currently locked to a reader,");
  if (s.stream === null && !(s.source instanceof HostBody)) {
    const t = new BodyState(s.source);
    t.run = s.run;
    return t;
  }
  const [a, b] = teeStream(streamOf(s)!);
  s.source = s.stream = a;
  const t = new BodyState(b);
  t.stream = b;
  t.length = s.length;
  return t;
}

const text = (v: string | Uint8Array): string => {
  if (typeof v !== "string") return decodeUTF8(v);
  return v.charCodeAt(0) === 0xfeff ? v.slice(1) : v;
};
const bytes = (v: string | Uint8Array): Uint8Array => (typeof v === "string" ? encodeUTF8(v) : v);
const then = <T>(s: BodyState, f: (v: string | Uint8Array) => T): Promise<T> => {
  let p: Promise<string | Uint8Array>;
  try {
    p = consume(s);
  } catch (e) {
    return PromiseReject(e);
  }
  return PromiseThen(p, f);
};

type Kind = { is: (o: any) => boolean; state: (o: any) => BodyState; headers: (o: any) => Headers };
const kinds: Kind[] = [];
function kindOf(o: unknown): Kind {
  for (let i = 0; i < kinds.length; i++) if (kinds[i].is(o)) return kinds[i];
  throw new NativeTypeError("Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.");
}
const state = (o: unknown): BodyState => kindOf(o).state(o);
const contentType = (o: unknown) => headerGet(headersList(kindOf(o).headers(o)), "content-type");

/** What Request and Response have in common. */
export class Body {
  constructor() { throw new NativeTypeError("Illegal constructor"); }
  get body(): ReadableStream | null { return streamOf(state(this)); }
  get bodyUsed(): boolean { return isUsed(state(this)); }
  arrayBuffer(): Promise<ArrayBuffer> {
    return then(state(this), (v) => {
      const b = bytes(v);
      return (b.byteOffset === 0 && b.buffer.byteLength === TypedArrayLength(b) ? b.buffer : new NativeUint8Array(b).buffer) as ArrayBuffer;
    });
  }
  bytes(): Promise<Uint8Array> { return then(state(this), (v) => new NativeUint8Array(bytes(v))); }
  text(): Promise<string> { return then(state(this), text); }
  json(): Promise<any> {
    const at = here(); // where it is asked for: the text comes later
    return then(state(this), (v) => {
      try {
        return parseJSON(text(v));
      } catch (e) {
        throw stackOf(e, at);
      }
    });
  }
  formData(): Promise<FormData> { return then(state(this), (v) => parseForm(bytes(v), () => text(v), contentType(this))); }
  blob(): Promise<Blob> { return then(state(this), (v) => typedBlob(new NativeUint8Array(bytes(v)), current.date !== "" && current.date < "2024-06-03" ? contentType(this) ?? "" : mimeType(contentType(this) ?? ""))); }
}
enumerable(Body);
tag(Body as any, "Body");
expose("Body", Body);

/** Makes a class one with a body. is tells its objects, state gives the body, headers its headers. */
export function hasBody(C: { prototype: any }, is: Kind["is"], state: Kind["state"], headers: Kind["headers"]): void {
  kinds.push({ is, state, headers });
  Object.setPrototypeOf(C.prototype, Body.prototype);
}
/** As hasBody, for a class that inherits from another: it gets members of its own. */
export function mixBody(C: { prototype: any }, is: Kind["is"], state: Kind["state"], headers: Kind["headers"]): void {
  kinds.push({ is, state, headers });
  const { constructor: _, [Symbol.toStringTag]: tagged, ...members } = Object.getOwnPropertyDescriptors(Body.prototype) as any;
  Object.defineProperties(C.prototype, members);
}

/** The host's own body behind one that nobody touched, which the host may then pass on by itself: it counts as read. null where there is none. */
export function passable(s: BodyState, run: number): HostBody | null {
  const from = s.stream === null ? s.source : owners.get(s.stream)?.source;
  if (!(from instanceof HostBody) || from.run !== run || from.signal !== null) return null;
  s.used = true;
  if (s.stream !== null) {
    (s.stream as any)[$disturbed] = true;
    getReader(s.stream);
  }
  return from;
}

/** All bytes of the stream of a body that the host holds and nobody touched, in one piece instead of many; null where it is no such stream. */
export function wholeOf(stream: ReadableStream): Promise<Uint8Array> | null {
  const s = owners.get(stream);
  if (s === undefined || isUsed(s) || isLocked(stream)) return null;
  const from = passable(s, current.run);
  return from === null ? null : PromiseThen(hostAsync(READ_ALL, from.id), (b: ArrayBuffer) => new NativeUint8Array(b));
}

/** Sends a body to the host in pieces. write gets each piece and may ask to wait; began gets the reader. */
export function pump(s: BodyState, write: (b: Uint8Array) => unknown, began?: Parameters<typeof eachChunk>[3]): Promise<void> {
  return eachChunk(streamOf(s)!, write, undefined, began);
}
