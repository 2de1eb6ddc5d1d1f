// The globals of nodejs_compat: Buffer, process, global, setImmediate and timers
// that give Timeout objects.

import { Buffer } from "node:buffer";
import process, { fillEnv, setBuiltin } from "./node-process";
import timers from "./node-timers";
import { nodeModules } from "./node-all";
import { expose } from "./primordials";

setBuiltin((name) => nodeModules["node:" + name]?.default ?? nodeModules["node:" + name]);

const clocks = ["setTimeout", "setInterval", "clearTimeout", "clearInterval"] as const;
const web: any = {};
for (const k of clocks) web[k] = (globalThis as any)[k];

// They are there from the start, in the snapshot: most Workers have them.
install();

function install(): void {
  expose("Buffer", Buffer);
  expose("process", process);
  expose("global", globalThis);
  for (const k of [...clocks, "setImmediate", "clearImmediate"] as const) expose(k, timers[k]);
}

/** Takes them away from a Worker without nodejs_compat. */
export function removeNode(): void {
  for (const k of ["Buffer", "process", "global", "setImmediate", "clearImmediate"]) delete (globalThis as any)[k];
  for (const k of clocks) expose(k, web[k]);
}
export { fillEnv };
export { nodeModules };
