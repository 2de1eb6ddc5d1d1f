// Errors as Node makes them: a code, which their text shows in brackets.

import { ObjectDefineProperty } from "./primordials";
import { inspect } from "./inspect";

/** An error of the given class with Node's code. */
export function nodeError(Type: new (message: string) => any, code: string, message: string): any {
  const e = new Type(message);
  e.code = code;
  if (Type !== RangeError) ObjectDefineProperty(e, "toString", { value: function toString(this: any) { return `${this.name} [${this.code}]: ${this.message}`; }, writable: true, configurable: true });
  return e;
}

/** How Node describes a value that it did not want. */
export function received(v: any): string {
  if (v === null || v === undefined) return ` Received ${v}`;
  if (typeof v === "function") return ` Received function ${v.name}`;
  if (typeof v === "object") return v.constructor?.name ? ` Received an instance of ${v.constructor.name}` : ` Received ${inspect(v, { depth: -1 })}`;
  let s = inspect(v, { colors: false });
  if (s.length > 28) s = `${s.slice(0, 25)}...`;
  return ` Received type ${typeof v} (${s})`;
}

/** ERR_INVALID_ARG_TYPE; want continues "must be". */
export const argType = (name: string, want: string, v: unknown): any => nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The ${name.endsWith(" argument") ? name : `"${name}" ${name.includes(".") ? "property" : "argument"}`} must be ${want}.${received(v)}`);

/** Refuses what is no function. */
export function callable(name: string, f: unknown): void {
  if (typeof f !== "function") throw argType(name, "of type function", f);
}
/** Refuses what is no object. */
export function objectArg(name: string, v: unknown): void {
  if (typeof v !== "object" || v === null) throw argType(name, "of type object", v);
}
/** A whole number between two bounds, or a refusal. */
export function whole(name: string, v: unknown, min: number, max: number, bounds = `>= ${min} && <= ${max}`): number {
  if (typeof v !== "number") throw argType(name, "of type number", v);
  if (!Number.isInteger(v)) throw outOfRange(name, "an integer", v);
  if (v < min || v > max) throw outOfRange(name, bounds, v);
  return v;
}

/** A number as Node shows one that is out of range: a large one in groups of three. */
const grouped = (v: unknown): string => {
  const s = typeof v === "bigint" ? `${v}n` : typeof v === "number" || v === undefined || v === null ? `${v}` : inspect(v);
  return (typeof v === "number" && Number.isInteger(v) || typeof v === "bigint") && (v > 2 ** 32 || v < -(2 ** 32)) ? s.replace(/(\d)(?=(?:\d{3})+n?$)/g, "$1_") : s;
};
/** ERR_OUT_OF_RANGE; want continues "It must be". */
export const outOfRange = (name: string, want: string, v: unknown): any => nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "${name}" is out of range. It must be ${want}. Received ${grouped(v)}`);
