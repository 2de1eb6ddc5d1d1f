// node:timers/promises.

import { clearTimer, setTimer, wait } from "./timers";
import { AbortSignal, onAbort } from "./abort";
import { argType } from "./node-errors";

type Options = { signal?: AbortSignal; ref?: boolean };
const abortError = (reason: unknown) => Object.assign(new Error("The operation was aborted", { cause: reason }), { name: "AbortError", code: "ABORT_ERR" });

/** Whether options are what Node takes, thrown when not. */
function check(options: any): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null) throw argType("options", "of type object", options);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) throw argType("options.signal", "an instance of AbortSignal", options.signal);
  if (options.ref !== undefined && typeof options.ref !== "boolean") throw argType("options.ref", "of type boolean", options.ref);
}

export function setTimeout<T>(ms?: number, value?: T, options?: Options): Promise<T> {
  return new Promise((resolve, reject) => {
    if (ms !== undefined && typeof ms !== "number") throw argType("delay", "of type number", ms);
    check(options);
    const signal = options?.signal;
    if (signal?.aborted) return reject(abortError(signal.reason));
    const id = setTimer(+(ms ?? 0) || 0, false, () => resolve(value as T));
    if (signal) onAbort(signal, (r) => {
      clearTimer(id);
      reject(abortError(r));
    });
  });
}
export function setImmediate<T>(value?: T, options?: Options): Promise<T> { return setTimeout(0, value, options); }
export async function* setInterval<T>(ms?: number, value?: T, options?: Options): AsyncGenerator<T> {
  for (;;) yield await setTimeout(ms, value, options) as T;
}
export const scheduler = { wait: (ms: number, options?: Options) => wait(ms, options), yield: () => wait(0) };
export const promises = { setTimeout, setImmediate, setInterval, scheduler };
export default promises;
