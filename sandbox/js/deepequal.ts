// Deep equality as node:assert and util.isDeepStrictEqual have it.

import { ArrayIsArray, DateGetTime, TypedArrayTag, bytesOf, isArrayBuffer, isDate, isError, isMap, isRegExp, isSet } from "./primordials";

/** Compares two values; strict compares as Object.is and prototypes too. */
export function deepEqual(a: any, b: any, strict: boolean, seen: [object, object][] = []): boolean {
  if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (Object.prototype.toString.call(a) !== Object.prototype.toString.call(b)) return false;
  for (const [x, y] of seen) if (x === a) return y === b;
  seen = [...seen, [a, b]];
  if (isDate(a) !== isDate(b) || isRegExp(a) !== isRegExp(b) || isMap(a) !== isMap(b) || isSet(a) !== isSet(b) || isError(a) !== isError(b) || ArrayIsArray(a) !== ArrayIsArray(b)) return false;
  if (isDate(a) && !Object.is(DateGetTime(a), DateGetTime(b))) return false;
  if (isRegExp(a) && (a.source !== b.source || a.flags !== b.flags || a.lastIndex !== b.lastIndex)) return false;
  if (isError(a) && (((a as any).message !== b.message) || ((a as any).name !== b.name) || !deepEqual((a as any).cause, b.cause, strict, seen))) return false;
  if (ArrayIsArray(a) && a.length !== b.length) return false;
  for (const Box of [Number, String, Boolean, BigInt, Symbol] as any[]) {
    if (a instanceof Box && (!(b instanceof Box) || !Object.is(Box.prototype.valueOf.call(a), Box.prototype.valueOf.call(b)))) return false;
  }
  if (TypedArrayTag(a) !== undefined || isArrayBuffer(a)) {
    const x = bytesOf(a)!, y = bytesOf(b);
    if (y === undefined || x.length !== y.length) return false;
    if (!strict && TypedArrayTag(a)?.startsWith("Float")) {
      for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
      return true;
    }
    for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  }
  if (isSet(a)) {
    if (a.size !== b.size) return false;
    outer: for (const x of a) {
      if (b.has(x)) continue;
      if (typeof x !== "object" && strict) return false;
      for (const y of b) if (deepEqual(x, y, strict, seen)) continue outer;
      return false;
    }
  }
  if (isMap(a)) {
    if (a.size !== b.size) return false;
    outer2: for (const [k, v] of a) {
      if (b.has(k) && deepEqual(v, b.get(k), strict, seen)) continue;
      for (const [k2, v2] of b) if (deepEqual(k, k2, strict, seen) && deepEqual(v, v2, strict, seen)) continue outer2;
      return false;
    }
  }
  const keys = Object.keys(a), other = Object.keys(b);
  if (keys.length !== other.length) return false;
  if (TypedArrayTag(a) === undefined) for (const k of keys) if (!Object.hasOwn(b, k) || !deepEqual(a[k], b[k], strict, seen)) return false;
  if (strict) {
    const syms = Object.getOwnPropertySymbols(a).filter((s) => Object.prototype.propertyIsEnumerable.call(a, s)), more = Object.getOwnPropertySymbols(b).filter((s) => Object.prototype.propertyIsEnumerable.call(b, s));
    if (syms.length !== more.length) return false;
    for (const s of syms) if (!deepEqual(a[s], b[s], strict, seen)) return false;
  }
  return true;
}
