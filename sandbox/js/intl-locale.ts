// Locales: what a caller asked for and which of ours answers. Specification: ECMA-402, section 9.

import { console } from "./console";
import { call, op } from "./host";
import { ArrayIsArray, NativeRangeError, NativeTypeError, ObjectDefineProperty, SafeMap, StringSplit } from "./primordials";

const LOCALE = op("intl.locale");

/** [tag, language, script, region, maximized, minimized] */
export type Tag = [string, string, string, string, string, string];
const known = new SafeMap<string, Tag>();

/** Takes a language tag apart; throws a RangeError when it is none. */
export function parseTag(tag: string): Tag {
  let t = known.get(tag);
  if (t === undefined) {
    t = call(LOCALE, tag) as Tag | undefined;
    if (t === undefined || t === null) throw new NativeRangeError(`Invalid language tag: ${tag}`);
    if (known.size > 50) known.clear();
    known.set(tag, t);
  }
  return t;
}

/** CanonicalizeLocaleList. */
export function locales(arg: unknown): string[] {
  if (arg === undefined) return [];
  if (arg === null) throw new NativeTypeError("Cannot convert undefined or null to object");
  const list = typeof arg === "string" || arg instanceof Locale ? [arg] : ArrayIsArray(arg) ? arg : [...(arg as Iterable<unknown>)], out: string[] = [];
  for (let i = 0; i < list.length; i++) {
    const x = list[i];
    if (typeof x !== "string" && (typeof x !== "object" || x === null)) throw new NativeTypeError("Language ID should be string or object.");
    const tag = parseTag(`${x}`)[0];
    if (!out.includes(tag)) out.push(tag);
  }
  return out;
}

/** The entry of a table for the first locale asked for that has one: exactly, else by language. */
export function choose<T>(arg: unknown, table: Record<string, T>): { locale: string; data: T; key: string } {
  const list = locales(arg);
  for (let i = 0; i < list.length; i++) {
    const tag = plain(list[i]), lang = StringSplit(tag, "-")[0], near = tag === "en-AU" || tag === "en-NZ" || tag === "en-IE" || tag === "en-ZA" ? "en-GB" : lang;
    for (const key of [tag, near, lang]) if (table[key] !== undefined) return { locale: tag, data: table[key], key };
  }
  if (list.length > 0) missing(StringSplit(plain(list[0]), "-")[0]);
  return { locale: "en-US", data: table.en, key: "en" };
}

/** Says once what language there is no data for. */
function missing(language: string): void {
  if (said[language] || language === "und") return;
  said[language] = true;
  console.warn(`Intl has no data for "${language}" here: en-US stands in.`);
}
const said: Record<string, boolean> = { __proto__: null } as any;
const plain = (tag: string) => StringSplit(tag, "-u-")[0];

/** supportedLocalesOf over a table. */
export function supported(arg: unknown, table: Record<string, unknown> | null): string[] {
  return locales(arg).filter((tag) => table === null || table[plain(tag)] !== undefined || table[StringSplit(tag, "-")[0]] !== undefined);
}

/** An option that must be one of a list. */
export function option<T extends string>(o: any, name: string, allowed: readonly T[] | null, standard: T): T;
export function option<T extends string>(o: any, name: string, allowed: readonly T[] | null, standard?: T): T | undefined;
export function option(o: any, name: string, allowed: readonly string[] | null, standard?: string): string | undefined {
  const v = o?.[name];
  if (v === undefined) return standard;
  const s = `${v}`;
  if (allowed !== null && !allowed.includes(s)) throw new NativeRangeError(`Value ${s} out of range for Intl options property ${name}`);
  return s;
}
/** An option that must be a whole number within bounds. */
export function whole(o: any, name: string, least: number, most: number): number | undefined {
  const v = o?.[name];
  if (v === undefined) return undefined;
  const x = +v;
  if (!(x >= least && x <= most)) throw new NativeRangeError(`${name} value is out of range.`);
  return Math.floor(x);
}

export class Locale {
  readonly baseName!: string;
  readonly language!: string;
  readonly script!: string | undefined;
  readonly region!: string | undefined;
  #tag: Tag;
  #given: string;
  constructor(tag: string | Locale, options?: any) {
    if (typeof tag !== "string" && (typeof tag !== "object" || tag === null)) throw new NativeTypeError("First argument to Intl.Locale constructor can't be empty or missing");
    let s = `${tag}`;
    if (options?.language !== undefined || options?.region !== undefined || options?.script !== undefined) {
      const t = parseTag(s), script = options.script ?? t[2], region = options.region ?? t[3];
      s = `${options.language ?? t[1]}${script === "" ? "" : "-" + script}${region === "" ? "" : "-" + region}`;
    }
    this.#given = s;
    const t = this.#tag = parseTag(s);
    const [, language, script, region] = t;
    for (const [k, value] of Object.entries({ baseName: plain(t[0]), language, script: script === "" ? undefined : script, region: region === "" ? undefined : region })) ObjectDefineProperty(this, k, { value, configurable: true });
  }
  #extension(key: string): string | undefined {
    const m = new RegExp(`-u-(?:.*-)?${key}-([a-z0-9]{3,8})`).exec(this.#tag[0]);
    return m === null ? undefined : m[1];
  }
  get calendar() { return this.#extension("ca"); }
  get numberingSystem() { return this.#extension("nu"); }
  get hourCycle() { return this.#extension("hc"); }
  get collation() { return this.#extension("co"); }
  get numeric() { return /-u-.*kn/.test(this.#given); }
  maximize(): Locale { return new Locale(this.#tag[4]); }
  minimize(): Locale { return new Locale(this.#tag[5]); }
  toString(): string { return this.#tag[0]; }
}
