// The classes and values of the module "cloudflare:workers".

import { ObjectKeys, SafeMap, tag } from "./primordials";
import { current } from "./run";
import { onRunOver } from "./timers";
import { env } from "./bindings";

const contexts = new SafeMap<number, any>();

/** The ctx of the current run, which begins now, for the module's waitUntil. */
export function setContext(ctx: unknown): void {
  contexts.set(current.run, ctx);
}
onRunOver((run) => contexts.delete(run));

/** Keeps the current run open until p settles. */
export function waitUntil(p: unknown): void {
  const ctx = contexts.get(current.run);
  if (ctx === undefined) throw new Error("waitUntil() must be called within a request.");
  ctx.waitUntil(p);
}

/** Base of classes that serve events and RPC. */
export class WorkerEntrypoint {
  ctx: any;
  env: any;
  constructor(ctx?: unknown, e?: unknown) {
    Object.defineProperty(this, "ctx", { value: ctx, writable: true, enumerable: false, configurable: true });
    Object.defineProperty(this, "env", { value: e, writable: true, enumerable: false, configurable: true });
  }
}
/** Base of Durable Object classes. */
export class DurableObject {
  ctx: any;
  env: any;
  constructor(ctx?: unknown, e?: unknown) {
    Object.defineProperty(this, "ctx", { value: ctx, writable: true, enumerable: false, configurable: true });
    Object.defineProperty(this, "env", { value: e, writable: true, enumerable: false, configurable: true });
  }
}
/** Base of Workflow classes: they can be declared, but no workflow engine runs here. */
export class WorkflowEntrypoint {
  ctx: any;
  env: any;
  constructor(ctx?: unknown, e?: unknown) {
    this.ctx = ctx;
    this.env = e;
  }
}
/** Base of objects that RPC passes by reference. */
export class RpcTarget { }
tag(RpcTarget, "RpcTarget");

/** What ctx.exports shows: the module's exported handlers by name. */
export function exported(namespace: any): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  if (namespace === null) return out;
  const keys = ObjectKeys(namespace);
  for (let i = 0; i < keys.length; i++) {
    const v = namespace[keys[i]];
    if (v === null || (typeof v !== "object" && typeof v !== "function")) continue;
    const made = loopback(keys[i], v);
    if (made !== undefined) out[keys[i]] = made;
  }
  return out;
}
let loopback: (name: string, v: object) => unknown = () => undefined;
/** Says how an export is reached from within: a stub of an entrypoint, the namespace of a Durable Object class. */
export function setLoopback(f: (name: string, v: object) => unknown): void {
  loopback = f;
}
export { env };
