// Method calls between Workers and to Durable Objects.

import { op } from "./host";
import { ArrayIsArray, ArrayPush, NativeProxy, NativeTypeError, ObjectGetPrototypeOf, ObjectHasOwn, ObjectKeys, PromiseReject, PromiseThen, ReflectApply, SafeMap, isError } from "./primordials";
import { Target, fetchTo } from "./fetch";
import { hostAsync } from "./async";
import { bodies, deserialize, serialize } from "./serialize";
import { headersFrom, headersRaw } from "./headers";
import { Request, isRequest } from "./request";
import { Response, isResponse } from "./response";
import { bytesStream, isReadableStream } from "./streams";
import { refuseAtStart } from "./run";
import { RpcTarget, WorkerEntrypoint, DurableObject } from "./workers";

const CALL = op("rpc.call");

/** Calls a method on the receiving side. extra arguments follow the caller's, for plain handler objects. */
export function callMethod(o: any, method: string, payload: string, extra: unknown[] = []): unknown {
  if (method === "constructor" || method === "fetch" && typeof o.fetch !== "function" || !reachable(o, method)) throw missing(method);
  const f = o[method];
  const args = payload === "" ? [] : deserialize(payload);
  if (typeof f !== "function") {
    if (args !== null && args.length === 0) return f;
    throw missing(method);
  }
  for (let i = 0; i < extra.length; i++) ArrayPush(args, extra[i]);
  return ReflectApply(f, o, args);
}
function missing(method: string): Error {
  return new NativeTypeError(`The RPC receiver does not implement the method "${method}".`);
}
// Own properties of an instance are private; what its classes declare is public.
function reachable(o: any, method: string): boolean {
  if (ObjectHasOwn(o, method)) return !(o instanceof WorkerEntrypoint || o instanceof DurableObject || o instanceof RpcTarget);
  for (let p = ObjectGetPrototypeOf(o); p !== null && p !== Object.prototype; p = ObjectGetPrototypeOf(p)) {
    if (p === WorkerEntrypoint.prototype || p === DurableObject.prototype || p === RpcTarget.prototype) return false;
    if (ObjectHasOwn(p, method)) return true;
  }
  return false;
}

/** A stub: fetch, and any other name as a remote method. */
export function stub(target: Target, base: object): any {
  return new NativeProxy(base, {
    get(o: any, k) {
      if (k in o || typeof k === "symbol") {
        const v = o[k];
        return typeof v === "function" && k !== "constructor" ? (...args: unknown[]) => ReflectApply(v, o, args) : v;
      }
      if (k === "then" || k === "catch" || k === "finally" || k === "toJSON") return undefined;
      return member(target, k);
    },
  });
}

/** A remote name: called it is a method, awaited a property. */
function member(target: Target, name: string): unknown {
  const ask = (payload: () => string | Promise<string>): Promise<any> => {
    try {
      refuseAtStart("an RPC call");
      const p = payload();
      return PromiseThen(typeof p === "string" ? hostAsync(CALL, target, name, p) : PromiseThen(p, (s: string) => hostAsync(CALL, target, name, s)), deserialize, remote);
    } catch (e) {
      return PromiseReject(e);
    }
  };
  const f: any = function (...args: unknown[]) { return ask(() => packed(args)); };
  const get = () => ask(() => "");
  return new NativeProxy(f, {
    get(o: any, k) {
      if (k === "then") return (resolve: any, reject: any) => PromiseThen(get(), resolve, reject);
      if (k === "catch") return (reject: any) => PromiseThen(get(), undefined, reject);
      if (k === "finally") return (done: any) => get().finally(done);
      return o[k];
    },
  });
}
/** Marks an error as one that came from another isolate. */
function remote(e: any): never {
  if (isError(e)) (e as any).remote = true;
  throw e;
}

/** The text of what crosses; the bodies of streams, requests and responses in it are read first. */
export function packed(v: unknown): string | Promise<string> {
  const found: object[] = [];
  const look = (x: any, depth: number) => {
    if (typeof x !== "object" || x === null || depth > 4) return;
    if (isReadableStream(x) || isResponse(x) || isRequest(x)) ArrayPush(found, x);
    else if (ArrayIsArray(x)) for (let i = 0; i < x.length; i++) look(x[i], depth + 1);
    else if (ObjectGetPrototypeOf(x) === Object.prototype) {
      const keys = ObjectKeys(x);
      for (let i = 0; i < keys.length; i++) look(x[keys[i]], depth + 1);
    }
  };
  look(v, 0);
  const read = new SafeMap<object, Uint8Array | null>();
  if (found.length === 0) return serialize(v, read);
  return (async () => {
    for (let i = 0; i < found.length; i++) {
      const o: any = found[i];
      read.set(o, isReadableStream(o) ? await new Response(o).bytes() : o.body === null ? null : await o.bytes());
    }
    return serialize(v, read);
  })();
}
bodies.write = (o, body, walk) => {
  if (isReadableStream(o)) return ["body", "stream", body];
  const headers = headersRaw(o.headers);
  return isResponse(o) ? ["body", "response", body, walk({ status: o.status, statusText: o.statusText }), headers] : ["body", "request", body, walk({ url: o.url, method: o.method, redirect: o.redirect, cf: o.cf }), headers];
};
bodies.read = (x, bytes, walk) => {
  const b = x[2] === null ? null : bytes(x[2]);
  if (x[1] === "stream") return bytesStream(b!);
  const init = { ...walk(x[3]), headers: headersFrom(x[4], "none"), body: b ?? undefined };
  return x[1] === "response" ? new Response(b, init) : new Request(init.url, init);
};

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
  return stub(target, new Fetcher(target));
}
