// Error.prototype.stack as V8 shows it: the error's own line, then the learner's
// frames, mapped to their files by the host when somebody reads it. Also what eval
// and new Function do here, which is to throw.

import { call, engine, op } from "./host";
import { NativeError, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf, ObjectSetPrototypeOf, ReflectApply, ReflectConstruct, ReflectOwnKeys, RegExpExec, StringSplit, WeakMapGet, WeakMapSet, expose, isError, uncurryThis } from "./primordials";
import { current } from "./run";

const MAP = op("stack.map");

const desc = ObjectGetOwnPropertyDescriptor(NativeError.prototype, "stack");
const nativeGet = desc?.get ? (uncurryThis(desc.get as any) as (e: unknown) => unknown) : undefined;
const nativeSet = desc?.set ? (uncurryThis(desc.set as any) as (e: unknown, v: unknown) => void) : undefined;
const nativeCapture = (NativeError as any).captureStackTrace as ((o: object, f?: unknown) => void) | undefined;

/** The error's first line as V8 writes it: by the name that it has when somebody first looks. */
function headline(e: any): string {
  try {
    const n = e.name === undefined ? "Error" : `${e.name as string}`, m = e.message === undefined ? "" : `${e.message}`;
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

/** A stack frame as the engine gives it. No program ever has one. */
export interface Site {
  getFunctionName(): string | null;
  getFileName(): string | null;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  isNative(): boolean;
}

export type Frame = { name: string; file: string; line: number; column: number; native: boolean };
export const frameOf = (s: Site): Frame => ({ name: s.getFunctionName() ?? "", file: s.getFileName() ?? "", line: s.getLineNumber() ?? 0, column: s.getColumnNumber() ?? 0, native: s.isNative() });

const LINE = /^\s*at (.*) \((?:(native)|(.*):(\d+):(\d+))\)$/;
/** The frames that a stack of the engine's begins with, at most so many. */
export function framesOf(stack: string, most: number): Frame[] {
  const frames: Frame[] = [], lines = StringSplit(stack, "\n");
  for (let i = 0; i < lines.length && frames.length < most; i++) {
    const m = RegExpExec(LINE, lines[i]);
    if (m !== null) frames[frames.length] = m[2] !== undefined ? { name: m[1], file: "", line: 0, column: 0, native: true } : { name: m[1] === "<anonymous>" ? "" : m[1], file: m[3], line: +m[4], column: +m[5], native: false };
  }
  return frames;
}

// The engine's frames: as its text, or as what it gave to the watcher. They are kept here where it has no place for them.
const raws: WeakMap<object, unknown> = engine.stacks ?? new WeakMap();
const textOfSites = engine.stackText;
const asText = (raw: unknown): unknown => typeof raw === "object" && raw !== null && textOfSites !== undefined ? textOfSites(raw as Site[]) : raw;

/** The engine's frames of an error as it gave them, for giveStack. */
export function engineFrames(e: unknown): unknown {
  return (typeof e === "object" && e !== null ? WeakMapGet(raws, e) : undefined) ?? (nativeGet !== undefined ? nativeGet(e) : ObjectGetOwnPropertyDescriptor(e as object, "stack")?.value);
}

/** The engine's frames of an error, unmapped. */
export function engineStack(e: unknown): string {
  const s = asText(engineFrames(e));
  return typeof s === "string" ? s : "";
}

/** A frame as V8 gives it to Error.prepareStackTrace, mapped to the learner's file. */
class CallSite {
  #f: Frame;
  constructor(f: Frame) {
    this.#f = f;
    if (f.native) return;
    const m = RegExpExec(/\(?([^()]*):(\d+):(\d+)\)?$/, call(MAP, `    at (${f.file}:${f.line}:${f.column})`) as string);
    if (m !== null) this.#f = { ...f, file: m[1], line: +m[2], column: +m[3] };
  }
  getThis() { return undefined; }
  getTypeName() { return null; }
  getFunction() { return undefined; }
  getFunctionName() { return this.#f.name === "" ? null : this.#f.name; }
  getMethodName() { return null; }
  getFileName() { return this.#f.native ? undefined : this.#f.file; }
  getLineNumber() { return this.#f.native ? null : this.#f.line; }
  getColumnNumber() { return this.#f.native ? null : this.#f.column; }
  getEvalOrigin() { return undefined; }
  isToplevel() { return true; }
  isEval() { return false; }
  isNative() { return this.#f.native; }
  isConstructor() { return false; }
  isAsync() { return false; }
  isPromiseAll() { return false; }
  getPromiseIndex() { return null; }
  getScriptNameOrSourceURL() { return this.getFileName(); }
  toString() { return (this.#f.name === "" ? "" : this.#f.name + " ") + (this.#f.native ? "(<anonymous>)" : `(${this.#f.file}:${this.#f.line}:${this.#f.column})`); }
}

/** The learner's frames of the engine's, and what of the engine lies between them. */
function callSites(stack: string): CallSite[] {
  const calls: CallSite[] = [], frames = framesOf(stack, Infinity);
  let end = 0;
  for (let i = 0; i < frames.length; i++) {
    if (!frames[i].native && frames[i].file !== "worker.js") continue;
    calls[calls.length] = new CallSite(frames[i]);
    if (!frames[i].native) end = calls.length;
  }
  calls.length = end;
  return calls;
}

const hook = ObjectGetOwnPropertyDescriptor(NativeError, "prepareStackTrace"), most = ObjectGetOwnPropertyDescriptor(NativeError, "stackTraceLimit");
const setHook = hook?.set ? (uncurryThis(hook.set as any) as (C: unknown, f: unknown) => void) : undefined;
const getMost = most?.get && most.set ? (uncurryThis(most.get as any) as (C: unknown) => unknown) : undefined;
const setMost = most?.set ? (uncurryThis(most.set as any) as (C: unknown, n: unknown) => void) : undefined;
if (setHook !== undefined) delete (NativeError as any).prepareStackTrace; // the program's is asked for when somebody first looks, as V8 does
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

const shown = new WeakMap<object, unknown>(); // stacks that were looked at, or given
const captured = new WeakMap<object, boolean>(); // what the program had captured begins where it says
const stacks = {
  get stack(): unknown {
    const e: any = this;
    if ((typeof e !== "object" && typeof e !== "function") || e === null) return undefined;
    const had = WeakMapGet(shown, e);
    if (had !== undefined) return had;
    const at = WeakMapGet(places, e) ?? e, raw = asText(WeakMapGet(raws, at as object) ?? (nativeGet === undefined ? undefined : nativeGet(at)) ?? (isError(e) ? "" : undefined));
    if (typeof raw !== "string") return raw;
    const prepare = setHook === undefined ? undefined : (NativeError as any).prepareStackTrace;
    if (typeof prepare === "function") {
      const made = ReflectApply(prepare, NativeError, [e, callSites(raw)]);
      WeakMapSet(shown, e, made);
      return made;
    }
    const frames = (isError(e) && WeakMapGet(captured, e) === undefined ? call(MAP, raw, className(e)) : call(MAP, raw)) as string, head = isError(e) || typeof e.message === "string" || typeof e.name === "string" ? headline(e) : "Error";
    const s = frames === "" ? head : head + "\n" + frames;
    WeakMapSet(shown, e, s);
    return s;
  },
  set stack(v: unknown) {
    const e: any = this;
    if ((typeof e !== "object" && typeof e !== "function") || e === null) return;
    const own = ObjectGetOwnPropertyDescriptor(e, "stack");
    if (own !== undefined && own.set === accessor.set) WeakMapSet(shown, e, v);
    else ObjectDefineProperty(e, "stack", { value: v, writable: true, enumerable: false, configurable: true });
  },
};
const accessor = ObjectGetOwnPropertyDescriptor(stacks, "stack")!;
for (const f of [accessor.get!, accessor.set!]) ObjectDefineProperty(f, "name", { value: "", configurable: true });
if (nativeGet !== undefined && nativeSet !== undefined) ObjectDefineProperty(NativeError.prototype, "stack", { ...accessor, enumerable: false });

// Descriptors with nothing above them: Object.prototype may have members called value or get.
const ownDesc: any = { __proto__: null, get: accessor.get, set: accessor.set, enumerable: false, configurable: true };
const messageDesc: any = { __proto__: null, value: undefined, writable: true, enumerable: false, configurable: true };

/** Whether it is no error, or one that has its frames. */
export const hasStack = (e: any): boolean => !isError(e) || WeakMapGet(raws, e) !== undefined;

/** Gives an error that was just made its stack as a property of its own, before the others it has, as V8's have, and its message in other words. */
export function ownStack(e: any, sites: Site[], reworded: (m: string, sites: Site[]) => string): void {
  WeakMapSet(raws, e, sites);
  const keys = ReflectOwnKeys(e), only = keys.length === 1 && keys[0] === "message";
  const had: (PropertyDescriptor | undefined)[] = [];
  if (only) messageDesc.value = e.message;
  else for (let i = 0; i < keys.length; i++) had[i] = ObjectGetOwnPropertyDescriptor(e, keys[i]);
  for (let i = 0; i < keys.length; i++) delete e[keys[i]];
  ObjectDefineProperty(e, "stack", ownDesc);
  if (only) {
    if (typeof messageDesc.value === "string") messageDesc.value = reworded(messageDesc.value, sites);
    ObjectDefineProperty(e, "message", messageDesc);
    messageDesc.value = undefined;
    return;
  }
  for (let i = 0; i < keys.length; i++) {
    const d = had[i]!;
    if (keys[i] === "message" && typeof d.value === "string") d.value = reworded(d.value, sites);
    ObjectDefineProperty(e, keys[i], d);
  }
}

/** Gives an object a stack of these frames of the engine's. */
export function giveStack(o: object, raw: unknown, enumerable = false): void {
  WeakMapSet(raws, o, raw);
  WeakMapSet(shown, o, undefined);
  ObjectDefineProperty(o, "stack", { get: accessor.get, set: accessor.set, enumerable, configurable: true });
}

ObjectDefineProperty(NativeError, "captureStackTrace", {
  value: {
    captureStackTrace(o: any, f?: unknown) {
      if ((typeof o !== "object" && typeof o !== "function") || o === null) throw new TypeError("Invalid argument");
      let raw: unknown;
      if (nativeCapture !== undefined) {
        const t: any = {};
        nativeCapture(t, f);
        raw = t.stack;
      } else raw = engineStack(new NativeError());
      giveStack(o, raw ?? "");
      WeakMapSet(captured, o, true);
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
