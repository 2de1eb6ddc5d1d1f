// Atomics, which the engine lacks. An isolate has one thread and no shared
// memory, so every operation is atomic by itself. Specification: ECMAScript,
// section 25.4.

import { NativeRangeError, NativeTypeError, ObjectDefineProperty, ObjectToString, TypedArrayLength, TypedArrayTag } from "./primordials";

const integers = ["Int8Array", "Uint8Array", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array"];

function place(a: any, i: unknown): number {
  const t = TypedArrayTag(a);
  if (t === undefined || integers.indexOf(t) < 0) throw new NativeTypeError(`${typeof a === "object" && a !== null ? ObjectToString(a) : String(a)} is not an integer typed array.`);
  const n = Math.trunc(Number(i)) || 0;
  if (n < 0 || n >= TypedArrayLength(a)) throw new NativeRangeError(`Invalid atomic access index: ${n}`);
  return n;
}
const value = (a: any, v: unknown): any => (TypedArrayTag(a)!.startsWith("Big") ? BigInt(v as any) : Math.trunc(Number(v)) || 0);
const change = (f: (old: any, v: any) => any) => (a: any, i: unknown, v: unknown): any => {
  const n = place(a, i), x = value(a, v), old = a[n];
  a[n] = f(old, x);
  return old;
};

const Atomics: any = {};
for (const [name, f] of Object.entries({
  add: change((o, v) => o + v), sub: change((o, v) => o - v), and: change((o, v) => o & v), or: change((o, v) => o | v), xor: change((o, v) => o ^ v), exchange: change((_, v) => v),
  load: (a: any, i: unknown): any => a[place(a, i)],
  store: (a: any, i: unknown, v: unknown): any => {
    const n = place(a, i), x = value(a, v);
    a[n] = x;
    return x;
  },
  compareExchange: (a: any, i: unknown, expected: unknown, v: unknown): any => {
    const n = place(a, i), x = value(a, v), old = a[n], probe = new a.constructor([value(a, expected)]);
    if (old === probe[0]) a[n] = x;
    return old;
  },
  isLockFree: (n: unknown): boolean => n === 1 || n === 2 || n === 4 || n === 8,
  notify: (a: any, i: unknown): number => (place(a, i), 0),
  wait: (): never => { throw new NativeTypeError("Atomics.wait cannot be called in this context"); },
  pause: (): void => { },
})) {
  const named = { [name](...args: any[]) { return (f as any)(...args); } }[name];
  ObjectDefineProperty(named, "length", { value: f.length, configurable: true });
  ObjectDefineProperty(Atomics, name, { value: named, writable: true, enumerable: false, configurable: true });
}
ObjectDefineProperty(Atomics, Symbol.toStringTag, { value: "Atomics", configurable: true });
if ((globalThis as any).Atomics === undefined) ObjectDefineProperty(globalThis, "Atomics", { value: Atomics, writable: true, enumerable: false, configurable: true });
