// node:events. The emitter is unenv's; here are Node's checks of arguments, a
// constructor that old classes can call without new, and the abort error of once.

import * as base from "unenv/node/events";
import { argType, callable, nodeError, outOfRange } from "./node-errors";
import { isAbortSignal, onAbort } from "./abort";
import { EventTarget, listenersOf } from "./events";
import { inspect } from "./inspect";

const Base: any = base.EventEmitter;

function EventEmitter(this: any, options?: any): any {
  const captures = options?.captureRejections;
  if (captures !== undefined && typeof captures !== "boolean") throw argType("options.captureRejections", "of type boolean", captures);
  if (new.target !== undefined) return Reflect.construct(Base, [options], new.target);
  const made = new Base(options);
  for (const k of Reflect.ownKeys(made)) if (!Object.hasOwn(this, k)) Object.defineProperty(this, k, Object.getOwnPropertyDescriptor(made, k)!);
}
Object.setPrototypeOf(EventEmitter, Base);
Object.defineProperty(EventEmitter, "prototype", { value: Base.prototype, writable: false });
Object.defineProperty(Base.prototype, "constructor", { value: EventEmitter, writable: true, configurable: true });

const checked = (name: string): void => {
  const old = Base.prototype[name];
  Object.defineProperty(Base.prototype, name, {
    value: { [name](this: any, type: unknown, f: unknown) {
      if (typeof f !== "function") throw argType("listener", "of type function", f);
      return old.call(this, type, f);
    } }[name], writable: true, configurable: true,
  });
};
for (const name of ["addListener", "on", "prependListener", "once", "prependOnceListener", "removeListener", "off"]) checked(name);

const setMax = Base.prototype.setMaxListeners;
Object.defineProperty(Base.prototype, "setMaxListeners", {
  value: { setMaxListeners(this: any, n: unknown) {
    if (typeof n !== "number" || n < 0 || n !== n) throw outOfRange("n", "a non-negative number", n);
    return setMax.call(this, n);
  } }.setMaxListeners, writable: true, configurable: true,
});

const emit = Base.prototype.emit;
Object.defineProperty(Base.prototype, "emit", {
  value: { emit(this: any, type: unknown, ...args: unknown[]) {
    if (type !== "error" || args[0] instanceof Error || this.listenerCount("error") > 0) return emit.call(this, type, ...args);
    if (this.listenerCount(base.errorMonitor) > 0) emit.call(this, base.errorMonitor, ...args);
    throw Object.assign(nodeError(Error, "ERR_UNHANDLED_ERROR", `Unhandled error. (${inspect(args[0])})`), { context: args[0] });
  } }.emit, writable: true, configurable: true,
});

const aborted = (signal: any): any => Object.assign(new Error("The operation was aborted", { cause: signal.reason }), { code: "ABORT_ERR", name: "AbortError" });

export async function once(emitter: any, name: any, options: any = {}): Promise<any[]> {
  const signal = options?.signal;
  if (signal !== undefined && !isAbortSignal(signal)) throw argType("options.signal", "an instance of AbortSignal", signal);
  if (typeof emitter?.on !== "function" && typeof emitter?.addEventListener !== "function") throw argType("emitter", "an instance of EventEmitter", emitter);
  if (signal?.aborted) throw aborted(signal);
  try {
    return await base.once(emitter, name, options);
  } catch (e) {
    if (signal?.aborted) throw aborted(signal);
    throw e;
  }
}

export const setMaxListeners = (n = 10, ...targets: any[]): void => {
  if (typeof n !== "number" || n < 0 || n !== n) throw outOfRange("n", "a non-negative number", n);
  if (targets.length === 0) (base as any).EventEmitter.defaultMaxListeners = n;
  for (const t of targets) {
    if (typeof t.setMaxListeners === "function") t.setMaxListeners(n);
    else if (!(t instanceof EventTarget)) throw argType("eventTargets", "an instance of EventEmitter or EventTarget", t);
  }
};
export const listenerCount = (emitter: any, type: any): number => (typeof emitter.listenerCount === "function" ? emitter.listenerCount(type) : 0);

export const getEventListeners = (emitter: any, type: any): any[] => {
  if (typeof emitter.listeners === "function") return emitter.listeners(type);
  if (!(emitter instanceof EventTarget)) throw argType("emitter", "an instance of EventEmitter or EventTarget", emitter);
  return listenersOf(emitter, `${type}`);
};
export const getMaxListeners = (emitter: any): number => (typeof emitter.getMaxListeners === "function" ? emitter.getMaxListeners() : Base.defaultMaxListeners);
export function addAbortListener(signal: AbortSignal, f: any): object {
  if (!isAbortSignal(signal)) throw argType("signal", "an instance of AbortSignal", signal);
  callable("listener", f);
  const off = onAbort(signal, () => f());
  return { [(Symbol as any).dispose]() { off(); } };
}
export const on = (emitter: any, type: any, options?: any): any => {
  const signal = options?.signal;
  if (signal !== undefined && !isAbortSignal(signal)) throw argType("options.signal", "an instance of AbortSignal", signal);
  if (typeof emitter.on !== "function" && typeof emitter.addEventListener !== "function") throw argType("emitter", "an instance of EventEmitter", emitter);
  return (base as any).on(emitter, type, options);
};

export const { EventEmitterAsyncResource,  usingDomains, captureRejectionSymbol, captureRejections, errorMonitor, defaultMaxListeners, init } = base as any;
for (const [k, value] of Object.entries({ EventEmitter, once, on, setMaxListeners, listenerCount, usingDomains, captureRejectionSymbol, errorMonitor, getEventListeners, getMaxListeners, addAbortListener })) {
  Object.defineProperty(EventEmitter, k, { value, writable: true, enumerable: true, configurable: true });
}
export { EventEmitter };
export default EventEmitter;
