// structuredClone. Specification: HTML, section 2.7. Error, ArrayBuffer (with
// transfer), views, Map, Set, Date, RegExp, boxed primitives, plain objects and
// arrays; platform objects register themselves with cloneable.

import {
  ArrayBufferIsView, NativeArrayBuffer, NativeUint8Array, RegExpTest, TypedArraySet,
  ArrayBufferByteLength, ArrayBufferSlice, ArrayIsArray, ArrayPush, DateGetTime, MapForEach, MapSet, NativeDate, NativeTypeError, ObjectGetOwnPropertyDescriptor,
  ObjectGetPrototypeOf, ObjectHasOwn, ObjectKeys, ObjectToString, FunctionToString, ReflectApply, SafeMap, SafeWeakSet, StringSlice, SetAdd, SetForEach, TypedArrayTag, expose, isArrayBuffer, isDate, isError, isMap, isPromise,
  isRegExp, isSet, isWeakMap, isWeakRef, isPlatform, isWeakSet, need, StringReplace,
} from "./primordials";
import { domError } from "./dom";
import { isProxy } from "./proxy";

const Shared: any = (globalThis as any).SharedArrayBuffer ?? class { }; // goja has none
const bufferTransfer = (ArrayBuffer.prototype as any).transfer as ((this: ArrayBuffer) => ArrayBuffer) | undefined;
const DOMError = globalThis.DOMException;
const errors: Record<string, any> = { Error, AggregateError: class { constructor(m?: string) { return m === undefined ? new AggregateError([]) : new AggregateError([], m); } }, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const views: Record<string, any> = {};
for (const n of ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array", "Float16Array"]) {
  if ((globalThis as any)[n]) views[n] = (globalThis as any)[n];
}
const { DataView: View, RegExp: Re, Map: M, Set: S, Object: O } = globalThis;

/** Buffers that cannot be transferred: those of WebAssembly's memories. */
export const fixedBuffers = new SafeWeakSet<object>();

type Cloner = { is: (v: any) => boolean; clone: (v: any) => any };
const cloners: Cloner[] = [];
/** Registers a platform class that can be cloned. */
export function cloneable(is: (v: any) => boolean, clone: (v: any) => any): void {
  ArrayPush(cloners, { is, clone });
}

function fail(what: string): never {
  throw domError("DataCloneError", `${StringReplace(what, /\{\s+(\[native code\]\s+)?\}$/, (_: string, n?: string) => n === undefined ? "{}" : "{ [native code] }")} could not be cloned.`);
}

/** A copy of a buffer, one that can be resized if it can. */
function copyBuffer(b: any): ArrayBuffer {
  if (b.resizable !== true) return ArrayBufferSlice(b, 0, ArrayBufferByteLength(b));
  const out = new (NativeArrayBuffer as any)(ArrayBufferByteLength(b), { maxByteLength: b.maxByteLength });
  TypedArraySet(new NativeUint8Array(out), new NativeUint8Array(b));
  return out;
}

/** A deep copy. seen holds what was copied already and what is transferred. */
export function clone(v: any, seen: InstanceType<typeof SafeMap> = new SafeMap()): any {
  switch (typeof v) {
    case "function":
      return fail(StringSlice(FunctionToString(v), 0, 60));
    case "symbol":
      return fail(String(v));
    case "object":
      break;
    default:
      return v;
  }
  if (v === null) return null;
  const had = seen.get(v);
  if (had !== undefined) return had;
  const keep = <T>(o: T): T => (seen.set(v, o), o);
  if (isProxy(v)) return fail("#<Object>");
  if (isArrayBuffer(v) && (v as any).detached === true) throw domError("DataCloneError", "An ArrayBuffer is detached and could not be cloned.");
  if (isArrayBuffer(v)) return keep(copyBuffer(v as ArrayBuffer));
  if (v instanceof Shared) return v; // shared is what it is
  const tag = TypedArrayTag(v);
  if (tag !== undefined && views[tag]) {
    const b = clone(v.buffer, seen);
    return keep(new views[tag](b, v.byteOffset, v.length));
  }
  if (ArrayBuffer.isView(v)) return keep(new View(clone((v as DataView).buffer, seen), v.byteOffset, v.byteLength));
  if (isDate(v)) return keep(new NativeDate(DateGetTime(v)));
  if (isRegExp(v)) return keep(new Re(v.source, v.flags));
  if (isMap(v)) {
    const m = keep(new M()), list: any[] = [];
    MapForEach(v, ((x: any, k: any) => ArrayPush(list, k, x)) as any);
    for (let i = 0; i < list.length; i += 2) MapSet(m, clone(list[i], seen), clone(list[i + 1], seen));
    return m;
  }
  if (isSet(v)) {
    const s = keep(new S()), list: any[] = [];
    SetForEach(v, ((x: any) => ArrayPush(list, x)) as any);
    for (let i = 0; i < list.length; i++) SetAdd(s, clone(list[i], seen));
    return s;
  }
  if (v instanceof DOMError) {
    const e = keep(new DOMError(v.message, v.name));
    (e as any).stack = v.stack;
    return e;
  }
  if (isError(v)) {
    const name = `${v.name}`, C = errors[ObjectHasOwn(errors, name) ? name : "Error"];
    const d = ObjectGetOwnPropertyDescriptor(v, "message");
    if (d && "value" in d && typeof d.value !== "string") throw domError("DataCloneError", "Deserialization failed: error message is not a string");
    const e = keep(new C(d && "value" in d ? d.value : ""));
    if (!ObjectHasOwn(errors, name)) Object.defineProperty(e, "name", { value: name, writable: true, configurable: true });
    const stack = v.stack;
    Object.defineProperty(e, "stack", { value: typeof stack === "string" ? stack : undefined, writable: true, enumerable: true, configurable: true });
    if (ArrayIsArray((v as any).errors)) Object.defineProperty(e, "errors", { value: clone((v as any).errors, seen), writable: true, configurable: true });
    const own = ObjectKeys(v);
    for (let i = 0; i < own.length; i++) e[own[i]] = clone((v as any)[own[i]], seen);
    const cause = ObjectGetOwnPropertyDescriptor(v, "cause");
    if (cause && "value" in cause) Object.defineProperty(e, "cause", { value: clone(cause.value, seen), writable: true, enumerable: true, configurable: true });
    return e;
  }
  for (let i = 0; i < cloners.length; i++) if (cloners[i].is(v)) return keep(cloners[i].clone(v));
  if (isPromise(v) || isWeakMap(v) || isWeakSet(v) || isWeakRef(v)) return fail(`#<${ObjectToString(v).slice(8, -1)}>`);
  if (ArrayIsArray(v)) {
    const a: any[] = keep([]);
    a.length = v.length;
    const keys = ObjectKeys(v);
    for (let i = 0; i < keys.length; i++) a[keys[i] as any] = clone((v as any)[keys[i]], seen);
    return a;
  }
  const boxed = ObjectToString(v);
  if (boxed === "[object Number]" || boxed === "[object String]" || boxed === "[object Boolean]" || boxed === "[object BigInt]") {
    const p = v.valueOf();
    if (typeof p !== "object") return keep(O(p));
  }
  if (v === globalThis) return fail("#<ServiceWorkerGlobalScope>");
  if (RegExpTest(/^\[object (?:Async)?Generator\]$|^\[object \w+(?: \w+)? Iterator\]$|^\[object Symbol\]$/, boxed)) return fail(boxed);
  if (boxed === "[object Arguments]") return fail("#<Object>");
  if (boxed === "[object ReadableStream]" || boxed === "[object WritableStream]") throw domError("DataCloneError", `${StringSlice(boxed, 8, -1)} can only be serialized for RPC.`);
  if (isPlatform(v)) throw domError("DataCloneError", `Could not serialize object of type "${boxed.slice(8, -1)}". This type does not support serialization.`);
  const o: any = keep({});
  const keys = ObjectKeys(v);
  for (let i = 0; i < keys.length; i++) {
    if (i > 0 && !ObjectHasOwn(v, keys[i])) continue; // a getter took it away
    const x = clone(v[keys[i]], seen);
    if (keys[i] === "__proto__") Object.defineProperty(o, keys[i], { value: x, enumerable: true, writable: true, configurable: true });
    else o[keys[i]] = x;
  }
  return o;
}

export const structuredClone = function structuredClone(value: any, options?: { transfer?: any[] }): any {
  need(arguments.length, 1, "structuredClone", "Value");
  if (options !== undefined && options !== null && typeof options !== "object") throw new NativeTypeError("Failed to execute 'structuredClone' on 'ServiceWorkerGlobalScope': parameter 2 is not of type 'StructuredCloneOptions'.");
  const transfer = options?.transfer;
  if (transfer !== undefined && !ArrayIsArray(transfer)) throw new NativeTypeError("Incorrect type for the 'transfer' field on 'StructuredCloneOptions': the provided value is not of type 'Array'.");
  const seen = new SafeMap<any, any>(), list = transfer === undefined ? [] : transfer.map((t) => (ArrayBufferIsView(t) ? t.buffer : t));
  for (const t of list) {
    if (!isArrayBuffer(t)) throw new NativeTypeError("Object is not transferable");
    if (fixedBuffers.has(t)) throw domError("DataCloneError", "Object is not transferable.");
  }
  const moved: [ArrayBuffer, ArrayBuffer][] = [];
  for (const t of list) {
    if (seen.get(t) !== undefined || t.detached) continue;
    const copy = copyBuffer(t);
    seen.set(t, copy);
    ArrayPush(moved, [t, copy]);
  }
  const out = clone(value, seen);
  for (let i = 0; i < moved.length; i++) bufferTransfer && ReflectApply(bufferTransfer, moved[i][0], []);
  return out;
};
expose("structuredClone", structuredClone);
