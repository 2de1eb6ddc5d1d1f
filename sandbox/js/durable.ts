// Durable Objects, the receiving side: one instance per object id in this isolate.

import { PromiseResolve, PromiseThen, SafeMap } from "./primordials";

type Instance = { object: any; ready: Promise<unknown> | null };
const instances = new SafeMap<string, Instance>();

/** Calls f with the instance of an object, made when it is first asked for. */
export function durable(namespace: any, env: unknown, className: string, id: string, f: (o: any) => unknown): unknown {
  const key = className + "\n" + id;
  let i = instances.get(key) as Instance | undefined;
  if (i === undefined) {
    const C = namespace?.[className];
    if (typeof C !== "function") throw new TypeError(`The module does not export a Durable Object class named "${className}".`);
    const state = makeState(id, (p) => {
      i!.ready = p;
    });
    i = { object: null, ready: null };
    instances.set(key, i);
    try {
      i.object = new C(state, env);
    } catch (e) {
      instances.delete(key);
      throw e;
    }
  }
  const o = i;
  if (o.ready !== null) return PromiseThen(o.ready, () => f(o.object));
  return f(o.object);
}

/** Makes ctx of an object; storage.ts replaces this. */
export let makeState: (id: string, block: (p: Promise<unknown>) => void) => unknown = (id, block) => ({
  id: { toString: () => id },
  waitUntil() { },
  blockConcurrencyWhile(f: () => Promise<unknown>) {
    const p = PromiseResolve(f());
    block(p);
    return p;
  },
});
export function setMakeState(f: typeof makeState): void {
  makeState = f;
}
