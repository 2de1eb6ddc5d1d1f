// Method calls between Workers and to Durable Objects, and the stubs of functions and
// RpcTarget objects that they pass to one another. A stub's calls go back to the isolate
// that holds the object, as runs of their own. What a run passed as an argument ends with
// that run; what it gave back is dropped once nobody called it for a minute.

import { call, op } from "./host";
import {
  ArrayIsArray, ArrayJoin, ArrayPush, ArraySlice, DateNow, NativeError, NativePromise, NativeProxy, NativeTypeError, ObjectDefineProperty, ObjectGetPrototypeOf, ObjectHasOwn, ObjectKeys, ObjectSetPrototypeOf,
  PromiseReject, PromiseResolve, PromiseThen, ReflectApply, SafeMap, SafeWeakMap, RegExpTest, StringIndexOf, StringSlice, StringSplit, TypedArrayLength, isMap, MapForEach, isPromise, tag,
} from "./primordials";
import { Target, fetchTo } from "./fetch";
import { hostAsync, hostAsyncAt } from "./async";
import { here, stackOf } from "./errors";
import { Content, bodies, deserialize, references, serialize } from "./serialize";
import { headersFrom, headersRaw } from "./headers";
import { HostBody, disturbed, streamOf, use } from "./body";
import { Request, isRequest, outgoing } from "./request";
import { Response, isResponse, partsOf } from "./response";
import { ReadableStream, WritableStream, getReader, isReadableStream, readerCancel, readerRead, bodyBytes } from "./streams";
import { encodeUTF8 } from "./encoding";
import { Blob, File, blobBytes, isBlob } from "./blob";
import { isProxy } from "./proxy";
import { domError } from "./dom";
import { current, enter, onUnread, refuseAtStart } from "./run";
import { RpcTarget, WorkerEntrypoint, DurableObject, isOpen, waitUntil } from "./workers";

const CALL = op("rpc.call"), SELF = op("rpc.self"), RESUME = op("resume"), LEND = op("lend");

// A method's path crosses as text: names with this between them. The path of a call of
// a stub begins with a zero and the object's number.
const between = "\x1f", byStub = "\0";

// ---- the receiving side ----

/** Calls or reads what a path names. extra arguments follow the caller's, for plain handler objects. */
export function callMethod(o: any, method: string, payload: string, extra: unknown[] = []): unknown {
  return walk(o, StringSplit(method, between), 0, payload, extra);
}
/** Whether a call is one of a stub. */
export const isStubCall = (method: string): boolean => method[0] === byStub;
/** A call of a stub of an object of this isolate. */
export function callStub(method: string, payload: string): unknown {
  const path = StringSplit(StringSlice(method, 1), between), e = kept.get(+path[0]);
  if (e === undefined) throw new NativeError("The execution context which hosted this callback is no longer running.");
  e.at = DateNow();
  return walk(e.value, path, 1, payload, []);
}
function walk(o: any, path: string[], at: number, payload: string, extra: unknown[]): unknown {
  for (; at < path.length; at++) {
    const k = path[at], v = member(o, k);
    if (at < path.length - 1) {
      if (isPromise(v)) return PromiseThen(v, (v: unknown) => walk(v, path, at + 1, payload, extra));
      if ((typeof v !== "object" && typeof v !== "function") || v === null) throw missing(k);
      o = v;
      continue;
    }
    return payload === "" ? v : invoke(v, o, k, payload, extra);
  }
  return payload === "" ? o : invoke(o, undefined, "(this)", payload, extra);
}
function invoke(f: any, self: unknown, name: string, payload: string, extra: unknown[]): unknown {
  const args = deserialize(payload);
  if (typeof f !== "function") throw new NativeTypeError(`"${name}" is not a function.`);
  for (let i = 0; i < extra.length; i++) ArrayPush(args, extra[i]);
  return ReflectApply(f, self, args);
}
function member(o: any, k: string): unknown {
  if ((typeof o !== "object" && typeof o !== "function") || o === null) throw missing(k);
  if (!stubs.has(o) && (k === "constructor" || k === "fetch" && typeof o.fetch !== "function" || !reachable(o, k))) throw missing(k);
  return o[k];
}
function missing(method: string): Error {
  return new NativeTypeError(`The RPC receiver does not implement the method "${method}".`);
}
// Own properties of an instance are private; what its classes declare is public.
function reachable(o: any, method: string): boolean {
  if (ObjectHasOwn(o, method)) return !(o instanceof WorkerEntrypoint || o instanceof DurableObject || o instanceof RpcTarget);
  if (typeof o === "function") return false;
  for (let p = ObjectGetPrototypeOf(o); p !== null && p !== Object.prototype; p = ObjectGetPrototypeOf(p)) {
    if (p === WorkerEntrypoint.prototype || p === DurableObject.prototype || p === RpcTarget.prototype) return false;
    if (ObjectHasOwn(p, method)) return true;
  }
  return false;
}

// ---- what others hold stubs of ----

type Kept = { value: any; run: number; at: number };
const kept = new SafeMap<number, Kept>();
const unused = 60_000; // milliseconds after which a result that nobody calls is dropped
let lastKept = 0;

/** The address of an object of this isolate; run is the one with which it ends, 0 for a result. */
function keep(value: unknown, run: number): string {
  const now = DateNow();
  kept.forEach((e, id) => {
    if (e.run === 0 && now - e.at > unused) kept.delete(id);
  });
  kept.set(++lastKept, { value, run, at: now });
  return `${lastKept}@${call(SELF)}`;
}
/** Forgets what a run that is over had passed on. */
export function dropStubs(run: number): void {
  kept.forEach((e, id) => {
    if (e.run === run) kept.delete(id);
  });
}
function disposeOf(value: any): void {
  const f = value?.[Symbol.dispose];
  if (typeof f === "function") ReflectApply(f, value, []);
}

// ---- stubs ----

/** A stub's state. handles is shared by its duplicates. */
type Stub = { address: string; run: number; local: number; handles: { open: number }; disposed: boolean };
const stubs = new SafeWeakMap<object, Stub>();

function makeStub(s: Stub): any {
  const f = () => { };
  ObjectSetPrototypeOf(f, RpcStub.prototype);
  const p = new NativeProxy(f, {
    get: (_, k) => (typeof k === "symbol" || k in RpcStub.prototype ? (RpcStub.prototype as any)[k] : silent(k) ? undefined : property((path, args) => askStub(s, path, args), [k as string])),
    has: () => true,
    apply: (_, _self, args) => result(askStub(s, [], args)),
    construct: (_, args) => result(askStub(s, [], args)),
  });
  stubs.set(p, s);
  return p;
}
// Names that would make a promise or JSON of what is none, and indices.
const silent = (k: PropertyKey) => k === "then" || k === "catch" || k === "finally" || plain(k);
const plain = (k: PropertyKey) => k === "toJSON" || RegExpTest(/^\d+$/, k as string);

// What the host knows the calls by that move a stream's pieces: nobody made them.
const stream = "stream";
function askStub(s: Stub, path: string[], args: unknown[] | null, binding = "stub"): Promise<any> {
  if (s.disposed) return PromiseReject(new NativeError("RPC stub used after being disposed."));
  if (s.local === 0 && s.run !== current.run) return PromiseReject(new NativeError("Cannot perform I/O on behalf of a different request. I/O objects (such as streams, request/response bodies, and others) created in the context of one request handler cannot be accessed from a different request's handler. This is a limitation of Cloudflare Workers which allows us to improve overall performance. (I/O type: Client)"));
  const cut = StringIndexOf(s.address, "@");
  const full = [byStub + StringSlice(s.address, 0, cut)];
  for (let i = 0; i < path.length; i++) ArrayPush(full, path[i]);
  return ask(["stub", binding, "", "", "", StringSlice(s.address, cut + 1), ""], full, args);
}

/** A function or object of another Worker, or one of this that is to be passed on. */
export class RpcStub {
  constructor(value?: unknown) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) throw new NativeTypeError("Failed to construct 'JsRpcStub': constructor parameter 1 is not of type 'Object'.");
    const address = keep(value, current.run);
    return makeStub({ address, run: current.run, local: lastKept, handles: { open: 1 }, disposed: false });
  }
  dup(): any {
    const s = stubs.get(this)!;
    if (s.disposed) throw new NativeError("RPC stub used after being disposed.");
    s.handles.open++;
    return makeStub({ ...s });
  }
  onRpcBroken(_f: (e: unknown) => void): void { }
  [Symbol.dispose](): void {
    const s = stubs.get(this)!;
    if (s.disposed) return;
    s.disposed = true;
    if (--s.handles.open > 0 || s.local === 0) return;
    const e = kept.get(s.local);
    kept.delete(s.local);
    if (e !== undefined) disposeOf(e.value);
  }
}
tag(RpcStub, "JsRpcStub");
ObjectDefineProperty(RpcStub, "name", { value: "RpcStub", configurable: true });
references.read = (address) => makeStub({ address, run: current.run, local: 0, handles: { open: 1 }, disposed: false });

// ---- the calling side ----

/** Reads what a path names, or calls it with arguments. */
type Ask = (path: string[], args: unknown[] | null) => Promise<any>;
const asks = new SafeWeakMap<object, () => Promise<any>>();
const settled = (o: object): Promise<any> => asks.get(o)!();

export class RpcProperty {
  then(resolve?: any, reject?: any) { return PromiseThen(settled(this), resolve, reject); }
  catch(reject?: any) { return PromiseThen(settled(this), undefined, reject); }
  finally(done?: any) { return settled(this).finally(done); }
}
tag(RpcProperty, "JsRpcProperty");
ObjectDefineProperty(RpcProperty, "name", { value: "RpcProperty", configurable: true });
export class RpcPromise extends RpcProperty {
  [Symbol.dispose](): void { PromiseThen(settled(this), disposeResult, () => { }); }
}
tag(RpcPromise, "JsRpcPromise");
ObjectDefineProperty(RpcPromise, "name", { value: "RpcPromise", configurable: true });

/** A remote name: called it is a method, awaited a property, and it has properties of its own. */
function property(ask: Ask, path: string[]): any {
  const f = () => { };
  ObjectSetPrototypeOf(f, RpcProperty.prototype);
  const p = new NativeProxy(f, {
    get: (_, k) => (typeof k === "symbol" || k in RpcProperty.prototype ? (RpcProperty.prototype as any)[k] : plain(k) ? undefined : property(ask, [...path, k])),
    has: () => true,
    apply: (_, _self, args) => result(ask(path, args)),
  });
  asks.set(p, () => ask(path, null));
  return p;
}

/** What a call gives: a promise whose properties can be used before it is there. */
function result(answer: Promise<any>): any {
  const later: Ask = (path, args) => PromiseThen(answer, (v: unknown) => follow(v, path, args));
  const f = () => { };
  ObjectSetPrototypeOf(f, RpcPromise.prototype);
  const p = new NativeProxy(f, {
    get: (_, k) => (typeof k === "symbol" || k in RpcPromise.prototype ? (RpcPromise.prototype as any)[k] : plain(k) ? undefined : property(later, [k])),
    has: () => true,
    apply: (_, _self, args) => result(later([], args)),
  });
  asks.set(p, () => answer);
  return p;
}
function follow(v: any, path: string[], args: unknown[] | null): any {
  for (let i = 0; ; i++) {
    const s = (typeof v === "object" || typeof v === "function") && v !== null ? stubs.get(v) : undefined;
    if (s !== undefined) return askStub(s, ArraySlice(path, i), args);
    if (i === path.length) {
      if (args === null) return v;
      throw new NativeTypeError(`"${i === 0 ? "(this)" : path[i - 1]}" is not a function.`);
    }
    if (typeof v !== "object" || v === null || ObjectGetPrototypeOf(v) !== Object.prototype || !ObjectHasOwn(v, path[i])) throw missing(path[i]);
    v = v[path[i]];
  }
}

function ask(target: Target, path: string[], args: unknown[] | null): Promise<any> {
  try {
    refuseAtStart("an RPC call");
    for (let i = 0; i < path.length; i++) if (StringIndexOf(path[i], between) >= 0 || i > 0 && path[i][0] === byStub || target[0] !== "stub" && path[i][0] === byStub) throw missing(path[i]);
    const at = here(), method = ArrayJoin(path, between), passed: unknown[] = [];
    const answer = hostAsyncAt(at, CALL, target, method, args === null ? "" : packed(args, current.run, passed));
    return PromiseThen(answer, (text: string) => {
      for (let i = 0; i < passed.length; i++) disposeOf(passed[i]);
      if (text[0] === "!") throw thrown(stackOf(deserialize(StringSlice(text, 1)), at), target); // of its places, the call's is the caller's own
      return received(deserialize(text));
    }, (e: unknown) => {
      for (let i = 0; i < passed.length; i++) disposeOf(passed[i]);
      throw thrown(e, target);
    });
  } catch (e) {
    return PromiseReject(e);
  }
}
/** Marks an error as one that came from another isolate. */
function thrown(e: unknown, target: Target): unknown {
  const x: any = typeof e === "object" && e !== null ? e : new NativeError(`${e as string}`);
  if (x.durableObjectReset === true) return x;
  if (target[0] === "durable") x.durableObjectId = target[5];
  x.remote = true;
  return x;
}
/** A result can be disposed of, with the stubs in it. */
function received(v: any): unknown {
  if (typeof v === "object" && v !== null) ObjectDefineProperty(v, Symbol.dispose, { value: () => disposeResult(v), writable: true, configurable: true });
  return v;
}
function disposeResult(v: any): void {
  const seen = new SafeMap<object, boolean>();
  const look = (x: any) => {
    if ((typeof x !== "object" && typeof x !== "function") || x === null || seen.has(x)) return;
    seen.set(x, true);
    if (stubs.has(x)) x[Symbol.dispose]();
    else if (isMap(x)) MapForEach(x, look);
    else if (ArrayIsArray(x) || ObjectGetPrototypeOf(x) === Object.prototype) {
      const keys = ObjectKeys(x);
      for (let i = 0; i < keys.length; i++) look(x[keys[i]]);
    }
  };
  look(v);
}

/** The text of an error that a method threw, null when it cannot cross. */
export function packedError(e: unknown): string | null {
  try {
    return "!" + serialize(e, { body: () => undefined, reference: () => undefined });
  } catch {
    return null;
  }
}
/**
 * The text of what crosses. Bodies whose bytes are at hand go with it, streams by reference. So do functions and RPC targets:
 * passed gets those of an argument list, which end with run; results have run 0, and the run under way stays open for their streams.
 */
export function packed(v: unknown, run: number, passed?: unknown[]): string {
  const spring = (s: ReadableStream): string => {
    const end = run === 0 ? stay() : undefined, o = new Spring(s, () => {
      kept.delete(id); // nobody calls it again
      end?.();
    });
    if (run === 0) onUnread(current.run, () => o.drop());
    const address = keep(o, run), id = lastKept;
    return address;
  };
  return serialize(v, {
    body(o: object): Content | undefined {
      if (isReadableStream(o)) {
        if (disturbed(o)) throw new NativeTypeError("This ReadableStream is disturbed.");
        return { at: spring(o) };
      }
      if (isBlob(o)) return o instanceof File ? undefined : blobBytes(o);
      const s = isResponse(o) ? partsOf(o).body : isRequest(o) ? outgoing(o).state : undefined;
      if (s === undefined) return undefined;
      if (s.source === null) return null;
      use(s);
      if (s.stream !== null || s.source instanceof HostBody) {
        s.used = false; // its stream says so from here on
        return { at: spring(streamOf(s)!) };
      }
      return typeof s.source === "string" ? encodeUTF8(s.source) : s.source as Uint8Array;
    },
    reference(o: any): unknown[] | undefined {
      const s = stubs.get(o);
      if (s !== undefined) {
        if (s.disposed) throw new NativeError("RPC stub used after being disposed.");
        return ["stub", s.address];
      }
      if (asks.has(o)) throw domError("DataCloneError", `Could not serialize object of type "${o.constructor.name}". This type does not support serialization.`);
      const service = services.get(o);
      if (service !== undefined) return ["service", service];
      if (o instanceof WritableStream) return ["writable", keep(new Sink(o), run)];
      if (typeof o !== "function" && !(o instanceof RpcTarget) && !isProxy(o)) return undefined;
      if (passed !== undefined && o instanceof RpcTarget) ArrayPush(passed, o);
      return ["stub", keep(o, run)];
    },
  });
}
/** Keeps the current run open until what it gives is called first. */
function stay(): () => void {
  const { run } = current;
  let end: (() => void) | undefined;
  waitUntil(new NativePromise<void>((resolve) => {
    end = resolve;
  }));
  call(LEND, run, true);
  return () => {
    if (end === undefined) return;
    end();
    end = undefined;
    call(LEND, run, false);
  };
}
/**
 * The near side of a stream that another Worker reads, a piece for each call; over is called once nobody will any more. Its source
 * works in the run that passed it on, which stays open: what it starts beside a piece does not end with a call.
 */
class Spring extends RpcTarget {
  #r: ReturnType<ReadableStream["getReader"]>;
  #over: () => void;
  #run = current.run;
  /** Lets go of the stream, in the run that passed it on, as of a response that nobody reads: nobody waits for what its source does about it. */
  declare drop: () => void;
  constructor(s: ReadableStream, over: () => void) {
    super();
    this.#r = getReader(s);
    this.#over = over;
    this.drop = () => {
      PromiseThen(readerCancel(this.#r), undefined, () => { });
      over();
    };
  }
  #home(): Promise<void> {
    if (!isOpen(this.#run)) throw new NativeError("The execution context which hosted this callback is no longer running.");
    return enter(this.#run, undefined, () => hostAsync(RESUME));
  }
  async read(): Promise<unknown> {
    await this.#home();
    try {
      const { done, value } = await readerRead(this.#r);
      if (!done) return { piece: bodyBytes(value) };
    } catch {
      this.#over();
      return { broken: true };
    }
    this.#over();
    return {};
  }
  async cancel(reason: unknown): Promise<void> {
    await this.#home();
    try {
      await readerCancel(this.#r, reason);
    } finally {
      this.#over();
    }
  }
}
/** The far side: a stream of bytes whose pieces are fetched one by one. */
function far(address: string): ReadableStream {
  const s: Stub = { address, run: current.run, local: 0, handles: { open: 1 }, disposed: false };
  return new ReadableStream({
    type: "bytes",
    async pull(c: any) {
      const r = await askStub(s, ["read"], [], stream);
      if (r.broken) throw new NativeError("ReadableStream received over RPC disconnected prematurely.");
      if (r.piece !== undefined) {
        if (TypedArrayLength(r.piece) > 0) c.enqueue(r.piece);
        return;
      }
      c.close();
      c.byobRequest?.respond(0);
    },
    async cancel(reason: unknown) {
      try {
        await askStub(s, ["cancel"], [reason], stream);
      } catch { // it cannot be told why, or has come to its end meanwhile
        await PromiseThen(askStub(s, ["cancel"], [], stream), undefined, () => { });
      }
    },
  } as any, { highWaterMark: 0 });
}
/** The near side of a stream that another Worker writes to. */
class Sink extends RpcTarget {
  #w: ReturnType<WritableStream["getWriter"]>;
  constructor(s: WritableStream) {
    super();
    this.#w = s.getWriter();
  }
  write(chunk: unknown) { return this.#w.write(chunk); }
  close() { return this.#w.close(); }
  abort(reason: unknown) { return this.#w.abort(reason); }
}
references.writable = (address) => {
  const s = references.read(address);
  return new WritableStream({
    async write(chunk: unknown) { await s.write(chunk); },
    async close() { await s.close(); },
    async abort(reason: unknown) { await s.abort(reason); },
  });
};
bodies.write = (o, body, walk) => {
  if (isReadableStream(o)) return ["body", "stream", body];
  if (isBlob(o)) return ["body", "blob", body, walk({ type: o.type })];
  const headers = headersRaw(o.headers);
  return isResponse(o) ? ["body", "response", body, walk({ status: o.status, statusText: o.statusText }), headers] : ["body", "request", body, walk({ url: o.url, method: o.method, redirect: o.redirect, cf: o.cf }), headers];
};
bodies.read = (x, bytes, walk) => {
  const b = x[2] === null ? null : typeof x[2] === "string" ? bytes(x[2]) : far(x[2].at);
  if (x[1] === "stream") return b;
  if (x[1] === "blob") return new Blob([b as Uint8Array], walk(x[3]));
  const init = { ...walk(x[3]), headers: headersFrom(x[4], "none"), body: b ?? undefined };
  return x[1] === "response" ? new Response(b, init) : new Request(init.url, init);
};

/** A stub of an entrypoint or Durable Object: fetch, and any other name as a remote method. */
export function stub(target: Target, base: object): any {
  return new NativeProxy(base, {
    get(o: any, k) {
      if (k in o || typeof k === "symbol") {
        const v = o[k];
        return typeof v === "function" && k !== "constructor" ? (...args: unknown[]) => ReflectApply(v, o, args) : v;
      }
      if (silent(k)) return undefined;
      return property((path, args) => ask(target, path, args), [k]);
    },
    has: (o, k) => typeof k === "string" || k in o,
  });
}

/** A service binding. */
export class Fetcher {
  #target: Target;
  constructor(target: Target) {
    this.#target = target;
  }
  fetch(input: unknown, init?: unknown) {
    return fetchTo(this.#target, input, init);
  }
  connect() {
    throw new Error("connect() is not available here.");
  }
}
Object.defineProperty(Fetcher.prototype, Symbol.toStringTag, { value: "Fetcher", configurable: true });

/** A service binding's stub. */
export function serviceStub(target: Target): any {
  const p = stub(target, new Fetcher(target));
  if (target[2] !== "") services.set(p, target); // by name, so that another Worker can use it
  return p;
}
const services = new SafeWeakMap<object, Target>();
references.service = serviceStub;
