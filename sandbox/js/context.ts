// Values that follow asynchronous work: AsyncLocalStorage's and withEnv's. They
// are kept with timers and listeners, and follow promises through
// Promise.prototype.then, which is wrapped once somebody has such a value; await
// reaches it because the bundler writes such programs without async functions.

import { ObjectDefineProperty, SafeMap, uncurryThis } from "./primordials";
import { current, enter } from "./run";

export type Context = InstanceType<typeof SafeMap> | undefined;
const nativeThen = uncurryThis(Promise.prototype.then as any) as (p: any, f?: any, r?: any) => Promise<any>;
let wrapped = false;

/** Has callbacks of promises run with the values of where then was called. */
export function followPromises(): void {
  if (wrapped) return;
  wrapped = true;
  const wrap = (f: any, context: unknown) => (typeof f !== "function" ? f : (v: unknown) => enter(current.run, context, () => f(v)));
  ObjectDefineProperty(Promise.prototype, "then", {
    value: { then(this: any, f?: any, r?: any) { return nativeThen(this, wrap(f, current.context), wrap(r, current.context)); } }.then,
    writable: true, configurable: true,
  });
}

/** The current values with another one for a key; undefined takes it away. */
export const withValue = (key: object, value: unknown): Context => {
  const m = new SafeMap<object, unknown>();
  (current.context as Context)?.forEach((v: unknown, k: unknown) => m.set(k as object, v));
  if (value === undefined) m.delete(key);
  else m.set(key, value);
  return m as any;
};
