// Durable Objects, the receiving side: one instance per object id in this isolate.

import { op } from "./host";
import { PromiseThen, SafeMap } from "./primordials";
import { hostAsync } from "./async";
import { current, enter } from "./run";

const RESUME = op("resume");

type Instance = { object: any; ready: Promise<unknown> | null };
const instances = new SafeMap<string, Instance>();
/** Whether this isolate is home to an object. */
export const holdsObjects = (): boolean => instances.size > 0;

/** Makes ctx of an object. */
type MakeState = (id: string, name: string | undefined, block: (p: Promise<unknown>) => void, instance: () => any, reset: () => void) => unknown;
let makeState: MakeState;
export function setMakeState(f: MakeState): void {
  makeState = f;
}

/** Calls f with the instance of an object, made when it is first asked for. named is "=" and its name where the caller knows one. Calls wait while blockConcurrencyWhile runs. */
export function durable(namespace: any, env: unknown, className: string, id: string, named: string | undefined, f: (o: any) => unknown): unknown {
  const key = className + "\n" + id;
  let i = instances.get(key) as Instance | undefined;
  if (i === undefined) {
    const C = namespace?.[className];
    if (typeof C !== "function") throw new TypeError(`The module does not export a Durable Object class named "${className}".`);
    const made: Instance = { object: null, ready: null };
    const reset = () => {
      if (instances.get(key) === made) instances.delete(key);
    };
    const state = makeState(id, named?.slice(1), (p) => {
      const before = made.ready;
      const all = before === null ? p : PromiseThen(before, () => p);
      made.ready = all;
      // A failed initialisation resets the object: the next call makes it anew.
      PromiseThen(all, () => {
        if (made.ready === all) made.ready = null;
      }, reset);
    }, () => made.object, reset);
    instances.set(key, made);
    try {
      made.object = new C(state, env);
    } catch (e) {
      instances.delete(key);
      throw e;
    }
    i = made;
  }
  const o = i, { run } = current;
  // Another run's turn may resolve ready: what follows belongs to this run. By then the next in line may have begun to block.
  const go = (): unknown => (o.ready === null ? f(o.object) : PromiseThen(o.ready, () => PromiseThen(enter(run, undefined, () => hostAsync(RESUME)), go)));
  return go();
}
