// The classes and values of the module "cloudflare:workers".

import { NativeTypeError, ObjectKeys, SafeMap, tag } from "./primordials";
import { current } from "./run";
import { env } from "./bindings";

// The ctx of the latest run, and of earlier ones that are still open. Most runs end
// within their turn, so the map is seldom touched.
let latest: any = null, latestRun = 0;
let open: (ctx: any) => boolean = () => false;
const earlier = new SafeMap<number, any>();

/** Says how to tell whether a ctx belongs to a run that goes on. */
export function setOpen(f: (ctx: any) => boolean): void {
  open = f;
}
/** The ctx of the current run, which begins now, for the module's waitUntil. */
export function setContext(ctx: unknown): void {
  if (earlier.size > 0) earlier.forEach((c, run) => {
    if (!open(c)) earlier.delete(run);
  });
  if (latest !== null && open(latest)) earlier.set(latestRun, latest);
  latest = ctx;
  latestRun = current.run;
}
/** The ctx of a run that goes on, or went on last; null when it is over. */
export const contextOf = (run: number): any => (run === latestRun ? latest : earlier.get(run) ?? null);
/** Whether a run goes on. */
export const isOpen = (run: number): boolean => {
  const ctx = contextOf(run);
  return ctx !== null && open(ctx);
};

/** Keeps the current run open until p settles. */
export function waitUntil(p: unknown): void {
  const ctx = contextOf(current.run);
  if (ctx === null) throw new Error("waitUntil() must be called within a request.");
  ctx.waitUntil(p);
}

/** Base of classes that serve events and RPC. */
export class WorkerEntrypoint {
  ctx: any;
  env: any;
  constructor(ctx?: unknown, e?: unknown) {
    if (typeof ctx !== "object" || ctx === null) throw new NativeTypeError("Failed to construct 'WorkerEntrypoint': constructor parameter 1 is not of type 'Object'.");
    Object.defineProperty(this, "ctx", { value: ctx, writable: true, enumerable: true, configurable: true });
    Object.defineProperty(this, "env", { value: e, writable: true, enumerable: true, configurable: true });
  }
}
/** Base of Durable Object classes. */
export class DurableObject {
  ctx: any;
  env: any;
  constructor(ctx?: unknown, e?: unknown) {
    if (typeof ctx !== "object" || ctx === null) throw new NativeTypeError("Failed to construct 'DurableObjectBase': constructor parameter 1 is not of type 'DurableObjectState'.");
    Object.defineProperty(this, "ctx", { value: ctx, writable: true, enumerable: true, configurable: true });
    Object.defineProperty(this, "env", { value: e, writable: true, enumerable: true, configurable: true });
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
/** What ctx.exports of this isolate's module shows. */
export let ownExports: () => Record<string, unknown> = () => ({});
/** Says how to make that. */
export function setOwnExports(f: () => Record<string, unknown>): void {
  ownExports = f;
}
let loopback: (name: string, v: object) => unknown = () => undefined;
/** Says how an export is reached from within: a stub of an entrypoint, the namespace of a Durable Object class. */
export function setLoopback(f: (name: string, v: object) => unknown): void {
  loopback = f;
}
export { env };
