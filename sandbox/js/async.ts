// Promises for work the host finishes later.

import { call } from "./host";
import { NativePromise, SafeMap } from "./primordials";
import { begin, current } from "./run";
import { domError } from "./dom";
import { engineStack, stackOf } from "./errors";

type Pending = { resolve: (v: any) => void; reject: (e: unknown) => void; run: number; at: Error | undefined };
const pending = new SafeMap<number, Pending>();
let last = 0;

/** Starts a host operation for the current run; the promise settles with its outcome. */
export function hostAsync(op: number, ...args: unknown[]): Promise<any> {
  return hostAsyncAt(undefined, op, ...args);
}

/** The same; an error it ends with has the stack of at, which was made where the program asked. */
export function hostAsyncAt(at: Error | undefined, op: number, ...args: unknown[]): Promise<any> {
  return new NativePromise((resolve, reject) => {
    const id = ++last;
    pending.set(id, { resolve, reject, run: current.run, at });
    try {
      call(op, current.run, id, ...args);
    } catch (e) {
      pending.delete(id);
      reject(e);
    }
  });
}

/** Entry: an operation ended. name is empty when it went well. */
export function settle(id: number, value: unknown, name: string, message: string, code: string): void {
  const p = pending.get(id);
  if (p === undefined) return;
  pending.delete(id);
  begin(p.run);
  if (name === "") p.resolve(value);
  else p.reject(stackOf(makeError(name, message, code), p.at));
}

/** An error of the named class. */
export function makeError(name: string, message: string, code?: string): unknown {
  if (name === "DOMException") return domError(code || "OperationError", message);
  const C = classes[name];
  const e: any = new (C ?? Error)(message);
  if (C === undefined && name !== "Error") Object.defineProperty(e, "name", { value: name, writable: true, configurable: true });
  return e;
}
const classes: Record<string, any> = { __proto__: null, Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError } as any;

/** Where the program asked for the last thing that a run still waits for, as the engine's stack; "" when nobody knows. */
export function pendingAt(run: number): string {
  let at: Error | undefined;
  pending.forEach((p) => {
    if (p.run === run && p.at !== undefined) at = p.at;
  });
  return at === undefined ? "" : engineStack(at);
}

/** Entry: forgets what a run that is over still waited for. */
export function dropPending(run: number): void {
  pending.forEach((p, id) => {
    if (p.run === run) pending.delete(id);
  });
}
