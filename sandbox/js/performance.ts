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
/** What a subrequest took: the real runtime makes none of them either. */
class PerformanceResourceTiming extends PerformanceEntry {
  constructor() { super(undefined, "", "resource", 0, 0); }
}
for (const n of "connectEnd connectStart decodedBodySize domainLookupEnd domainLookupStart encodedBodySize fetchStart initiatorType nextHopProtocol redirectEnd redirectStart requestStart responseEnd responseStart responseStatus secureConnectionStart transferSize workerStart".split(" ")) {
  Object.defineProperty(PerformanceResourceTiming.prototype, n, { get() { throw new NativeTypeError("Illegal invocation"); }, configurable: true });
}
class PerformanceObserverEntryList {
  constructor() { throw new NativeTypeError("Illegal constructor"); }
  getEntries() { return []; }
  getEntriesByType() { return []; }
  getEntriesByName() { return []; }
}
/** Observes nothing, as there: its function is never called. */
class PerformanceObserver {
  static get supportedEntryTypes() { return ["measure", "mark"]; }
  constructor(_callback: unknown) { need(arguments.length, 1, "constructor PerformanceObserver", "Value"); }
  disconnect() { }
  observe(_options?: object) { }
  takeRecords(): PerformanceEntry[] { return []; }
}
class EventCounts {
  constructor(k: unknown) {
    if (k !== key) throw new NativeTypeError("Illegal constructor");
  }
  get size() { return 0; }
  get(_type: string) { return undefined; }
  has(_type: string) { return false; }
  entries() { return [].values(); }
  keys() { return [].values(); }
  values() { return [].values(); }
  forEach(_f: unknown) { }
  [Symbol.iterator]() { return [].values(); }
}
const eventCounts = new EventCounts(key);
class PerformanceNodeTiming extends PerformanceEntry {
  constructor(k: unknown) {
    super(k, "node", "node", 0, 0);
    for (const n of "uvMetricsInfo idleTime loopExit loopStart environment bootstrapComplete v8Start nodeStart".split(" ")) {
      (this as any)[n] = n === "uvMetricsInfo" ? { loopCount: 0, events: 0, eventsWaiting: 0 } : 0;
    }
  }
  toJSON(): object {
    return { ...super.toJSON(), nodeStart: 0, v8Start: 0, bootstrapComplete: 0, environment: 0, loopStart: 0, loopExit: 0, idleTime: 0, uvMetricsInfo: { loopCount: 0, events: 0, eventsWaiting: 0 } };
  }
}
const nodeTiming = new PerformanceNodeTiming(key);

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
  get eventCounts() { return eventCounts; }
  get nodeTiming() { return nodeTiming; }
  markResourceTiming() { }
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
  timerify(f: unknown) {
    if (typeof f !== "function") throw new NativeTypeError("Failed to execute 'timerify' on 'Performance': parameter 1 is not of type 'function'.");
    return f;
  }
  toJSON() { return { timeOrigin: 0 }; }
}
for (const [name, C] of Object.entries({ Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceResourceTiming, PerformanceObserver, PerformanceObserverEntryList })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
tag(EventCounts as any, "EventCounts");
tag(PerformanceNodeTiming as any, "PerformanceNodeTiming");
export const performance = new Performance();
expose("performance", performance);
