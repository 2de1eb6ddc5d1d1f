// The global scope: self, navigator, reportError, addEventListener and the events
// of unhandled rejections. In service-worker syntax it also takes fetch and
// scheduled listeners.

import { call, op } from "./host";
import { RegExpExec, StringIndexOf, enumerable, expose, isError, need, tag } from "./primordials";
import { ErrorEvent, EventTarget, dispatch, listenerCount, onListenerError, rejectionEvent, setGlobal } from "./events";
import { current } from "./run";
import { uncaughtWords } from "./words";

const UNCAUGHT = op("uncaught");

/** The events of the global scope. */
export const scope = new EventTarget();
setGlobal(scope);
/** Whether somebody listens to an event of the global scope. */
export const heard = (type: string): boolean => listenerCount(scope, type) > 0 || typeof (globalThis as any)["on" + type] === "function";

/** What an error is, as plain data for the host: class, message, stack. */
export function describe(e: unknown): [name: string, message: string, stack: string] {
  try {
    if (typeof e === "object" && e !== null && "message" in e) {
      const x = e as any;
      uncaughtWords(x);
      return [`${x.name ?? "Error"}`, `${x.message}`, typeof x.stack === "string" ? x.stack : ""];
    }
    return ["", typeof e === "string" ? e : show(e), ""];
  } catch {
    return ["Error", "an error that cannot be shown", ""];
  }
}
/** The chain of an error's causes, each on a line of its own with the place where it was made. What the error's own message says already is left out. */
export function causes(e: unknown): string {
  let out = "";
  try {
    let said = `${(e as any)?.message}`;
    for (let x = e as any, n = 0; n < 4 && typeof x === "object" && x !== null && isError(x) && x.cause !== undefined; n++) {
      x = x.cause;
      const [name, message, stack] = describe(x);
      if (message !== "" && StringIndexOf(said, message) >= 0) continue;
      said += "\n" + message;
      const at = RegExpExec(/\n    at (?:.* \()?([^()\n]+:\d+:\d+)\)?/, stack);
      out += `\nCaused by: ${name === "" ? message : message === "" ? name : `${name}: ${message}`}${at === null ? "" : ` (${at[1]})`}`;
    }
  } catch { /* a cause that cannot be shown */ }
  return out;
}
let show: (v: unknown) => string = String;
export function setShow(f: (v: unknown) => string): void {
  show = f;
}

/** Reports an exception nobody caught. */
export function uncaught(e: unknown): void {
  const [name, message, stack] = describe(e);
  call(UNCAUGHT, current.run, name, message, stack, causes(e));
}

export const reportError = function reportError(e: unknown): void {
  need(arguments.length, 1, "reportError", "Value");
  const [name, text] = describe(e);
  const event = new ErrorEvent("error", { error: e, message: `Uncaught ${name === "" ? text : text === "" ? name : `${name}: ${text}`}`, cancelable: true });
  if (heard("error")) dispatch(scope, event, uncaught);
  if (!event.defaultPrevented) uncaught(e);
};
onListenerError((e) => reportError(e));

/** Entry: a promise was rejected and nobody handles it, or somebody does after all. */
export function rejection(promise: Promise<unknown>, reason: unknown, handled: boolean): void {
  const type = handled ? "rejectionhandled" : "unhandledrejection";
  const event = rejectionEvent(type, promise, reason);
  const listens = heard(type);
  if (listens) dispatch(scope, event, uncaught);
  if (!handled && !listens) uncaught(reason);
}

class Navigator {
  get userAgent() { return "Cloudflare-Workers"; }
  get hardwareConcurrency() { return 1; }
  get language() { return "en"; }
  get languages() { return ["en"]; }
  get platform() { return ""; }
  sendBeacon(url: string, body?: unknown): boolean {
    (globalThis as any).fetch(url, { method: "POST", body }).then(undefined, () => { });
    return true;
  }
}
enumerable(Navigator);
tag(Navigator, "Navigator");

class WorkerGlobalScope extends EventTarget { }
class ServiceWorkerGlobalScope extends WorkerGlobalScope { }

for (const m of ["addEventListener", "removeEventListener", "dispatchEvent"] as const) {
  expose(m, { [m](...args: any[]) { return (scope as any)[m](...args); } }[m]);
}
expose("self", globalThis);
expose("navigator", new Navigator());
expose("Navigator", Navigator);
expose("WorkerGlobalScope", WorkerGlobalScope);
expose("ServiceWorkerGlobalScope", ServiceWorkerGlobalScope);
expose("reportError", reportError);
expose("origin", "null");
Object.defineProperty(ServiceWorkerGlobalScope.prototype, Symbol.toStringTag, { value: "ServiceWorkerGlobalScope", configurable: true });
Object.defineProperty(globalThis, Symbol.toStringTag, { value: "ServiceWorkerGlobalScope", configurable: true });
Object.defineProperty(globalThis, "constructor", { value: ServiceWorkerGlobalScope, writable: true, enumerable: false, configurable: true });
let makeFlags: () => object = () => ({}), flags: object | undefined;
expose("Cloudflare", Object.freeze({ get compatibilityFlags() { return (flags ??= makeFlags()); } }));
/** Says what Cloudflare.compatibilityFlags is; f is called when somebody looks. */
export function setFlags(f: () => object): void {
  makeFlags = f;
}
