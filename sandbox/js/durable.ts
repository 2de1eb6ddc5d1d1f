// Durable Objects, the receiving side: one instance per object id in this isolate.

import { op } from "./host";
import { PromiseThen, SafeMap } from "./primordials";
import { hostAsync } from "./async";
import { current, enter } from "./run";

const RESUME = op("resume");

type Instance = { object: any; ready: Promise<unknown> | null };
const instances = new SafeMap<string, Instance>();

/** Makes ctx of an object. */
type MakeState = (id: string, block: (p: Promise<unknown>) => void, instance: () => any) => unknown;
let makeState: MakeState;
export function setMakeState(f: MakeState): void {
  makeState = f;
}

/** Calls f with the instance of an object, made when it is first asked for. Calls wait while blockConcurrencyWhile runs. */
export function durable(namespace: any, env: unknown, className: string, id: string, f: (o: any) => unknown): unknown {
  const key = className + "\n" + id;
  let i = instances.get(key) as Instance | undefined;
  if (i === undefined) {
    const C = namespace?.[className];
    if (typeof C !== "function") throw new TypeError(`The module does not export a Durable Object class named "${className}".`);
    const made: Instance = { object: null, ready: null };
    const state = makeState(id, (p) => {
      const before = made.ready;
      const all = before === null ? p : PromiseThen(before, () => p);
      made.ready = all;
      // A failed initialisation resets the object: the next call makes it anew.
      PromiseThen(all, () => {
        if (made.ready === all) made.ready = null;
      }, () => {
        if (instances.get(key) === made) instances.delete(key);
      });
    }, () => made.object);
    instances.set(key, made);
    try {
      made.object = new C(state, env);
    } catch (e) {
      instances.delete(key);
      throw e;
    }
    i = made;
  }
  const o = i;
  if (o.ready !== null) {
    // Another run's turn may resolve ready: what follows belongs to this run.
    const { run } = current;
    return PromiseThen(o.ready, () => PromiseThen(enter(run, undefined, () => hostAsync(RESUME)), () => f(o.object)));
  }
  return f(o.object);
}
