// Proxy, wrapped so that the platform can tell a proxy and see its target:
// structuredClone must refuse one, and console must show one without running its traps.

import { NativeProxy, NativeTypeError, SafeWeakMap, expose, setProxied } from "./primordials";

const targets = new SafeWeakMap<object, object>();
const revocable = NativeProxy.revocable;

function Proxy(this: unknown, target: object, handler: ProxyHandler<object>): object {
  if (new.target === undefined) throw new NativeTypeError("Constructor Proxy requires 'new'");
  const p = new NativeProxy(target, handler);
  targets.set(p, target);
  return p;
}
Object.defineProperty(Proxy, "prototype", { value: undefined });
Object.defineProperty(Proxy, "length", { value: 2, configurable: true });
Object.defineProperty(Proxy, "revocable", {
  value: {
    revocable(target: object, handler: ProxyHandler<object>) {
      const r = revocable(target, handler);
      targets.set(r.proxy, target);
      return r;
    },
  }.revocable, writable: true, configurable: true,
});
expose("Proxy", Proxy);

export const isProxy = (o: object): boolean => targets.has(o);
setProxied(isProxy);
/** The target of a proxy. */
export const targetOf = (o: object): object => targets.get(o)!;
/** What a proxy stands for, through any number of proxies. */
export function unproxy(o: object): object {
  for (let t = targets.get(o); t !== undefined; t = targets.get(o)) o = t;
  return o;
}
