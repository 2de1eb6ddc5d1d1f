// node:async_hooks. AsyncLocalStorage follows promises from when the first storage
// is made. Hooks (createHook) have nothing to observe here.

import { ReflectApply } from "./primordials";
import { type Context, followPromises, withValue } from "./context";
import { current, enter } from "./run";

/** Refuses what is no function, in the words of Workers' own classes. */
function refuse(f: unknown, method: string, n: number, type = "function", of = "AsyncLocalStorage"): void {
  if (typeof f !== "function") throw new TypeError(`Failed to execute '${method}' on '${of}': parameter ${n} is not of type '${type}'.`);
}

export class AsyncLocalStorage<T = unknown> {
  #name: string;
  #default: T | undefined;
  constructor(options?: { name?: string; defaultValue?: T }) {
    followPromises();
    this.#name = options?.name ?? "";
    this.#default = options?.defaultValue;
  }
  get name() { return this.#name; }
  getStore(): T | undefined {
    const m = current.context as Context;
    return m !== undefined && m.has(this) ? (m.get(this) as T) : this.#default;
  }
  run<R>(store: T, f: (...args: any[]) => R, ...args: any[]): R {
    refuse(f, "run", 2);
    return enter(current.run, withValue(this, store), () => ReflectApply(f as any, undefined, args)) as R;
  }
  exit<R>(f: (...args: any[]) => R, ...args: any[]): R {
    refuse(f, "exit", 1);
    return enter(current.run, withValue(this, undefined), () => ReflectApply(f as any, undefined, args)) as R;
  }
  enterWith(store: T): void {
    current.context = withValue(this, store);
  }
  disable(): void {
    current.context = withValue(this, undefined);
  }
  static bind<F extends (...args: any[]) => any>(f: F): F {
    refuse(f, "bind", 1, "Function");
    const { context } = current;
    return function (this: unknown, ...args: any[]) { return enter(current.run, context, () => ReflectApply(f, this, args)); } as F;
  }
  static snapshot(): (f: (...args: any[]) => any, ...args: any[]) => any {
    const { context } = current;
    return (f, ...args) => {
      if (typeof f !== "function") throw new TypeError("The first argument must be a function");
      return enter(current.run, context, () => ReflectApply(f, undefined, args));
    };
  }
}

let ids = 1;
export class AsyncResource {
  #context = current.context;
  #id = ++ids;
  constructor(readonly type: string, _options?: unknown) { }
  runInAsyncScope(f: (...args: any[]) => any, self?: unknown, ...args: any[]): any {
    refuse(f, "runInAsyncScope", 1, "function", "AsyncResource");
    return enter(current.run, this.#context, () => ReflectApply(f, self, args));
  }
  bind<F extends (...args: any[]) => any>(f: F): F {
    refuse(f, "bind", 1, "Function", "AsyncResource");
    return ((...args: any[]) => this.runInAsyncScope(f, undefined, ...args)) as F;
  }
  static bind<F extends (...args: any[]) => any>(f: F): F {
    refuse(f, "bind", 1, "Function", "AsyncResource");
    return AsyncLocalStorage.bind(f);
  }
  asyncId(): number { return this.#id; }
  triggerAsyncId(): number { return 0; }
  emitDestroy(): this { return this; }
}
export function createHook(): { enable(): unknown; disable(): unknown } {
  return { enable() { return this; }, disable() { return this; } };
}
export function executionAsyncId(): number { return 0; }
export function triggerAsyncId(): number { return 0; }
export function executionAsyncResource(): object { return {}; }
export const asyncWrapProviders = Object.freeze({});
export default { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId, triggerAsyncId, executionAsyncResource, asyncWrapProviders };
