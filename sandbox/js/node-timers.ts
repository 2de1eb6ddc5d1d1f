// node:timers. Under nodejs_compat the global timers give these Timeout objects too.

import { clearTimer, setTimer } from "./timers";
import { argType } from "./node-errors";
import { ReflectApply, tag } from "./primordials";
import { refuseAtStart } from "./run";
import { promises } from "./node-timers-promises";

export class Timeout {
  #id = 0;
  #ref = true;
  constructor(f: (...args: any[]) => void, ms: unknown, args: unknown[], repeat: boolean, what: string) {
    refuseAtStart(what);
    if (typeof f !== "function") throw argType("callback", "of type function", f);
    this.#id = setTimer(ms === undefined ? 1 : +(ms as number) || 0, repeat, () => ReflectApply(f, globalThis, args));
  }
  ref() {
    this.#ref = true;
    return this;
  }
  unref() {
    this.#ref = false;
    return this;
  }
  hasRef() { return this.#ref; }
  refresh() { return this; }
  close() {
    clearTimer(this.#id);
    return this;
  }
  [Symbol.toPrimitive]() { return this.#id; }
  [Symbol.dispose]() { this.close(); }
}
export class Immediate {
  #id: number;
  constructor(f: (...args: any[]) => void, args: unknown[]) {
    refuseAtStart("setImmediate()");
    this.#id = setTimer(0, false, () => ReflectApply(f, globalThis, args));
  }
  ref() { return this; }
  unref() { return this; }
  hasRef() { return true; }
  close() { clearTimer(this.#id); }
  [Symbol.dispose]() { this.close(); }
}
tag(Immediate, "Immediate");
export function setTimeout(f: any, ms?: number, ...args: unknown[]) { return new Timeout(f, ms, args, false, "setTimeout()"); }
export function setInterval(f: any, ms?: number, ...args: unknown[]) { return new Timeout(f, ms, args, true, "setInterval()"); }
export function setImmediate(f: any, ...args: unknown[]) {
  if (typeof f !== "function") throw new TypeError("Failed to execute 'setImmediate' on 'ServiceWorkerGlobalScope': parameter 1 is not of type 'function'.");
  return new Immediate(f, args);
}
export function clearTimeout(t: any): void {
  refuseAtStart("clearTimeout()");
  if (t instanceof Timeout || t instanceof Immediate) t.close();
  else if (typeof t === "number") clearTimer(t); // as on Workers, a string is no timer's name
}
export const clearInterval = clearTimeout;
export function clearImmediate(t: any): void { clearTimeout(t); }
export { promises };
export default { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, promises };
