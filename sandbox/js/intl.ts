// Intl: the classes that are small, and the built-ins' own methods. Specification:
// ECMA-402. Words (plurals, relative times, durations) are English where
// golang.org/x/text has none; orders and plurals are x/text's.

import { call, op } from "./host";
import { DateGetTime, NativeDate, NativeNumber, NativeRangeError, NativeTypeError, ObjectDefineProperty, SafeMap, StringSplit } from "./primordials";
import { moneyNames, words, units } from "./intl-data";
import { relative } from "./intl-relative";
import { DateTimeFormat } from "./intl-date";
import { Locale, choose, locales, option, supported } from "./intl-locale";
import { NumberFormat, Part, join } from "./intl-number";

const COMPARE = op("intl.compare"), PLURAL = op("intl.plural"), NAME = op("intl.name");

// ASCII in the order of the root collation: marks, digits, then letters, small before capital.
const order = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789";
const weights: number[] = [];
for (let c = 0; c < 128; c++) {
  const s = String.fromCharCode(c), at = order.indexOf(s), low = s.toLowerCase();
  weights[c] = low >= "a" && low <= "z" ? 2000 + low.charCodeAt(0) : at >= 0 ? 100 + at : c === 32 ? 50 : c >= 9 && c <= 13 ? c : 0;
}
/** Orders two ASCII texts; undefined when either is none. */
function compareASCII(a: string, b: string, caseless: boolean): number | undefined {
  const n = Math.min(a.length, b.length);
  let tertiary = 0, i = 0;
  for (; i < n; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i);
    if (x > 126 || y > 126 || x < 32 || y < 32) return undefined;
    if (x === y) continue;
    const p = weights[x] - weights[y];
    // Texts past here must be ASCII too: an accent may follow.
    if (p !== 0) return plainFrom(a, i) && plainFrom(b, i) ? (p < 0 ? -1 : 1) : undefined;
    if (tertiary === 0) tertiary = x > y ? -1 : 1;
  }
  if (!plainFrom(a, i) || !plainFrom(b, i)) return undefined;
  return a.length !== b.length ? (a.length < b.length ? -1 : 1) : caseless ? 0 : tertiary;
}
function plainFrom(s: string, i: number): boolean {
  for (; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c > 126 || c < 32) return false;
  }
  return true;
}
const bare = (s: string) => s.normalize("NFD").replace(/\p{M}/gu, "");
/** Languages that order ASCII as the root does. */
const plainOrder = ["en", "de", "fr", "it", "pt", "nl", "ru", "uk", "ja", "zh", "ko", "hi"];

class Collator {
  #o: Record<string, any>;
  #fast: boolean;
  #compare: ((a: string, b: string) => number) | undefined;
  constructor(tags?: unknown, o?: any) {
    const list = locales(tags), locale = list[0] ?? "en-US", ext = /-u-(?:.*-)?kn(?:-(true|false))?/.exec(locale);
    this.#o = {
      locale, usage: option(o, "usage", ["sort", "search"], "sort"), sensitivity: option(o, "sensitivity", ["base", "accent", "case", "variant"], "variant"),
      ignorePunctuation: !!o?.ignorePunctuation, collation: "default", numeric: o?.numeric === undefined ? ext !== null && ext[1] !== "false" : !!o.numeric, caseFirst: option(o, "caseFirst", ["upper", "lower", "false"], "false"),
    };
    if (this.#o.ignorePunctuation || this.#o.caseFirst === "upper") throw new NativeRangeError("Intl.Collator: ignorePunctuation and caseFirst \"upper\" are not available here.");
    this.#fast = !this.#o.numeric && plainOrder.includes(StringSplit(locale, "-")[0]) && !locale.includes("-u-co");
  }
  get compare(): (a: string, b: string) => number {
    return (this.#compare ??= (a: string, b: string) => {
      const x = `${a}`, y = `${b}`, s = this.#o.sensitivity;
      if (x === y) return 0;
      if (s === "case") return call(COMPARE, this.#o.locale, s, this.#o.numeric, bare(x), bare(y));
      return (this.#fast ? compareASCII(x, y, s === "base" || s === "accent") : undefined) ?? call(COMPARE, this.#o.locale, s, this.#o.numeric, x, y);
    });
  }
  resolvedOptions() { return { ...this.#o }; }
  static supportedLocalesOf(tags: unknown) { return supported(tags, null); }
}

class PluralRules {
  #o: Record<string, any>;
  #numbers: NumberFormat;
  #type: string;
  #locale: string;
  constructor(tags?: unknown, o?: any) {
    this.#locale = locales(tags)[0] ?? "en-US";
    this.#type = option(o, "type", ["cardinal", "ordinal"], "cardinal");
    this.#numbers = new NumberFormat("en", { ...o, style: "decimal", useGrouping: false, signDisplay: "never" });
    const { minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits } = this.#numbers.resolvedOptions();
    this.#o = { locale: this.#locale, type: this.#type, notation: "standard", minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits };
  }
  select(n: number): string {
    const x = NativeNumber(n);
    return Number.isFinite(x) ? call(PLURAL, this.#locale, this.#type === "ordinal", this.#numbers.format(x)) : "other";
  }
  selectRange(_a: number, b: number): string { return this.select(b); }
  resolvedOptions() {
    const seen: string[] = [], all = ["zero", "one", "two", "few", "many", "other"];
    for (let i = 0; i < 200; i++) {
      const c = this.select(i);
      if (!seen.includes(c)) seen.push(c);
    }
    if (!seen.includes("other")) seen.push("other");
    return { ...this.#o, pluralCategories: all.filter((c) => seen.includes(c)) };
  }
  static supportedLocalesOf(tags: unknown) { return supported(tags, null); }
}

class ListFormat {
  #locale: string;
  #key: string;
  #and: [string, string];
  #type: string;
  #style: string;
  constructor(tags?: unknown, o?: any) {
    ({ locale: this.#locale, data: this.#and, key: this.#key } = choose(tags, words));
    this.#type = option(o, "type", ["conjunction", "disjunction", "unit"], "conjunction");
    this.#style = option(o, "style", ["long", "short", "narrow"], "long");
  }
  formatToParts(list: Iterable<string>): Part[] {
    const items: string[] = [];
    for (const x of list) {
      if (typeof x !== "string") throw new NativeTypeError("Iterable yielded a non-String value");
      items.push(x);
    }
    const n = items.length, unit = this.#type === "unit", out: Part[] = [];
    let word = this.#type === "disjunction" ? this.#and[1] : this.#and[0];
    if (this.#key === "en" && this.#type === "conjunction" && this.#style === "short") word = "&";
    // Only English puts a comma before the word.
    const oxford = this.#key === "en" && this.#locale !== "en-GB";
    for (let i = 0; i < n; i++) {
      let sep = unit && this.#style === "narrow" ? " " : ", ";
      if (i === n - 1 && !unit) {
        if (this.#key === "es" && /^(hi|i|y)/i.test(items[i]) && word === "y") word = "e";
        if (this.#key === "es" && /^(ho|o|8)/i.test(items[i]) && word === "o") word = "u";
        sep = this.#style === "narrow" && this.#type === "conjunction" && this.#key === "en" ? ", " : n > 2 && oxford ? `, ${word} ` : ` ${word} `;
      }
      if (i > 0) out.push({ type: "literal", value: sep });
      out.push({ type: "element", value: items[i] });
    }
    return out;
  }
  format(list: Iterable<string>): string { return join(this.formatToParts(list)); }
  resolvedOptions() { return { locale: this.#locale, type: this.#type, style: this.#style }; }
  static supportedLocalesOf(tags: unknown) { return supported(tags, words); }
}

const autos: Record<string, Record<string, string>> = {
  second: { "0": "now" }, minute: { "0": "this minute" }, hour: { "0": "this hour" }, day: { "-1": "yesterday", "0": "today", "1": "tomorrow" },
  week: { "-1": "last week", "0": "this week", "1": "next week" }, month: { "-1": "last month", "0": "this month", "1": "next month" },
  quarter: { "-1": "last quarter", "0": "this quarter", "1": "next quarter" }, year: { "-1": "last year", "0": "this year", "1": "next year" },
};
const shortUnits: Record<string, [string, string]> = { second: ["sec.", "s"], minute: ["min.", "min"], hour: ["hr.", "h"], day: ["day", "d"], week: ["wk.", "w"], month: ["mo.", "mo"], quarter: ["qtr.", "q"], year: ["yr.", "y"] };

const relativeUnits = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];
const relatives: Record<string, string | undefined> = { ...relative, en: "" };
/** The form for a plural category: "a=x|b=y", or one for all. */
function form(forms: string, category: string): string {
  if (!forms.includes("=")) return forms;
  let last = "";
  for (const f of StringSplit(forms, "|")) {
    const [c, t] = StringSplit(f, "=");
    if (c === category) return t;
    last = t;
  }
  return last;
}

class RelativeTimeFormat {
  #locale: string;
  #key: string;
  #numeric: string;
  #style: string;
  #numbers: NumberFormat;
  #plurals: PluralRules | undefined;
  constructor(tags?: unknown, o?: any) {
    ({ locale: this.#locale, key: this.#key } = choose(tags, relatives as Record<string, string>));
    this.#numeric = option(o, "numeric", ["always", "auto"], "always");
    this.#style = option(o, "style", ["long", "short", "narrow"], "long");
    this.#numbers = new NumberFormat(this.#locale);
  }
  formatToParts(value: number, unit: string): any[] {
    const v = NativeNumber(value), u = `${unit}`.replace(/s$/, "");
    if (shortUnits[u] === undefined) throw new NativeRangeError(`Invalid unit argument for format() '${unit}'`);
    if (!Number.isFinite(v)) throw new NativeRangeError("Invalid time value");
    const past = v < 0 || Object.is(v, -0), n = Math.abs(v), one = n === 1;
    const number = () => this.#numbers.formatToParts(n).map((p) => ({ ...p, unit: u }));
    if (this.#key !== "en") {
      const line = StringSplit(relative[this.#key], "\n")[relativeUnits.indexOf(u) * 2 + (this.#style === "long" ? 0 : 1)], [ago, ahead, near] = StringSplit(line, "~");
      if (this.#numeric === "auto") for (const x of StringSplit(near, ";")) {
        const [k, t] = StringSplit(x, "=");
        if (k !== "" && k === `${v}`) return [{ type: "literal", value: t }];
      }
      this.#plurals ??= new PluralRules(this.#locale);
      const [before, after] = StringSplit(form(past ? ago : ahead, this.#plurals.select(n)), "#"), out: any[] = [];
      if (before !== "") out.push({ type: "literal", value: before });
      out.push(...number());
      if (after !== "") out.push({ type: "literal", value: after });
      return out;
    }
    const auto = this.#numeric === "auto" ? autos[u][`${v}`] : undefined;
    if (auto !== undefined) return [{ type: "literal", value: this.#style === "long" ? auto : auto.replace(u, shortUnits[u][0]) }];
    const name = this.#style === "long" ? ` ${u}${one ? "" : "s"}` : this.#style === "short" ? ` ${u === "day" || u === "quarter" ? (u === "day" ? "day" : "qtr") + (one ? "" : "s") + (u === "quarter" ? "." : "") : shortUnits[u][0]}` : shortUnits[u][1];
    return past ? [...number(), { type: "literal", value: `${name} ago` }] : [{ type: "literal", value: "in " }, ...number(), { type: "literal", value: name }];
  }
  format(value: number, unit: string): string { return join(this.formatToParts(value, unit)); }
  resolvedOptions() { return { locale: this.#locale, style: this.#style, numeric: this.#numeric, numberingSystem: "latn" }; }
  static supportedLocalesOf(tags: unknown) { return supported(tags, relatives as Record<string, string>); }
}

// Extended grapheme clusters (UAX 29), words by scripts with spaces, sentences by their marks.
const mark = "[\\p{M}\\p{Emoji_Modifier}\\u200C\\u200D\\uFE0F]";
const grapheme = `\\r\\n|\\p{RI}{2}|\\p{Extended_Pictographic}${mark}*(?:(?<=\\u200D)\\p{Extended_Pictographic}${mark}*)*|[\\u1100-\\u115F]*(?:[\\uAC00-\\uD7A3]|[\\u1160-\\u11A7]+)[\\u1160-\\u11FF]*\\p{M}*|\\P{M}${mark}*|\\p{M}+`;
const wordChar = "[\\p{L}\\p{N}\\p{M}\\p{Pc}]";
// goja's regular expressions do not know every property of a character.
const pattern = (source: string): RegExp | undefined => {
  try {
    return new RegExp(source, "gsu");
  } catch {
    return undefined;
  }
};
const patterns: Record<string, RegExp | undefined> = {
  grapheme: pattern(grapheme),
  word: pattern(`[\\p{Script=Han}\\p{Script=Hiragana}]|(?:(?![\\p{Script=Han}\\p{Script=Hiragana}])${wordChar})+(?:(?:(?<=\\p{L})['’.:·](?=\\p{L})|(?<=\\p{N})[.,](?=\\p{N}))${wordChar}+)*|[ \\u3000]+|${grapheme}`),
  sentence: /[^.!?。！？\n]*(?:[.!?。！？]+["'”’)\]]*(?:\s+|$)|[.!?。！？]+|\n|$)/gsu,
};
class Segments {
  #text: string;
  #granularity: string;
  constructor(text: string, granularity: string) {
    this.#text = text;
    this.#granularity = granularity;
  }
  *[Symbol.iterator](): Generator<any> {
    const pattern = patterns[this.#granularity];
    if (!pattern) throw new Error(`This engine cannot divide a text by ${this.#granularity}.`);
    for (const m of this.#text.matchAll(pattern)) {
      if (m[0] === "") continue;
      const s: any = { segment: m[0], index: m.index, input: this.#text };
      if (this.#granularity === "word") s.isWordLike = /[\p{L}\p{N}]/u.test(m[0]);
      yield s;
    }
  }
  containing(at = 0): any {
    for (const s of this) if (at >= s.index && at < s.index + s.segment.length) return s;
    return undefined;
  }
}
class Segmenter {
  #locale: string;
  #granularity: string;
  constructor(tags?: unknown, o?: any) {
    this.#locale = locales(tags)[0] ?? "en-US";
    this.#granularity = option(o, "granularity", ["grapheme", "word", "sentence"], "grapheme");
  }
  segment(text: string): Segments { return new Segments(`${text}`, this.#granularity); }
  resolvedOptions() { return { locale: this.#locale, granularity: this.#granularity }; }
  static supportedLocalesOf(tags: unknown) { return supported(tags, null); }
}

class DisplayNames {
  #o: Record<string, any>;
  constructor(tags: unknown, o: any) {
    if (o === undefined || o === null || o.type === undefined) throw new NativeTypeError("Required option \"type\" must not be undefined");
    this.#o = { locale: locales(tags)[0] ?? "en-US", style: option(o, "style", ["long", "short", "narrow"], "long"), type: option(o, "type", ["language", "region", "script", "currency", "calendar", "dateTimeField"], "language"), fallback: option(o, "fallback", ["code", "none"], "code") };
    if (this.#o.type === "calendar" || this.#o.type === "dateTimeField") throw new NativeRangeError(`Intl.DisplayNames: the type "${this.#o.type}" is not available here.`);
  }
  of(code: string): string | undefined {
    const { type, locale, fallback } = this.#o, c = `${code}`;
    const name = type === "currency" ? moneyNames[c.toUpperCase()]?.[0] : call(NAME, locale, type, c);
    return name ?? (fallback === "none" ? undefined : c);
  }
  resolvedOptions() { return { ...this.#o }; }
  static supportedLocalesOf(tags: unknown) { return supported(tags, null); }
}

const durationUnits = ["years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"];
class DurationFormat {
  #style: string;
  #locale: string;
  constructor(tags?: unknown, o?: any) {
    this.#locale = choose(tags, { en: 1 } as Record<string, number>).locale;
    this.#style = option(o, "style", ["long", "short", "narrow", "digital"], "short");
  }
  format(d: Record<string, number>): string {
    const parts: string[] = [], style = this.#style, digital = style === "digital";
    for (const u of durationUnits) {
      const v = d?.[u];
      if (v === undefined || digital && ["hours", "minutes", "seconds"].includes(u) || v === 0) continue;
      parts.push(new NumberFormat("en", { style: "unit", unit: u.slice(0, -1), unitDisplay: digital ? "short" : style }).format(v));
    }
    if (digital) {
      const two = (n = 0) => `${n}`.padStart(2, "0");
      parts.push(`${d.hours ?? 0}:${two(d.minutes)}:${two(d.seconds)}`);
    }
    return parts.join(style === "narrow" ? " " : ", ");
  }
  resolvedOptions() { return { locale: this.#locale, style: this.#style, numberingSystem: "latn" }; }
  static supportedLocalesOf(tags: unknown) { return supported(tags, { en: 1 }); }
}

// Called without new, three of the classes make an object all the same.
function callable(C: any, name: string): any {
  const f = function (this: unknown, ...args: any[]) { return new.target === undefined || new.target === f ? new C(args[0], args[1]) : Reflect.construct(C, [args[0], args[1]], new.target); };
  ObjectDefineProperty(f, "name", { value: name, configurable: true });
  ObjectDefineProperty(f, "length", { value: 0, configurable: true });
  f.prototype = C.prototype;
  ObjectDefineProperty(f, "prototype", { writable: false });
  ObjectDefineProperty(C.prototype, "constructor", { value: f, writable: true, configurable: true });
  ObjectDefineProperty(f, "supportedLocalesOf", { value: C.supportedLocalesOf, writable: true, configurable: true });
  return f;
}
const Intl: any = {};
const classes: Record<string, any> = {
  Collator: callable(Collator, "Collator"), DateTimeFormat: callable(DateTimeFormat, "DateTimeFormat"), DisplayNames, DurationFormat, ListFormat, Locale, NumberFormat: callable(NumberFormat, "NumberFormat"), PluralRules, RelativeTimeFormat, Segmenter,
};
for (const [name, C] of Object.entries(classes)) {
  ObjectDefineProperty(C, "name", { value: name, configurable: true });
  ObjectDefineProperty(C.prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });
  ObjectDefineProperty(Intl, name, { value: C, writable: true, configurable: true });
}
const method = (o: object, name: string, f: unknown) => ObjectDefineProperty(o, name, { value: f, writable: true, configurable: true });
method(Intl, "getCanonicalLocales", function getCanonicalLocales(tags: unknown) { return locales(tags); });
method(Intl, "supportedValuesOf", function supportedValuesOf(key: string) {
  switch (`${key}`) {
    case "currency": return Object.keys(moneyNames).sort();
    case "unit": return Object.keys(units).sort();
    case "calendar": return ["gregory", "iso8601"];
    case "numberingSystem": return ["latn"];
    case "collation": return ["default"];
    case "timeZone": return ["UTC"];
  }
  throw new NativeRangeError(`Invalid key : ${key}`);
});
ObjectDefineProperty(Intl, Symbol.toStringTag, { value: "Intl", configurable: true });
ObjectDefineProperty(globalThis, "Intl", { value: Intl, writable: true, configurable: true });

// The built-ins' methods. Formats are kept: making one costs more than using it.
const kept = new SafeMap<string, any>();
function keep<T>(kind: string, tags: unknown, options: unknown, make: () => T): T {
  if (options !== undefined || (tags !== undefined && typeof tags !== "string")) return make();
  const key = `${kind} ${tags}`;
  let f = kept.get(key);
  if (f === undefined) {
    if (kept.size > 20) kept.clear();
    kept.set(key, f = make());
  }
  return f;
}
method(Number.prototype, "toLocaleString", { toLocaleString(this: number, tags?: unknown, o?: any) {
  const v = Number.prototype.valueOf.call(this);
  return keep("n", tags, o, () => new NumberFormat(tags, o)).format(v);
} }.toLocaleString);
method(BigInt.prototype, "toLocaleString", { toLocaleString(this: bigint, tags?: unknown, o?: any) {
  return keep("n", tags, o, () => new NumberFormat(tags, o)).format(BigInt.prototype.valueOf.call(this));
} }.toLocaleString);
const date = (needs: "date" | "time" | "any", defaults: "date" | "time" | "all") => (d: Date, tags: unknown, o: any) => {
  const t = DateGetTime(d);
  return t !== t ? "Invalid Date" : keep(needs, tags, o, () => new DateTimeFormat(tags, o, needs, defaults)).format(t);
};
const whole = date("any", "all"), day = date("date", "date"), time = date("time", "time");
method(NativeDate.prototype, "toLocaleString", { toLocaleString(this: Date, tags?: unknown, o?: any) { return whole(this, tags, o); } }.toLocaleString);
method(NativeDate.prototype, "toLocaleDateString", { toLocaleDateString(this: Date, tags?: unknown, o?: any) { return day(this, tags, o); } }.toLocaleDateString);
method(NativeDate.prototype, "toLocaleTimeString", { toLocaleTimeString(this: Date, tags?: unknown, o?: any) { return time(this, tags, o); } }.toLocaleTimeString);
// Casing: the Turkic dotted and dotless i, and Greek capitals without accents.
const cased = (s: string, tags: unknown, turkic: (s: string) => string, greek: (s: string) => string): string => {
  const list = locales(tags), language = list.length === 0 ? "" : StringSplit(list[0], "-")[0];
  return language === "tr" || language === "az" ? turkic(s) : language === "el" ? greek(s) : s;
};
method(String.prototype, "toLocaleUpperCase", { toLocaleUpperCase(this: string, tags?: unknown) {
  return cased(`${this}`, tags, (s) => s.replace(/i/g, "İ"), (s) => s.normalize("NFD").replace(/([\u0370-\u03ff])[\u0300\u0301\u0342]+/g, "$1").normalize("NFC")).toUpperCase();
} }.toLocaleUpperCase);
method(String.prototype, "toLocaleLowerCase", { toLocaleLowerCase(this: string, tags?: unknown) {
  return cased(`${this}`, tags, (s) => s.replace(/I\u0307|\u0130/g, "i").replace(/I/g, "ı"), (s) => s).toLowerCase();
} }.toLocaleLowerCase);
method(String.prototype, "localeCompare", { localeCompare(this: string, that: string, tags?: unknown, o?: any) {
  if (this === null || this === undefined) throw new NativeTypeError("String.prototype.localeCompare called on null or undefined");
  return keep("c", tags, o, () => new Collator(tags, o)).compare(`${this}`, `${that}`);
} }.localeCompare);
method(Array.prototype, "toLocaleString", { toLocaleString(this: any[], tags?: unknown, o?: any) {
  let s = "";
  for (let i = 0; i < this.length; i++) {
    const v = this[i];
    s += (i > 0 ? "," : "") + (v === undefined || v === null ? "" : v.toLocaleString(tags, o));
  }
  return s;
} }.toLocaleString);
