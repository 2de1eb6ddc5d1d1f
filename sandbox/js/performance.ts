// performance. Specifications: High Resolution Time, User Timing. The clock stands
// still while code runs, as on Workers: it moves with I/O.

import { ArrayPush, DateNow, NativeTypeError, enumerable, expose, need, tag } from "./primordials";
import { EventTarget } from "./events";
import { clone } from "./clone";

const key = {};
class PerformanceEntry {
  #name: string;
  #type: string;
  #start: number;
  #duration: number;
  constructor(k: unknown, name: string, type: string, start: number, duration: number) {
    if (k !== key) throw new NativeTypeError("Illegal constructor");
    this.#name = name;
    this.#type = type;
    this.#start = start;
    this.#duration = duration;
  }
  get name() { return this.#name; }
  get entryType() { return this.#type; }
  get startTime() { return this.#start; }
  get duration() { return this.#duration; }
  toJSON(): object { return { name: this.#name, entryType: this.#type, startTime: this.#start, duration: this.#duration }; }
}
class PerformanceMark extends PerformanceEntry {
  #detail: unknown;
  constructor(name: string, options?: { detail?: unknown; startTime?: number }) {
    super(key, `${name}`, "mark", options?.startTime === undefined ? DateNow() : +options.startTime, 0);
    this.#detail = options?.detail === undefined ? null : clone(options.detail);
  }
  get detail() { return this.#detail; }
}
class PerformanceMeasure extends PerformanceEntry {
  #detail: unknown;
  constructor(k: unknown, name: string, start: number, duration: number, detail: unknown) {
    super(k, name, "measure", start, duration);
    this.#detail = detail;
  }
  get detail() { return this.#detail; }
}

const most = 10_000; // entries that are kept
let entries: PerformanceEntry[] = [];
function keep<T extends PerformanceEntry>(e: T): T {
  if (entries.length < most) ArrayPush(entries, e);
  return e;
}
const drop = (type: string, name: unknown) => {
  entries = entries.filter((e) => e.entryType !== type || (name !== undefined && e.name !== `${name as string}`));
};
/** The time that a measure's start or end means: a number, or the latest mark of that name. */
function timeOf(at: unknown): number {
  if (typeof at === "number") return at;
  for (let i = entries.length - 1; i >= 0; i--) if (entries[i].entryType === "mark" && entries[i].name === `${at as string}`) return entries[i].startTime;
  return 0; // Workers measure from the beginning when there is no such mark
}

class Performance extends EventTarget {
  get timeOrigin(): number { return 0; }
  now(): number { return DateNow(); }
  mark(name: string, options?: { detail?: unknown; startTime?: number }): PerformanceMark {
    need(arguments.length, 1, "Performance.mark");
    return keep(new PerformanceMark(name, options));
  }
  measure(name: string, from?: any, to?: string): PerformanceMeasure {
    const o = typeof from === "object" && from !== null ? from : { start: from, end: to };
    const end = o.end !== undefined ? timeOf(o.end) : o.start !== undefined && o.duration !== undefined ? timeOf(o.start) + +o.duration : DateNow();
    const start = o.start !== undefined ? timeOf(o.start) : o.duration !== undefined ? end - +o.duration : 0;
    return keep(new PerformanceMeasure(key, `${name}`, start, end - start, o.detail === undefined ? null : clone(o.detail)));
  }
  clearMarks(name?: string) { drop("mark", name); }
  clearMeasures(name?: string) { drop("measure", name); }
  clearResourceTimings() { }
  getEntries() { return entries.slice(); }
  getEntriesByName(name: string, type?: string) { return entries.filter((e) => e.name === `${name}` && (type === undefined || e.entryType === type)); }
  getEntriesByType(type: string) { return entries.filter((e) => e.entryType === `${type}`); }
  setResourceTimingBufferSize() { }
  eventLoopUtilization() { return { idle: 0, active: 0, utilization: 0 }; }
  timerify(f: unknown) { return f; }
  toJSON() { return { timeOrigin: 0 }; }
}
for (const [name, C] of Object.entries({ Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
export const performance = new Performance();
expose("performance", performance);
