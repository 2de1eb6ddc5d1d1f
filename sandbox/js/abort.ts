// AbortController and AbortSignal. Specification: DOM, section 3.

import { ArrayIsArray, ArrayPush, NativeTypeError, SafeWeakMap, enumerable, expose, need, tag, wrongType } from "./primordials";
import { Event, EventTarget, dispatch, handlers, trust } from "./events";
import { domError } from "./dom";
import { setTimer } from "./timers";

const key = {};
let signalAbort: (s: AbortSignal, reason: unknown) => void;
let follow: (s: AbortSignal, sources: AbortSignal[]) => void;
export let isAbortSignal: (o: unknown) => o is AbortSignal;
/** Runs f when the signal aborts; at once when it has. Returns what undoes it. */
export let onAbort: (s: AbortSignal, f: (reason: unknown) => void) => () => void;

/** A signal that platform code aborts through abortSignal. */
export function newSignal(): AbortSignal {
  return new (AbortSignal as any)(key);
}
export function abortSignal(s: AbortSignal, reason?: unknown): void {
  signalAbort(s, reason === undefined ? domError("AbortError", "The operation was aborted") : reason);
}

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  #hooks: ((reason: unknown) => void)[] = [];
  #followers: AbortSignal[] = []; // made by any(): they abort after it

  constructor(k?: unknown) {
    if (k !== key) throw new NativeTypeError("Illegal constructor");
    super();
  }

  static {
    isAbortSignal = (o): o is AbortSignal => typeof o === "object" && o !== null && #aborted in o;
    signalAbort = (s, reason) => {
      if (s.#aborted) return;
      s.#aborted = true;
      s.#reason = reason;
      const hooks = s.#hooks;
      s.#hooks = [];
      for (let i = 0; i < hooks.length; i++) hooks[i](reason);
      const e = new Event("abort");
      trust(e);
      dispatch(s, e);
      const followers = s.#followers;
      s.#followers = [];
      for (let i = 0; i < followers.length; i++) signalAbort(followers[i], reason);
    };
    onAbort = (s, f) => {
      if (s.#aborted) {
        f(s.#reason);
        return () => { };
      }
      ArrayPush(s.#hooks, f);
      return () => {
        const i = s.#hooks.indexOf(f);
        if (i >= 0) s.#hooks.splice(i, 1);
      };
    };
    follow = (s, sources) => {
      for (let i = 0; i < sources.length; i++) {
        if (sources[i].#aborted) {
          s.#aborted = true;
          s.#reason = sources[i].#reason;
          return;
        }
      }
      for (let i = 0; i < sources.length; i++) ArrayPush(sources[i].#followers, s);
    };
  }

  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason?: unknown): AbortSignal {
    const s = newSignal();
    abortSignal(s, reason);
    return s;
  }
  static timeout(ms: number): AbortSignal {
    need(arguments.length, 1, "AbortSignal.timeout", "number");
    const n = +ms || 0;
    const s = newSignal();
    setTimer(n, false, () => signalAbort(s, domError("TimeoutError", "The operation was aborted due to timeout")));
    return s;
  }
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    need(arguments.length, 1, "AbortSignal.any", "Array");
    if (!ArrayIsArray(signals)) throw wrongType("AbortSignal.any", 1, "Array");
    const list = [...signals];
    for (let i = 0; i < list.length; i++) if (!isAbortSignal(list[i])) throw new NativeTypeError(`Incorrect type for array element ${i}: the provided value is not of type 'AbortSignal'.`);
    const s = newSignal();
    follow(s, list);
    return s;
  }
}
handlers(AbortSignal, ["abort"]);

export class AbortController {
  #signal: AbortSignal = newSignal();
  get signal() { return this.#signal; }
  abort(reason?: unknown): void {
    abortSignal(this.#signal, reason);
  }
}

for (const [name, C] of Object.entries({ AbortSignal, AbortController })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
