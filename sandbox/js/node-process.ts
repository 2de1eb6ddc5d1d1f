// node:process. env holds the Worker's text bindings; others as JSON text.

import { EventEmitter } from "node:events";
import { queueMicrotask } from "./timers";
import { call, op } from "./host";

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
export function cwd(): string { return folder; }
export function chdir(d: string): void { folder = `${d}`; }
export function uptime(): number { return 0; }
export function exit(code?: number): never { throw new Error(`process.exit(${code ?? 0}) was called; a Worker ends by returning.`); }
export function abort(): never { throw new Error("process.abort() is not available here."); }
export function kill(): never { throw new Error("process.kill() is not available here."); }
export function umask(): number { return 18; }
export function getuid(): number { return 0; }
export function getgid(): number { return 0; }
export function emitWarning(w: unknown): void { (globalThis as any).console.warn(w instanceof Error ? `${w.name}: ${w.message}` : `Warning: ${w}`); }
export function nextTick(f: (...args: any[]) => void, ...args: unknown[]): void { queueMicrotask(() => f(...args)); }
export function memoryUsage() { return { rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }; }
export function cpuUsage() { return { user: 0, system: 0 }; }
export const hrtime: any = function hrtime(before?: [number, number]): [number, number] {
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
let builtin: (name: string) => unknown = () => undefined;
export function setBuiltin(f: (name: string) => unknown): void { builtin = f; }

const process: any = Object.assign(emitter, {
  env, version, versions, platform, arch, title, pid, ppid, execPath, execArgv, argv, argv0, exitCode, release, config, features, cwd, chdir, uptime, exit, abort, kill, umask, getuid, getgid, emitWarning, nextTick, memoryUsage, cpuUsage, hrtime, stdout, stderr, stdin, getBuiltinModule,
});
Object.defineProperty(process, Symbol.toStringTag, { value: "process", configurable: true });
export default process;
