// Intl: the classes that are small, and the built-ins' own methods. Specification:
// ECMA-402. Words (relative times, durations) are English where there are no
// others, and a line in the log says so; orders and plurals are x/text's.

import { call, op } from "./host";
import { DateGetTime, NativeDate, NativeNumber, NativeRangeError, NativeTypeError, ObjectDefineProperty, SafeMap, StringSplit } from "./primordials";
import { moneyNames, units } from "./intl-data";
import { listWords } from "./intl-words";
import { relative } from "./intl-relative";
import { DateTimeFormat } from "./intl-date";
import { Locale, choose, digitsIn, keyword, locales, note, numbering, numberingSystems, option, optionsOf, supported } from "./intl-locale";
import { NumberFormat, Part, category, form, join } from "./intl-number";

const COMPARE = op("intl.compare"), NAME = op("intl.name");

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

/** Languages that put their own script before Latin. */
const mixes = ["ko", "ru", "uk", "be", "bg", "sr", "mk", "el", "he", "ar", "fa", "ur", "hi", "mr", "ne", "bn", "ta", "te", "gu", "kn", "ml", "pa", "th", "lo", "km", "my", "hy", "ka", "kk", "ky", "mn", "am", "zh"];
const latin = /^[A-Za-z\u00c0-\u024f]/, letter = /^\p{L}/u;

class Collator {
  #o: Record<string, any>;
  #fast: boolean;
  #compare: ((a: string, b: string) => number) | undefined;
  constructor(tags?: unknown, o?: any) {
    optionsOf("Collator", o);
    const list = locales(tags), locale = list[0] ?? "en-US", ext = /-u-(?:.*-)?kn(?:-(true|false))?/.exec(locale);
    const asked = o?.collation !== undefined ? `${o.collation}` : keyword(locale, "co"), collation = asked === undefined || asked === "" || asked === "standard" || asked === "search" ? "default" : asked;
    if (collation !== "default" && collation !== "phonebk") note(`Intl.Collator may not know the order "${collation}" here: that of the language stands in.`);
    if (/^(?:nb|nn|no)(?:-|$)/.test(locale)) note(`Intl has no order of "${locale}" here: that of most languages stands in.`);
    this.#o = {
      locale: o?.collation !== undefined && collation !== "default" && keyword(locale, "co") === undefined && !locale.includes("-u-") ? `${locale}-u-co-${collation}` : locale, usage: option(o, "usage", ["sort", "search"], "sort"), sensitivity: option(o, "sensitivity", ["base", "accent", "case", "variant"], "variant"),
      ignorePunctuation: !!o?.ignorePunctuation, collation, numeric: o?.numeric === undefined ? ext !== null && ext[1] !== "false" : !!o.numeric, caseFirst: option(o, "caseFirst", ["upper", "lower", "false"], "false"),
    };
    if (this.#o.ignorePunctuation || this.#o.caseFirst === "upper") throw new NativeRangeError("Intl.Collator: ignorePunctuation and caseFirst \"upper\" are not available here.");
    this.#fast = !this.#o.numeric && plainOrder.includes(StringSplit(locale, "-")[0]) && !locale.includes("-u-co");
  }
  get compare(): (a: string, b: string) => number {
    return (this.#compare ??= (a: string, b: string) => {
      const x = `${a}`, y = `${b}`, s = this.#o.sensitivity;
      if (x === y) return 0;
      if (s === "case") return call(COMPARE, this.#o.locale, s, this.#o.numeric, bare(x), bare(y));
      if (mixes.includes(StringSplit(this.#o.locale, "-")[0]) && latin.test(x) !== latin.test(y) && letter.test(x) && letter.test(y)) note(`Intl.Collator puts Latin letters before others here, whatever the language "${this.#o.locale}" does.`);
      return (this.#fast ? compareASCII(x, y, s === "base" || s === "accent") : undefined) ?? call(COMPARE, this.#o.locale, s, this.#o.numeric, x, y);
    });
  }
  resolvedOptions() { return { ...this.#o }; }
  static supportedLocalesOf(tags: unknown, o: any = undefined) { return supported("Collator", tags, o, null); }
}

class PluralRules {
  #o: Record<string, any>;
  #numbers: NumberFormat;
  #type: string;
  #locale: string;
  constructor(tags?: unknown, o?: any) {
    optionsOf("PluralRules", o);
    this.#locale = locales(tags)[0] ?? "en-US";
    this.#type = option(o, "type", ["cardinal", "ordinal"], "cardinal");
    this.#numbers = new NumberFormat("en", { ...o, style: "decimal", useGrouping: false, signDisplay: "never" });
    const { minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits } = this.#numbers.resolvedOptions();
    this.#o = { locale: this.#locale, type: this.#type, notation: "standard", minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits };
  }
  select(n: number): string {
    const x = NativeNumber(n);
    return Number.isFinite(x) ? category(this.#locale, this.#type === "ordinal", this.#numbers.format(x)) : "other";
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
  static supportedLocalesOf(tags: unknown, o: any = undefined) { return supported("PluralRules", tags, o, null); }
}

class ListFormat {
  #locale: string;
  #key: string;
  #type: string;
  #style: string;
  #between: string[];
  constructor(tags?: unknown, o?: any) {
    optionsOf("ListFormat", o);
    let data: string;
    ({ locale: this.#locale, data, key: this.#key } = choose(tags, listWords, "lists"));
    this.#type = option(o, "type", ["conjunction", "disjunction", "unit"], "conjunction");
    this.#style = option(o, "style", ["long", "short", "narrow"], "long");
    const all = StringSplit(data, "|");
    let at = ["conjunction", "disjunction", "unit"].indexOf(this.#type) * 3 + ["long", "short", "narrow"].indexOf(this.#style);
    while (all[at] === "") at--;
    this.#between = StringSplit(all[at], ";");
  }
  formatToParts(list?: Iterable<string>): Part[] {
    const items: string[] = [];
    for (const x of list ?? []) {
      if (typeof x !== "string") throw new NativeTypeError("Iterable yielded a non-String value");
      items.push(x);
    }
    const n = items.length, out: Part[] = [];
    for (let i = 0; i < n; i++) {
      let sep = n === 2 ? this.#between[0] : i === n - 1 ? this.#between[2] : this.#between[1];
      if (this.#key === "es" && sep === " y " && /^(hi|i|y)/i.test(items[i])) sep = " e ";
      if (this.#key === "es" && sep === " o " && /^(ho|o|8)/i.test(items[i])) sep = " u ";
      if (i > 0) out.push({ type: "literal", value: sep });
      out.push({ type: "element", value: items[i] });
    }
    return out;
  }
  format(list?: Iterable<string>): string { return join(this.formatToParts(list)); }
  resolvedOptions() { return { locale: this.#locale, type: this.#type, style: this.#style }; }
  static supportedLocalesOf(tags: unknown, o: any = undefined) { return supported("ListFormat", tags, o, listWords); }
}

const autos: Record<string, Record<string, string>> = {
  second: { "0": "now" }, minute: { "0": "this minute" }, hour: { "0": "this hour" }, day: { "-1": "yesterday", "0": "today", "1": "tomorrow" },
  week: { "-1": "last week", "0": "this week", "1": "next week" }, month: { "-1": "last month", "0": "this month", "1": "next month" },
  quarter: { "-1": "last quarter", "0": "this quarter", "1": "next quarter" }, year: { "-1": "last year", "0": "this year", "1": "next year" },
};
const shortUnits: Record<string, [string, string]> = { second: ["sec.", "s"], minute: ["min.", "min"], hour: ["hr.", "h"], day: ["day", "d"], week: ["wk.", "w"], month: ["mo.", "mo"], quarter: ["qtr.", "q"], year: ["yr.", "y"] };

const relativeUnits = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];
const relatives: Record<string, string | undefined> = { ...relative, en: "" };
class RelativeTimeFormat {
  #locale: string;
  #key: string;
  #numeric: string;
  #style: string;
  #nu: string;
  #numbers: NumberFormat;
  #plurals: PluralRules | undefined;
  constructor(tags?: unknown, o?: any) {
    optionsOf("RelativeTimeFormat", o);
    let asked: string;
    ({ locale: this.#locale, key: this.#key, asked } = choose(tags, relatives as Record<string, string>, "relative times"));
    this.#numeric = option(o, "numeric", ["always", "auto"], "always");
    this.#style = option(o, "style", ["long", "short", "narrow"], "long");
    this.#nu = numbering(asked, o);
    if (this.#style === "narrow" && this.#key !== "en") note(`Intl has no narrow relative times of "${this.#key}" here: short ones stand in.`);
    if (this.#style !== "long" && /^en-(?!US)/.test(this.#locale)) note(`Intl has no short relative times of "${this.#locale}" here: those of en-US stand in.`);
    this.#numbers = new NumberFormat(this.#locale, { numberingSystem: this.#nu });
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
    if (auto !== undefined) return [{ type: "literal", value: this.#style === "long" || u === "minute" || u === "hour" ? auto : auto.replace(u, shortUnits[u][0]) }];
    const name = this.#style === "long" ? ` ${u}${one ? "" : "s"}` : this.#style === "short" ? ` ${u === "day" || u === "quarter" ? (u === "day" ? "day" : "qtr") + (one ? "" : "s") + (u === "quarter" ? "." : "") : shortUnits[u][0]}` : shortUnits[u][1];
    return past ? [...number(), { type: "literal", value: `${name} ago` }] : [{ type: "literal", value: "in " }, ...number(), { type: "literal", value: name }];
  }
  format(value: number, unit: string): string { return join(this.formatToParts(value, unit)); }
  resolvedOptions() { return { locale: this.#locale, style: this.#style, numeric: this.#numeric, numberingSystem: this.#nu }; }
  static supportedLocalesOf(tags: unknown, o: any = undefined) { return supported("RelativeTimeFormat", tags, o, relatives as Record<string, string>); }
}

// Extended grapheme clusters (UAX 29), words by scripts with spaces, sentences by their marks.
const mark = "(?:[\\p{M}\\p{Emoji_Modifier}\\u200C\\u200D\\uFE0F\\u0E33\\u0EB3]|(?<=[\\u094D\\u09CD\\u0ACD\\u0B4D\\u0C4D\\u0D4D]\\u200D?)[\\u0915-\\u0939\\u0995-\\u09B9\\u0A95-\\u0AB9\\u0B15-\\u0B39\\u0C15-\\u0C39\\u0D15-\\u0D3A])";
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
    optionsOf("Segmenter", o);
    this.#locale = locales(tags)[0] ?? "en-US";
    this.#granularity = option(o, "granularity", ["grapheme", "word", "sentence"], "grapheme");
  }
  segment(text: string): Segments {
    if (this.#granularity === "word" && /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]/.test(`${text}`)) note("Intl.Segmenter has no dictionaries here: words of Chinese, Japanese, Thai, Lao, Khmer and Burmese are not told apart.");
    return new Segments(`${text}`, this.#granularity);
  }
  resolvedOptions() { return { locale: this.#locale, granularity: this.#granularity }; }
  static supportedLocalesOf(tags: unknown, o: any = undefined) { return supported("Segmenter", tags, o, null); }
}

class DisplayNames {
  #o: Record<string, any>;
  constructor(tags: unknown, o: any) {
    optionsOf("DisplayNames", o);
    if (o === undefined || o === null || o.type === undefined) throw new NativeTypeError("Required option \"type\" must not be undefined");
    this.#o = { locale: locales(tags)[0] ?? "en-US", style: option(o, "style", ["long", "short", "narrow"], "long"), type: option(o, "type", ["language", "region", "script", "currency", "calendar", "dateTimeField"], "language"), fallback: option(o, "fallback", ["code", "none"], "code") };
    const display = option(o, "languageDisplay", ["dialect", "standard"], "dialect");
    if (this.#o.type === "language") this.#o.languageDisplay = display;
    if (this.#o.style !== "long" || this.#o.languageDisplay === "standard") note(`Intl.DisplayNames has only long names here, and those of dialects.`);
    if (this.#o.type === "calendar" || this.#o.type === "dateTimeField") throw new NativeRangeError(`Intl.DisplayNames: the type "${this.#o.type}" is not available here.`);
  }
  of(code: string): string | undefined {
    const { type, locale, fallback } = this.#o, c = `${code}`;
    if (type === "currency") {
      if (!/^[A-Za-z]{3}$/.test(c)) throw new NativeRangeError("invalid_argument");
      if (!/^en(?:-|$)/.test(locale)) note(`Intl has no names of currencies in "${StringSplit(locale, "-")[0]}" here: English ones stand in.`);
      if (moneyNames[c.toUpperCase()] === undefined) note(`Intl has no name of the currency ${c.toUpperCase()} here: its code stands in.`);
    } else if (type === "language" && c.includes("-") && (!/^en(?:-|$)/.test(locale) || c.split("-").length > 2)) note("Intl.DisplayNames may name regional languages in other words here than newer data does.");
    const name = type === "currency" ? moneyNames[c.toUpperCase()]?.[0] : call(NAME, locale, type, c);
    return name ?? (fallback === "none" ? undefined : c);
  }
  resolvedOptions() { return { ...this.#o }; }
  static supportedLocalesOf(tags: unknown, o: any = undefined) { return supported("DisplayNames", tags, o, null); }
}

const durationUnits = ["years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"];
class DurationFormat {
  #style: string;
  #locale: string;
  #nu: string;
  constructor(tags?: unknown, o?: any) {
    optionsOf("DurationFormat", o);
    const { locale, asked } = choose(tags, { en: 1 } as Record<string, number>);
    this.#locale = locale;
    this.#nu = numbering(asked, o);
    if (/^en-(?!US)/.test(locale)) note(`Intl has no durations of "${locale}" here: those of en-US stand in.`);
    for (const k of ["fractionalDigits", ...durationUnits.flatMap((u) => [u, `${u}Display`])]) if (o?.[k] !== undefined) throw new NativeRangeError(`Intl.DurationFormat: the option ${k} is not available here.`);
    this.#style = option(o, "style", ["long", "short", "narrow", "digital"], "short");
  }
  format(d: Record<string, number>): string {
    const parts: string[] = [], style = this.#style, digital = style === "digital";
    if (typeof d === "string") throw new NativeRangeError("Intl.DurationFormat: durations in text are not available here; give an object such as { hours: 1 }.");
    if (d === null || typeof d !== "object") throw new NativeTypeError("Intl.DurationFormat: a duration is an object such as { hours: 1 }.");
    const given = durationUnits.filter((u) => d[u] !== undefined);
    if (given.length === 0) throw new NativeTypeError("Intl.DurationFormat: the duration has none of the fields years, months, weeks, days, hours, minutes, seconds.");
    for (const u of given) if (!Number.isInteger(+d[u])) throw new NativeRangeError(`Intl.DurationFormat: ${u} must be a whole number.`);
    if (given.some((u) => d[u] < 0) && given.some((u) => d[u] > 0)) throw new NativeRangeError("Intl.DurationFormat: the fields of a duration must have one sign.");
    if (given.some((u) => d[u] < 0) || digital && given.some((u) => u.endsWith("oseconds") || u === "milliseconds")) throw new NativeRangeError(`Intl.DurationFormat: ${given.some((u) => d[u] < 0) ? "negative durations are" : "parts of seconds in digital style are"} not available here.`);
    for (const u of durationUnits) {
      const v = d?.[u];
      if (v === undefined || digital && ["hours", "minutes", "seconds"].includes(u) || v === 0) continue;
      parts.push(new NumberFormat("en", { style: "unit", unit: u.slice(0, -1), unitDisplay: digital ? "short" : style }).format(v));
    }
    if (digital) {
      const two = (n = 0) => `${n}`.padStart(2, "0");
      parts.push(`${d.hours ?? 0}:${two(d.minutes)}:${two(d.seconds)}`);
    }
    return digitsIn(this.#nu, parts.join(style === "narrow" ? " " : ", "));
  }
  formatToParts(): never { throw new NativeTypeError("Intl.DurationFormat.prototype.formatToParts() is not available here."); }
  resolvedOptions() { return { locale: this.#locale, style: this.#style, numberingSystem: this.#nu }; }
  static supportedLocalesOf(tags: unknown, o: any = undefined) { return supported("DurationFormat", tags, o, { en: 1 }); }
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
  if (`${key}` !== "numberingSystem" && ["calendar", "collation", "currency", "timeZone", "unit"].includes(`${key}`)) note(`Intl.supportedValuesOf("${key}") lists here what has a name; there is more on Workers.`);
  switch (`${key}`) {
    case "currency": return Object.keys(moneyNames).sort();
    case "unit": return Object.keys(units).sort();
    case "calendar": return ["gregory", "iso8601"];
    case "numberingSystem": return [...numberingSystems];
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
// Casing: the Turkic dotted and dotless i, Greek capitals without accents, and Lithuanian letters that keep their dot under accents.
const cased = (s: string, tags: unknown, turkic: (s: string) => string, greek: (s: string) => string, lithuanian: (s: string) => string): string => {
  const list = locales(tags), language = list.length === 0 ? "" : StringSplit(list[0], "-")[0];
  return language === "tr" || language === "az" ? turkic(s) : language === "el" ? greek(s) : language === "lt" ? lithuanian(s) : s;
};
method(String.prototype, "toLocaleUpperCase", { toLocaleUpperCase(this: string, tags?: unknown) {
  return cased(`${this}`, tags, (s) => s.replace(/i/g, "İ"), (s) => s.normalize("NFD").replace(/([\u0370-\u03ff])[\u0300\u0301\u0342]+/g, "$1").normalize("NFC"), (s) => s.replace(/([ij\u012f\u0268\u1e2d\u1ecb\u0456\u0458])([\u0316-\u0333]*)\u0307/g, "$1$2")).toUpperCase();
} }.toLocaleUpperCase);
method(String.prototype, "toLocaleLowerCase", { toLocaleLowerCase(this: string, tags?: unknown) {
  return cased(`${this}`, tags, (s) => s.replace(/I\u0307|\u0130/g, "i").replace(/I/g, "ı"), (s) => s, (s) => s.replace(/[\u00cc\u00cd\u0128]/g, (c) => c.normalize("NFD")).replace(/([IJ\u012e])(?=[\u0316-\u0333]*[\u0300\u0301\u0303])/g, "$1\u0307")).toLowerCase();
} }.toLocaleLowerCase);
method(String.prototype, "localeCompare", { localeCompare(this: string, that: string, tags?: unknown, o?: any) {
  if (this === null || this === undefined) throw new NativeTypeError("String.prototype.localeCompare called on null or undefined");
  return keep("c", tags, o, () => new Collator(tags, o)).compare(`${this}`, `${that}`);
} }.localeCompare);
const listed = { toLocaleString(this: any[], tags?: unknown, o?: any) {
  let s = "";
  for (let i = 0; i < this.length; i++) {
    const v = this[i];
    s += (i > 0 ? "," : "") + (v === undefined || v === null ? "" : v.toLocaleString(tags, o));
  }
  return s;
} }.toLocaleString;
method(Array.prototype, "toLocaleString", listed);
method(Object.getPrototypeOf(Uint8Array.prototype), "toLocaleString", listed);
