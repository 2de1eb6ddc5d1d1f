// Figures and words, as the voice of the design wants them.

import type { Fault, Frame } from "./protocol.ts";

const fixed = (n: number, digits: number): string => n.toFixed(digits);

/** A duration given in microseconds: "38 µs", "10.61 ms", "2.4 s". */
export function duration(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`;
  const ms = us / 1000;
  if (ms < 100) return `${fixed(ms, 2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 10_000 ? `${fixed(ms / 1000, 2)} s` : ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** A duration that is a round figure, as limits and axes are: "50 ms". */
export const roundly = (us: number): string => duration(us).replace(/\.0+ /, " ");

/** A duration in words for a listener: "38 microseconds". */
export function spoken(us: number): string {
  const [n, unit] = duration(us).split(" ") as [string, string];
  const words: Record<string, string> = { "µs": "microseconds", ms: "milliseconds", s: "seconds", min: "minutes" };
  return `${n} ${words[unit]}`;
}

/** A number of bytes: "2 B", "372 kB", "32 MB" (steps of 1024). */
export function size(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1 << 20) return `${n < 10_240 ? fixed(n / 1024, 1) : Math.round(n / 1024)} kB`;
  const mb = n / (1 << 20);
  return `${Number.isInteger(mb) ? mb : fixed(mb, 1)} MB`;
}

/** "1 line", "2 lines". */
export const count = (n: number, noun: string): string => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

/** "4th". */
export function ordinal(n: number): string {
  const tens = n % 100;
  const end = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${end}`;
}

/** The last part of a path. */
export const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** "index.ts:17", or with the whole path and column. */
export function at(f: Frame, whole = false): string {
  return whole ? `${f.file}:${f.line}${f.column ? `:${f.column}` : ""}` : `${base(f.file)}:${f.line}`;
}

/** The p-th percentile (0 to 1) of numbers in ascending order, by the nearest rank. */
export function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? 0;
}

/** Whether the fault is an error of the learner's own code, the only kind drawn in red. */
export const isOwn = (f: Fault): boolean =>
  ["build", "config", "exception", "startup", "handler", "hung"].includes(f.kind);

/** The heading of a fault: its class, or which wall it met. */
export function faultTitle(f: Fault): string {
  const message = f.message.replace(/\.$/, "");
  const lead = f.name && !message.startsWith(f.name) ? `${f.name}: ` : "";
  return lead + message;
}
