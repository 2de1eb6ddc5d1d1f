// node:util.

import { constants as osConstants } from "unenv/node/os";
import { argType, nodeError, objectArg, outOfRange } from "./node-errors";
import types from "./node-util-types";
import { deepEqual } from "./deepequal";
import { customInspect, format as formatArgs, inspect as inspectValue, Options } from "./inspect";
import { TextDecoder, TextEncoder } from "./encoding";
import { AbortController, AbortSignal, isAbortSignal, onAbort } from "./abort";

const promisifyCustom = Symbol.for("nodejs.util.promisify.custom");

export const inspect: any = inspectValue;
inspect.custom = customInspect;
inspect.defaultOptions = { showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100, maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false };
inspect.colors = Object.assign(Object.create(null), {
  reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24],
  black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39],
  bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49], framed: [51, 54], overlined: [53, 55], gray: [90, 39],
  redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39], magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39],
  bgGray: [100, 49], bgRedBright: [101, 49], bgGreenBright: [102, 49], bgYellowBright: [103, 49], bgBlueBright: [104, 49], bgMagentaBright: [105, 49], bgCyanBright: [106, 49], bgWhiteBright: [107, 49],
});
for (const [name, of] of [["grey", "gray"], ["bgGrey", "bgGray"], ["blackBright", "gray"], ["bgBlackBright", "bgGray"]]) Object.defineProperty(inspect.colors, name, { get: () => inspect.colors[of], configurable: true });
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
  if (C === undefined || C === null) throw invalid("ctor", "of type function", C);
  if (Super === undefined || Super === null) throw invalid("superCtor", "of type function", Super);
  if (Super.prototype === undefined) throw invalid("superCtor.prototype", "of type object", Super.prototype);
  Object.defineProperty(C, "super_", { value: Super, writable: true, configurable: true });
  Object.setPrototypeOf(C.prototype, Super.prototype);
}
const warned = new Set<string>();
export function deprecate(f: any, message: string, code?: string): any {
  if (typeof f !== "function") return f;
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
export function stripVTControlCharacters(s: string): string {
  if (typeof s !== "string") throw invalid("str", "of type string", s);
  return `${s}`.replace(/[\u001b\u009b][[\]()#;?]*(?:\d{1,4}(?:[;:]\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]/g, "");
}
export function styleText(style: string | string[], s: string, o?: { validateStream?: boolean }): string {
  if (typeof s !== "string") throw invalid("text", "of type string", s);
  let open = "", close = "";
  for (const n of [style].flat()) {
    if (n === "none") continue;
    const c = typeof n === "string" ? inspect.colors[n] : undefined;
    if (c === undefined) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'format' must be one of: ${Object.keys(inspect.colors).map((k) => `'${k}'`).join(", ")}. Received ${inspect(n)}`);
    open += `\u001b[${c[0]}m`;
    close = `\u001b[${c[1]}m` + close;
  }
  return o?.validateStream === false ? open + s + close : `${s}`; // stdout is no terminal here
}
export function toUSVString(s: string): string { return `${s}`.toWellFormed(); }
export function log(...args: unknown[]): void { (globalThis as any).console.log(...args); }
export async function aborted(signal: AbortSignal, resource?: unknown): Promise<void> {
  if (!isAbortSignal(signal)) throw argType("signal", "an instance of AbortSignal", signal);
  objectArg("resource", resource);
  return new Promise((r) => onAbort(signal, () => r()));
}

// Errors of systems: numbers are Linux's, names and texts libuv's.
const systemErrors = `E2BIG=argument list too long|EACCES=permission denied|EADDRINUSE=address already in use|EADDRNOTAVAIL=address not available|EAFNOSUPPORT=address family not supported|EAGAIN=resource temporarily unavailable|EAI_ADDRFAMILY,-3000=address family not supported|EAI_AGAIN,-3001=temporary failure|EAI_BADFLAGS,-3002=bad ai_flags value|EAI_BADHINTS,-3013=invalid value for hints|EAI_CANCELED,-3003=request canceled|EAI_FAIL,-3004=permanent failure|EAI_FAMILY,-3005=ai_family not supported|EAI_MEMORY,-3006=out of memory|EAI_NODATA,-3007=no address|EAI_NONAME,-3008=unknown node or service|EAI_OVERFLOW,-3009=argument buffer overflow|EAI_PROTOCOL,-3014=resolved protocol is unknown|EAI_SERVICE,-3010=service not available for socket type|EAI_SOCKTYPE,-3011=socket type not supported|EALREADY=connection already in progress|EBADF=bad file descriptor|EBUSY=resource busy or locked|ECANCELED=operation canceled|ECHARSET,-4080=invalid Unicode character|ECONNABORTED=software caused connection abort|ECONNREFUSED=connection refused|ECONNRESET=connection reset by peer|EDESTADDRREQ=destination address required|EEXIST=file already exists|EFAULT=bad address in system call argument|EFBIG=file too large|EHOSTUNREACH=host is unreachable|EINTR=interrupted system call|EINVAL=invalid argument|EIO=i/o error|EISCONN=socket is already connected|EISDIR=illegal operation on a directory|ELOOP=too many symbolic links encountered|EMFILE=too many open files|EMSGSIZE=message too long|ENAMETOOLONG=name too long|ENETDOWN=network is down|ENETUNREACH=network is unreachable|ENFILE=file table overflow|ENOBUFS=no buffer space available|ENODEV=no such device|ENOENT=no such file or directory|ENOMEM=not enough memory|ENONET,-64=machine is not on the network|ENOPROTOOPT=protocol not available|ENOSPC=no space left on device|ENOSYS=function not implemented|ENOTCONN=socket is not connected|ENOTDIR=not a directory|ENOTEMPTY=directory not empty|ENOTSOCK=socket operation on non-socket|ENOTSUP=operation not supported on socket|EOVERFLOW=value too large for defined data type|EPERM=operation not permitted|EPIPE=broken pipe|EPROTO=protocol error|EPROTONOSUPPORT=protocol not supported|EPROTOTYPE=protocol wrong type for socket|ERANGE=result too large|EROFS=read-only file system|ESHUTDOWN,-108=cannot send after transport endpoint shutdown|ESPIPE=invalid seek|ESRCH=no such process|ETIMEDOUT=connection timed out|ETXTBSY=text file is busy|EXDEV=cross-device link not permitted|UNKNOWN,-4094=unknown error|EOF,-4095=end of file|ENXIO=no such device or address|EMLINK=too many links|EHOSTDOWN,-112=host is down|EREMOTEIO,-121=remote I/O error|ENOTTY=inappropriate ioctl for device|EFTYPE,-4028=inappropriate file type or format|EILSEQ=illegal byte sequence|ESOCKTNOSUPPORT,-94=socket type not supported|ENODATA=no data available|EUNATCH,-49=protocol driver not attached|ENOEXEC=exec format error`;
export function getSystemErrorMap(): Map<number, [string, string]> {
  const all = new Map<number, [string, string]>();
  for (const line of systemErrors.split("|")) {
    const [head, text] = line.split("="), [name, n] = head.split(",");
    all.set(n !== undefined ? +n : -osConstants.errno[name], [name, text]);
  }
  return all;
}
function systemError(n: unknown): [string, string] {
  if (typeof n !== "number") throw invalid("err", "of type number", n);
  if (n >= 0 || !Number.isSafeInteger(n)) throw outOfRange("err", "a negative integer", n);
  return getSystemErrorMap().get(n) ?? [`Unknown system error ${n}`, `Unknown system error ${n}`];
}
export function getSystemErrorName(n: number): string { return systemError(n)[0]; }
export function getSystemErrorMessage(n: number): string { return systemError(n)[1]; }

/** The variables of a text as .env files have them. */
export function parseEnv(content: string): Record<string, string> {
  if (typeof content !== "string") throw invalid("content", "of type string", content);
  const out: Record<string, string> = {};
  let at = 0;
  while (at < content.length) {
    const end = content.indexOf("\n", at) < 0 ? content.length : content.indexOf("\n", at), m = /^\s*(?:export )?([^=]*)=\s*/.exec(content.slice(at, end)), key = m === null ? "" : m[1].trim();
    if (key === "" || key[0] === "#") {
      at = end + 1;
      continue;
    }
    const from = at + m![0].length, quote = content[from];
    if (from < end && (quote === "\"" || quote === "'" || quote === "`")) {
      const close = content.indexOf(quote, from + 1);
      if (close >= 0) { // it may be on a later line
        const text = content.slice(from + 1, close);
        out[key] = quote === "\"" ? text.replace(/\\n/g, "\n") : text;
        const next = content.indexOf("\n", close);
        at = next < 0 ? content.length : next + 1;
        continue;
      }
    }
    const text = content.slice(from, end), note = text.indexOf("#"), value = (note >= 0 ? text.slice(0, note) : text).trim();
    out[key] = value.length > 1 && (quote === "\"" || quote === "'" || quote === "`") ? value.slice(1) : value;
    at = end + 1;
  }
  return out;
}

/** The shortest way from one text or list to another (Myers): -1 is only in expected, 1 only in actual. */
export function diff(actual: string | string[], expected: string | string[]): [number, string][] {
  if (actual === expected) return [];
  const check = (v: unknown, name: string) => {
    if (Array.isArray(v)) v.forEach((x, i) => { if (typeof x !== "string") throw invalid(`${name}[${i}]`, "of type string", x); });
    else if (typeof v !== "string") throw invalid(name, "of type string", v);
  };
  check(actual, "actual");
  check(expected, "expected");
  const n = actual.length, m = expected.length, most = n + m, far = new Int32Array(2 * most + 3), steps: Int32Array[] = [], mid = most + 1;
  const down = (v: Int32Array, k: number, d: number) => k === -d || (k !== d && v[mid + k - 1] < v[mid + k + 1]);
  search: for (let d = 0; d <= most; d++) {
    steps.push(far.slice(mid - d - 1, mid + d + 2)); // only these are looked at again
    for (let k = -d; k <= d; k += 2) {
      let x = down(far, k, d) ? far[mid + k + 1] : far[mid + k - 1] + 1;
      while (x < n && x - k < m && actual[x] === expected[x - k]) x++;
      far[mid + k] = x;
      if (x >= n && x - k >= m) break search;
    }
  }
  const out: [number, string][] = [];
  let x = n, y = m;
  for (let d = steps.length - 1; d >= 0; d--) {
    const v = steps[d], k = x - y, at = (i: number) => v[i + d + 1];
    const back = k === -d || (k !== d && at(k - 1) < at(k + 1)) ? k + 1 : k - 1, px = d === 0 ? 0 : at(back), py = d === 0 ? 0 : px - back;
    while (x > px && y > py) {
      out.push([0, actual[--x]]);
      y--;
    }
    if (d > 0) out.push(x > px ? [1, actual[--x]] : [-1, expected[--y]]);
  }
  return out.reverse();
}

export function transferableAbortController(): AbortController { return new AbortController(); }
export function transferableAbortSignal(signal: AbortSignal): AbortSignal {
  if (!(signal instanceof AbortSignal)) throw invalid("signal", "an instance of AbortSignal", signal);
  return signal;
}
export function convertProcessSignalToExitCode(signal: string): number {
  const all = osConstants.signals as Record<string, number>;
  if (!Object.hasOwn(all, signal)) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'signalCode' must be one of: ${Object.keys(all).map((k) => `'${k}'`).join(", ")}. Received ${inspect(signal)}`);
  return 128 + all[signal];
}
export function setTraceSigInt(_on: boolean): void { } // no signal comes here
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
  inspect, format, formatWithOptions, promisify, callbackify, inherits, deprecate, debuglog, debug, isDeepStrictEqual, stripVTControlCharacters, styleText, toUSVString, log, aborted, getSystemErrorName, getSystemErrorMessage, getSystemErrorMap, parseEnv, diff, transferableAbortController, transferableAbortSignal, convertProcessSignalToExitCode, setTraceSigInt, _extend,
  MIMEType, MIMEParams, TextDecoder, TextEncoder, types, isArray, isBoolean, isNull, isNullOrUndefined, isNumber, isString, isSymbol, isUndefined, isRegExp, isObject, isDate, isError, isFunction, isPrimitive, isBuffer,
};
