// node:assert. Comparisons without "strict" in their name use ==; in Workers, as
// here, the module itself behaves as node:assert/strict does for equal and deepEqual.

import { argType, callable, nodeError, objectArg } from "./node-errors";
import { deepEqual as same } from "./deepequal";
import { inspect } from "./inspect";

export class AssertionError extends Error {
  actual: unknown;
  expected: unknown;
  operator: string;
  generatedMessage: boolean;
  code = "ERR_ASSERTION";
  constructor(o: { message?: string; actual?: unknown; expected?: unknown; operator?: string }) {
    objectArg("options", o);
    super(o.message === undefined ? describe(o) : `${o.message}`);
    this.generatedMessage = o.message === undefined;
    this.actual = o.actual;
    this.expected = o.expected;
    this.operator = o.operator ?? "fail";
  }
}
Object.defineProperty(AssertionError.prototype, "name", { value: "AssertionError", writable: true, configurable: true });

/** Whether a value is shown without its structure. */
const plain = (v: unknown) => (typeof v !== "object" || v === null) && typeof v !== "function";

/** Both values one above the other, and where they begin to differ. */
function compared(actual: unknown, expected: unknown): string {
  const o = { breakLength: 128 }, a = inspect(actual, o), b = inspect(expected, o), total = a.length + b.length;
  if (plain(actual) && plain(expected) && total - (typeof actual === "string" ? 2 : 0) - (typeof expected === "string" ? 2 : 0) <= 12) return `\n\n${a} !== ${b}\n`;
  const x = a.split("\n"), y = b.split("\n");
  if (x.length > 1 || y.length > 1) return `\n+ actual - expected\n\n${lines(x, y, "+ ", "- ", "  ").join("\n")}`;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return `\n+ actual - expected\n\n+ ${a}\n- ${b}${at > 2 && total < 80 ? `\n  ${" ".repeat(at)}^` : ""}`;
}
function describe(o: { actual?: unknown; expected?: unknown; operator?: string }): string {
  switch (o.operator) {
    case "deepStrictEqual": return `Expected values to be strictly deep-equal:${compared(o.actual, o.expected)}`;
    case "strictEqual": return `Expected values to be strictly equal:${compared(o.actual, o.expected)}`;
    case undefined: case "fail": return "Failed";
  }
  return `${inspect(o.actual)} ${o.operator} ${inspect(o.expected)}`;
}

/** A difference of lines: what only the first list has, only the second, both. */
function lines(a: string[], b: string[], first: string, second: string, both: string): string[] {
  const common: number[][] = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0)), out: string[] = [];
  for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--) common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) (out.push(both + a[i]), i++, j++);
    else if (i < a.length && (j === b.length || common[i + 1][j] >= common[i][j + 1])) out.push(first + a[i++]);
    else out.push(second + b[j++]);
  }
  return out;
}
/** What equal and strictEqual say, in the words of Workers' runtime. */
function unequal(a: unknown, b: unknown): string {
  const text = typeof a === "string" && typeof b === "string", shown = (v: unknown) => (text ? (v as string).replace(/\n/g, "\\n\n") : inspect(v)), x = shown(a), y = shown(b);
  if (x === y) return `Values have the same structure but are not reference-equal:\n\n${x.split("\n").map((l) => `    ${l}`).join("\n")}\n`;
  return `Values are not strictly equal:\n\n\n[Diff] Actual / Expected\n\n\n${lines(x.split("\n"), y.split("\n"), "-   ", "+   ", "    ").join("\n")}${text ? "\n\n" : "\n"}`;
}

const received = (v: unknown): string => (v === undefined || v === null ? String(v) : `type ${typeof v} (${inspect(v)})`);

function fails(message: unknown, actual: unknown, expected: unknown, operator: string): never {
  if (message instanceof Error) throw message;
  throw new AssertionError({ message: message as string | undefined, actual, expected, operator });
}
/** Refuses calls with fewer than two arguments. */
function both(given: number, second = "expected"): void {
  if (given < 2) throw nodeError(TypeError, "ERR_MISSING_ARGS", `The "actual" and "${second}" arguments must be specified`);
}

/** Fails with a text of our own that counts as generated. */
function generated(given: unknown, message: string, actual: unknown, expected: unknown, operator: string): never {
  if (given !== undefined) fails(given, actual, expected, operator);
  const e = new AssertionError({ message, actual, expected, operator });
  e.generatedMessage = true;
  throw e;
}

function truthy(given: number, v: unknown, message: unknown): void {
  if (v) return;
  if (message instanceof Error) throw message;
  if (given === 0) {
    const e = new AssertionError({ message: "No value argument passed to `assert.ok()`" });
    (e as any).operator = undefined;
    throw e;
  }
  const e = new AssertionError({ message: (message ?? `${inspect(v)} == true`) as string, actual: v, expected: true, operator: "==" });
  e.generatedMessage = message === undefined;
  throw e;
}
export function ok(v?: unknown, message?: unknown): void {
  truthy(arguments.length, v, message);
}
export function equal(a: unknown, b: unknown, message?: unknown): void {
  if (!Object.is(a, b)) fails(message === undefined ? unequal(a, b) : `${message as string}`, a, b, "strictEqual");
}
export function notEqual(a: unknown, b: unknown, message?: unknown): void {
  if (Object.is(a, b)) fails(message ?? "Expected actual to be strictly unequal to expected", a, b, "notStrictEqual");
}
export function strictEqual(a: unknown, b: unknown, message?: unknown): void {
  both(arguments.length);
  if (!Object.is(a, b)) fails(message === undefined ? unequal(a, b) : `${message as string}`, a, b, "strictEqual");
}
export function notStrictEqual(a: unknown, b: unknown, message?: unknown): void {
  both(arguments.length);
  if (Object.is(a, b)) fails(message ?? "Expected actual to be strictly unequal to expected", a, b, "notStrictEqual");
}
export function deepEqual(a: unknown, b: unknown, message?: unknown): void {
  if (!same(a, b, true)) fails(message, a, b, "deepStrictEqual");
}
export function deepStrictEqual(a: unknown, b: unknown, message?: unknown): void {
  both(arguments.length);
  deepEqual(a, b, message);
}
export function notDeepStrictEqual(a: unknown, b: unknown, message?: unknown): void {
  both(arguments.length);
  notDeepEqual(a, b, message);
}
export function notDeepEqual(a: unknown, b: unknown, message?: unknown): void {
  if (same(a, b, true)) fails(message ?? "Expected actual to not be deeply strictly equal to expected", a, b, "notDeepStrictEqual");
}
export function fail(message?: unknown): never {
  generated(message, "Failed", undefined, undefined, "fail");
}
export function ifError(v: unknown): void {
  if (v !== null && v !== undefined) fails(`ifError got unwanted exception: ${v instanceof Error ? v.message : inspect(v)}`, v, null, "ifError");
}

function matches(e: any, expected: any, message: unknown, operator: string): void {
  if (expected === undefined || typeof expected === "string") return;
  if (expected instanceof RegExp) {
    if (!expected.test(String(e))) generated(message, `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(e))}\n`, e, expected, operator);
    return;
  }
  if (typeof expected === "function") {
    if (expected.prototype !== undefined && e instanceof expected) return;
    if (Error.isPrototypeOf(expected) || expected === Error) {
      generated(message, `The error is expected to be an instance of "${expected.name}". Received "${e?.constructor?.name ?? typeof e}"${e instanceof Error ? `\n\nError message:\n\n${e.message}` : ""}`, e, expected, operator);
    }
    const answer = expected.call({}, e);
    if (answer !== true) generated(message, `The ${expected.name ? `"${expected.name}" ` : ""}validation function is expected to return "true". Received ${inspect(answer)}${e instanceof Error ? `\n\nCaught error:\n\n${e}` : ""}`, e, expected, operator);
    return;
  }
  if (typeof expected !== "object" || expected === null) generated(undefined, `Invalid expectation: ${inspect(expected)}`, e, expected, operator);
  const keys = Object.keys(expected);
  if (keys.length === 0 && !(expected instanceof Error)) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'error' may not be an empty object. Received ${inspect(expected)}`);
  if (expected instanceof Error) keys.push("name", "message");
  for (const k of keys) {
    const fine = typeof e?.[k] === "string" && expected[k] instanceof RegExp ? expected[k].test(e[k]) : same(e?.[k], expected[k], true);
    if (!fine) fails(message, e?.[k], expected[k], "deepStrictEqual");
  }
}
/** Nothing was thrown: whom the test expected, or its words. */
function missed(what: string, expected: any, message: unknown, operator: string): never {
  if (typeof expected === "string") fails(`Missing expected ${what}: ${expected}`, undefined, undefined, operator);
  const name = typeof expected === "function" && expected.name !== "" ? ` (${expected.name})` : "";
  fails(typeof message === "string" ? `Missing expected ${what}${name}: ${message}` : `Missing expected ${what}${name}.`, undefined, expected, operator);
}
/** Something was thrown that must not be. */
function unwanted(e: any, expected: any, message: unknown, operator: string): never {
  const words = typeof expected === "string" ? expected : message;
  fails(`Got unwanted exception${words === undefined ? "." : `: ${words as string}`}\nActual message: "${e?.message}"`, undefined, undefined, operator);
}
export function throws(f: () => unknown, expected?: any, message?: unknown): void {
  callable("fn", f);
  let e: unknown, threw = false;
  try {
    f();
  } catch (x) {
    e = x;
    threw = true;
  }
  if (typeof expected === "string") message = expected;
  else if (expected !== undefined && typeof expected !== "object" && typeof expected !== "function") throw argType("error", "of type function or an instance of Error, RegExp, or Object", expected);
  if (threw && typeof expected === "string" && (e as any)?.message === expected) throw nodeError(TypeError, "ERR_AMBIGUOUS_ARGUMENT", `The "error/message" argument is ambiguous. The error message "${expected}" is identical to the message.`);
  if (!threw) missed("exception", expected, message, "throws");
  matches(e, expected, message, "throws");
}
export function doesNotThrow(f: () => unknown, expected?: any, message?: unknown): void {
  callable("fn", f);
  if (expected !== undefined && typeof expected !== "string" && typeof expected !== "function" && !(expected instanceof RegExp)) throw argType("expected", "of type function or an instance of RegExp", expected);
  try {
    f();
  } catch (e: any) {
    unwanted(e, expected, message, "doesNotThrow");
  }
}
const promising = (p: any): void => {
  if (typeof p !== "function" && typeof p?.then !== "function") throw argType("promiseFn", "of type function or an instance of Promise", p);
};
export async function rejects(p: any, expected?: any, message?: unknown): Promise<void> {
  promising(p);
  let e: unknown, threw = false;
  const promise = typeof p === "function" ? p() : p;
  if (typeof promise?.then !== "function") throw Object.assign(new TypeError(`Expected instance of Promise to be returned from the "promiseFn" function but got ${received(promise)}.`), { code: "ERR_INVALID_RETURN_VALUE" });
  try {
    await promise;
  } catch (x) {
    e = x;
    threw = true;
  }
  if (typeof expected === "string") message = expected;
  if (!threw) missed("rejection", expected, message, "rejects");
  matches(e, expected, message, "rejects");
}
export async function doesNotReject(p: any, expected?: any, message?: unknown): Promise<void> {
  promising(p);
  try {
    await (typeof p === "function" ? p() : p);
  } catch (e: any) {
    unwanted(e, expected, message, "doesNotReject");
  }
}
function pattern(given: number, re: unknown): void {
  both(given, "regexp");
  if (!(re instanceof RegExp)) throw argType("regexp", "an instance of RegExp", re);
}
export function match(s: string, re: RegExp, message?: unknown): void {
  pattern(arguments.length, re);
  if (typeof s !== "string" || !re.test(s)) fails(message ?? `actual: "${s}" expected to match: "${re}"`, s, re, "match");
}
export function doesNotMatch(s: string, re: RegExp, message?: unknown): void {
  pattern(arguments.length, re);
  if (typeof s !== "string") generated(message, `The "string" argument must be of type string. Received ${received(s)}`, s, re, "doesNotMatch");
  if (typeof s === "string" && re.test(s)) fails(message ?? `actual: "${s}" expected to not match: "${re}"`, s, re, "doesNotMatch");
}
export function partialDeepStrictEqual(a: any, b: any, message?: unknown): void {
  both(arguments.length);
  const part = (x: any, y: any): boolean => {
    if (typeof y !== "object" || y === null) return Object.is(x, y);
    if (typeof x !== "object" || x === null) return false;
    return Object.keys(y).every((k) => part(x[k], y[k]));
  };
  if (!part(a, b)) fails(message ?? "Expected actual to be partially deeply strictly equal to expected", a, b, "partialDeepStrictEqual");
}

const assert: any = function assert(v?: unknown, message?: unknown): void {
  truthy(arguments.length, v, message);
};
Object.assign(assert, { AssertionError, ok, equal, notEqual, strictEqual, notStrictEqual, deepStrictEqual, notDeepStrictEqual, deepEqual, notDeepEqual, fail, ifError, throws, doesNotThrow, rejects, doesNotReject, match, doesNotMatch, partialDeepStrictEqual });
assert.strict = assert;
export const strict = assert;
export default assert;
