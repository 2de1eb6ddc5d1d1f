// inspect: values as text the way Node's util.inspect and Workers' console write
// them, and format, console's printf. Learner code runs only through getters asked
// for by options and through custom inspect functions; proxies are shown as targets.

import { isDOMException } from "./dom";
import {
  ArrayBufferByteLength, ArrayIsArray, ArrayJoin, ArrayPush, ArraySplice, DateGetTime, DateToISOString, FunctionToString, JSONStringify, MapForEach, MapSize, MathMax, MathMin, NativeUint8Array, ObjectGetOwnPropertyDescriptor, ObjectGetPrototypeOf,
  ObjectHasOwn, ObjectIs, ObjectKeys, ObjectToString, ErrorToString, ReflectApply, ReflectOwnKeys, RegExpExec, RegExpTest, SafeMap, SetForEach, SetSize, StringPadEnd, StringPadStart, StringRepeat, StringReplace, StringSlice, StringSplit, SymbolToString,
  TypedArrayLength, TypedArrayTag, isArrayBuffer, isDate, ordinary, isError, isMap, isPromise, isRegExp, isSet, isWeakMap, isWeakRef, isWeakSet, ownState, uncurryThis,
} from "./primordials";
import { engine } from "./host";
import { isProxy, targetOf, unproxy } from "./proxy";

export const customInspect = Symbol.for("nodejs.util.inspect.custom");

export type Options = {
  depth?: number | null; showHidden?: boolean; colors?: boolean; compact?: number | boolean; breakLength?: number; maxArrayLength?: number | null; maxStringLength?: number | null;
  sorted?: boolean | ((a: string, b: string) => number); getters?: boolean | "get" | "set"; customInspect?: boolean; showProxy?: boolean; numericSeparator?: boolean;
};

type Ctx = Required<Omit<Options, "depth" | "maxArrayLength" | "maxStringLength">> & {
  depth: number; maxArrayLength: number; maxStringLength: number; seen: object[]; circular: InstanceType<typeof SafeMap> | null; indent: number; current: number; budget: number; options: Options;
};

const regexpToString = uncurryThis(RegExp.prototype.toString);
const datePrototypeGetTime = DateGetTime;
const boxes: [string, (o: any) => unknown][] = [
  ["Number", uncurryThis(Number.prototype.valueOf) as any],
  ["String", uncurryThis(String.prototype.valueOf) as any],
  ["Boolean", uncurryThis(Boolean.prototype.valueOf) as any],
  ["BigInt", uncurryThis(BigInt.prototype.valueOf) as any],
  ["Symbol", uncurryThis(Symbol.prototype.valueOf) as any],
];

/** Platform classes whose state is private: what to show for one of their objects, in order. */
const views = new SafeMap<object, (o: any) => Record<string, unknown>>();
export function showAs(proto: object, f: (o: any) => Record<string, unknown>): void {
  views.set(proto, f);
}

type Entries = { entries: [unknown, unknown][]; hidden: Record<string, unknown> };
const entryViews = new SafeMap<object, (o: any) => Entries>();
/** The same for classes shown as maps. */
export function entriesView(proto: object, f: (o: any) => Entries): void {
  entryViews.set(proto, f);
}

export function inspect(v: unknown, options?: Options | boolean, depth?: number | null): string {
  const o: Options = typeof options === "object" && options !== null ? options : {};
  if (typeof options === "boolean") o.showHidden = options;
  if (typeof options !== "object" && depth !== undefined) o.depth = depth;
  return formatValue(context(o), v, 0, true);
}

function context(o: Options): Ctx {
  return {
    depth: o.depth === null ? Infinity : o.depth ?? 2, showHidden: !!o.showHidden, colors: !!o.colors, compact: o.compact ?? 3, breakLength: o.breakLength ?? 80,
    maxArrayLength: o.maxArrayLength === null ? Infinity : o.maxArrayLength ?? 100, maxStringLength: o.maxStringLength === null ? Infinity : o.maxStringLength ?? 10000,
    sorted: o.sorted ?? false, getters: o.getters ?? false, customInspect: o.customInspect ?? true, showProxy: !!o.showProxy, numericSeparator: !!o.numericSeparator,
    seen: [], circular: null, indent: 0, current: 0, budget: 0, options: o,
  };
}

const codes: Record<string, [number, number]> = {
  special: [36, 39], number: [33, 39], bigint: [33, 39], boolean: [33, 39], undefined: [90, 39], null: [1, 22], string: [32, 39], symbol: [32, 39], date: [35, 39], regexp: [31, 39], module: [4, 24],
};
function paint(ctx: Ctx, s: string, style: string): string {
  const c = codes[style];
  return ctx.colors && c ? `\u001b[${c[0]}m${s}\u001b[${c[1]}m` : s;
}

const meta = /[\x00-\x1f\x27\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const metaAll = /[\x00-\x1f\x27\x5c\x7f-\x9f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const names: Record<string, string> = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\", "\v": "\\x0B" };

/** A string literal, with the quote that needs the fewest escapes. */
export function quote(s: string): string {
  let q = "'", escape = metaAll;
  if (s.includes("'")) {
    if (!s.includes('"')) q = '"';
    else if (!s.includes("`") && !s.includes("${")) q = "`";
  }
  if (!RegExpTest(meta, s)) return q + s + q;
  return q + StringReplace(s, escape, (c: string) => {
    if (c === "'") return q === "'" ? "\\'" : "'";
    if (names[c]) return names[c];
    const n = c.charCodeAt(0);
    return n > 0xff ? "\\u" + n.toString(16).toUpperCase() : "\\x" + StringPadStart(n.toString(16).toUpperCase(), 2, "0");
  }) + q;
}

function formatNumber(ctx: Ctx, n: number): string {
  return paint(ctx, ObjectIs(n, -0) ? "-0" : `${n}`, "number");
}

function formatPrimitive(ctx: Ctx, v: any): string {
  switch (typeof v) {
    case "string": {
      let s = v, rest = "";
      if (s.length > ctx.maxStringLength) {
        const n = s.length - ctx.maxStringLength;
        s = StringSlice(s, 0, ctx.maxStringLength);
        rest = `... ${n} more character${n > 1 ? "s" : ""}`;
      }
      if (ctx.compact !== true && s.length > 16 && s.length > ctx.breakLength - ctx.indent - 4) {
        const lines = StringSplit(s, /(?<=\n)/), out: string[] = [];
        for (let i = 0; i < lines.length; i++) out[i] = paint(ctx, quote(lines[i]), "string");
        return ArrayJoin(out, ` +\n${StringRepeat(" ", ctx.indent + 2)}`) + rest;
      }
      return paint(ctx, quote(s), "string") + rest;
    }
    case "number": return formatNumber(ctx, v);
    case "bigint": return paint(ctx, `${v}n`, "bigint");
    case "boolean": return paint(ctx, `${v}`, "boolean");
    case "undefined": return paint(ctx, "undefined", "undefined");
    case "symbol": return paint(ctx, SymbolToString(v), "symbol");
  }
  return paint(ctx, "null", "null");
}

function formatValue(ctx: Ctx, v: any, depth: number, typed?: boolean): string {
  if ((typeof v !== "object" && typeof v !== "function") || v === null) return formatPrimitive(ctx, v);
  if (isProxy(v)) {
    // A proxy is shown by its target; its traps do not run.
    const t = formatValue({ ...ctx, customInspect: false }, targetOf(v), depth);
    return paint(ctx, "Proxy(", "special") + t + paint(ctx, ")", "special");
  }
  if (ctx.customInspect) {
    const f = v[customInspect];
    if (typeof f === "function" && f !== inspect) {
      const left = ctx.depth - depth;
      const r = ReflectApply(f, v, [left, { ...ctx.options, depth: left, stylize: (s: string, style: string) => paint(ctx, `${s}`, style) }, inspect]);
      if (r !== v) return typeof r !== "object" ? `${r}` : StringReplace(formatValue(ctx, r, depth), /\n/g, `\n${StringRepeat(" ", ctx.indent)}`);
    }
  }
  for (let i = 0; i < ctx.seen.length; i++) {
    if (ctx.seen[i] !== v) continue;
    ctx.circular ??= new SafeMap<object, number>();
    let n = ctx.circular.get(v) as number | undefined;
    if (n === undefined) ctx.circular.set(v, (n = ctx.circular.size + 1));
    return paint(ctx, `[Circular *${n}]`, "special");
  }
  return formatRaw(ctx, v, depth, typed);
}

/** The class name of an object, as node finds it; null for a null prototype. */
export function className(o: object): string | null {
  const first = o;
  while (o) {
    const d = ObjectGetOwnPropertyDescriptor(o, "constructor");
    if (d !== undefined && typeof d.value === "function" && d.value.name !== "" && isInstance(first, d.value)) return `${d.value.name}`;
    o = ObjectGetPrototypeOf(o);
  }
  return null;
}
function isInstance(o: object, C: any): boolean {
  try {
    return o instanceof C;
  } catch {
    return false;
  }
}

function prefix(name: string | null, tag: string, fallback: string, size = ""): string {
  if (name === null) return tag !== "" && fallback !== tag ? `[${fallback}${size}: null prototype] [${tag}] ` : `[${fallback}${size}: null prototype] `;
  return tag !== "" && name !== tag ? `${name}${size} [${tag}] ` : `${name}${size} `;
}

function keysOf(v: object, hidden: boolean): PropertyKey[] {
  if (hidden) return ReflectOwnKeys(v);
  const keys: PropertyKey[] = [], all = ReflectOwnKeys(v);
  for (let i = 0; i < all.length; i++) if (ObjectGetOwnPropertyDescriptor(v, all[i])?.enumerable && !ownState.has(all[i])) ArrayPush(keys, all[i]);
  return keys;
}
const isIndex = (k: PropertyKey) => typeof k === "string" && RegExpTest(/^(0|[1-9][0-9]*)$/, k) && +k < 4294967295;
const named = (keys: PropertyKey[]): PropertyKey[] => {
  const out: PropertyKey[] = [];
  for (let i = 0; i < keys.length; i++) if (!isIndex(keys[i])) ArrayPush(out, keys[i]);
  return out;
};

function functionBase(v: any, name: string | null, tag: string): string {
  const text = FunctionToString(v);
  if (text.startsWith("class") && text.endsWith("}")) {
    const body = StringSlice(text, 5, -1), brace = body.indexOf("{");
    if (brace !== -1 && (!body.slice(0, brace).includes("(") || RegExpTest(/^(\s+[^(]*?)\s*{/, StringReplace(body, /(\/\/.*?\n)|(\/\*(.|\n)*?\*\/)/g, "")))) {
      const own = ObjectHasOwn(v, "name") && v.name !== "" ? v.name : "";
      let base = own === "" ? "[class (anonymous)" : `[class ${own}`;
      if (name !== "Function" && name !== null) base += ` [${name}]`;
      if (tag !== "" && name !== tag) base += ` [${tag}]`;
      if (name !== null) {
        const up = ObjectGetPrototypeOf(v)?.name;
        if (up) base += ` extends ${up}`;
      } else base += " extends null";
      return base + "]";
    }
  }
  const said = RegExpExec(/^\[object ((?:Async)?(?:Generator)?Function)\]$/, ObjectToString(v)), kind = said === null ? "Function" : said[1];
  let base = `[${kind}`;
  if (name === null) base += " (null prototype)";
  base += v.name === "" || v.name === undefined ? " (anonymous)" : `: ${String(v.name)}`;
  base += "]";
  if (name !== kind && name !== null) base += ` ${name}`;
  if (tag !== "" && name !== tag) base += ` [${tag}]`;
  return base;
}

function errorBase(ctx: Ctx, e: any, name: string | null, keys: PropertyKey[]): string {
  let stack = typeof e.stack === "string" && e.stack !== "" ? e.stack : errorToString(e);
  const own = typeof e.name === "string" ? e.name : name ?? "Error";
  // The class or own name may be missing from the first line.
  const first = StringSplit(stack, "\n")[0];
  if (own !== "Error" && !stack.includes(own)) {
    if (RegExpTest(/^([A-Z][a-zA-Z0-9]*Error|Error)/, first)) stack = StringReplace(stack, /^([A-Z][a-zA-Z0-9]*)/, own);
    else stack = `${own}: ${stack}`;
  }
  if (name !== null && name !== own && !stack.includes(name) && own.endsWith("Error")) stack = StringReplace(stack, own, `${name} [${own}]`);
  for (const k of ["name", "message", "stack"]) {
    const i = keys.indexOf(k);
    if (i !== -1 && (k === "stack" || stack.includes(String(e[k])))) ArraySplice(keys, i, 1);
  }
  if (ObjectHasOwn(e, "cause") && keys.indexOf("cause") < 0) ArrayPush(keys, "cause");
  if (ArrayIsArray(e.errors) && ObjectHasOwn(e, "errors") && keys.indexOf("errors") < 0) ArrayPush(keys, "errors");
  const at = stack.indexOf("\n    at");
  if (at === -1) stack = `[${stack}]`;
  if (ctx.indent !== 0) stack = StringReplace(stack, /\n/g, `\n${StringRepeat(" ", ctx.indent)}`);
  return stack;
}
function errorToString(e: any): string {
  try {
    return ErrorToString(e);
  } catch {
    return "Error";
  }
}

function formatRaw(ctx: Ctx, v: any, depth: number, typed?: boolean): string {
  const name = className(v);
  let tag = "";
  try {
    const t = v[Symbol.toStringTag];
    if (typeof t === "string" && t !== "" && !(ctx.showHidden ? ObjectHasOwn(v, Symbol.toStringTag) : ObjectGetOwnPropertyDescriptor(v, Symbol.toStringTag)?.enumerable)) tag = t;
    if (tag === name) tag = "";
  } catch { /* a getter of the learner's threw */ }
  let head = "", base = "", keys: PropertyKey[] = [], braces: [string, string] = ["{", "}"], isArray = false;
  let format: (ctx: Ctx, v: any, depth: number) => string[] = () => [];
  const view = ObjectGetPrototypeOf(v) === null ? undefined : findView(v);

  if (ArrayIsArray(v)) {
    keys = named(keysOf(v, ctx.showHidden));
    const p = name !== "Array" || tag !== "" ? prefix(name, tag, "Array", `(${v.length})`) : "";
    braces = [`${p}[`, "]"];
    if (v.length === 0 && keys.length === 0) return `${braces[0]}]`;
    isArray = true;
    format = formatArray;
  } else if (ObjectGetPrototypeOf(v) !== null && find(entryViews, v) !== undefined) {
    const shown = (find(entryViews, v) as (o: any) => Entries)(v);
    keys = keysOf(v, ctx.showHidden);
    head = prefix(name, tag, "Object", `(${shown.entries.length})`); // which does not count when a line is measured, as in Workers' runtime
    format = (c) => {
      const out: string[] = [];
      for (let i = 0; i < shown.entries.length; i++) ArrayPush(out, `${nested(c, shown.entries[i][0], depth)} => ${nested(c, shown.entries[i][1], depth)}`);
      for (const k of ObjectKeys(shown.hidden)) ArrayPush(out, `${k}: ${nested(c, shown.hidden[k], depth)}`);
      return out;
    };
    if (shown.entries.length === 0 && ObjectKeys(shown.hidden).length === 0 && keys.length === 0) return `${head}{}`;
  } else if (view !== undefined) {
    const shown = view(v);
    keys = keysOf(v, ctx.showHidden);
    head = prefix(name, tag, "Object");
    format = (c) => {
      const out: string[] = [];
      for (const k of ObjectKeys(shown)) ArrayPush(out, `${k}: ${nested(c, shown[k], depth)}`);
      return out;
    };
    keys = keys.filter((k) => !(typeof k === "string" && k[0] === "_"));
  } else if (isSet(v)) {
    keys = keysOf(v, ctx.showHidden);
    const p = prefix(name, tag, "Set", `(${SetSize(v)})`);
    if (SetSize(v) === 0 && keys.length === 0) return `${p}{}`;
    braces = [`${p}{`, "}"];
    format = (c) => {
      const out: string[] = [];
      const n = SetSize(v);
      let shown = 0;
      c.indent += 2;
      SetForEach(v, ((x: unknown) => { if (shown++ < c.maxArrayLength) ArrayPush(out, formatValue(c, x, depth + 1)); }) as any);
      c.indent -= 2;
      if (n > c.maxArrayLength) ArrayPush(out, more(n - c.maxArrayLength));
      return out;
    };
  } else if (isMap(v)) {
    keys = keysOf(v, ctx.showHidden);
    const p = prefix(name, tag, "Map", `(${MapSize(v)})`);
    if (MapSize(v) === 0 && keys.length === 0) return `${p}{}`;
    braces = [`${p}{`, "}"];
    format = (c) => {
      const out: string[] = [];
      c.indent += 2;
      const n = MapSize(v);
      let shown = 0;
      MapForEach(v, ((x: unknown, k: unknown) => { if (shown++ < c.maxArrayLength) ArrayPush(out, `${formatValue(c, k, depth + 1)} => ${formatValue(c, x, depth + 1)}`); }) as any);
      c.indent -= 2;
      if (n > c.maxArrayLength) ArrayPush(out, more(n - c.maxArrayLength));
      return out;
    };
  } else if (TypedArrayTag(v) !== undefined) {
    const n = TypedArrayLength(v);
    keys = named(keysOf(v, ctx.showHidden));
    braces = [`${prefix(name, tag === TypedArrayTag(v) ? "" : tag, TypedArrayTag(v)!, `(${n})`)}[`, "]"];
    if (n === 0 && keys.length === 0) return `${braces[0]}]`;
    isArray = true;
    format = (c) => {
      const out: string[] = [], show = MathMin(c.maxArrayLength, n);
      for (let i = 0; i < show; i++) out[i] = formatPrimitive(c, v[i]);
      if (n > show) ArrayPush(out, more(n - show));
      return out;
    };
  } else if (tag === "Map Iterator" || tag === "Set Iterator") {
    braces = [`[${tag}] {`, "}"];
    keys = keysOf(v, ctx.showHidden);
  } else if (ObjectToString(v) === "[object Arguments]" && !ObjectHasOwn(v, Symbol.toStringTag)) {
    braces[0] = "[Arguments] {";
    keys = keysOf(v, ctx.showHidden);
  } else if (typeof v === "function") {
    keys = keysOf(v, ctx.showHidden);
    base = functionBase(v, name, tag);
    if (keys.length === 0) return paint(ctx, base, "special");
  } else if (isRegExp(v)) {
    keys = keysOf(v, ctx.showHidden);
    base = regexpToString(v);
    const p = prefix(name, tag, "RegExp");
    if (p !== "RegExp ") base = p + base;
    if (keys.length === 0 || depth > ctx.depth) return paint(ctx, base, "regexp");
  } else if (isDate(v)) {
    keys = keysOf(v, ctx.showHidden);
    base = Number.isNaN(datePrototypeGetTime(v)) ? "Invalid Date" : DateToISOString(v);
    const p = prefix(name, tag, "Date");
    if (p !== "Date ") base = p + base;
    if (keys.length === 0) return paint(ctx, base, "date");
  } else if (isError(v) && !isDOMException(v)) {
    keys = keysOf(v, ctx.showHidden);
    base = errorBase(ctx, v, name, keys);
    if (keys.length === 0) return base;
  } else if (isArrayBuffer(v)) {
    keys = keysOf(v, ctx.showHidden);
    const n = ArrayBufferByteLength(v);
    braces[0] = `${prefix(name, tag, "ArrayBuffer")}{`;
    format = (c) => {
      const b = new NativeUint8Array(v), show = MathMin(ctx.maxArrayLength, n), hex: string[] = [];
      for (let i = 0; i < show; i++) hex[i] = StringPadStart(b[i].toString(16), 2, "0");
      const rest = n > show ? ` ... ${n - show} more byte${n - show > 1 ? "s" : ""}` : "";
      return [`${paint(c, "[Uint8Contents]", "special")}: <${ArrayJoin(hex, " ")}${rest}>`, `byteLength: ${formatNumber(c, n)}`];
    };
  } else if (ArrayBuffer.isView(v)) {
    keys = keysOf(v, ctx.showHidden);
    braces[0] = `${prefix(name, tag, "DataView")}{`;
    format = (c) => [`byteLength: ${formatNumber(c, v.byteLength)}`, `byteOffset: ${formatNumber(c, v.byteOffset)}`, `buffer: ${nested(c, v.buffer, depth)}`];
  } else if (isPromise(v)) {
    keys = keysOf(v, ctx.showHidden);
    braces[0] = `${prefix(name, tag, "Promise")}{`;
    format = (c) => {
      const [state, value] = engine.promiseState ? engine.promiseState(v as any) : [0, undefined];
      if (state === 0) return [paint(c, "<pending>", "special")];
      const s = nested(c, value, depth);
      return [state === 1 ? s : `${paint(c, "<rejected>", "special")} ${s}`];
    };
  } else if (isWeakSet(v) || isWeakMap(v)) {
    keys = keysOf(v, ctx.showHidden);
    braces[0] = `${prefix(name, tag, isWeakMap(v) ? "WeakMap" : "WeakSet")}{`;
    format = (c) => [paint(c, "<items unknown>", "special")];
  } else if (isWeakRef(v)) {
    keys = keysOf(v, ctx.showHidden);
    braces[0] = `${prefix(name, tag, "WeakRef")}{`;
    if (keys.length === 0) return `${braces[0]}}`;
  } else if (tag === "Module" || ObjectToString(v) === "[object Module]") {
    keys = keysOf(v, ctx.showHidden);
    braces[0] = "[Module: null prototype] {";
  } else {
    const boxed = unbox(v);
    keys = keysOf(v, ctx.showHidden);
    if (boxed !== null) {
      const [type, value] = boxed;
      if (type === "String") keys = named(keys);
      base = `[${type}`;
      if (name !== type) base += name === null ? " (null prototype)" : ` (${name})`;
      base += `: ${formatPrimitive(context({}), value)}]`;
      if (tag !== "" && tag !== name) base += ` [${tag}]`;
      if (keys.length === 0) return base;
    } else {
      if (name !== "Object" || tag !== "") braces[0] = `${prefix(name, tag, "Object")}{`;
      if (keys.length === 0) return `${braces[0]}}`;
    }
  }

  if (depth > ctx.depth) {
    const n = StringSlice(prefix(name, tag, isArray ? "Array" : "Object"), 0, -1);
    return paint(ctx, `[${name === null ? n : isArray && name === "Array" ? "Array" : n}]`, "special");
  }
  ArrayPush(ctx.seen, v);
  ctx.current = depth;
  const out = format(ctx, v, depth);
  for (let i = 0; i < keys.length; i++) ArrayPush(out, formatProperty(ctx, v, depth, keys[i], isArray));
  ctx.seen.length--;
  const ref = ctx.circular?.get(v) as number | undefined;
  if (ref !== undefined) {
    const r = paint(ctx, `<ref *${ref}>`, "special");
    if (ctx.compact !== true) base = base === "" ? r : `${r} ${base}`;
    else braces[0] = `${r} ${braces[0]}`;
  }
  if (ctx.sorted) {
    const by = typeof ctx.sorted === "function" ? ctx.sorted : undefined;
    if (!isArray) out.sort(by);
  }
  void typed;
  return head + reduce(ctx, out, base, braces, isArray, depth, v, head !== "" && depth > 0 ? 2 : 0);
}

/** Whether v is an object of a platform class with a view of its own, so that properties which begin with _ are the class's, not the learner's. */
export const hasView = (v: object): boolean => findView(v) !== undefined;

function findView(v: object): ((o: any) => Record<string, unknown>) | undefined {
  return find(views, v) as any;
}
function find(m: InstanceType<typeof SafeMap>, v: object): unknown {
  for (let p = ObjectGetPrototypeOf(v); p !== null; p = ObjectGetPrototypeOf(p)) {
    const f = m.get(p);
    if (f !== undefined) return f;
  }
  return undefined;
}

function unbox(v: any): [string, unknown] | null {
  if (ordinary(v)) return null;
  for (let i = 0; i < boxes.length; i++) {
    try {
      return [boxes[i][0], boxes[i][1](v)];
    } catch { /* not this one */ }
  }
  return null;
}

const more = (n: number) => `... ${n} more item${n > 1 ? "s" : ""}`;

function nested(ctx: Ctx, v: unknown, depth: number): string {
  ctx.indent += 2;
  const s = formatValue(ctx, v, depth + 1);
  ctx.indent -= 2;
  return s;
}

function formatArray(ctx: Ctx, v: any[], depth: number): string[] {
  const out: string[] = [], n = v.length, show = MathMin(MathMax(0, ctx.maxArrayLength), n);
  let holes = 0, shown = 0, i = 0;
  const flush = () => {
    if (holes > 0) {
      ArrayPush(out, paint(ctx, `<${holes} empty item${holes > 1 ? "s" : ""}>`, "undefined"));
      holes = 0;
      shown++;
    }
  };
  for (; i < n && shown < show; i++) {
    if (!ObjectHasOwn(v, i)) {
      holes++;
      // A long run of holes is skipped by key, not by step.
      if (holes > 1000) {
        let next = n;
        for (const k of ObjectKeys(v)) {
          if (isIndex(k) && +k > i) {
            next = +k;
            break;
          }
        }
        holes += next - i - 1;
        i = next - 1;
      }
      continue;
    }
    flush();
    if (shown >= show) break;
    ArrayPush(out, formatProperty(ctx, v, depth, `${i}`, true, true));
    shown++;
  }
  flush();
  if (i < n) ArrayPush(out, more(n - i));
  return out;
}

function formatProperty(ctx: Ctx, v: any, depth: number, key: PropertyKey, array: boolean, element = false): string {
  const d = ObjectGetOwnPropertyDescriptor(v, key) ?? { value: v[key], enumerable: true };
  let s: string;
  if ("value" in d && d.get === undefined && d.set === undefined) {
    const diff = ctx.compact !== true || !array ? 2 : 3;
    ctx.indent += diff;
    s = formatValue(ctx, d.value, depth + 1);
    ctx.indent -= diff;
  } else if (d.get !== undefined) {
    const label = d.set !== undefined ? "Getter/Setter" : "Getter";
    if (ctx.getters && (ctx.getters === true || (ctx.getters === "get" && d.set === undefined) || (ctx.getters === "set" && d.set !== undefined))) {
      try {
        ctx.indent += 2;
        const r = ReflectApply(d.get, v, []);
        s = r === null || typeof r !== "object" ? `${paint(ctx, `[${label}:`, "special")} ${formatPrimitive(ctx, r)}${paint(ctx, "]", "special")}` : `${paint(ctx, `[${label}]`, "special")} ${formatValue(ctx, r, depth + 1)}`;
        ctx.indent -= 2;
      } catch (e: any) {
        s = paint(ctx, `[${label}: <Inspection threw (${e?.message})>]`, "special");
      }
    } else s = paint(ctx, `[${label}]`, "special");
  } else s = paint(ctx, d.set !== undefined ? "[Setter]" : "undefined", d.set !== undefined ? "special" : "undefined");
  if (element) return s;
  let n: string;
  if (typeof key === "symbol") n = paint(ctx, SymbolToString(key), "symbol");
  else if (key === "__proto__") n = "['__proto__']";
  else if (d.enumerable === false) n = `[${String(key)}]`;
  else n = RegExpTest(/^[a-zA-Z_][a-zA-Z_0-9]*$/, key as string) ? (key as string) : paint(ctx, quote(key as string), "string");
  return `${n}: ${s}`;
}

const plainLength = (ctx: Ctx, s: string) => (ctx.colors ? StringReplace(s, /\u001b\[\d+m/g, "").length : s.length);

function reduce(ctx: Ctx, out: string[], base: string, braces: [string, string], array: boolean, depth: number, v: any, further = 0): string {
  if (ctx.compact !== true) {
    if (typeof ctx.compact === "number" && ctx.compact >= 1) {
      const entries = out.length;
      if (array && entries > 6) out = group(ctx, out, v);
      if (ctx.current - depth < ctx.compact && entries === out.length) {
        const start = out.length + ctx.indent + further + braces[0].length + base.length + 10;
        if (fits(ctx, out, start, base)) {
          const joined = ArrayJoin(out, ", ");
          if (!joined.includes("\n")) return `${base ? `${base} ` : ""}${braces[0]} ${joined} ${braces[1]}`;
        }
      }
    }
    const ind = `\n${StringRepeat(" ", ctx.indent)}`;
    return `${base ? `${base} ` : ""}${braces[0]}${ind}  ${ArrayJoin(out, `,${ind}  `)}${ind}${braces[1]}`;
  }
  if (fits(ctx, out, 0, base)) return `${braces[0]}${base ? ` ${base}` : ""} ${ArrayJoin(out, ", ")} ${braces[1]}`;
  const ind = StringRepeat(" ", ctx.indent);
  const ln = base === "" && braces[0].length === 1 ? " " : `${base ? ` ${base}` : ""}\n${ind}  `;
  return `${braces[0]}${ln}${ArrayJoin(out, `,\n${ind}  `)} ${braces[1]}`;
}

function fits(ctx: Ctx, out: string[], start: number, base: string): boolean {
  let total = out.length + start;
  if (total + out.length > ctx.breakLength) return false;
  for (let i = 0; i < out.length; i++) {
    total += plainLength(ctx, out[i]);
    if (total > ctx.breakLength) return false;
  }
  return base === "" || !base.includes("\n");
}

/** Lines up the elements of a long array in columns. */
function group(ctx: Ctx, out: string[], v: any): string[] {
  let total = 0, widest = 0, i = 0;
  let n = out.length;
  if (ctx.maxArrayLength < (v.length ?? 0)) n--; // the "more items" line stays apart
  const lens: number[] = [];
  for (; i < n; i++) {
    const len = plainLength(ctx, out[i]);
    lens[i] = len;
    total += len + 2;
    if (widest < len) widest = len;
  }
  const actual = widest + 2;
  if (actual * 3 + ctx.indent < ctx.breakLength && (total / actual > 5 || widest <= 6)) {
    const bias = Math.sqrt(actual - total / out.length), width = MathMax(actual - 3 - bias, 1);
    const columns = MathMin(Math.round(Math.sqrt(2.5 * width * n) / width), Math.floor((ctx.breakLength - ctx.indent) / actual), (ctx.compact as number) * 4, 15);
    if (columns <= 1) return out;
    const rows: string[] = [], widths: number[] = [];
    for (let c = 0; c < columns; c++) {
      let w = 0;
      for (let j = c; j < n; j += columns) if (lens[j] > w) w = lens[j];
      ArrayPush(widths, w + 2);
    }
    const allNumbers = v !== undefined && numeric(v, n);
    for (let r = 0; r < n; r += columns) {
      const max = MathMin(r + columns, n);
      let line = "", j = r;
      for (; j < max - 1; j++) {
        const pad = widths[j - r] + out[j].length - lens[j];
        line += allNumbers ? StringPadStart(`${out[j]}, `, pad, " ") : StringPadEnd(`${out[j]}, `, pad, " ");
      }
      line += allNumbers ? StringPadStart(out[j], widths[j - r] + out[j].length - lens[j] - 2, " ") : out[j];
      ArrayPush(rows, line);
    }
    for (let k = n; k < out.length; k++) ArrayPush(rows, out[k]);
    return rows;
  }
  return out;
}

function numeric(v: any, n: number): boolean {
  for (let i = 0; i < n && i < v.length; i++) if (typeof v[i] !== "number" && typeof v[i] !== "bigint") return false;
  return true;
}

/** console's and util.format's text for a list of arguments. */
export function format(args: unknown[], options: Options = {}): string {
  let out = "", at = 0;
  const first = args[0];
  if (typeof first === "string") {
    if (args.length === 1) return first;
    at = 1;
    let last = 0;
    for (let i = 0; i < first.length - 1; i++) {
      if (first.charCodeAt(i) !== 37) continue;
      const c = first[i + 1];
      if (c === "%") {
        out += StringSlice(first, last, i) + "%";
        last = i + 2;
        i++;
        continue;
      }
      if (at >= args.length) continue;
      let s: string | undefined;
      const a = args[at];
      switch (c) {
        case "s":
          if (typeof a === "number") s = formatNumber(context({}), a);
          else if (typeof a === "bigint") s = `${a}n`;
          else if (typeof a !== "object" || a === null || (!isDate(a) && hasOwnToString(a))) s = String(a);
          else s = inspect(a, { ...options, depth: 0, colors: false, compact: 3 });
          break;
        case "d":
          s = typeof a === "bigint" ? `${a}n` : typeof a === "symbol" ? "NaN" : formatNumber(context({}), Number(a));
          break;
        case "i":
          s = typeof a === "bigint" ? `${a}n` : typeof a === "symbol" ? "NaN" : formatNumber(context({}), parseInt(a as string));
          break;
        case "f":
          s = typeof a === "symbol" ? "NaN" : formatNumber(context({}), parseFloat(a as string));
          break;
        case "j":
          try {
            s = JSONStringify(a) ?? "undefined";
          } catch (e: any) {
            if (!/circular/i.test(`${e?.message}`)) throw e;
            s = "[Circular]";
          }
          break;
        case "o":
          s = inspect(a, { ...options, showHidden: true, showProxy: true, depth: 4 });
          break;
        case "O":
          s = inspect(a, options);
          break;
        case "c":
          s = "";
          break;
        default:
          continue;
      }
      out += StringSlice(first, last, i) + s;
      last = i + 2;
      i++;
      at++;
    }
    out += StringSlice(first, last);
  }
  for (let i = at; i < args.length; i++) {
    const a = args[i];
    out += (i > 0 ? " " : "") + (typeof a === "string" ? a : inspect(a, { compact: 3, depth: 2, ...options }));
  }
  return out;
}

// Whether String(v) is the learner's own doing: an own toString or one from a class of theirs.
function hasOwnToString(v: any): boolean {
  if (isProxy(v)) v = unproxy(v);
  if (ObjectHasOwn(v, customInspect)) return false;
  if (ObjectHasOwn(v, "toString")) return typeof v.toString === "function";
  if (isError(v) || isDate(v)) return isDate(v);
  for (let p = ObjectGetPrototypeOf(v); p !== null && p !== Object.prototype; p = ObjectGetPrototypeOf(p)) {
    const C = ObjectGetOwnPropertyDescriptor(p, "constructor")?.value;
    if (ObjectHasOwn(p, "toString") && typeof C === "function" && !RegExpTest(/\[native code\]/, FunctionToString(C))) return true;
  }
  return false;
}
