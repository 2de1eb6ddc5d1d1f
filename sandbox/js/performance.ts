// performance. Specification: High Resolution Time. The clock stands still while
// code runs, as on Workers: it moves with I/O.

import { DateNow, expose } from "./primordials";
import { EventTarget } from "./events";

class Performance extends EventTarget {
  get timeOrigin(): number { return 0; }
  now(): number { return DateNow(); }
  mark(name: string, options?: any) { return { name: `${name}`, entryType: "mark", startTime: options?.startTime ?? DateNow(), duration: 0, detail: options?.detail ?? null }; }
  measure(name: string) { return { name: `${name}`, entryType: "measure", startTime: DateNow(), duration: 0, detail: null }; }
  clearMarks() { }
  clearMeasures() { }
  clearResourceTimings() { }
  getEntries() { return []; }
  getEntriesByName() { return []; }
  getEntriesByType() { return []; }
  setResourceTimingBufferSize() { }
  eventLoopUtilization() { return { idle: 0, active: 0, utilization: 0 }; }
  toJSON() { return { timeOrigin: 0 }; }
}
Object.defineProperty(Performance.prototype, Symbol.toStringTag, { value: "Performance", configurable: true });
export const performance = new Performance();
expose("performance", performance);
expose("Performance", Performance);
