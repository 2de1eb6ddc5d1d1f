// Method calls between Workers and to Durable Objects.

import { op } from "./host";
import { ArrayPush, NativeProxy, NativeTypeError, ObjectGetPrototypeOf, ObjectHasOwn, PromiseReject, PromiseThen, ReflectApply } from "./primordials";
import { Target, fetchTo } from "./fetch";
import { hostAsync } from "./async";
import { deserialize, serialize } from "./serialize";
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
      return (...args: unknown[]) => {
        try {
          refuseAtStart("an RPC call");
          return PromiseThen(hostAsync(CALL, target, k, serialize(args)), deserialize);
        } catch (e) {
          return PromiseReject(e);
        }
      };
    },
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
  return stub(target, new Fetcher(target));
}
