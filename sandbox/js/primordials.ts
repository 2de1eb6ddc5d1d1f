// Built-ins captured before any learner code runs, so that a patched
// Array.prototype or JSON.parse cannot break or fool the platform. Platform code
// walks arrays by index and calls methods through these functions.

const { bind, call } = Function.prototype;
type Uncurry = <T, A extends unknown[], R>(f: (this: T, ...args: A) => R) => (self: T, ...args: A) => R;
export const uncurryThis = bind.bind(call) as unknown as Uncurry;

export const ObjectDefineProperty = Object.defineProperty;
export const ObjectGetOwnPropertyDescriptor = Object.getOwnPropertyDescriptor;
export const ObjectGetOwnPropertyNames = Object.getOwnPropertyNames;
export const ObjectGetOwnPropertySymbols = Object.getOwnPropertySymbols;
export const ObjectGetPrototypeOf = Object.getPrototypeOf;
export const ObjectSetPrototypeOf = Object.setPrototypeOf;
export const ObjectCreate = Object.create;
export const ObjectKeys = Object.keys;
export const ObjectFreeze = Object.freeze;
export const ObjectAssign = Object.assign;
export const ObjectHasOwn = Object.hasOwn;
export const ObjectIs = Object.is;
export const ObjectToString = uncurryThis(Object.prototype.toString) as (self: unknown) => string;
export const PropertyIsEnumerable = uncurryThis(Object.prototype.propertyIsEnumerable) as (self: unknown, k: PropertyKey) => boolean;
export const ErrorToString = uncurryThis(Error.prototype.toString) as (self: unknown) => string;
export const ReflectApply = Reflect.apply;
export const ReflectConstruct = Reflect.construct;
export const ReflectOwnKeys = Reflect.ownKeys;
export const ReflectGet = Reflect.get;
export const ReflectHas = Reflect.has;

export const ArrayIsArray = Array.isArray;
export const ArrayFrom = Array.from;
export const ArrayPush = uncurryThis(Array.prototype.push as (this: any[], ...v: any[]) => number);
export const ArraySplice = uncurryThis(Array.prototype.splice as (this: any[], at: number, n: number, ...v: any[]) => any[]);
export const ArraySlice = uncurryThis(Array.prototype.slice as (this: any[], from?: number, to?: number) => any[]);
export const ArrayJoin = uncurryThis(Array.prototype.join as (this: any[], sep?: string) => string);
export const ArraySort = uncurryThis(Array.prototype.sort as (this: any[], f?: (a: any, b: any) => number) => any[]);
export const ArrayIndexOf = uncurryThis(Array.prototype.indexOf as (this: any[], v: any, from?: number) => number);
export const ArrayShift = uncurryThis(Array.prototype.shift as (this: any[]) => any);

export const StringToLowerCase = uncurryThis(String.prototype.toLowerCase);
export const StringToUpperCase = uncurryThis(String.prototype.toUpperCase);
export const StringSlice = uncurryThis(String.prototype.slice);
export const StringIndexOf = uncurryThis(String.prototype.indexOf);
export const StringSplit = uncurryThis(String.prototype.split as (this: string, sep: string | RegExp, limit?: number) => string[]);
export const BigIntToString = uncurryThis(BigInt.prototype.toString as (this: bigint, radix: number) => string);
export const StringCharCodeAt = uncurryThis(String.prototype.charCodeAt);
export const StringStartsWith = uncurryThis(String.prototype.startsWith);
export const StringEndsWith = uncurryThis(String.prototype.endsWith);
export const StringTrim = uncurryThis(String.prototype.trim);
export const StringRepeat = uncurryThis(String.prototype.repeat);
export const StringPadEnd = uncurryThis(String.prototype.padEnd);
export const StringPadStart = uncurryThis(String.prototype.padStart);
export const StringReplace = uncurryThis(String.prototype.replace as (this: string, a: any, b: any) => string);
export const StringFromCharCode = String.fromCharCode;
export const StringIsWellFormed = uncurryThis((String.prototype as any).isWellFormed ?? function (this: string) { return false; }) as (s: string) => boolean;
export const StringToWellFormed = uncurryThis((String.prototype as any).toWellFormed ?? function (this: string) { return this; }) as (s: string) => string;
export const RegExpExec = uncurryThis(RegExp.prototype.exec);
export const RegExpTest = (re: RegExp, s: string): boolean => RegExpExec(re, s) !== null;

export const FunctionToString = uncurryThis(Function.prototype.toString);
export const SymbolToString = uncurryThis(Symbol.prototype.toString);
export const NumberIsInteger = Number.isInteger;
export const NativeNumber = Number;
export const NativeString = String;
export const JSONParse = JSON.parse;
export const JSONStringify = JSON.stringify;
export const MathMin = Math.min;
export const NumberIsFinite = Number.isFinite;
export const MathMax = Math.max;
export const MathFloor = Math.floor;
export const MathRandom = Math.random;
export const MathTrunc = Math.trunc;
export const DateNow = Date.now;
export const DateToISOString = uncurryThis(Date.prototype.toISOString);
export const DateGetTime = uncurryThis(Date.prototype.getTime);

export const PromiseThen = uncurryThis(Promise.prototype.then as any) as (p: any, f?: any, r?: any) => Promise<any>;
export const PromiseResolve = Promise.resolve.bind(Promise) as (v?: any) => Promise<any>;
export const PromiseReject = Promise.reject.bind(Promise) as (v?: any) => Promise<any>;
export const NativePromise = Promise;
export const NativeError = Error;
export const NativeTypeError = TypeError;
export const NativeRangeError = RangeError;
export const NativeProxy = Proxy;
export const NativeDate = Date;

export const NativeUint8Array = Uint8Array;
export const NativeRegExp = RegExp;
export const NativeArrayBuffer = ArrayBuffer;
export const ArrayBufferIsView = ArrayBuffer.isView;
export const ArrayBufferSlice = uncurryThis(ArrayBuffer.prototype.slice);
const TypedArray = Object.getPrototypeOf(Uint8Array);
const getter = (proto: object, key: PropertyKey) => uncurryThis(Object.getOwnPropertyDescriptor(proto, key)!.get as any) as (o: any) => any;
export const TypedArrayTag = getter(TypedArray.prototype, Symbol.toStringTag) as (o: unknown) => string | undefined;
export const TypedArrayLength = getter(TypedArray.prototype, "length") as (o: unknown) => number;
export const TypedArraySet = uncurryThis(TypedArray.prototype.set) as unknown as (self: any, src: any, at?: number) => void;
export const TypedArraySubarray = uncurryThis(TypedArray.prototype.subarray) as unknown as (self: any, from?: number, to?: number) => any;
const taBuffer = getter(TypedArray.prototype, "buffer"), taOffset = getter(TypedArray.prototype, "byteOffset"), taBytes = getter(TypedArray.prototype, "byteLength");
const dvBuffer = getter(DataView.prototype, "buffer"), dvOffset = getter(DataView.prototype, "byteOffset"), dvBytes = getter(DataView.prototype, "byteLength");
export const ArrayBufferByteLength = getter(ArrayBuffer.prototype, "byteLength") as (o: unknown) => number;
export const MapSize = getter(Map.prototype, "size") as (o: unknown) => number;
export const SetSize = getter(Set.prototype, "size") as (o: unknown) => number;
export const MapGet = uncurryThis(Map.prototype.get), MapSet = uncurryThis(Map.prototype.set), MapForEach = uncurryThis(Map.prototype.forEach);
export const SetAdd = uncurryThis(Set.prototype.add), SetForEach = uncurryThis(Set.prototype.forEach);
export const WeakMapGet = uncurryThis(WeakMap.prototype.get), WeakMapSet = uncurryThis(WeakMap.prototype.set), WeakMapHas = uncurryThis(WeakMap.prototype.has);

// Prototypes of objects with a brand: what a brand check of an object below none of them must answer is known.
const branded = new Set<object>([Map, Set, WeakMap, WeakSet, WeakRef, Date, RegExp, ArrayBuffer, DataView, Promise, Number, String, Boolean, BigInt, Symbol, Error].map((C) => C.prototype));
branded.add(TypedArray.prototype);
const isBranded = uncurryThis(Set.prototype.has).bind(null, branded as any) as (o: object) => boolean;
let proxied: (o: object) => boolean = () => false;
/** Says how to tell a proxy, whose traps must not run. */
export function setProxied(f: (o: object) => boolean): void {
  proxied = f;
}
let lastSeen: unknown, lastOrdinary = false;
/**
 * Whether an object is an array or a plain object or instance, so that it has no brand and the checks below,
 * each of which costs an exception, need not be made. One that was given such a prototype by hand counts too.
 */
export function ordinary(o: unknown): boolean {
  if (typeof o !== "object" || o === null) return true;
  if (o === lastSeen) return lastOrdinary;
  let yes = true;
  if (!ArrayIsArray(o)) {
    for (let p: any = o; yes && p !== null; p = ObjectGetPrototypeOf(p)) if (proxied(p) || isBranded(p)) yes = false;
    if (yes && !(Symbol.toStringTag in o)) {
      // Some brands show without a prototype.
      const t = ObjectToString(o);
      yes = t !== "[object Date]" && t !== "[object Error]" && t !== "[object RegExp]" && t !== "[object Number]" && t !== "[object String]" && t !== "[object Boolean]";
    }
  } else yes = !proxied(o);
  lastSeen = o;
  return lastOrdinary = yes;
}

/** A fast check that never runs learner code. */
const attempt = (f: (o: unknown) => unknown) => (o: unknown): boolean => {
  if (ordinary(o)) return false;
  try {
    f(o);
    return true;
  } catch {
    return false;
  }
};
export const isMap = attempt(MapSize);
export const isSet = attempt(SetSize);
export const isDate = attempt(DateGetTime as any);
export const isArrayBuffer = attempt(ArrayBufferByteLength);
export const isRegExp = attempt(getter(RegExp.prototype, "flags") && uncurryThis(Object.getOwnPropertyDescriptor(RegExp.prototype, "source")!.get as any) as any);
export const isWeakMap = attempt((o) => WeakMapHas(o as any, {}));
export const isWeakSet = attempt((o) => weakSetHas(o as any, {}));
const weakSetHas = uncurryThis(WeakSet.prototype.has);
export const isWeakRef = attempt((o) => weakRefDeref(o as any));
const weakRefDeref = typeof WeakRef === "function" ? uncurryThis(WeakRef.prototype.deref) : () => { throw 0; };
const nativeIsError = (Error as any).isError as ((o: unknown) => boolean) | undefined;
export const isError = (o: unknown): boolean =>
  nativeIsError ? nativeIsError(o) : o instanceof NativeError || ObjectToString(o) === "[object Error]";
const promiseThenProbe = ObjectToString;
export const isPromise = (o: unknown): o is Promise<unknown> => o instanceof NativePromise || (typeof o === "object" && o !== null && promiseThenProbe(o) === "[object Promise]" && typeof (o as any).then === "function");

/** The length in bytes of a view. */
export const viewLength = (v: any): number => (TypedArrayTag(v) === undefined ? dvBytes(v) : taBytes(v));

/** The bytes of a buffer or view, without a copy; undefined for anything else. */
export function bytesOf(v: unknown): Uint8Array | undefined {
  if (typeof v !== "object" || v === null) return undefined;
  const tag = TypedArrayTag(v);
  if (tag === "Uint8Array") return v as Uint8Array;
  if (tag !== undefined) return new NativeUint8Array(taBuffer(v), taOffset(v), taBytes(v));
  if (ArrayBufferIsView(v)) return new NativeUint8Array(dvBuffer(v), dvOffset(v), dvBytes(v));
  if (isArrayBuffer(v)) return new NativeUint8Array(v as ArrayBuffer);
  return undefined;
}

/** Maps and sets whose methods learner code cannot reach. */
function safe<C extends abstract new (...a: any) => any>(base: C, methods: string[]): C {
  const Safe = class extends (base as any) {} as any;
  for (const m of methods) ObjectDefineProperty(Safe.prototype, m, ObjectGetOwnPropertyDescriptor(base.prototype, m)!);
  ObjectSetPrototypeOf(Safe.prototype, null);
  ObjectFreeze(Safe.prototype);
  return Safe;
}
export const SafeMap = safe(Map, ["get", "set", "has", "delete", "clear", "size", "forEach", "keys", "values", "entries"]);
export const SafeSet = safe(Set, ["add", "has", "delete", "clear", "size", "forEach", "values"]);
export const SafeWeakMap = safe(WeakMap, ["get", "set", "has", "delete"]);
export const SafeWeakSet = safe(WeakSet, ["add", "has", "delete"]);

/** Keys of the platform's own state on objects that programs see, which console does not show. */
export const ownState = new SafeSet<PropertyKey>();

const platformProtos = new SafeWeakSet<object>();
/** Whether an object is of a platform class, whose state a copy of its properties would lose. */
export function isPlatform(o: object): boolean {
  for (let p = ObjectGetPrototypeOf(o); p !== null; p = ObjectGetPrototypeOf(p)) if (platformProtos.has(p)) return true;
  return false;
}

/** Gives a class its Symbol.toStringTag. */
export function tag(C: { prototype: object }, name: string): void {
  nameClass(C, name);
  platformProtos.add(C.prototype);
  lengthless(C);
  ObjectDefineProperty(C.prototype, Symbol.toStringTag, { value: name, configurable: true });
}

/** Workers' functions say that they take no arguments. */
export function lengthless(C: { prototype: object }): void {
  for (const o of [C, C.prototype]) {
    for (const k of ReflectOwnKeys(o)) {
      const f = k === "constructor" || k === "prototype" ? undefined : ObjectGetOwnPropertyDescriptor(o, k)!.value;
      if (typeof f === "function" && f.length > 0) ObjectDefineProperty(f, "length", { value: 0, configurable: true });
    }
  }
}

/** Makes the named members enumerable, as Web IDL has them. */
export function enumerable(C: { prototype: object }, names?: string[]): void {
  for (const k of names ?? ObjectGetOwnPropertyNames(C.prototype)) {
    if (k === "constructor") continue;
    const d = ObjectGetOwnPropertyDescriptor(C.prototype, k)!;
    if (!d.enumerable) ObjectDefineProperty(C.prototype, k, { ...d, enumerable: true });
  }
}

/** Puts on the prototype of an internal class what its objects mostly hold, so that making one makes few fields. */
export function defaults(C: { prototype: object }, values: object): void {
  Object.assign(C.prototype, values);
}

/** The bundler may have renamed a class; learners see its real name. */
function nameClass(C: unknown, name: string): void {
  if (typeof C === "function" && C.name !== name && name.indexOf(".") < 0) ObjectDefineProperty(C, "name", { value: name, configurable: true });
}

// What has a length that says something, as on Workers.
const long = ["Function", "Proxy", "eval", "Buffer", "setTimeout", "setInterval", "clearTimeout", "clearInterval"];
/** Puts a name on the global object, not enumerable, replaceable, as built-ins are. */
export function expose(name: string, value: unknown): void {
  nameClass(value, name);
  if (typeof value === "function" && long.indexOf(name) < 0) ObjectDefineProperty(value, "length", { value: 0, configurable: true });
  ObjectDefineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}

/** What Workers say of an argument that is not of its parameter's type. What: "Interface constructor", "Interface.method" or a global function's name. */
export function wrongType(what: string, parameter: number, type: string): TypeError {
  const dot = what.indexOf("."), made = what.indexOf(" constructor");
  const where = made >= 0 ? `Failed to construct '${what.slice(0, made)}': constructor` : dot >= 0 ? `Failed to execute '${what.slice(dot + 1)}' on '${what.slice(0, dot)}':` : `Failed to execute '${what}' on 'ServiceWorkerGlobalScope':`;
  return new NativeTypeError(`${where} parameter ${parameter} is not of type '${type}'.`);
}

/** Throws unless at least n arguments were given. Types: those of the parameters, with commas between; the last is that of the rest. */
export function need(given: number, n: number, what: string, types = "string"): void {
  if (given >= n) return;
  const all = types.split(",");
  throw wrongType(what, given + 1, all[given] ?? all[all.length - 1]);
}

/** Web IDL's iterator objects over a list made when iteration starts. */
const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
export function listIterator<T>(list: T[], name: string): IterableIterator<T> {
  let i = 0;
  return stepIterator(name, () => (i < list.length ? { done: false, value: list[i++] } : { done: true, value: undefined }));
}

/** An iterator object whose next is the given function. */
export function stepIterator<T>(name: string, next: () => { done: boolean; value: T | undefined }): IterableIterator<T> {
  const it = ObjectCreate(iteratorProto(name));
  nextOf.set(it, next);
  return it;
}
const nextOf = new SafeWeakMap<object, () => any>();
const protos: Record<string, object> = ObjectCreate(null);
function iteratorProto(name: string): object {
  let p = protos[name];
  if (p === undefined) {
    p = protos[name] = ObjectCreate(IteratorPrototype);
    ObjectDefineProperty(p, "next", {
      value: function next(this: object) {
        const f = nextOf.get(this);
        if (f === undefined) throw new NativeTypeError("next method called on incompatible receiver");
        return f();
      }, writable: true, enumerable: true, configurable: true,
    });
    ObjectDefineProperty(p, Symbol.toStringTag, { value: name, configurable: true });
  }
  return p;
}
