// Error.prototype.stack as V8 shows it: the error's own line, then the learner's
// frames, mapped to their files by the host when somebody reads it. Also what eval
// and new Function do here, which is to throw.

import { call, op } from "./host";
import { NativeError, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectSetPrototypeOf, ReflectConstruct, WeakMapGet, WeakMapSet, expose, isError, uncurryThis } from "./primordials";
import { current } from "./run";

const MAP = op("stack.map");

const desc = ObjectGetOwnPropertyDescriptor(NativeError.prototype, "stack");
const nativeGet = desc?.get ? (uncurryThis(desc.get as any) as (e: unknown) => unknown) : undefined;
const nativeSet = desc?.set ? (uncurryThis(desc.set as any) as (e: unknown, v: unknown) => void) : undefined;
const nativeCapture = (NativeError as any).captureStackTrace as ((o: object, f?: unknown) => void) | undefined;

/** The error's first line as V8 writes it when the error is made: a name given to the instance later is not in it. */
function headline(e: any): string {
  try {
    let name: unknown = "Error";
    const own = ObjectGetOwnPropertyDescriptor(e, "name");
    if (own !== undefined) {
      const p = ObjectGetPrototypeOf(e);
      name = p === null ? "Error" : p.name;
    } else name = e.name;
    const n = name === undefined ? "Error" : `${name as string}`, m = e.message === undefined ? "" : `${e.message}`;
    return n === "" ? m : m === "" ? n : `${n}: ${m}`;
  } catch {
    return "Error";
  }
}

/** The name of an error's class: its stack begins where one of them is made. */
function className(e: object): string {
  const p = ObjectGetPrototypeOf(e), C = p === null ? undefined : ObjectGetOwnPropertyDescriptor(p, "constructor")?.value;
  const name = typeof C === "function" ? ObjectGetOwnPropertyDescriptor(C, "name")?.value : undefined;
  return typeof name === "string" ? name : "";
}

/** The engine's frames of an error, unmapped. */
export function engineStack(e: unknown): string {
  if (nativeGet !== undefined) {
    const s = nativeGet(e);
    return typeof s === "string" ? s : "";
  }
  const d = ObjectGetOwnPropertyDescriptor(e as object, "stack");
  return typeof d?.value === "string" ? d.value : "";
}

const hook = ObjectGetOwnPropertyDescriptor(NativeError, "prepareStackTrace"), most = ObjectGetOwnPropertyDescriptor(NativeError, "stackTraceLimit");
const setHook = hook?.set ? (uncurryThis(hook.set as any) as (C: unknown, f: unknown) => void) : undefined;
const getMost = most?.get && most.set ? (uncurryThis(most.get as any) as (C: unknown) => unknown) : undefined;
const setMost = most?.set ? (uncurryThis(most.set as any) as (C: unknown, n: unknown) => void) : undefined;
let watcher: unknown;
/** Has the engine call f for each error it makes, for the error's stack; reports whether the engine can. */
export function watch(f: (e: any, sites: any[]) => unknown): boolean {
  if (setHook === undefined) return false;
  watcher = f;
  setHook(NativeError, f);
  return true;
}

/** An error that only remembers where the program is, for stackOf, in at most so many of the engine's frames. What the program says about stacks does not matter, and it is not asked. */
export function here(frames = 10): Error {
  const watched = watcher !== undefined, limit = getMost === undefined ? frames : getMost(NativeError), other = limit !== frames;
  try {
    if (watched) setHook!(NativeError, undefined);
    if (other) setMost!(NativeError, frames);
    return new NativeError();
  } finally { // also where the stack is full
    if (other) setMost!(NativeError, limit);
    if (watched) setHook!(NativeError, watcher);
  }
}

/** The engine's frames of the caller, for the host to map. */
export const rawStack = (frames: number): string => engineStack(here(frames));

const places = new WeakMap<object, unknown>();
/** Gives an error the stack of another one; made by us after a wait, it has none of the program's frames itself. */
export function stackOf<T>(e: T, at: unknown): T {
  if (at !== undefined && isError(e)) WeakMapSet(places, e as object, WeakMapGet(places, at as object) ?? at);
  return e;
}

const textOf = (key: string) => {
  const get = ObjectGetOwnPropertyDescriptor(Function.prototype, key)?.get;
  return get === undefined ? undefined : (uncurryThis(get as any) as (f: unknown) => unknown);
};
const fileOf = textOf("fileName"), lineOf = textOf("lineNumber"), columnOf = textOf("columnNumber");
/** Gives an error that has none of the program's frames the place where a method of an object is written. */
export function placeAt(e: unknown, o: unknown, method: string): void {
  if (typeof e !== "object" || e === null || fileOf === undefined || lineOf === undefined || columnOf === undefined) return;
  for (let p: any = o; (typeof p === "object" || typeof p === "function") && p !== null; p = ObjectGetPrototypeOf(p)) {
    const d = ObjectGetOwnPropertyDescriptor(p, method);
    if (d === undefined) continue;
    if (typeof d.value !== "function") return;
    const frames = call(MAP, `    at ${method} (${fileOf(d.value) as string}:${lineOf(d.value) as number}:${columnOf(d.value) as number})`, "") as string;
    if (frames !== "") ObjectDefineProperty(e, "stack", { value: `${headline(e)}\n${frames}`, writable: true, enumerable: false, configurable: true });
    return;
  }
}

if (nativeGet !== undefined && nativeSet !== undefined) {
  const shown = new WeakMap<object, string>();
  ObjectDefineProperty(NativeError.prototype, "stack", {
    get(this: any) {
      if (typeof this !== "object" || this === null) return undefined;
      const had = WeakMapGet(shown, this) as string | undefined;
      if (had !== undefined) return had;
      const raw = nativeGet(WeakMapGet(places, this) ?? this);
      if (typeof raw !== "string") return raw;
      const frames = call(MAP, raw, className(this)) as string;
      const s = frames === "" ? headline(this) : headline(this) + "\n" + frames;
      WeakMapSet(shown, this, s);
      return s;
    },
    set(this: any, v: unknown) {
      if ((typeof this !== "object" && typeof this !== "function") || this === null) return;
      ObjectDefineProperty(this, "stack", { value: v, writable: true, enumerable: false, configurable: true });
    },
    configurable: true,
  });
}

ObjectDefineProperty(NativeError, "captureStackTrace", {
  value: {
    captureStackTrace(o: any, f?: unknown) {
      if ((typeof o !== "object" && typeof o !== "function") || o === null) throw new TypeError("Invalid argument");
      let raw: string;
      if (nativeCapture !== undefined) {
        const t: any = {};
        nativeCapture(t, f);
        if (typeof t.stack === "object" && t.stack !== null) { // what the program's Error.prepareStackTrace made
          ObjectDefineProperty(o, "stack", { value: t.stack, writable: true, enumerable: false, configurable: true });
          return;
        }
        raw = typeof t.stack === "string" ? t.stack : "";
      } else raw = engineStack(new NativeError());
      const frames = call(MAP, raw) as string, head = isError(o) || typeof o.message === "string" || typeof o.name === "string" ? headline(o) : "Error";
      ObjectDefineProperty(o, "stack", { value: frames === "" ? head : head + "\n" + frames, writable: true, enumerable: false, configurable: true });
    },
  }.captureStackTrace, writable: true, configurable: true,
});

// Code from strings. eval and the four function constructors work while the
// module's top level runs, from the date on at which Workers allow it, and throw EvalError else.
// Such code sees the global scope: what is bound to the name is not the engine's eval.
const refuse = () => {
  throw new EvalError("Code generation from strings disallowed for this context");
};
const codeAllowed = (): boolean => current.starting && current.codeAtStart;
{
  const NativeFunction = Function;
  const make = (proto: any, name: string) => {
    const native = proto.constructor;
    const F: any = { [name]: function (...args: any[]) { return codeAllowed() ? ReflectConstruct(native, args) : refuse(); } }[name];
    ObjectDefineProperty(F, "prototype", { value: proto, writable: false });
    ObjectDefineProperty(F, "length", { value: 1, configurable: true });
    ObjectDefineProperty(proto, "constructor", { value: F, writable: true, configurable: true });
    return F;
  };
  const F = make(NativeFunction.prototype, "Function");
  expose("Function", F);
  const protos: [string, any][] = [["GeneratorFunction", function* () { }], ["AsyncFunction", async () => { }]];
  try {
    protos.push(["AsyncGeneratorFunction", async function* () { }]);
  } catch { /* an engine without them */ }
  for (const [name, f] of protos) {
    const p = ObjectGetPrototypeOf(f);
    if (p !== NativeFunction.prototype) ObjectSetPrototypeOf(make(p, name), F);
  }
  const nativeEval = globalThis.eval;
  const given = { eval(x: unknown) { return codeAllowed() ? nativeEval(x as string) : refuse(); } }.eval;
  expose("eval", given);
}
