// How many bytes a value takes in V8's serialization format, version 15, by which
// Workers count what a WebSocket keeps. Left out: what only engines share.

import { ArrayBufferIsView, ArrayIsArray, BigIntToString, MapForEach, ObjectHasOwn, ObjectIs, ObjectKeys, RegExpTest, SafeMap, SetForEach, isArrayBuffer, isDate, isError, isMap, isRegExp, isSet } from "./primordials";

const beyondLatin1 = /[^\u0000-\u00ff]/;

/** The size of a value that structuredClone made. */
export function serializedSize(value: unknown): number {
  const seen = new SafeMap<object, number>();
  let n = 2; // the version
  const varint = (v: number): void => {
    do {
      n++;
      v = Math.floor(v / 128);
    } while (v > 0);
  };
  const text = (s: string): void => {
    const wide = RegExpTest(beyondLatin1, s), bytes = wide ? 2 * s.length : s.length;
    n++;
    varint(bytes);
    if (wide && n % 2 === 1) n++; // two-byte text begins at an even place
    n += bytes;
  };
  const small = (v: number): boolean => v === (v | 0) && v >= -1073741824 && v <= 1073741823 && !ObjectIs(v, -0);
  const number = (v: number): void => {
    n++;
    if (small(v)) varint(v < 0 ? -2 * v - 1 : 2 * v);
    else n += 8;
  };
  const named = (o: any): number => {
    const keys = ObjectKeys(o);
    for (let i = 0; i < keys.length; i++) {
      const index = +keys[i] >>> 0;
      if (`${index}` === keys[i]) number(index);
      else text(keys[i]);
      walk(o[keys[i]]);
    }
    return keys.length;
  };
  const walk = (x: any): void => {
    switch (typeof x) {
      case "string": return text(x);
      case "number": return number(x);
      case "bigint": {
        const digits = BigIntToString(x < 0n ? -x : x, 16).length, bytes = x === 0n ? 0 : 8 * Math.ceil(digits / 16);
        n++;
        varint(2 * bytes);
        n += bytes;
        return;
      }
    }
    if (typeof x !== "object" || x === null) {
      n++;
      return;
    }
    const had = seen.get(x);
    if (had !== undefined) {
      n++;
      return varint(had);
    }
    seen.set(x, seen.size);
    n++;
    if (isArrayBuffer(x) || ArrayBufferIsView(x)) {
      const view = ArrayBufferIsView(x) ? x : undefined, bytes = (view === undefined ? x as ArrayBuffer : view.buffer).byteLength;
      varint(bytes);
      n += bytes;
      if (view === undefined) return;
      n += 3; // that it is a view, of what kind, without flags
      varint(view.byteOffset);
      return varint(view.byteLength);
    }
    if (isDate(x)) n += 8;
    else if (isRegExp(x)) {
      text(x.source);
      n++;
    } else if (isMap(x)) {
      MapForEach(x, ((v: any, k: any) => {
        walk(k);
        walk(v);
      }) as any);
      n++;
      varint(2 * (x as any).size);
    } else if (isSet(x)) {
      SetForEach(x, ((v: any) => walk(v)) as any);
      n++;
      varint((x as any).size);
    } else if (isError(x)) {
      n += 3;
      text(`${(x as any).message}`);
      text(`${(x as any).stack}`);
    } else if (ArrayIsArray(x)) {
      varint(x.length);
      let numbers = true, floats = false, holes = false; // numbers of which one is no small integer are written alike
      for (let i = 0; i < x.length; i++) {
        if (!ObjectHasOwn(x, i)) holes = true;
        else if (typeof x[i] !== "number") numbers = false;
        else if (!small(x[i])) floats = true;
      }
      let count = 0; // of what is written with its name
      if (holes) count = named(x);
      else for (let i = 0; i < x.length; i++) {
        if (numbers && floats) n += 9;
        else walk(x[i]);
      }
      n++;
      varint(count);
      varint(x.length);
    } else {
      const count = named(x);
      n++;
      varint(count);
    }
  };
  walk(value);
  return n;
}
