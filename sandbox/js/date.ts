// Date as Workers show it: the time zone is UTC and has its name in toString.

import { DateGetTime, NativeDate, ObjectDefineProperty, uncurryThis } from "./primordials";

const nativeToString = uncurryThis(NativeDate.prototype.toString), nativeToTime = uncurryThis(NativeDate.prototype.toTimeString);
const zone = " (Coordinated Universal Time)";
const withZone = (d: Date, s: string) => (Number.isNaN(DateGetTime(d)) || s.includes("(") ? s : s + zone);
for (const [k, f] of [
  ["toString", { toString(this: Date) { return withZone(this, nativeToString(this)); } }.toString],
  ["toTimeString", { toTimeString(this: Date) { return withZone(this, nativeToTime(this)); } }.toTimeString],
] as const) ObjectDefineProperty(NativeDate.prototype, k, { value: f, writable: true, configurable: true });
