// console. Specification: Console, with Node's formatting. Each call is one host
// call: the line, the arguments as bounded trees, and where it was called.

import { call, op } from "./host";
import { ArrayIsArray, ArrayPush, DateNow, FunctionToString, MapForEach, MathMin, NativeError, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectKeys, ReflectOwnKeys, ownState, SafeMap, SetForEach, StringRepeat, StringSlice, SymbolToString, TypedArrayLength, TypedArrayTag, DateToISOString, DateGetTime, isDate, isError, isMap, isPromise, isRegExp, isSet, expose } from "./primordials";
import { className, format, hasView, inspect } from "./inspect";
import { isProxy, unproxy } from "./proxy";
import { current } from "./run";
import { rawStack } from "./errors";

const LOG = op("log");

// A tree crosses to the host as nested lists: [type, text, more, key, child, key, child, …].
type Tree = unknown[];
const maxDepth = 4, maxWidth = 40, maxNodes = 400, maxText = 2000;

function tree(v: any, depth: number, budget: { left: number }, seen: object[]): Tree {
  budget.left--;
  const t = typeof v;
  if (v === null) return ["null", "null", 0];
  switch (t) {
    case "string": return ["string", v.length > maxText ? StringSlice(v, 0, maxText) : v, v.length > maxText ? v.length - maxText : 0];
    case "number": return ["number", inspect(v), 0];
    case "bigint": return ["bigint", `${v}n`, 0];
    case "boolean": return ["boolean", `${v}`, 0];
    case "undefined": return ["undefined", "undefined", 0];
    case "symbol": return ["symbol", SymbolToString(v), 0];
    case "function": return ["function", `${v.name || ""}`, 0];
  }
  if (isProxy(v)) v = unproxy(v);
  if (typeof v === "function") return ["function", `${v.name || ""}`, 0];
  for (let i = 0; i < seen.length; i++) if (seen[i] === v) return ["circular", className(v) ?? "Object", 0];
  if (isDate(v)) return ["date", Number.isNaN(DateGetTime(v)) ? "Invalid Date" : DateToISOString(v), 0];
  if (isRegExp(v)) return ["regexp", inspect(v), 0];
  const name = className(v) ?? "Object";
  let type = "object", out: Tree;
  const entries: [string, any][] = [];
  let more = 0;
  const add = (k: string, x: any) => {
    if (entries.length >= maxWidth) more++;
    else ArrayPush(entries, [k, x]);
  };
  if (isError(v)) {
    out = ["error", typeof v.stack === "string" ? StringSlice(v.stack, 0, maxText) : name, 0];
    type = "error";
  } else if (ArrayIsArray(v) || TypedArrayTag(v) !== undefined) {
    type = "array";
    const n = ArrayIsArray(v) ? v.length : TypedArrayLength(v);
    for (let i = 0; i < MathMin(n, maxWidth); i++) add(`${i}`, v[i]);
    more = n > maxWidth ? n - maxWidth : 0;
  } else if (isMap(v)) {
    type = "map";
    MapForEach(v, ((x: any, k: any) => add(typeof k === "string" ? k : inspect(k, { depth: 0 }), x)) as any);
  } else if (isSet(v)) {
    type = "set";
    let i = 0;
    SetForEach(v, ((x: any) => add(`${i++}`, x)) as any);
  } else if (isPromise(v)) type = "promise";
  if (type === "object" || type === "error") {
    const keys = ReflectOwnKeys(v), platform = hasView(v);
    for (let i = 0; i < keys.length; i++) {
      if (ownState.has(keys[i]) || (platform && typeof keys[i] === "string" && (keys[i] as string)[0] === "_")) continue;
      const d = ObjectGetOwnPropertyDescriptor(v, keys[i]);
      if (d === undefined || !d.enumerable) continue;
      if ("value" in d && !d.get) add(typeof keys[i] === "symbol" ? SymbolToString(keys[i] as symbol) : (keys[i] as string), d.value);
    }
  }
  out ??= [type, name, 0];
  if (depth >= maxDepth || budget.left <= 0) {
    out[2] = entries.length + more;
    return out;
  }
  ArrayPush(seen, v);
  for (let i = 0; i < entries.length; i++) {
    if (budget.left <= 0) {
      more += entries.length - i;
      break;
    }
    ArrayPush(out, entries[i][0], tree(entries[i][1], depth + 1, budget, seen));
  }
  seen.length--;
  out[2] = more;
  return out;
}

function emit(level: string, args: unknown[], text?: string): void {
  const stack = rawStack(5);
  let line: string;
  const trees: Tree[] = [];
  try {
    line = text ?? format(args);
    const budget = { left: maxNodes };
    for (let i = 0; i < args.length && budget.left > 0; i++) ArrayPush(trees, tree(args[i], 0, budget, []));
  } catch (e: any) {
    line = `[console.${level}: the value could not be shown: ${safeMessage(e)}]`;
  }
  call(LOG, current.run, level, line, stack, trees);
}
function safeMessage(e: any): string {
  try {
    return `${e?.message ?? e}`;
  } catch {
    return "unknown";
  }
}

const counts = new SafeMap<string, number>(), starts = new SafeMap<string, number>();

function tableText(data: any, columns?: string[]): string | null {
  if (data === null || typeof data !== "object") return null;
  const rows: [string, any][] = [];
  let indexName = "(index)";
  if (isMap(data)) {
    indexName = "(iteration index)";
    let i = 0;
    MapForEach(data, ((v: any, k: any) => ArrayPush(rows, [`${i++}`, { Key: k, Values: v }])) as any);
  } else if (isSet(data)) {
    indexName = "(iteration index)";
    let i = 0;
    SetForEach(data, ((v: any) => ArrayPush(rows, [`${i++}`, v])) as any);
  } else for (const k of ObjectKeys(data)) ArrayPush(rows, [k, data[k]]);
  const heads: string[] = [];
  let values = false;
  const cell = (v: any) => inspect(v, { depth: v !== null && typeof v === "object" && !ArrayIsArray(v) && ObjectKeys(v).length > 2 ? -1 : 0, maxArrayLength: 3, breakLength: Infinity });
  const cells: Record<string, string>[] = [];
  for (const [, v] of rows) {
    const c: Record<string, string> = { __proto__: null } as any;
    if (v !== null && (typeof v === "object" || typeof v === "function")) {
      for (const k of columns ?? ObjectKeys(v)) {
        if (heads.indexOf(k) < 0) ArrayPush(heads, k);
        if (Object.hasOwn(v, k)) c[k] = cell(v[k]);
      }
    } else {
      c["\0"] = cell(v);
      values = true;
    }
    ArrayPush(cells, c);
  }
  const all = [indexName, ...heads, ...(values ? ["Values"] : [])];
  const body = rows.map(([k], i) => [k, ...heads.map((h) => cells[i][h] ?? ""), ...(values ? [cells[i]["\0"] ?? ""] : [])]);
  const width = all.map((h, i) => Math.max(h.length, ...body.map((r) => r[i].length)) + 2);
  const pad = (s: string, w: number) => " " + s + StringRepeat(" ", w - s.length - 1);
  const line = (l: string, m: string, r: string) => l + width.map((w) => StringRepeat("─", w)).join(m) + r;
  const row = (r: string[]) => "│" + r.map((s, i) => pad(s, width[i])).join("│") + "│";
  return [line("┌", "┬", "┐"), row(all), line("├", "┼", "┤"), ...body.map(row), line("└", "┴", "┘")].join("\n");
}

const label = (l: unknown) => (l === undefined ? "default" : `${l as string}`);
const elapsed = (ms: number) => `${ms}ms`;

const methods: Record<string, Function> = {
  debug(...args: unknown[]) { emit("debug", args); },
  error(...args: unknown[]) { emit("error", args); },
  info(...args: unknown[]) { emit("info", args); },
  log(...args: unknown[]) { emit("log", args); },
  warn(...args: unknown[]) { emit("warn", args); },
  dir(v: unknown, options?: object) { emit("dir", [v], inspect(v, { customInspect: false, ...options })); },
  dirxml(...args: unknown[]) { emit("dir", args); },
  table(data: unknown, columns?: string[]) {
    const t = tableText(data, columns);
    if (t === null) emit("table", [data]);
    else emit("table", [data], t);
  },
  trace(...args: unknown[]) {
    const lines = new NativeError().stack ?? "";
    const head = args.length > 0 ? `Trace: ${format(args)}` : "Trace";
    emit("trace", args, head + lines.slice(lines.indexOf("\n")));
  },
  group(...args: unknown[]) {
    if (args.length > 0) emit("group", args);
  },
  groupCollapsed(...args: unknown[]) {
    if (args.length > 0) emit("group", args);
  },
  groupEnd() { },
  clear() { },
  count(l?: unknown) {
    const k = label(l), n = ((counts.get(k) as number | undefined) ?? 0) + 1;
    counts.set(k, n);
    emit("count", [`${k}: ${n}`]);
  },
  countReset(l?: unknown) { counts.delete(label(l)); },
  assert(ok: unknown, ...args: unknown[]) {
    if (ok) return;
    if (typeof args[0] === "string") args[0] = `Assertion failed: ${args[0]}`;
    else args.unshift("Assertion failed");
    emit("error", args);
  },
  time(l?: unknown) { starts.set(label(l), DateNow()); },
  timeLog(l?: unknown, ...args: unknown[]) {
    const k = label(l), t = starts.get(k) as number | undefined;
    if (t !== undefined) emit("time", [`${k}: ${elapsed(DateNow() - t)}`, ...args]);
  },
  timeEnd(l?: unknown) {
    const k = label(l), t = starts.get(k) as number | undefined;
    if (t === undefined) return;
    starts.delete(k);
    emit("time", [`${k}: ${elapsed(DateNow() - t)}`]);
  },
  timeStamp() { },
  profile() { },
  profileEnd() { },
};

const console: any = Object.create(Object.create(Object.prototype));
for (const k of ObjectKeys(methods)) console[k] = methods[k];
ObjectDefineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
expose("console", console);
export { console };
