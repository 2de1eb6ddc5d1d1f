// Which run the code that is running now belongs to. Every entry from the host
// sets it; what starts work for later remembers it. context is the map of
// AsyncLocalStorage values, carried the same way.

import { ArrayPush, NativeError, SafeMap } from "./primordials";

/** date is the compatibility date; codeAtStart: whether the top level may make code from strings. */
export const current = { run: 0, context: undefined as unknown, starting: true, codeAtStart: false, date: "" };

let kept: unknown[] | null = null;
/** Keeps a value alive until the turn is over, as ECMAScript wants of what a WeakRef was made or asked for. */
export function keepDuringTurn(v: unknown): void {
  if (kept === null) kept = [];
  kept[kept.length] = v;
}

/** Starts a turn for a run: microtasks that follow belong to it too. They carry their own context. */
export function begin(run: number): void {
  kept = null;
  current.run = run;
  current.context = undefined;
}

/** Calls f as part of a run, within a turn. */
export function enter<T>(run: number, context: unknown, f: () => T): T {
  const was = current.run, wasContext = current.context;
  current.run = run;
  current.context = context;
  try {
    return f();
  } finally {
    current.run = was;
    current.context = wasContext;
  }
}

const sent = new SafeMap<number, (() => void)[]>();
/** Has f called when nobody reads any more what a run sends. */
export function onUnread(run: number, f: () => void): void {
  const l = sent.get(run);
  if (l === undefined) sent.set(run, [f]);
  else ArrayPush(l, f);
}
/** Entry: that is so. */
export function unread(run: number): void {
  begin(run);
  const l = sent.get(run);
  sent.delete(run);
  for (let i = 0; l !== undefined && i < l.length; i++) l[i]();
}
/** Forgets what a run sent. */
export function dropSent(run: number): void { sent.delete(run); }

/** Throws while the module's top level runs: Workers allow no I/O, timers or random values there. */
export function refuseAtStart(what: string): void {
  if (current.starting) {
    throw new NativeError(`Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), setting a timeout, and generating random values are not allowed within global scope. Move ${what} into a handler.`);
  }
}
