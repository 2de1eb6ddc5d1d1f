// node:os, with the values of Workers' runtime: it tells little of its machine.

import { constants } from "unenv/node/os";
import { argType, outOfRange } from "./node-errors";

export { constants };
export const EOL = "\n", devNull = "/dev/null";
export function arch(): string { return "x64"; }
export function machine(): string { return "x86_64"; }
export function platform(): string { return "linux"; }
export function type(): string { return "Linux"; }
export function release(): string { return ""; }
export function version(): string { return ""; }
export function endianness(): string { return "LE"; }
export function hostname(): string { return "localhost"; }
export function homedir(): string { return "/tmp/"; }
export function tmpdir(): string { return "/tmp/"; }
export function availableParallelism(): number { return 1; }
export function cpus(): object[] { return []; }
export function loadavg(): number[] { return [0, 0, 0]; }
export function freemem(): number { return 0; }
export function totalmem(): number { return 0; }
export function uptime(): number { return 0; }
export function networkInterfaces(): object { return {}; }
export function userInfo(options?: unknown): object {
  if (options !== undefined && (typeof options !== "object" || options === null)) throw argType("options", "of type object", options);
  return {};
}
function whole(v: unknown, name: string, least: number, most: number): void {
  if (typeof v !== "number") throw argType(name, "of type number", v);
  if (!Number.isInteger(v) || v < least || v > most) throw outOfRange(name, Number.isInteger(v) ? `>= ${least} && <= ${most}` : "an integer", v);
}
export function getPriority(pid: number = 0): number {
  whole(pid, "pid", -2147483648, 2147483647);
  return 0;
}
export function setPriority(pid: number, priority?: number): void {
  if (priority === undefined) [pid, priority] = [0, pid];
  whole(pid, "pid", -2147483648, 2147483647);
  whole(priority, "priority", -20, 19);
}
export default {
  arch, availableParallelism, constants, cpus, devNull, endianness, EOL, freemem, getPriority, homedir, hostname, loadavg, machine, networkInterfaces, platform, release, setPriority, tmpdir, totalmem, type, uptime, userInfo, version,
};
