// setTimeout, setInterval, queueMicrotask, setImmediate and scheduler.wait.
// Specification: HTML, section 8.6. The host keeps the clock and the queue: it
// calls fire when a timer is due, in order of due time, and forgets the timers of
// a run that is over.

import { call, op } from "./host";
import { NativePromise, NativeTypeError, MathMin, MathTrunc, PromiseReject, PromiseResolve, PromiseThen, ReflectApply, SafeMap, expose, need, tag, wrongType } from "./primordials";
import { engineStack, here } from "./errors";
import { begin, current, enter, refuseAtStart } from "./run";
import { AbortSignal, isAbortSignal, onAbort } from "./abort";

const SET = op("timer.set"), CLEAR = op("timer.clear");

// at is where a long timer was set, while there are few.
type Timer = { f: () => void; repeat: boolean; run: number; context: unknown; at: Error | undefined };
const long = 1000, placed = 50; // ms; timers
const timers = new SafeMap<number, Timer>();
let last = 0;

/** Has f called after ms milliseconds, within the current run. */
export function setTimer(ms: number, repeat: boolean, f: () => void): number {
  const id = ++last;
  call(SET, current.run, id, ms >= 0 ? MathTrunc(MathMin(ms, 2147483647)) : 0, repeat);
  timers.set(id, { f, repeat, run: current.run, context: current.context, at: ms >= long && timers.size < placed ? here() : undefined });
  return id;
}

export function clearTimer(id: number): void {
  if (timers.delete(id)) call(CLEAR, id);
}

/** Entry: a timer is due. */
export function timer(id: number): void {
  const t = timers.get(id);
  if (t === undefined) return;
  if (!t.repeat) timers.delete(id);
  begin(t.run);
  enter(t.run, t.context, t.f);
}

/** Where the program set the last long timer that a run still waits for, as the engine's stack; "" when there is none. */
export function timerAt(run: number): string {
  let at: Error | undefined;
  timers.forEach((t) => {
    if (t.run === run && t.at !== undefined) at = t.at;
  });
  return at === undefined ? "" : engineStack(at);
}

/** Entry: the timers of a run that is over are gone. */
export function dropTimers(run: number): void {
  timers.forEach((t, id) => {
    if (t.run === run) timers.delete(id);
  });
}

function schedule(name: string, f: unknown, ms: unknown, args: unknown[], repeat: boolean): number {
  refuseAtStart(name);
  if (typeof f !== "function") throw new NativeTypeError(`${name}: the first argument is not a function.`);
  return setTimer(ms === undefined ? 1 : +(ms as number) || 0, repeat, () => ReflectApply(f as any, globalThis, args));
}

function clear(id: unknown): void {
  refuseAtStart("clearTimeout()");
  if (id === undefined || id === null) return;
  if (typeof id === "number" || typeof id === "object") clearTimer(+(id as any)); // as on Workers, a string is no timer's name
}

export const setTimeout = function setTimeout(f: unknown, ms?: number, ...args: unknown[]): number {
  need(arguments.length, 1, "setTimeout", "function");
  return schedule("setTimeout", f, ms, args, false);
};
export const setInterval = function setInterval(f: unknown, ms?: number, ...args: unknown[]): number {
  need(arguments.length, 1, "setInterval", "function");
  return schedule("setInterval", f, ms, args, true);
};
expose("setTimeout", setTimeout);
expose("setInterval", setInterval);
expose("clearTimeout", function clearTimeout(id?: number): void { clear(id); });
expose("clearInterval", function clearInterval(id?: number): void { clear(id); });

const micro = PromiseResolve(undefined);
export function queueMicrotask(f: () => void): void {
  need(arguments.length, 1, "queueMicrotask", "function");
  if (typeof f !== "function") throw new NativeTypeError("Failed to execute 'queueMicrotask' on 'ServiceWorkerGlobalScope': parameter 1 is not of type 'function'.");
  const { run, context } = current;
  PromiseThen(micro, () => {
    try {
      enter(run, context, () => ReflectApply(f as any, globalThis, []));
    } catch (e) {
      (globalThis as any).reportError(e);
    }
  });
}
expose("queueMicrotask", queueMicrotask);

/** A promise that resolves after ms milliseconds. */
export function wait(ms: number, options?: { signal?: AbortSignal }): Promise<void> {
  const signal = options?.signal;
  return new NativePromise((resolve, reject) => {
    let undo = () => { };
    const id = setTimer(+ms || 0, false, () => {
      undo(); // a signal may outlive many waits
      resolve();
    });
    if (signal !== undefined) {
      if (!isAbortSignal(signal)) throw new NativeTypeError("Incorrect type for the 'signal' field on 'WaitOptions': the provided value is not of type 'AbortSignal'.");
      undo = onAbort(signal, (reason) => {
        clearTimer(id);
        reject(reason);
      });
    }
  });
}

class Scheduler {
  wait(ms: number, options?: { signal?: AbortSignal }): Promise<void> {
    refuseAtStart("scheduler.wait");
    if (arguments.length === 0) return PromiseReject(wrongType("Scheduler.wait", 1, "number"));
    if (options !== undefined && options !== null && typeof options !== "object" && typeof options !== "function") return PromiseReject(wrongType("Scheduler.wait", 2, "WaitOptions"));
    return wait(ms, options);
  }
}
tag(Scheduler, "Scheduler");
expose("scheduler", new Scheduler());
