// Values between isolates as text: structured clone written as JSON with tags.
// Used for RPC, Durable Object storage and queue messages. A compound value gets
// the next number when it is met; ["r", n] refers back to it. Long strings that
// cross RPC follow the JSON as they are, "=" and its length before it: to write one
// as JSON takes the engine ten times as long as to copy it, and in one piece.

import { ArrayIsArray, ArrayJoin, ArrayPush, DateGetTime, JSONParse, JSONStringify, FunctionToString, MapForEach, MapSet, NativeDate, ObjectKeys, ObjectIs, ObjectHasOwn, ObjectToString, SafeMap, StringIndexOf, StringIsWellFormed, StringSlice, SymbolToString, SetAdd, SetForEach, TypedArrayTag, bytesOf, isArrayBuffer, isDate, isError, isMap, isPromise, isRegExp, isSet, isWeakMap, isWeakRef, isWeakSet, ObjectGetPrototypeOf, NativeUint8Array } from "./primordials";
import { DOMException, domError } from "./dom";
import { isProxy } from "./proxy";
import { headersFrom, headersRaw, isHeaders } from "./headers";

const errors: Record<string, any> = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as any;
const views: Record<string, any> = { __proto__: null, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView } as any;
const toBase64 = (b: Uint8Array): string => {
  const f = (b as any).toBase64;
  if (f) return toBase64Native.call(b);
  let s = "";
  for (let i = 0; i < b.length; i++) s += String.fromCharCode(b[i]);
  return btoa(s);
};
const toBase64Native = (Uint8Array.prototype as any).toBase64;
const fromBase64Native = (Uint8Array as any).fromBase64;
const fromBase64 = (s: string): Uint8Array => (fromBase64Native ? fromBase64Native.call(NativeUint8Array, s) : Uint8Array.from(atob(s), (c: string) => c.charCodeAt(0)));

function refuse(what: string, why = " could not be cloned."): never {
  throw domError("DataCloneError", what + why);
}
function fail(what: string): never {
  throw domError("DataCloneError", `Could not serialize ${what}. This type does not support serialization.`);
}

/** What is in a stream, request or response: bytes, nothing, or the address of a stream in the isolate that it is from. */
export type Content = Uint8Array | null | { at: string };
/** What RPC adds: the content of the streams, requests and responses in a value, and how functions and RPC targets are passed by reference. */
export type Crossing = { body(o: object): Content | undefined; reference(o: object): unknown[] | undefined };
/** How those are written and made again; rpc.ts sets it. */
export const bodies = { write: (_o: any, _body: string | null | { at: string }, _walk: (v: unknown) => any): any => fail("a body"), read: (_x: any[], _bytes: (s: string) => Uint8Array, _walk: (v: any) => any): any => undefined };
/** How a reference becomes a stub or a service binding; rpc.ts sets it. */
export const references = { read: (_address: string): any => undefined, writable: (_address: string): any => undefined, service: (_target: string[]): any => undefined };

/** A value as text; throws DataCloneError for what cannot be copied, and for instances of classes when it crosses RPC. */
export function serialize(v: unknown, rpc?: Crossing): string {
  const seen = new SafeMap<object, number>();
  const long: string[] = [];
  let length = 0;
  const walk = (x: any): any => {
    switch (typeof x) {
      case "string":
        if (rpc === undefined || x.length < longLeast || !StringIsWellFormed(x)) return x; // frames carry no lone surrogates
        ArrayPush(long, x);
        return ["t", (length += x.length) - x.length, x.length];
      case "boolean": return x;
      case "number": return Number.isFinite(x) && !ObjectIs(x, -0) ? x : ["n", ObjectIs(x, -0) ? "-0" : `${x}`];
      case "undefined": return ["u"];
      case "bigint": return ["b", `${x}`];
      case "symbol": refuse(SymbolToString(x));
      case "function": return rpc === undefined ? refuse(FunctionToString(x)) : rpc.reference(x) ?? fail(`object of type "Function"`);
    }
    if (x === null) return null;
    const ref = rpc?.reference(x);
    if (ref !== undefined) return ref;
    const had = seen.get(x);
    if (had !== undefined) return ["r", had];
    if (isProxy(x)) return fail("a Proxy");
    seen.set(x, seen.size);
    if (isDate(x)) return ["d", walk(DateGetTime(x))];
    if (isRegExp(x)) return ["x", x.source, x.flags];
    if (isArrayBuffer(x)) return ["ab", toBase64(new NativeUint8Array(x))];
    const t = TypedArrayTag(x) ?? (ArrayBuffer.isView(x) ? "DataView" : undefined);
    if (t !== undefined) return ["v", t, toBase64(bytesOf(x)!)];
    if (isMap(x)) {
      const out: any[] = ["m"];
      MapForEach(x, ((v: any, k: any) => ArrayPush(out, walk(k), walk(v))) as any);
      return out;
    }
    if (isSet(x)) {
      const out: any[] = ["s"];
      SetForEach(x, ((v: any) => ArrayPush(out, walk(v))) as any);
      return out;
    }
    if (x instanceof DOMException) return ["dom", (x as any).name, (x as any).message];
    if (isError(x)) {
      const own: any = {};
      for (const k of ObjectKeys(x)) own[k] = walk((x as any)[k]);
      if (x instanceof AggregateError) own.errors = walk((x as any).errors);
      return ["e", `${(x as any).name}`, `${(x as any).message}`, "cause" in (x as any) ? walk((x as any).cause) : null, own, typeof (x as any).stack === "string" ? (x as any).stack : ""];
    }
    if (isHeaders(x)) return ["h", headersRaw(x)];
    if (rpc !== undefined) {
      const body = rpc.body(x);
      if (body !== undefined) return bodies.write(x, bytesOf(body) === undefined ? body as null | { at: string } : toBase64(body as Uint8Array), walk);
    }
    if (ArrayIsArray(x)) {
      const out: any[] = ["a"];
      for (let i = 0; i < x.length; i++) ArrayPush(out, ObjectHasOwn(x, i) ? walk(x[i]) : ["o"]);
      return out;
    }
    if (rpc !== undefined) {
      const t = ObjectToString(x);
      if (t === "[object Generator]" || t === "[object AsyncGenerator]") refuse(t);
      if (isPromise(x) || isWeakMap(x) || isWeakSet(x) || isWeakRef(x)) refuse(`#<${t.slice(8, -1)}>`);
      if (t === "[object AbortSignal]") refuse("AbortSignal serialization is not enabled.", "");
      if (x === globalThis) refuse("#<ServiceWorkerGlobalScope>");
    } else if (isPromise(x)) return fail("a Promise");
    const p = ObjectGetPrototypeOf(x);
    if (p !== Object.prototype && (p !== null || rpc !== undefined) && (rpc !== undefined || x[Symbol.toStringTag] !== undefined)) return fail(`object of type "${x.constructor?.name ?? "Object"}"`);
    const out: any[] = ["k"];
    const keys = ObjectKeys(x);
    for (let i = 0; i < keys.length; i++) ArrayPush(out, keys[i], walk(x[keys[i]]));
    return out;
  };
  const text = JSONStringify(walk(v));
  return long.length === 0 ? text : `=${text.length},${text}${ArrayJoin(long, "")}`;
}
/** From so many characters on a string is long. */
const longLeast = 4096;

/** The value of a text made by serialize. */
export function deserialize(text: string): any {
  const seen: any[] = [];
  let json = text, rest = 0; // where the long strings begin
  if (text[0] === "=") {
    const from = StringIndexOf(text, ",") + 1;
    rest = from + +StringSlice(text, 1, from - 1);
    json = StringSlice(text, from, rest);
  }
  const keep = <T>(o: T): T => (ArrayPush(seen, o), o);
  const walk = (x: any): any => {
    if (!ArrayIsArray(x)) return x;
    switch (x[0]) {
      case "t": return StringSlice(text, rest + x[1], rest + x[1] + x[2]);
      case "n": return x[1] === "-0" ? -0 : Number(x[1]);
      case "u": return undefined;
      case "b": return BigInt(x[1]);
      case "r": return seen[x[1]];
      case "d": return keep(new NativeDate(walk(x[1])));
      case "x": return keep(new RegExp(x[1], x[2]));
      case "ab": return keep(fromBase64(x[1]).buffer);
      case "v": {
        const b = fromBase64(x[2]);
        return keep(x[1] === "Uint8Array" ? b : new views[x[1]](b.buffer));
      }
      case "m": {
        const m = keep(new Map());
        for (let i = 1; i < x.length; i += 2) MapSet(m, walk(x[i]), walk(x[i + 1]));
        return m;
      }
      case "s": {
        const s = keep(new Set());
        for (let i = 1; i < x.length; i++) SetAdd(s, walk(x[i]));
        return s;
      }
      case "e": {
        const C = errors[x[1]];
        const e: any = keep(x[1] === "AggregateError" ? new AggregateError([], x[2]) : new (C ?? Error)(x[2]));
        if (e.name !== x[1]) Object.defineProperty(e, "name", { value: x[1], writable: true, configurable: true });
        for (const k of ObjectKeys(x[4])) {
          const value = walk(x[4][k]);
          Object.defineProperty(e, k, { value, writable: true, enumerable: true, configurable: true });
        }
        if (x[3] !== null) Object.defineProperty(e, "cause", { value: walk(x[3]), writable: true, enumerable: true, configurable: true });
        return e;
      }
      case "dom": return keep(domError(x[1], x[2]));
      case "h": return keep(headersFrom(x[1], "none"));
      case "stub": return references.read(x[1]);
      case "writable": return references.writable(x[1]);
      case "service": return references.service(x[1]);
      case "body": {
        const at = seen.length;
        keep(undefined);
        return seen[at] = bodies.read(x, fromBase64, walk);
      }
      case "a": {
        const a: any[] = keep([]);
        for (let i = 1; i < x.length; i++) {
          if (ArrayIsArray(x[i]) && x[i][0] === "o") a.length = i;
          else a[i - 1] = walk(x[i]);
        }
        return a;
      }
      case "k": {
        const o: any = keep({});
        for (let i = 1; i < x.length; i += 2) {
          const v = walk(x[i + 1]);
          if (x[i] === "__proto__") Object.defineProperty(o, x[i], { value: v, writable: true, enumerable: true, configurable: true });
          else o[x[i]] = v;
        }
        return o;
      }
    }
    return undefined;
  };
  return walk(JSONParse(json));
}
