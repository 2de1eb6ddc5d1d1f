// node:assert. Comparisons without "strict" in their name use ==; in Workers, as
// here, the module itself behaves as node:assert/strict does for equal and deepEqual.

import { deepEqual as same } from "./deepequal";
import { inspect } from "./inspect";

export class AssertionError extends Error {
  actual: unknown;
  expected: unknown;
  operator: string;
  generatedMessage: boolean;
  code = "ERR_ASSERTION";
  constructor(o: { message?: string; actual?: unknown; expected?: unknown; operator?: string }) {
    super(o.message === undefined ? describe(o) : `${o.message}`);
    this.generatedMessage = o.message === undefined;
    this.actual = o.actual;
    this.expected = o.expected;
    this.operator = o.operator ?? "fail";
  }
}
Object.defineProperty(AssertionError.prototype, "name", { value: "AssertionError", writable: true, configurable: true });

const titles: Record<string, string> = {
  strictEqual: "Expected values to be strictly equal:", deepStrictEqual: "Expected values to be strictly deep-equal:", equal: "Expected values to be loosely equal:", deepEqual: "Expected values to be loosely deep-equal:",
  notStrictEqual: 'Expected "actual" to be strictly unequal to:', notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:', notEqual: 'Expected "actual" to be loosely unequal to:', notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
};
function describe(o: { actual?: unknown; expected?: unknown; operator?: string }): string {
  const t = titles[o.operator ?? ""];
  if (t === undefined) return "Failed";
  return o.operator!.startsWith("not") ? `${t} ${inspect(o.expected)}` : `${t}\n\n${inspect(o.actual)} !== ${inspect(o.expected)}\n`;
}

const received = (v: unknown): string => (v === undefined || v === null ? String(v) : `type ${typeof v} (${inspect(v)})`);

function fails(message: unknown, actual: unknown, expected: unknown, operator: string): never {
  if (message instanceof Error) throw message;
  throw new AssertionError({ message: message as string | undefined, actual, expected, operator });
}
const missing = (n: number) => Object.assign(new TypeError(`The "actual" and "expected" arguments must be specified`), { code: "ERR_MISSING_ARGS", n });

function truthy(given: number, v: unknown, message: unknown): void {
  if (v) return;
  if (message instanceof Error) throw message;
  const e = new AssertionError({ message: (message ?? (given === 0 ? "No value argument passed to `assert.ok()`" : `${inspect(v)} == true`)) as string, actual: v, expected: true, operator: "==" });
  e.generatedMessage = message === undefined;
  throw e;
}
export function ok(v?: unknown, message?: unknown): void {
  truthy(arguments.length, v, message);
}
export function equal(a: unknown, b: unknown, message?: unknown): void {
  if (arguments.length < 2) throw missing(2);
  if (!Object.is(a, b)) fails(message, a, b, "strictEqual");
}
export function notEqual(a: unknown, b: unknown, message?: unknown): void {
  if (Object.is(a, b)) fails(message, a, b, "notStrictEqual");
}
export function strictEqual(a: unknown, b: unknown, message?: unknown): void {
  if (arguments.length < 2) throw missing(2);
  if (!Object.is(a, b)) fails(message, a, b, "strictEqual");
}
export function notStrictEqual(a: unknown, b: unknown, message?: unknown): void {
  if (Object.is(a, b)) fails(message, a, b, "notStrictEqual");
}
export function deepStrictEqual(a: unknown, b: unknown, message?: unknown): void {
  if (!same(a, b, true)) fails(message, a, b, "deepStrictEqual");
}
export function notDeepStrictEqual(a: unknown, b: unknown, message?: unknown): void {
  if (same(a, b, true)) fails(message, a, b, "notDeepStrictEqual");
}
export const deepEqual = deepStrictEqual, notDeepEqual = notDeepStrictEqual;
export function fail(message?: unknown): never {
  fails(message ?? "Failed", undefined, undefined, "fail");
}
export function ifError(v: unknown): void {
  if (v !== null && v !== undefined) fails(`ifError got unwanted exception: ${v instanceof Error ? v.message : inspect(v)}`, v, null, "ifError");
}

function matches(e: any, expected: any, message: unknown, operator: string): void {
  if (expected === undefined || typeof expected === "string") return;
  if (expected instanceof RegExp) {
    if (!expected.test(String(e))) fails(message ?? `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(e))}\n`, e, expected, operator);
    return;
  }
  if (typeof expected === "function") {
    if (expected.prototype !== undefined && e instanceof expected) return;
    if (Error.isPrototypeOf(expected) || expected === Error) {
      fails(message ?? `The error is expected to be an instance of "${expected.name}". Received "${e?.constructor?.name ?? typeof e}"`, e, expected, operator);
    }
    if (expected.call({}, e) !== true) fails(message ?? `The ${expected.name ? `"${expected.name}" ` : ""}validation function is expected to return "true".`, e, expected, operator);
    return;
  }
  const keys = Object.keys(expected);
  if (expected instanceof Error) keys.push("name", "message");
  for (const k of keys) {
    const fine = typeof e?.[k] === "string" && expected[k] instanceof RegExp ? expected[k].test(e[k]) : same(e?.[k], expected[k], true);
    if (!fine) fails(message, e, expected, operator);
  }
}
export function throws(f: () => unknown, expected?: any, message?: unknown): void {
  if (typeof f !== "function") throw Object.assign(new TypeError(`The "fn" argument must be of type function. Received ${received(f)}`), { code: "ERR_INVALID_ARG_TYPE" });
  let e: unknown, threw = false;
  try {
    f();
  } catch (x) {
    e = x;
    threw = true;
  }
  if (typeof expected === "string") message = expected;
  if (!threw) fails(message ?? "Missing expected exception.", undefined, expected, "throws");
  matches(e, expected, message, "throws");
}
export function doesNotThrow(f: () => unknown, expected?: any, message?: unknown): void {
  try {
    f();
  } catch (e: any) {
    fails(typeof expected === "string" ? expected : message ?? `Got unwanted exception.\nActual message: "${e?.message}"`, e, expected, "doesNotThrow");
  }
}
export async function rejects(p: any, expected?: any, message?: unknown): Promise<void> {
  if (typeof p !== "function" && typeof p?.then !== "function") throw Object.assign(new TypeError(`The "promiseFn" argument must be of type function or an instance of Promise. Received ${received(p)}`), { code: "ERR_INVALID_ARG_TYPE" });
  let e: unknown, threw = false;
  try {
    await (typeof p === "function" ? p() : p);
  } catch (x) {
    e = x;
    threw = true;
  }
  if (typeof expected === "string") message = expected;
  if (!threw) fails(message ?? "Missing expected rejection.", undefined, expected, "rejects");
  matches(e, expected, message, "rejects");
}
export async function doesNotReject(p: any, expected?: any, message?: unknown): Promise<void> {
  try {
    await (typeof p === "function" ? p() : p);
  } catch (e: any) {
    fails(typeof expected === "string" ? expected : message ?? `Got unwanted rejection.\nActual message: "${e?.message}"`, e, expected, "doesNotReject");
  }
}
export function match(s: string, re: RegExp, message?: unknown): void {
  if (typeof s !== "string" || !re.test(s)) fails(message ?? `The input did not match the regular expression ${inspect(re)}. Input:\n\n${inspect(s)}\n`, s, re, "match");
}
export function doesNotMatch(s: string, re: RegExp, message?: unknown): void {
  if (typeof s === "string" && re.test(s)) fails(message ?? `The input was expected to not match the regular expression ${inspect(re)}. Input:\n\n${inspect(s)}\n`, s, re, "doesNotMatch");
}
export function partialDeepStrictEqual(a: any, b: any, message?: unknown): void {
  const part = (x: any, y: any): boolean => {
    if (typeof y !== "object" || y === null) return Object.is(x, y);
    if (typeof x !== "object" || x === null) return false;
    return Object.keys(y).every((k) => part(x[k], y[k]));
  };
  if (!part(a, b)) fails(message, a, b, "partialDeepStrictEqual");
}

const assert: any = function assert(v?: unknown, message?: unknown): void {
  truthy(arguments.length, v, message);
};
Object.assign(assert, { AssertionError, ok, equal, notEqual, strictEqual, notStrictEqual, deepStrictEqual, notDeepStrictEqual, deepEqual, notDeepEqual, fail, ifError, throws, doesNotThrow, rejects, doesNotReject, match, doesNotMatch, partialDeepStrictEqual });
assert.strict = assert;
export const strict = assert;
export default assert;
