// URL and URLSearchParams. Specification: URL. Parsing and every setter are one
// host call that answers with the serialisation and where its components begin;
// a component is then a slice.

import { call, op } from "./host";
import {
  ArrayIsArray, ArrayJoin, ArrayPush, ArraySplice, NativeTypeError, PropertyIsEnumerable, ReflectApply, ReflectOwnKeys, RegExpTest, StringIndexOf, StringSlice, StringSplit,
  StringToWellFormed, enumerable, expose, need, stepIterator, tag, wrongType } from "./primordials";

import { current } from "./run";

const PARSE = op("url.parse"), SET = op("url.set"), DECODE = op("form.decode"), ENCODE = op("form.encode");

// [href, protocolEnd, usernameEnd, hostStart, hostEnd, portStart (-1: none), pathStart, searchStart (-1), hashStart (-1), origin]
type Parts = [string, number, number, number, number, number, number, number, number, string];

/** Parses a URL; null when it is not one. */
export function parseURL(url: string, base?: string): Parts | null {
  if (current.date !== "" && current.date < "2022-10-31") url = spacesAsPlus(`${url}`);
  return call(PARSE, StringToWellFormed(url), base === undefined ? null : StringToWellFormed(base)) ?? null;
}

/** Before 2022-10-31 Workers wrote a query's spaces as forms do. */
function spacesAsPlus(url: string): string {
  const q = StringIndexOf(url, "?"), h = StringIndexOf(url, "#");
  if (q < 0 || (h >= 0 && h < q)) return url;
  return StringSlice(url, 0, q) + ArrayJoin(StringSplit(StringSlice(url, q, h < 0 ? undefined : h), /%20| /), "+") + (h < 0 ? "" : StringSlice(url, h));
}

/** The normalised URL, without the checks of the constructor; null when it is not one. */
export function normalizeURL(url: string, base?: string): string | null {
  const p = parseURL(url, base);
  return p === null ? null : p[0];
}

let attach: (p: URLSearchParams, url: URL, query: string) => void;
let refresh: (p: URLSearchParams, query: string) => void;
let fromParams: (u: URL, query: string) => void;

export let paramsList: (p: URLSearchParams) => string[];
export let isParams: (o: unknown) => o is URLSearchParams;

/** Whether delete and has look at names only, as they did before this date. */
const byName = (): boolean => current.date !== "" && current.date < "2023-07-01";

export class URLSearchParams {
  #list: string[] = [];
  #url: URL | null = null;

  constructor(init?: unknown) {
    if (init === undefined || init === "") return;
    if (typeof init === "string") this.#list = parseQuery(init);
    else if ((typeof init === "object" && init !== null) || typeof init === "function") {
      if (#list in (init as object)) {
        const from = (init as URLSearchParams).#list;
        for (let i = 0; i < from.length; i++) this.#list[i] = from[i];
        return;
      }
      const iterate = (init as any)[Symbol.iterator];
      if (iterate !== undefined && iterate !== null) {
        for (const pair of init as Iterable<unknown>) {
          if (pair === null || (typeof pair !== "object" && typeof pair !== "function") || typeof (pair as any)[Symbol.iterator] !== "function") throw new NativeTypeError("Incorrect type: the provided value is not of type 'Sequence'.");
          const p = ArrayIsArray(pair) ? pair : [...(pair as Iterable<unknown>)];
          if (p.length !== 2) throw new NativeTypeError("Invalid URL search params sequence.");
          ArrayPush(this.#list, usv(p[0]), usv(p[1]));
        }
        return;
      }
      const keys = ReflectOwnKeys(init as object);
      for (let i = 0; i < keys.length; i++) {
        const k = keys[i];
        if (typeof k !== "symbol" && PropertyIsEnumerable(init, k)) ArrayPush(this.#list, usv(k), usv((init as any)[k]));
      }
    } else this.#list = parseQuery(`${init as any}`);
  }

  static {
    attach = (p, url, query) => {
      p.#url = url;
      p.#list = parseQuery(query);
    };
    refresh = (p, query) => {
      p.#list = parseQuery(query);
    };
    paramsList = (p) => p.#list;
    isParams = (o): o is URLSearchParams => typeof o === "object" && o !== null && #list in o;
  }

  #changed(): void {
    if (this.#url !== null) fromParams(this.#url, serialize(this.#list));
  }

  get size() { return this.#list.length / 2; }
  append(name: string, value: string): void {
    need(arguments.length, 2, "URLSearchParams.append", "USVString");
    ArrayPush(this.#list, usv(name), usv(value));
    this.#changed();
  }
  delete(name: string, value?: string): void {
    need(arguments.length, 1, "URLSearchParams.delete", "USVString");
    const n = usv(name), v = value === undefined || byName() ? undefined : usv(value), l = this.#list;
    for (let i = l.length - 2; i >= 0; i -= 2) if (l[i] === n && (v === undefined || l[i + 1] === v)) ArraySplice(l, i, 2);
    this.#changed();
  }
  get(name: string): string | null {
    need(arguments.length, 1, "URLSearchParams.get", "USVString");
    const n = usv(name), l = this.#list;
    for (let i = 0; i < l.length; i += 2) if (l[i] === n) return l[i + 1];
    return null;
  }
  getAll(name: string): string[] {
    need(arguments.length, 1, "URLSearchParams.getAll", "USVString");
    const n = usv(name), l = this.#list, out: string[] = [];
    for (let i = 0; i < l.length; i += 2) if (l[i] === n) ArrayPush(out, l[i + 1]);
    return out;
  }
  has(name: string, value?: string): boolean {
    need(arguments.length, 1, "URLSearchParams.has", "USVString");
    const n = usv(name), v = value === undefined || byName() ? undefined : usv(value), l = this.#list;
    for (let i = 0; i < l.length; i += 2) if (l[i] === n && (v === undefined || l[i + 1] === v)) return true;
    return false;
  }
  set(name: string, value: string): void {
    need(arguments.length, 2, "URLSearchParams.set", "USVString");
    const n = usv(name), v = usv(value), l = this.#list;
    let done = false;
    for (let i = 0; i < l.length; i += 2) {
      if (l[i] !== n) continue;
      if (done) {
        ArraySplice(l, i, 2);
        i -= 2;
      } else {
        l[i + 1] = v;
        done = true;
      }
    }
    if (!done) ArrayPush(l, n, v);
    this.#changed();
  }
  sort(): void {
    const pairs = pairsOf(this.#list);
    pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    const l: string[] = [];
    for (let i = 0; i < pairs.length; i++) ArrayPush(l, pairs[i][0], pairs[i][1]);
    this.#list = l;
    this.#changed();
  }
  forEach(f: (value: string, name: string, params: URLSearchParams) => void, self?: unknown): void {
    if (typeof f !== "function") throw wrongType("URLSearchParams.forEach", 1, "function");
    for (let i = 0; i < this.#list.length; i += 2) ReflectApply(f, self, [this.#list[i + 1], this.#list[i], this]);
  }
  keys(): IterableIterator<string> {
    return liveIterator("KeyIterator", this.#list, (l, i) => l[i]);
  }
  values(): IterableIterator<string> {
    return liveIterator("ValueIterator", this.#list, (l, i) => l[i + 1]);
  }
  entries(): IterableIterator<[string, string]> {
    return liveIterator("EntryIterator", this.#list, (l, i) => [l[i], l[i + 1]]);
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
  toString(): string {
    return serialize(this.#list);
  }
}

function liveIterator<T>(name: string, l: string[], at: (l: string[], i: number) => T): IterableIterator<T> {
  let i = 0;
  return stepIterator(name, () => {
    if (i >= l.length) return { done: true, value: undefined };
    i += 2;
    return { done: false, value: at(l, i - 2) };
  });
}

function usv(v: unknown): string {
  return StringToWellFormed(`${v as string}`);
}

function pairsOf(l: string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i < l.length; i += 2) ArrayPush(out, [l[i], l[i + 1]]);
  return out;
}

const coded = /[%+\uD800-\uDFFF]/, plain = /^[A-Za-z0-9*\-._]*$/;

/** Parses application/x-www-form-urlencoded into a flat list. */
export function parseQuery(s: string): string[] {
  if (s !== "" && s[0] === "?") s = StringSlice(s, 1);
  if (s === "") return [];
  if (RegExpTest(coded, s)) return call(DECODE, StringToWellFormed(s));
  const out: string[] = [], parts = StringSplit(s, "&");
  for (let i = 0; i < parts.length; i++) {
    const p = parts[i];
    if (p === "") continue;
    const eq = StringIndexOf(p, "=");
    if (eq < 0) ArrayPush(out, p, "");
    else ArrayPush(out, StringSlice(p, 0, eq), StringSlice(p, eq + 1));
  }
  return out;
}

/** The application/x-www-form-urlencoded form of a flat list. */
export function serialize(l: string[]): string {
  let out = "";
  for (let i = 0; i < l.length; i += 2) {
    if (!RegExpTest(plain, l[i]) || !RegExpTest(plain, l[i + 1])) return call(ENCODE, l);
    out += (i === 0 ? "" : "&") + l[i] + "=" + l[i + 1];
  }
  return out;
}

const HREF = 0, PROTOCOL = 1, USER = 2, HOST = 3, HOST_END = 4, PORT = 5, PATH = 6, SEARCH = 7, HASH = 8, ORIGIN = 9;

/** The href of a URL object; undefined for anything else. */
export let hrefOf: (o: any) => string | undefined;

export class URL {
  #p: Parts;
  #params: URLSearchParams | null = null;

  constructor(url: string | URL, base?: string | URL) {
    need(arguments.length, 1, "URL constructor", "USVString");
    const p = parseURL(`${url}`, base === undefined ? undefined : `${base}`);
    if (p === null) {
      throw new NativeTypeError("Invalid URL string.");
    }
    this.#p = p;
  }

  static {
    fromParams = (u, query) => {
      u.#apply("search", query);
    };
    hrefOf = (o) => (typeof o === "object" && o !== null && #p in o ? o.#p[HREF] : undefined);
  }

  static canParse(url: string | URL, base?: string | URL): boolean {
    need(arguments.length, 1, "URL.canParse", "USVString");
    return parseURL(`${url}`, base === undefined ? undefined : `${base}`) !== null;
  }
  static parse(url: string | URL, base?: string | URL): URL | null {
    need(arguments.length, 1, "URL.parse", "USVString");
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  static createObjectURL(): string {
    throw new Error("URL.createObjectURL() is not implemented");
  }
  static revokeObjectURL(): void {
    throw new Error("URL.revokeObjectURL() is not implemented");
  }

  #apply(what: string, value: unknown): void {
    const p: Parts | undefined = call(SET, this.#p[HREF], what, StringToWellFormed(`${value as string}`));
    if (p !== undefined) this.#p = p;
  }
  #pathEnd(): number {
    const p = this.#p;
    return p[SEARCH] >= 0 ? p[SEARCH] : p[HASH] >= 0 ? p[HASH] : p[HREF].length;
  }
  #searchEnd(): number {
    const p = this.#p;
    return p[HASH] >= 0 ? p[HASH] : p[HREF].length;
  }

  get href() { return this.#p[HREF]; }
  set href(v: string) {
    const p = parseURL(`${v}`);
    if (p === null) throw new NativeTypeError("Failed to set the 'href' property on 'URL': the provided value is not of type 'valid URL string'.");
    this.#p = p;
    if (this.#params !== null) refresh(this.#params, this.search);
  }
  get origin() { return this.#p[ORIGIN]; }
  get protocol() { return StringSlice(this.#p[HREF], 0, this.#p[PROTOCOL]); }
  set protocol(v: string) { this.#apply("protocol", v); }
  get username() {
    const p = this.#p;
    return p[USER] > 0 ? StringSlice(p[HREF], p[PROTOCOL] + 2, p[USER]) : "";
  }
  set username(v: string) { this.#apply("username", v); }
  get password() {
    const p = this.#p;
    return p[USER] > 0 && p[HREF][p[USER]] === ":" ? StringSlice(p[HREF], p[USER] + 1, p[HOST] - 1) : "";
  }
  set password(v: string) { this.#apply("password", v); }
  get host() {
    const p = this.#p;
    return StringSlice(p[HREF], p[HOST], p[PORT] >= 0 ? p[PATH] : p[HOST_END]);
  }
  set host(v: string) { this.#apply("host", v); }
  get hostname() { return StringSlice(this.#p[HREF], this.#p[HOST], this.#p[HOST_END]); }
  set hostname(v: string) { this.#apply("hostname", v); }
  get port() {
    const p = this.#p;
    return p[PORT] >= 0 ? StringSlice(p[HREF], p[PORT], p[PATH]) : "";
  }
  set port(v: string) { this.#apply("port", v); }
  get pathname() { return StringSlice(this.#p[HREF], this.#p[PATH], this.#pathEnd()); }
  set pathname(v: string) { this.#apply("pathname", v); }
  get search() {
    const at = this.#p[SEARCH], end = this.#searchEnd();
    return at < 0 || end - at <= 1 ? "" : StringSlice(this.#p[HREF], at, end);
  }
  set search(v: string) {
    this.#apply("search", v);
    if (this.#params !== null) refresh(this.#params, this.search);
  }
  get hash() {
    const at = this.#p[HASH];
    return at < 0 || this.#p[HREF].length - at <= 1 ? "" : StringSlice(this.#p[HREF], at);
  }
  set hash(v: string) { this.#apply("hash", v); }
  get searchParams() {
    if (this.#params === null) attach((this.#params = new URLSearchParams()), this, this.search);
    return this.#params;
  }
  toString() { return this.#p[HREF]; }
  toJSON() { return this.#p[HREF]; }
}

for (const [name, C] of Object.entries({ URL, URLSearchParams })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
