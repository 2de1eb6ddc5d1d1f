// Headers. Specification: Fetch, section 5.1, with Workers' getAll and immutable guard.
// Names are kept in lower case in a flat list (name, value, …); a list that came
// from the host is one string until somebody asks for a header.

import { cloneable } from "./clone";
import { current } from "./run";
import {
  ArrayIndexOf, ArrayIsArray, ArrayPush, JSONStringify, ArraySort, NativeTypeError, PropertyIsEnumerable, ReflectApply, ReflectOwnKeys, RegExpTest,
  StringCharCodeAt, StringSlice, StringSplit, StringToLowerCase, enumerable, expose, listIterator, need, tag, wrongType } from "./primordials";

// An HTTP token. Workers let an empty name and letters outside ASCII pass.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z\u0080-\uffff]*$/;
const badValue = /[\0\r\n]/;

/** A header value without HTTP whitespace at its ends. */
export function normalizeValue(v: string): string {
  let a = 0, b = v.length;
  const space = (c: number) => c === 32 || c === 9 || c === 13 || c === 10;
  while (a < b && space(StringCharCodeAt(v, a))) a++;
  while (b > a && space(StringCharCodeAt(v, b - 1))) b--;
  return a === 0 && b === v.length ? v : StringSlice(v, a, b);
}

function checkName(name: unknown): string {
  const s = `${name as string}`;
  if (!RegExpTest(token, s)) throw new NativeTypeError("Invalid header name.");
  return StringToLowerCase(s);
}

function checkValue(value: unknown): string {
  const s = normalizeValue(`${value as string}`);
  if (RegExpTest(badValue, s)) throw new NativeTypeError("Invalid header value.");
  return s;
}

export type Guard = "none" | "immutable";

/** The flat list of a Headers object. Callers that change it have checked the guard. */
export let headersList: (h: Headers) => string[];
/** The list as one string, name and value lines in turn, for the host. */
export let headersRaw: (h: Headers) => string;
/** Headers over the host's string. */
export let headersFrom: (raw: string, guard: Guard) => Headers;
export let setGuard: (h: Headers, guard: Guard) => void;
export let guardOf: (h: Headers) => Guard;
export let isHeaders: (o: unknown) => o is Headers;
let writable: (h: Headers) => string[];

export class Headers {
  #list: string[] | null = null;
  #raw = "";
  #guard: Guard = "none";

  constructor(init?: unknown) {
    if (init !== undefined) fill(this, init);
  }

  static {
    headersList = (h) => {
      let l = h.#list;
      if (l === null) {
        l = h.#list = h.#raw === "" ? [] : StringSplit(h.#raw, "\n");
        h.#raw = "";
      }
      return l;
    };
    headersRaw = (h) => {
      const l = h.#list;
      if (l === null) return h.#raw;
      let s = "";
      for (let i = 0; i < l.length; i++) s += i === 0 ? l[i] : "\n" + l[i];
      return s;
    };
    headersFrom = (raw, guard) => {
      const h = new Headers();
      h.#raw = raw;
      h.#guard = guard;
      return h;
    };
    setGuard = (h, guard) => {
      h.#guard = guard;
    };
    writable = (h) => {
      if (h.#guard === "immutable") throw new NativeTypeError("Can't modify immutable headers.");
      return headersList(h);
    };
    guardOf = (h) => h.#guard;
    isHeaders = (o): o is Headers => typeof o === "object" && o !== null && #list in o;
  }

  append(name: string, value: string): void {
    need(arguments.length, 2, "Headers.append");
    const n = checkName(name), v = checkValue(value);
    ArrayPush(writable(this), n, v);
  }
  set(name: string, value: string): void {
    need(arguments.length, 2, "Headers.set");
    const n = checkName(name), v = checkValue(value);
    headerSet(writable(this), n, v);
  }
  delete(name: string): void {
    need(arguments.length, 1, "Headers.delete");
    const n = checkName(name);
    headerDrop(writable(this), n, 0);
  }
  get(name: string): string | null {
    need(arguments.length, 1, "Headers.get");
    return headerGet(headersList(this), checkName(name));
  }
  has(name: string): boolean {
    need(arguments.length, 1, "Headers.has");
    const n = checkName(name), l = headersList(this);
    for (let i = 0; i < l.length; i += 2) if (l[i] === n) return true;
    return false;
  }
  getSetCookie(): string[] {
    return all(headersList(this), "set-cookie");
  }
  getAll(name: string): string[] {
    const n = checkName(name);
    if (n !== "set-cookie") throw new NativeTypeError('getAll() can only be used with the header name "Set-Cookie".');
    return all(headersList(this), n);
  }
  forEach(f: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    if (typeof f !== "function") throw wrongType("Headers.forEach", 1, "function");
    const l = sorted(this);
    for (let i = 0; i < l.length; i++) ReflectApply(f, self, [l[i][1], l[i][0], this]);
  }
  keys(): IterableIterator<string> {
    return listIterator(pick(sorted(this), 0), "KeyIterator");
  }
  values(): IterableIterator<string> {
    return listIterator(pick(sorted(this), 1), "ValueIterator");
  }
  entries(): IterableIterator<[string, string]> {
    return listIterator(sorted(this), "EntryIterator");
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return listIterator(sorted(this), "EntryIterator");
  }
}

export function headerGet(l: string[], n: string): string | null {
  let found: string | null = null;
  for (let i = 0; i < l.length; i += 2) if (l[i] === n) found = found === null ? l[i + 1] : found + ", " + l[i + 1];
  return found;
}

/** Where a name stands in a list from an index on, -1 for nowhere. The search is the engine's own. */
function nameAt(l: string[], n: string, from: number): number {
  for (let i = from; (i = ArrayIndexOf(l, n, i)) >= 0; i++) if (i % 2 === 0) return i; // a value may look the same
  return -1;
}

/** Takes a name out of a list from an index on. */
function headerDrop(l: string[], n: string, from: number): void {
  const first = nameAt(l, n, from);
  if (first < 0) return;
  let kept = first;
  for (let i = first + 2; i < l.length; i += 2) {
    if (l[i] === n) continue;
    l[kept] = l[i];
    l[kept + 1] = l[i + 1];
    kept += 2;
  }
  l.length = kept;
}

export function headerSet(l: string[], n: string, v: string): void {
  const first = nameAt(l, n, 0);
  if (first < 0) {
    ArrayPush(l, n, v);
    return;
  }
  l[first + 1] = v;
  headerDrop(l, n, first + 2);
}

function all(l: string[], n: string): string[] {
  const out: string[] = [];
  for (let i = 0; i < l.length; i += 2) if (l[i] === n) ArrayPush(out, l[i + 1]);
  return out;
}

function pick(pairs: [string, string][], at: 0 | 1): string[] {
  const out: string[] = [];
  for (let i = 0; i < pairs.length; i++) out[i] = pairs[i][at];
  return out;
}

function sorted(h: Headers): [string, string][] {
  const joined = current.date !== "" && current.date < "2023-03-01"; // before, Set-Cookie was no exception
  const l = headersList(h), out: [string, string][] = [], at: Record<string, number> = { __proto__: null } as any;
  for (let i = 0; i < l.length; i += 2) {
    const n = l[i];
    if ((n !== "set-cookie" || joined) && at[n] !== undefined) out[at[n]][1] += ", " + l[i + 1];
    else at[n] = ArrayPush(out, [n, l[i + 1]]) - 1;
  }
  return ArraySort(out, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
}

/** The headers member of a dictionary, as it is. */
export function headersInit(v: unknown, dictionary: string): any {
  if (v === null || (typeof v !== "object" && typeof v !== "function")) throw new NativeTypeError(`Incorrect type for the 'headers' field on '${dictionary}': the provided value is not of type 'Headers or Sequence or object'.`);
  return v;
}

/** Appends what a HeadersInit holds. */
export function fill(h: Headers, init: unknown): void {
  const l = headersList(h);
  if (isHeaders(init)) {
    const from = headersList(init);
    for (let i = 0; i < from.length; i++) ArrayPush(l, from[i]);
    return;
  }
  if (init === null || (typeof init !== "object" && typeof init !== "function")) {
    throw new NativeTypeError("Failed to construct 'Headers': constructor parameter 1 is not of type 'Headers or Sequence or object'.");
  }
  const iterate = (init as any)[Symbol.iterator];
  if (iterate !== undefined && iterate !== null) {
    if (ArrayIsArray(init) && iterate === Array.prototype[Symbol.iterator]) {
      for (let i = 0; i < init.length; i++) appendPair(l, init[i]);
    } else {
      for (const pair of init as Iterable<unknown>) appendPair(l, pair);
    }
    return;
  }
  const keys = ReflectOwnKeys(init as object);
  for (let i = 0; i < keys.length; i++) {
    const k = keys[i];
    if (typeof k === "symbol" || !PropertyIsEnumerable(init, k)) continue;
    ArrayPush(l, checkName(k), checkValue((init as any)[k]));
  }
}

function appendPair(l: string[], pair: unknown): void {
  if (typeof pair !== "object" || pair === null || typeof (pair as any)[Symbol.iterator] !== "function") throw new NativeTypeError("Incorrect type: the provided value is not of type 'Sequence'.");
  const p = ArrayIsArray(pair) ? pair : [...(pair as Iterable<unknown>)];
  if (p.length !== 2) throw new NativeTypeError("To initialize a Headers object from a sequence, each inner sequence must have exactly two elements.");
  ArrayPush(l, checkName(p[0]), checkValue(p[1]));
}

enumerable(Headers);
tag(Headers, "Headers");
cloneable(isHeaders, (h: Headers) => new Headers(h));
expose("Headers", Headers);
