// node:process. env holds the Worker's text bindings; others as JSON text.

import { EventEmitter } from "node:events";
import { queueMicrotask } from "./timers";
import { call, op } from "./host";
import { argType, nodeError, outOfRange } from "./node-errors";
import { inspect } from "./inspect";
import { parseEnv } from "./node-util";

const NOW = op("clock");

const shown: Record<string, string> = {};
/** Fills process.env once the bindings are known. */
export function fillEnv(list: Record<string, unknown>, types: Record<string, string>): void {
  for (const k of Object.keys(list)) {
    if (types[k] === "text" || types[k] === "secret") shown[k] = list[k] as string;
    else if (types[k] === "json") shown[k] = JSON.stringify(list[k]);
  }
}

/** Values become strings, as in a real environment. */
export const env: Record<string, string | undefined> = new Proxy(shown, {
  set(o, k, v) {
    if (typeof k === "symbol") throw new TypeError("Cannot convert a Symbol value to a string");
    o[k] = `${v}`;
    return true;
  },
  defineProperty(o, k, d) {
    Object.defineProperty(o, k, { ...d, value: `${d.value}`, writable: true, enumerable: true, configurable: true });
    return true;
  },
});

const emitter: any = new (EventEmitter as any)();
export const version = "v22.19.0", versions = Object.freeze({ node: "22.19.0" }), platform = "linux", arch = "x64", title = "workerd", pid = 1, ppid = 0, execPath = "", execArgv: string[] = [], argv = ["workerd"], argv0 = "workerd", exitCode = undefined, release = Object.freeze({ name: "node" }), config = Object.freeze({}), features = Object.freeze({});
let folder = "/bundle";
/** Why a path cannot be the working directory. */
function kindOf(path: string): "ENOENT" | "ENOTDIR" | undefined {
  const s = builtin("fs").statSync(path, { throwIfNoEntry: false });
  return s === undefined ? "ENOENT" : s.isDirectory() ? undefined : "ENOTDIR";
}
export function cwd(): string { return folder; }
export function chdir(d: string): void {
  if (typeof d !== "string") throw argType("directory", "of type string", d);
  const to = builtin("path").resolve(folder, d) as string, code = d === "" ? "ENOENT" : kindOf(to);
  if (code !== undefined) throw Object.assign(new Error(`${code === "ENOENT" ? "no such file or directory" : "not a directory"}${d === "" ? "" : `, chdir '${to.slice(1)}'`}`), { code, errno: code === "ENOENT" ? -2 : -20, syscall: "chdir" });
  folder = to;
}
export function uptime(): number { return 0; }
export function exit(code?: number): never { throw new Error(`process.exit(${code ?? 0}) was called; a Worker ends by returning.`); }
export function abort(): never { throw new Error("process.abort() is not available here."); }
export function kill(): never { throw new Error("process.kill() is not available here."); }
export function umask(mask?: unknown): number {
  if (mask !== undefined && typeof mask !== "string" && typeof mask !== "number") throw argType("mask", "of type number", mask);
  if (typeof mask === "string" ? !/^[0-7]+$/.test(mask) : mask !== undefined && !(Number.isInteger(mask) && mask >= 0 && mask < 2 ** 32)) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'mask' must be a 32-bit unsigned integer or an octal string. Received ${inspect(mask)}`);
  return 18;
}
export function getuid(): number { return 0; }
export function getgid(): number { return 0; }
export function emitWarning(w: unknown): void {
  if (typeof w !== "string" && !(w instanceof Error)) throw argType("warning", "an string or Error", w);
  (globalThis as any).console.warn(w instanceof Error ? `${w.name}: ${w.message}` : `Warning: ${w}`);
}
export function nextTick(f: (...args: any[]) => void, ...args: unknown[]): void { queueMicrotask(() => f(...args)); }
export function memoryUsage() { return { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }; }
export function cpuUsage() { return { user: 0, system: 0 }; }
export const hrtime: any = function hrtime(before?: [number, number]): [number, number] {
  if (before !== undefined && !Array.isArray(before)) throw argType("time", "tuple of integers", before);
  if (before !== undefined && before.length !== 2) throw outOfRange("time", "2", before);
  const ms: number = call(NOW), s = Math.floor(ms / 1000), n = Math.round((ms - s * 1000) * 1e6);
  if (before === undefined) return [s, n];
  const ds = s - before[0], dn = n - before[1];
  return dn < 0 ? [ds - 1, dn + 1e9] : [ds, dn];
};
hrtime.bigint = () => BigInt(Math.round(call(NOW))) * 1000000n;
const stream = (level: "log" | "error") => ({ isTTY: false, fd: level === "log" ? 1 : 2, columns: 80, write(s: unknown) { (globalThis as any).console[level](`${s}`.replace(/\n$/, "")); return true; }, on() { return this; }, once() { return this; }, emit() { return false; }, end() { } });
export const stdout = stream("log"), stderr = stream("error"), stdin = { isTTY: false, fd: 0, on() { return this; } };
export const on = emitter.on.bind(emitter), once = emitter.once.bind(emitter), off = emitter.off.bind(emitter), emit = emitter.emit.bind(emitter), addListener = on, removeListener = off, listeners = emitter.listeners.bind(emitter), listenerCount = emitter.listenerCount.bind(emitter), removeAllListeners = emitter.removeAllListeners.bind(emitter);
export function getBuiltinModule(name: string): unknown { return builtin(`${name}`.replace(/^node:/, "")); }
let builtin: (name: string) => any = () => undefined;
export function setBuiltin(f: (name: string) => any): void { builtin = f; }

// What exists on Workers and does little there: users, warnings and reports.
export const getegid = getgid, geteuid = getuid;
export function getgroups(): number[] { return [0]; }
const noPermission = (name: string) => ({ [name](): never { throw Object.assign(new Error("operation not permitted"), { code: "EPERM", errno: 1, syscall: name }); } }[name]);
export const setuid = noPermission("setuid"), setgid = noPermission("setgid"), seteuid = noPermission("seteuid"), setegid = noPermission("setegid"), setgroups = noPermission("setgroups"), initgroups = noPermission("initgroups");
const absent = (name: string): any => ({ [name](): never { throw nodeError(Error, "ERR_METHOD_NOT_IMPLEMENTED", `process.${name} is not available here.`); } }[name]);
export const binding = absent("binding"), _linkedBinding = absent("_linkedBinding"), dlopen = absent("dlopen"), execve = absent("execve"), getActiveResourcesInfo = absent("getActiveResourcesInfo"), hasUncaughtExceptionCaptureCallback = absent("hasUncaughtExceptionCaptureCallback"),
  setUncaughtExceptionCaptureCallback = absent("setUncaughtExceptionCaptureCallback"), threadCpuUsage = absent("threadCpuUsage"), reallyExit = absent("reallyExit"), openStdin = absent("openStdin"), _kill = absent("_kill"), _fatalException = absent("_fatalException"), _tickCallback = absent("_tickCallback");
const nothing = (name: string): any => ({ [name](): void { } }[name]);
export const ref = nothing("ref"), unref = nothing("unref"), _debugEnd = nothing("_debugEnd"), _debugProcess = nothing("_debugProcess"), _rawDebug = nothing("_rawDebug"), _startProfilerIdleNotifier = nothing("_startProfilerIdleNotifier"), _stopProfilerIdleNotifier = nothing("_stopProfilerIdleNotifier"), setSourceMapsEnabled = nothing("setSourceMapsEnabled");
export function _getActiveHandles(): unknown[] { return []; }
export function _getActiveRequests(): unknown[] { return []; }
export function availableMemory(): number { return 0; }
export function constrainedMemory(): number { return 0; }
export function send(): boolean { return false; }
export function getSourceMapsSupport(): object { return { enabled: false, nodeModules: false, generatedCode: false }; }
export function resourceUsage(): object {
  const out: Record<string, number> = {};
  for (const k of ["userCPUTime", "systemCPUTime", "maxRSS", "sharedMemorySize", "unsharedDataSize", "unsharedStackSize", "minorPageFault", "majorPageFault", "swappedOut", "fsRead", "fsWrite", "ipcSent", "ipcReceived", "signalsCount", "voluntaryContextSwitches", "involuntaryContextSwitches"]) out[k] = 0;
  return out;
}
/** Reads variables from a file of the bundle, .env if none is named; those that are set stay. */
export function loadEnvFile(path: unknown = ".env"): void {
  const list = parseEnv(builtin("fs").readFileSync(path, "utf8"));
  for (const k of Object.keys(list)) if (!(k in env)) env[k] = list[k];
}
export function assert(v: unknown, message?: string): void { builtin("assert")(v, message); }
export const _channel = undefined, _disconnect = undefined, _handleQueue = undefined, _pendingMessage = undefined, _send = undefined, _maxListeners = undefined, _events = emitter._events, _eventsCount = 0, _exiting = false, _preload_modules: string[] = [], allowedNodeEnvironmentFlags = new Set<string>(), channel = null, connected = false, debugPort = 0, domain = null,
  moduleLoadList: string[] = [], noDeprecation = false, sourceMapsEnabled = false, throwDeprecation = false, traceDeprecation = false, permission = { has(): boolean { return true; } };
const nothings = (names: string[]) => Object.fromEntries(names.map((n) => [n, nothing(n)]));
export const finalization = nothings(["register", "registerBeforeExit", "unregister"]);
export const report = { compact: false, directory: "", filename: "", reportOnFatalError: false, reportOnSignal: false, reportOnUncaughtException: false, signal: "SIGUSR2", getReport: absent("report.getReport"), writeReport: absent("report.writeReport") };

const process: any = Object.assign(emitter, {
  getegid, geteuid, getgroups, setuid, setgid, seteuid, setegid, setgroups, initgroups, binding, _linkedBinding, dlopen, execve, getActiveResourcesInfo, hasUncaughtExceptionCaptureCallback, setUncaughtExceptionCaptureCallback, threadCpuUsage, reallyExit, openStdin, _kill, _fatalException, _tickCallback, ref, unref,
  _debugEnd, _debugProcess, _rawDebug, _startProfilerIdleNotifier, _stopProfilerIdleNotifier, setSourceMapsEnabled, _getActiveHandles, _getActiveRequests, availableMemory, constrainedMemory, send, getSourceMapsSupport, resourceUsage, loadEnvFile, assert,
  _channel, _disconnect, _handleQueue, _pendingMessage, _send, _exiting, _preload_modules, allowedNodeEnvironmentFlags, channel, connected, debugPort, domain, moduleLoadList, noDeprecation, sourceMapsEnabled, throwDeprecation, traceDeprecation, permission, finalization, report,
  env, version, versions, platform, arch, title, pid, ppid, execPath, execArgv, argv, argv0, exitCode, release, config, features, cwd, chdir, uptime, exit, abort, kill, umask, getuid, getgid, emitWarning, nextTick, memoryUsage, cpuUsage, hrtime, stdout, stderr, stdin, getBuiltinModule,
});
Object.defineProperty(process, Symbol.toStringTag, { value: "process", configurable: true });
export default process;
