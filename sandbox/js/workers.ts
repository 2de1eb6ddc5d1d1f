// The classes and values of the module "cloudflare:workers".

import { ObjectKeys, tag } from "./primordials";
import { env } from "./bindings";

let context: any = null;

/** The ctx of the event that begins now, for the module's waitUntil. */
export function setContext(ctx: unknown): void {
  context = ctx;
}

export function waitUntil(p: unknown): void {
  if (context === null) throw new Error("waitUntil() must be called within a request.");
  context.waitUntil(p);
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
  if (namespace !== null) for (const k of ObjectKeys(namespace)) out[k] = namespace[k];
  return out;
}
export { env };
