// The globals of nodejs_compat: Buffer, process, global, setImmediate and timers
// that give Timeout objects.

import { Buffer } from "node:buffer";
import process, { fillEnv, setBuiltin } from "./node-process";
import timers from "./node-timers";
import { nodeModules } from "./node-all";
import { expose } from "./primordials";

setBuiltin((name) => nodeModules["node:" + name]?.default ?? nodeModules["node:" + name]);

/** Installs them; types gives each binding's type. */
export function installNode(env: Record<string, unknown>, types: Record<string, string>): void {
  fillEnv(env, types);
  expose("Buffer", Buffer);
  expose("process", process);
  expose("global", globalThis);
  for (const k of ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"] as const) expose(k, timers[k]);
}
export { nodeModules };
