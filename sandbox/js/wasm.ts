// WebAssembly. Specification: WebAssembly JavaScript Interface. Modules come from
// imported .wasm files; compiling bytes at run time is refused, as on Workers. The
// host runs the code. A memory's buffer is this side's copy: it travels with each
// call into the host and back, so that each side sees the other's writes. Tables
// are this side's own: reaching for what a module exports in one says so.

import { call, op } from "./host";
import { domError } from "./dom";
import { fixedBuffers } from "./clone";
import { ArrayPush, NativePromise, NativeTypeError, NativeUint8Array, ObjectCreate, ObjectDefineProperty, ObjectFreeze, PromiseReject, PromiseResolve, SafeMap, SafeWeakSet, StringCharCodeAt, bytesOf, need, tag } from "./primordials";

const MODULE = op("wasm.module"), DESCRIBE = op("wasm.describe"), SECTIONS = op("wasm.sections"), VALIDATE = op("wasm.validate"), INSTANTIATE = op("wasm.instantiate"), CALL = op("wasm.call"), MEMORY = op("wasm.memory"), READ = op("memory.read"), GROW = op("memory.grow"), MAKE_GLOBAL = op("wasm.global"), GET = op("global.get"), SET = op("global.set");

const key = {};
class CompileError extends Error { }
class LinkError extends Error { }
class RuntimeError extends Error { }
for (const C of [CompileError, LinkError, RuntimeError]) ObjectDefineProperty(C, "length", { value: 1, configurable: true });
for (const C of [CompileError, LinkError, RuntimeError]) ObjectDefineProperty(C.prototype, "name", { value: C.name, writable: true, configurable: true });

let pending: [unknown] | null = null;
/** Throws what a failure of the host stands for. */
function check(r: any): any {
  if (typeof r[0] !== "string") return r;
  const [kind, text] = r;
  switch (kind) {
    case "js": {
      const e = pending!;
      pending = null;
      throw e[0];
    }
    case "CompileError": throw new CompileError(text);
    case "LinkError": throw new LinkError(text);
    case "RangeError": throw new RangeError(text);
  }
  throw new RuntimeError(text);
}

type Import = { module: string; name: string; kind: string; type: string; mutable: boolean };
let moduleId: (m: Module) => number;
let isModule: (o: unknown) => o is Module;

class Module {
  #id: number;
  constructor(k?: unknown, id?: number) {
    if (k !== key) {
      need(arguments.length, 1, "WebAssembly.Module()");
      if (bytesOf(k) === undefined) throw new NativeTypeError("WebAssembly.Module(): Argument 0 must be a buffer source");
      throw new CompileError("WebAssembly.Module(): Wasm code generation disallowed by embedder");
    }
    this.#id = id!;
  }
  static {
    moduleId = (m) => m.#id;
    isModule = (o): o is Module => typeof o === "object" && o !== null && #id in o;
  }
  static exports(m: Module) {
    if (!isModule(m)) throw new NativeTypeError("WebAssembly.Module.exports(): Argument 0 must be a WebAssembly.Module");
    const l = call(DESCRIBE, m.#id)[0], out = [];
    for (let i = 0; i < l.length; i += 2) out.push({ name: l[i], kind: l[i + 1] });
    return out;
  }
  static imports(m: Module) {
    if (!isModule(m)) throw new NativeTypeError("WebAssembly.Module.imports(): Argument 0 must be a WebAssembly.Module");
    return importsOf(m).map((i) => ({ module: i.module, name: i.name, kind: i.kind }));
  }
  static customSections(m: Module, name: string) {
    if (!isModule(m)) throw new NativeTypeError("WebAssembly.Module.customSections(): Argument 0 must be a WebAssembly.Module");
    return call(SECTIONS, m.#id, `${name}`);
  }
}
function importsOf(m: Module): Import[] {
  const l = call(DESCRIBE, moduleId(m))[1], out: Import[] = [];
  for (let i = 0; i < l.length; i += 5) out.push({ module: l[i], name: l[i + 1], kind: l[i + 2], type: l[i + 3], mutable: l[i + 4] });
  return out;
}

const detach = (ArrayBuffer.prototype as any).transfer as (this: ArrayBuffer) => ArrayBuffer;
const memories = new SafeMap<number, Memory>();
let memoryId: (m: Memory) => number;
let isMemory: (o: unknown) => o is Memory;
let bufferOf: (m: Memory) => ArrayBuffer | null;
let renew: (m: Memory) => void;

class Memory {
  #id: number;
  #buffer: ArrayBuffer | null = null;
  constructor(d: any, id?: number) {
    if (d === key) {
      this.#id = id!;
    } else {
      if (typeof d !== "object" || d === null) throw new NativeTypeError("WebAssembly.Memory(): Argument 0 must be a memory descriptor");
      const initial = limit(d.initial ?? d.minimum, "initial"), max = d.maximum === undefined ? -1 : limit(d.maximum, "maximum");
      if (max >= 0 && max < initial) throw new RangeError("WebAssembly.Memory(): Property 'maximum': value " + `${max} is below the lower bound ${initial}`);
      if (d.shared && max < 0) throw new NativeTypeError("WebAssembly.Memory(): If shared is true, maximum property should be defined.");
      const r = call(MEMORY, initial, max);
      this.#id = typeof r === "number" ? r : check(r);
    }
    memories.set(this.#id, this);
  }
  static {
    memoryId = (m) => m.#id;
    isMemory = (o): o is Memory => typeof o === "object" && o !== null && #id in o;
    bufferOf = (m) => m.#buffer;
    renew = (m) => {
      if (m.#buffer !== null) detach.call(m.#buffer);
      m.#buffer = null;
    };
  }
  get buffer(): ArrayBuffer {
    if (this.#buffer === null) {
      this.#buffer = call(READ, this.#id) as ArrayBuffer;
      fixedBuffers.add(this.#buffer);
    }
    return this.#buffer;
  }
  grow(delta: number): number {
    const n = limit(delta, "delta");
    flush(this.#id, this.#buffer);
    const before = call(GROW, this.#id, n);
    if (before < 0) throw new RangeError("WebAssembly.Memory.grow(): Maximum memory size exceeded");
    renew(this);
    return before;
  }
}
function limit(v: unknown, what: string): number {
  const n = Math.trunc(+(v as number)), place = what === "delta" ? "WebAssembly.Memory.grow(): Argument 0" : `WebAssembly.Memory(): Property '${what}'`;
  if (v === undefined && what === "initial") throw new NativeTypeError("WebAssembly.Memory(): Property 'initial' is required");
  if (n !== n) throw new NativeTypeError(`${place} must be convertible to a valid number`);
  if (n < 0) throw new NativeTypeError(`${place} must be non-negative`);
  if (n > 65536) {
    if (what === "delta") throw new RangeError("WebAssembly.Memory.grow(): Maximum memory size exceeded");
    throw new RangeError(`${place}: value ${n} is above the upper bound 65536`);
  }
  return n;
}
const NOP = op("wasm.sync");
function flush(id: number, b: ArrayBuffer | null): void {
  if (b !== null) call(NOP, [id, b]);
}

/** What scripts wrote: every buffer somebody looks at. */
function outgoing(): unknown[] {
  const out: unknown[] = [];
  memories.forEach((m: any, id: any) => {
    const b = bufferOf(m);
    if (b !== null) out.push(id, b);
  });
  return out;
}
/** What code wrote: [id, size, [offset, bytes, …], …]. */
function incoming(l: any[]): void {
  for (let i = 0; i < l.length; i += 3) {
    const m = memories.get(l[i]) as Memory | undefined;
    if (m === undefined) continue;
    const b = bufferOf(m);
    if (b === null) continue;
    if (b.byteLength !== l[i + 1]) {
      renew(m);
      continue;
    }
    const view = new NativeUint8Array(b), changes = l[i + 2] ?? [];
    for (let j = 0; j < changes.length; j += 2) view.set(new NativeUint8Array(changes[j + 1]), changes[j]);
  }
}

// Values of reference type cross as numbers; 0 is null.
const refs: unknown[] = [null];
function toRef(v: unknown): number {
  if (v === null) return 0;
  const i = refs.indexOf(v);
  return i >= 0 ? i : refs.push(v) - 1;
}
const clampI64 = BigInt.asIntN;
function out(type: number, v: any): unknown {
  switch (type) {
    case 0x7f: return +v | 0;
    case 0x7e: {
      if (typeof v === "number") throw new NativeTypeError(`Cannot convert ${v} to a BigInt`);
      return `${clampI64(64, BigInt(v))}`;
    }
    case 0x7d: return Math.fround(v);
    case 0x7c: return +v;
    case 0x70: // the engine's references to functions are addresses, which no script may make
      if (v === null) return 0;
      throw domError("NotSupportedError", "Giving a function to WebAssembly as a value is not available here: import it.");
  }
  return toRef(v);
}
function back(type: number, v: any): unknown {
  switch (type) {
    case 0x7f: case 0x7d: case 0x7c: return v;
    case 0x7e: return BigInt(v);
  }
  return refs[v];
}
const letters: Record<number, string> = { 0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x70: "anyfunc", 0x6f: "externref" };
const codes: Record<string, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, anyfunc: 0x70, externref: 0x6f };

let globalValue: (g: Global) => unknown;
let globalId: (g: Global) => number;
let isGlobal: (o: unknown) => o is Global;
let globalType: (g: Global) => [number, boolean];
class Global {
  #id = 0;
  #type: number;
  #mutable: boolean;
  #value: unknown;
  constructor(d: any, v?: unknown, type?: number, mutable?: boolean) {
    if (d === key) {
      this.#id = v as number;
      this.#type = type!;
      this.#mutable = mutable!;
      return;
    }
    if (typeof d !== "object" || d === null) throw new NativeTypeError("WebAssembly.Global(): Argument 0 must be a global descriptor");
    if (d.value === "v128") throw new NativeTypeError("WebAssembly.Global(): A global of type 'v128' cannot be created in JavaScript");
    if (codes[d.value] === undefined) throw new NativeTypeError("WebAssembly.Global(): Descriptor property 'value' must be a WebAssembly type");
    this.#type = codes[d.value];
    this.#mutable = !!d.mutable;
    this.#value = v === undefined ? (this.#type === 0x7e ? 0n : this.#type >= 0x7c ? 0 : this.#type === 0x6f ? undefined : null) : back(this.#type, out(this.#type, v));
  }
  static {
    isGlobal = (o): o is Global => typeof o === "object" && o !== null && #mutable in o;
    globalType = (g) => [g.#type, g.#mutable];
    globalValue = (g) => g.value;
    globalId = (g) => {
      if (g.#id === 0) {
        const r = call(MAKE_GLOBAL, g.#type, out(g.#type, g.#value));
        g.#id = typeof r === "number" ? r : check(r);
      }
      return g.#id;
    };
  }
  get value(): unknown { return this.#id !== 0 ? back(this.#type, call(GET, this.#id)) : this.#value; }
  set value(v: unknown) {
    if (!this.#mutable) throw new NativeTypeError("set WebAssembly.Global.value): Can't set the value of an immutable global.");
    const x = out(this.#type, v);
    if (this.#id !== 0) call(SET, this.#id, x);
    else this.#value = back(this.#type, x);
  }
  valueOf() { return this.value; }
}

const wasmFunctions = new SafeWeakSet<object>();

class Table {
  #list: unknown[] | null = null; // null: a module's own, whose entries only its code reaches
  #length = 0;
  #max = 10000000;
  #functions = true;
  constructor(d: any, v?: unknown) {
    if (d === key) {
      this.#length = v as number;
      return;
    }
    if (typeof d !== "object" || d === null) throw new NativeTypeError("WebAssembly.Table(): Argument 0 must be a table descriptor");
    if (d.element !== "anyfunc" && d.element !== "externref") throw new NativeTypeError("WebAssembly.Table(): Descriptor property 'element' must be a WebAssembly reference type");
    const n = Math.trunc(+(d.initial ?? d.minimum));
    if (!(n >= 0 && n <= 10000000)) throw new NativeTypeError("WebAssembly.Table(): Property 'initial' is required");
    this.#functions = d.element === "anyfunc";
    if (d.maximum !== undefined) this.#max = Math.trunc(+d.maximum);
    if (this.#max < n) throw new RangeError(`WebAssembly.Table(): Property 'maximum': value ${this.#max} is below the lower bound ${n}`);
    this.#list = new Array(n).fill(v === undefined ? (d.element === "anyfunc" ? null : undefined) : v);
  }
  #entries(method: string): unknown[] {
    if (this.#list === null) throw domError("NotSupportedError", `WebAssembly.Table.${method}() of a module's own table is not available here: export the function itself.`);
    return this.#list;
  }
  /** The entries, and the index that is meant. */
  #at(method: string, i: unknown): [unknown[], number] {
    const list = this.#entries(method), n = Math.trunc(+(i as number));
    if (n !== n) throw new NativeTypeError(`WebAssembly.Table.${method}(): Argument 0 must be convertible to a valid number`);
    if (n < 0) throw new NativeTypeError(`WebAssembly.Table.${method}(): Argument 0 must be non-negative`);
    if (n >= list.length) throw new RangeError(`WebAssembly.Table.${method}(): invalid address ${n} in ${this.#functions ? "funcref" : "externref"} table of size ${list.length}`);
    return [list, n];
  }
  /** A value as this table holds it. */
  #entry(method: string, v: unknown): unknown {
    if (!this.#functions) return v;
    if (v === undefined || v === null) return null;
    if (typeof v !== "function" || !wasmFunctions.has(v)) throw new NativeTypeError(`WebAssembly.Table.${method}(): Argument 1 is invalid${method === "set" ? " for table" : ""}: function-typed object must be null (if nullable) or a Wasm function object`);
    return v;
  }
  get length() { return this.#list === null ? this.#length : this.#list.length; }
  get(i: number): unknown {
    const [list, at] = this.#at("get", i);
    return list[at];
  }
  set(i: number, v?: unknown): void {
    const [list, at] = this.#at("set", i);
    list[at] = this.#entry("set", v);
  }
  grow(delta: number, v?: unknown): number {
    const list = this.#entries("grow"), before = list.length, n = Math.trunc(+delta);
    if (!(n >= 0)) throw new NativeTypeError("WebAssembly.Table.grow(): Argument 0 must be non-negative");
    if (before + n > this.#max) throw new RangeError(`WebAssembly.Table.grow(): failed to grow table by ${n}`);
    const x = this.#entry("grow", v);
    for (let i = 0; i < n; i++) ArrayPush(list, x);
    return before;
  }
}

const imported = new SafeMap<number, any[]>();
let building: any[] | null = null; // functions of the instance whose start function runs
const typeCodes = (s: string): number[] => {
  const l: number[] = [];
  for (let i = 0; i < s.length; i++) l.push(StringCharCodeAt(s, i));
  return l;
};

class Instance {
  #exports: any;
  constructor(m: unknown, given?: any, from?: unknown) {
    if (!isModule(m)) throw new NativeTypeError("WebAssembly.Instance(): Argument 0 must be a WebAssembly.Module");
    if (given !== undefined && (typeof given !== "object" && typeof given !== "function" || given === null)) throw new NativeTypeError(`WebAssembly.${from === key ? "instantiate" : "Instance"}(): Argument 1 must be an object`);
    const list = importsOf(m), place = from === key ? "WebAssembly.instantiate()" : "WebAssembly.Instance()";
    if (list.length > 0 && given === undefined) throw new NativeTypeError(`${place}: Imports argument must be present and must be an object`);
    const send: unknown[] = [], functions: any[] = [], taken: unknown[] = [];
    list.forEach((imp, i) => {
      const ns = given[imp.module], where = `${place}: Import #${i} "${imp.module}"`;
      if (typeof ns !== "object" && typeof ns !== "function" || ns === null) throw new NativeTypeError(`${where}: module is not an object or function`);
      const v = ns[imp.name];
      switch (imp.kind) {
        case "function": {
          if (typeof v !== "function") throw new LinkError(`${where} "${imp.name}": function import requires a callable`);
          const [p, r] = imp.type.split(",");
          functions[i] = { f: v, params: typeCodes(p), results: typeCodes(r) };
          ArrayPush(taken, v);
          send.push(undefined);
          break;
        }
        case "memory":
          if (!isMemory(v)) throw new LinkError(`${where} "${imp.name}": memory import must be a WebAssembly.Memory object`);
          send.push(memoryId(v));
          break;
        case "global": {
          const t = StringCharCodeAt(imp.type, 0);
          if (isGlobal(v)) {
            const [type, mutable] = globalType(v);
            if (mutable !== imp.mutable) throw new LinkError(`${where} "${imp.name}": imported global does not match the expected mutability`);
            if (type !== t) throw new LinkError(`${where} "${imp.name}": imported global does not match the expected type`);
            send.push(mutable ? globalId(v) : out(t, globalValue(v)));
          } else {
            if (imp.mutable) throw new LinkError(`${where} "${imp.name}": imported mutable global must be a WebAssembly.Global object`);
            if (t === 0x7e ? typeof v !== "bigint" : typeof v !== "number") throw new LinkError(`${where} "${imp.name}": global import must be a ${t === 0x7e && typeof v !== "number" ? "BigInt" : "number, valid Wasm reference, or WebAssembly.Global object"}`);
            send.push(out(t, v));
          }
          break;
        }
        default:
          throw new LinkError(`${where} "${imp.name}": imported tables are not available here`);
      }
    });
    const before = building;
    building = functions;
    let r: any;
    try {
      r = check(call(INSTANTIATE, moduleId(m), send, outgoing()));
    } finally {
      building = before;
    }
    const id: number = r[0], l: any[] = r[1], exports = ObjectCreate(null);
    imported.set(id, functions);
    const made = new SafeMap<number, unknown>();
    for (let i = 0; i < l.length; i += 5) {
      const name: string = l[i];
      switch (l[i + 1]) {
        case "function": { // one object for each function, however often it is exported; what came in as one stays it
          const n: number = l[i + 4];
          let f: any = made.get(n);
          if (f === undefined) {
            f = taken[n];
            if (typeof f !== "function" || !wasmFunctions.has(f)) f = func(id, name, `${n}`, typeCodes(l[i + 2]), typeCodes(l[i + 3]));
            made.set(n, f);
          }
          exports[name] = f;
          break;
        }
        case "memory": exports[name] = memories.get(l[i + 2]) ?? new Memory(key, l[i + 2]); break;
        case "global": exports[name] = new (Global as any)(key, l[i + 2], StringCharCodeAt(l[i + 3], 0), l[i + 3][1] === "1"); break;
        case "table": exports[name] = new Table(key, l[i + 2]); break;
      }
    }
    incoming(r[2]);
    this.#exports = ObjectFreeze(exports);
  }
  get exports() { return this.#exports; }
}

function func(id: number, name: string, label: string, params: number[], results: number[]): unknown {
  const f: any = { [label](...args: unknown[]) {
    const send: unknown[] = [];
    for (let i = 0; i < params.length; i++) send[i] = out(params[i], args[i]);
    const r = check(call(CALL, id, name, send, outgoing()));
    incoming(r[1]);
    const v = r[0];
    if (results.length === 0) return undefined;
    if (results.length === 1) return back(results[0], v[0]);
    return v.map((x: unknown, i: number) => back(results[i], x));
  } }[label];
  ObjectDefineProperty(f, "length", { value: params.length, configurable: true });
  wasmFunctions.add(f);
  return f;
}

/** Entry: a module calls a function it imports. Undefined tells that it threw. */
export function wasmImport(id: number, index: number, args: unknown[], memory: any[]): unknown[] | undefined {
  const t = ((imported.get(id) as any[] | undefined) ?? building!)[index];
  incoming(memory);
  try {
    const given: unknown[] = [];
    for (let i = 0; i < t.params.length; i++) given[i] = back(t.params[i], args[i]);
    const v = t.f(...given);
    let results: unknown[] = [];
    if (t.results.length === 1) results = [out(t.results[0], v)];
    else if (t.results.length > 1) {
      const list = [...v];
      if (list.length !== t.results.length) throw new NativeTypeError("multi-return length mismatch");
      results = list.map((x, i) => out(t.results[i], x));
    }
    return [results, outgoing()];
  } catch (e) {
    pending = [e];
    return undefined;
  }
}

const refused = (what: string) => new CompileError(`WebAssembly.${what}(): Wasm code generation disallowed by embedder`);
const modules = new SafeMap<string, Module>();
const WebAssembly: any = {};
const methods = {
  compile(b: unknown): Promise<Module> {
    return PromiseReject(bytesOf(b) === undefined ? new NativeTypeError("WebAssembly.compile(): Argument 0 must be a buffer source") : refused("compile"));
  },
  validate(b: unknown): boolean {
    const v = bytesOf(b);
    if (v === undefined) throw new NativeTypeError("WebAssembly.validate(): Argument 0 must be a buffer source");
    return call(VALIDATE, v);
  },
  instantiate(m: unknown, imports?: unknown): Promise<unknown> {
    if (!isModule(m)) return PromiseReject(bytesOf(m) === undefined ? new NativeTypeError("WebAssembly.instantiate(): Argument 0 must be a buffer source or a WebAssembly.Module object") : refused("instantiate"));
    return new NativePromise((resolve) => resolve(PromiseResolve().then(() => new Instance(m, imports, key))));
  },
};
for (const [k, f] of Object.entries(methods)) ObjectDefineProperty(WebAssembly, k, { value: f, writable: true, configurable: true, enumerable: true });
for (const [k, C] of Object.entries({ Module, Instance, Memory, Table, Global, CompileError, LinkError, RuntimeError })) {
  ObjectDefineProperty(WebAssembly, k, { value: C, writable: true, configurable: true });
  if (!k.endsWith("Error")) tag(C as any, "WebAssembly." + k);
}
// What modules here run without: the name is there, and using it says so.
for (const [k, what] of [["Tag", "exceptions"], ["Exception", "exceptions"], ["Suspending", "stack switching"], ["promising", "stack switching"]]) {
  const value = { [k]: function () { throw domError("NotSupportedError", `WebAssembly.${k} is not available here: modules run without ${what}.`); } }[k];
  ObjectDefineProperty(WebAssembly, k, { value, writable: true, configurable: true });
}
ObjectDefineProperty(WebAssembly, Symbol.toStringTag, { value: "WebAssembly", configurable: true });
// What an import of a .wasm file becomes.
ObjectDefineProperty(WebAssembly, Symbol.for("coldstart.module"), {
  value(spec: string): Module {
    const had = modules.get(spec);
    if (had !== undefined) return had;
    const r = call(MODULE, spec);
    const m = new Module(key, typeof r === "number" ? r : check(r));
    modules.set(spec, m);
    return m;
  },
});
ObjectDefineProperty(globalThis, "WebAssembly", { value: WebAssembly, writable: true, configurable: true });
