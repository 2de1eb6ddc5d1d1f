// node:util.

import { argType, nodeError } from "./node-errors";
import types from "./node-util-types";
import { deepEqual } from "./deepequal";
import { customInspect, format as formatArgs, inspect as inspectValue, Options } from "./inspect";
import { TextDecoder, TextEncoder } from "./encoding";
import { AbortSignal, onAbort } from "./abort";

const promisifyCustom = Symbol.for("nodejs.util.promisify.custom");

export const inspect: any = inspectValue;
inspect.custom = customInspect;
inspect.defaultOptions = { showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100, maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false };
inspect.colors = Object.assign(Object.create(null), {
  reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24],
  black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39],
  bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49], framed: [51, 54], overlined: [53, 55], gray: [90, 39], grey: [90, 39],
  redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39], magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39],
});
inspect.styles = Object.assign(Object.create(null), { special: "cyan", number: "yellow", bigint: "yellow", boolean: "yellow", undefined: "grey", null: "bold", string: "green", symbol: "green", date: "magenta", regexp: "red", module: "underline" });

export function format(...args: unknown[]): string { return formatArgs(args); }
export function formatWithOptions(options: Options, ...args: unknown[]): string { return formatArgs(args, options); }

const invalid = argType;

export function promisify(f: any): any {
  if (typeof f !== "function") throw invalid("original", "of type function", f);
  if (f[promisifyCustom] !== undefined) return f[promisifyCustom];
  function promised(this: unknown, ...args: unknown[]) {
    return new Promise((resolve, reject) => {
      f.call(this, ...args, (err: unknown, ...values: unknown[]) => (err ? reject(err) : resolve(values[0])));
    });
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(f));
  Object.defineProperty(promised, promisifyCustom, { value: promised, configurable: true });
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(f));
}
(promisify as any).custom = promisifyCustom;

export function callbackify(f: any): any {
  if (typeof f !== "function") throw invalid("original", "of type function", f);
  return function (this: unknown, ...args: any[]) {
    const done = args.pop();
    if (typeof done !== "function") throw invalid("last argument", "of type function", done);
    f.apply(this, args).then((v: unknown) => queueMicrotask(() => done(null, v)), (e: unknown) => queueMicrotask(() => done(e ?? Object.assign(new Error("Promise was rejected with falsy value"), { code: "ERR_FALSY_VALUE_REJECTION", reason: e }))));
  };
}
export function inherits(C: any, Super: any): void {
  Object.defineProperty(C, "super_", { value: Super, writable: true, configurable: true });
  Object.setPrototypeOf(C.prototype, Super.prototype);
}
const warned = new Set<string>();
export function deprecate(f: any, message: string, code?: string): any {
  let told = false;
  const g = function (this: unknown, ...args: unknown[]) {
    if (!told) {
      told = true;
      if (code === undefined || !warned.has(code)) {
        if (code !== undefined) warned.add(code);
        (globalThis as any).console.warn(`DeprecationWarning: ${message}`);
      }
    }
    return new.target ? Reflect.construct(f, args, new.target) : f.apply(this, args);
  };
  Object.setPrototypeOf(g, f);
  if (f.prototype) g.prototype = f.prototype;
  return g;
}
export function debuglog(_section: string): any { return Object.assign(() => { }, { enabled: false }); }
export const debug = debuglog;
export function isDeepStrictEqual(a: unknown, b: unknown): boolean { return deepEqual(a, b, true); }
export function stripVTControlCharacters(s: string): string { return `${s}`.replace(/[\u001b\u009b][[\]()#;?]*(?:\d{1,4}(?:[;:]\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g, ""); }
export function styleText(style: string | string[], s: string, o?: { validateStream?: boolean }): string {
  let open = "", close = "";
  for (const n of [style].flat()) {
    const c = inspect.colors[n];
    if (c === undefined) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'format' must be one of: ${Object.keys(inspect.colors).map((k) => `'${k}'`).join(", ")}. Received ${inspect(n)}`);
    open += `\u001b[${c[0]}m`;
    close = `\u001b[${c[1]}m` + close;
  }
  return o?.validateStream === false ? open + s + close : `${s}`; // stdout is no terminal here
}
export function toUSVString(s: string): string { return `${s}`.toWellFormed(); }
export function log(...args: unknown[]): void { (globalThis as any).console.log(...args); }
export function aborted(signal: AbortSignal, _resource?: unknown): Promise<void> { return new Promise((r) => onAbort(signal, () => r())); }
export function getSystemErrorName(n: number): string { return `Unknown system error ${n}`; }
export function _extend(a: any, b: any): any { return Object.assign(a, b); }
export class MIMEType {
  type: string;
  subtype: string;
  params = new Map<string, string>();
  constructor(s: string) {
    const m = /^\s*([\w!#$&^.+-]+)\/([\w!#$&^.+-]+)\s*(;.*)?$/.exec(`${s}`);
    if (m === null) throw Object.assign(new TypeError(`The MIME syntax for a MIME type in "${s}" is invalid`), { code: "ERR_INVALID_MIME_SYNTAX" });
    this.type = m[1].toLowerCase();
    this.subtype = m[2].toLowerCase();
    for (const p of (m[3] ?? "").split(";")) {
      const [k, v] = p.split("=");
      if (k.trim() !== "" && v !== undefined) this.params.set(k.trim().toLowerCase(), v.trim().replace(/^"|"$/g, ""));
    }
  }
  get essence() { return `${this.type}/${this.subtype}`; }
  toString() { return this.essence + [...this.params].map(([k, v]) => `;${k}=${v}`).join(""); }
}
export class MIMEParams extends Map<string, string> { }
export const isArray = Array.isArray;
export const isBoolean = (v: unknown) => typeof v === "boolean", isNull = (v: unknown) => v === null, isNullOrUndefined = (v: unknown) => v == null, isNumber = (v: unknown) => typeof v === "number", isString = (v: unknown) => typeof v === "string",
  isSymbol = (v: unknown) => typeof v === "symbol", isUndefined = (v: unknown) => v === undefined, isRegExp = types.isRegExp, isObject = (v: unknown) => v !== null && typeof v === "object", isDate = types.isDate, isError = types.isNativeError,
  isFunction = (v: unknown) => typeof v === "function", isPrimitive = (v: unknown) => v === null || (typeof v !== "object" && typeof v !== "function"), isBuffer = (v: unknown) => (globalThis as any).Buffer?.isBuffer(v) ?? false;
export { TextDecoder, TextEncoder, types };
export default {
  inspect, format, formatWithOptions, promisify, callbackify, inherits, deprecate, debuglog, debug, isDeepStrictEqual, stripVTControlCharacters, styleText, toUSVString, log, aborted, getSystemErrorName, _extend,
  MIMEType, MIMEParams, TextDecoder, TextEncoder, types, isArray, isBoolean, isNull, isNullOrUndefined, isNumber, isString, isSymbol, isUndefined, isRegExp, isObject, isDate, isError, isFunction, isPrimitive, isBuffer,
};
