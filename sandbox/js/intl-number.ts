// Intl.NumberFormat and toLocaleString of numbers. Specification: ECMA-402, section 16.
// Omitted: rounding increments and priorities. Units and names of currencies are
// English, and a line in the log says so.

import { NativeNumber, NativeRangeError, NativeTypeError } from "./primordials";
import { NumberData, indian, moneyDigits, moneyNames, narrow, numbers, symbols, trueMinus, units } from "./intl-data";
import { call, op } from "./host";
import { choose, digitsIn, note, numbering, option, optionsOf, supported, whole } from "./intl-locale";
import { compacts, marks, regions } from "./intl-words";

const PLURAL = op("intl.plural");

for (const [tag, decimal, group, money, percent, least, moneyDecimal, moneyGroup] of regions) numbers[tag] = { decimal, group, least, percent, money, moneyDecimal, moneyGroup };
/** The sign of a currency in a locale. */
function markOf(key: string, currency: string): string | undefined {
  for (const list of [marks[key] ?? marks[key.split("-")[0]], marks.en]) {
    const at = list === undefined ? -1 : `,${list}`.indexOf(`,${currency}=`);
    if (at >= 0) return list.slice(at + 4).split(",")[0];
  }
  return undefined;
}

export type Part = { type: string; value: string };

/** A decimal number as text: sign, digits before and after the point. */
type Decimal = { negative: boolean; int: string; frac: string };

/** The exact digits of what is to be formatted; null for NaN and infinities. */
function decimal(v: number | bigint | string): Decimal | null {
  let s: string;
  if (typeof v === "bigint") s = `${v}`;
  else if (typeof v === "string") s = v.trim() === "" ? "0" : v.trim();
  else if (Number.isFinite(v)) s = Object.is(v, -0) ? "-0" : `${v}`;
  else return null;
  const m = /^([-+]?)(\d*)(?:\.(\d*))?(?:e([-+]?\d+))?$/i.exec(s);
  if (m === null) {
    const x = NativeNumber(s);
    return Number.isFinite(x) ? decimal(x) : null;
  }
  let int = m[2] ?? "", frac = m[3] ?? "";
  const e = m[4] === undefined ? 0 : +m[4];
  if (Math.abs(e) > 400) return decimal(NativeNumber(s));
  if (e > 0) {
    frac = frac.padEnd(e, "0");
    int += frac.slice(0, e);
    frac = frac.slice(e);
  } else if (e < 0) {
    int = int.padStart(-e + 1, "0");
    frac = int.slice(e) + frac;
    int = int.slice(0, e);
  }
  return { negative: m[1] === "-", int: int.replace(/^0+(?=\d)/, "") || "0", frac };
}

const shift = (d: Decimal, by: number): Decimal => {
  if (by === 0) return d;
  if (by > 0) return { negative: d.negative, int: (d.int + d.frac.slice(0, by).padEnd(by, "0")).replace(/^0+(?=\d)/, ""), frac: d.frac.slice(by) };
  const int = d.int.padStart(-by + 1, "0");
  return { negative: d.negative, int: int.slice(0, by), frac: int.slice(by) + d.frac };
};

/** Rounds to n digits after the point (before it when negative). */
function round(d: Decimal, n: number, mode: string): Decimal {
  const all = d.int + d.frac, keep = d.int.length + n;
  if (n >= d.frac.length) return d;
  const kept = keep <= 0 ? "" : all.slice(0, keep), rest = keep < 0 ? "0" + all : all.slice(keep);
  const zero = /^0*$/.test(rest), half = /^50*$/.test(rest) ? 0 : rest[0] >= "5" ? 1 : -1;
  let up = false;
  if (!zero) {
    switch (mode) {
      case "ceil": up = !d.negative; break;
      case "floor": up = d.negative; break;
      case "expand": up = true; break;
      case "trunc": break;
      case "halfCeil": up = half > 0 || half === 0 && !d.negative; break;
      case "halfFloor": up = half > 0 || half === 0 && d.negative; break;
      case "halfTrunc": up = half > 0; break;
      case "halfEven": up = half > 0 || half === 0 && kept !== "" && (kept.charCodeAt(kept.length - 1) & 1) === 1; break;
      default: up = half >= 0;
    }
  }
  let digits = `${BigInt(kept === "" ? "0" : kept) + (up ? 1n : 0n)}`;
  if (n < 0) return { negative: d.negative, int: digits === "0" ? "0" : digits + "0".repeat(-n), frac: "" };
  digits = digits.padStart(n + 1, "0");
  return { negative: d.negative, int: digits.slice(0, digits.length - n), frac: digits.slice(digits.length - n) };
}
/** Rounds to n significant digits. */
function significant(d: Decimal, n: number, mode: string): Decimal {
  const lead = d.int !== "0" ? d.int.length : -(/^0*/.exec(d.frac)![0].length);
  return /^0*$/.test(d.int + d.frac) ? { ...d, int: "0", frac: "" } : round(d, n - lead, mode);
}

const modes = ["ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven"] as const;
/** Compact forms of a locale, short or long: digits left out and the form, for each power of ten from 3 to 14. */
function compactForms(locale: string, key: string, long: boolean): [number, string][] {
  const text = compacts[locale] ?? compacts[key] ?? compacts[key.split("-")[0]], out: [number, string][] = [];
  if (text === undefined) note(`Intl has no compact numbers of "${key}" here: English ones stand in.`);
  for (const row of (text ?? compacts.en).split("~")[long ? 1 : 0].split("/")) {
    const m = /^(\d+)([^]*)$/.exec(row);
    out.push(m === null ? out[out.length - 1] : [+m[1], m[2]]);
  }
  return out;
}
/** Plural category of a number's digits. */
export function category(locale: string, ordinal: boolean, digits: string): string {
  const lang = locale.split("-")[0];
  // Newer than golang.org/x/text: millions in Romance languages, two in Maltese.
  if (!ordinal && /^(?:fr|es|it|pt|ca)$/.test(lang) && /^[1-9]\d*0{6}$/.test(digits)) return "many";
  if (!ordinal && lang === "mt" && digits === "2") return "two";
  return call(PLURAL, locale, ordinal, digits);
}
/** The form for a plural category: "a=x|b=y", or one for all. */
export function form(forms: string, kind: string): string {
  if (!/^[a-z]+=/.test(forms)) return forms;
  let last = "";
  for (const f of forms.split("|")) {
    const at = f.indexOf("="), c = f.slice(0, at), t = f.slice(at + 1);
    if (c === kind) return t;
    last = t;
  }
  return last;
}

export class NumberFormat {
  #locale: string;
  #key: string;
  #data: NumberData;
  #o: Record<string, any>;
  #nu: string;
  #asked: string;
  #format: ((v: any) => string) | undefined;
  constructor(tags?: unknown, o?: any) {
    if (o === null) throw new NativeTypeError("Cannot convert undefined or null to object");
    optionsOf("NumberFormat", o);
    ({ locale: this.#locale, data: this.#data, key: this.#key, asked: this.#asked } = choose(tags, numbers, "number formats"));
    this.#nu = numbering(this.#asked, o);
    const style = option(o, "style", ["decimal", "percent", "currency", "unit"], "decimal"), notation = option(o, "notation", ["standard", "scientific", "engineering", "compact"], "standard");
    const r: Record<string, any> = this.#o = { style, notation };
    if (o?.currency !== undefined) {
      r.currency = `${o.currency}`.toUpperCase();
      if (!/^[A-Z]{3}$/.test(r.currency)) throw new NativeRangeError(`Invalid currency code : ${o.currency}`);
    }
    if (style === "currency") {
      if (r.currency === undefined) throw new NativeTypeError("Currency code is required with currency style.");
      r.currencyDisplay = option(o, "currencyDisplay", ["code", "symbol", "narrowSymbol", "name"], "symbol");
      r.currencySign = option(o, "currencySign", ["standard", "accounting"], "standard");
    }
    if (style === "unit") {
      if (o?.unit === undefined) throw new NativeTypeError("Required option \"unit\" must not be undefined");
      r.unit = `${o.unit}`;
      for (const part of r.unit.split("-per-")) if (units[part] === undefined) throw new NativeRangeError(`Invalid unit argument for Intl.NumberFormat() '${r.unit}'`);
      r.unitDisplay = option(o, "unitDisplay", ["short", "narrow", "long"], "short");
    }
    const money = style === "currency" && notation === "standard" ? moneyDigits[r.currency] ?? 2 : 0;
    const least = whole(o, "minimumIntegerDigits", 1, 21) ?? 1;
    let min = whole(o, "minimumFractionDigits", 0, 100), max = whole(o, "maximumFractionDigits", 0, 100);
    const minS = whole(o, "minimumSignificantDigits", 1, 21), maxS = whole(o, "maximumSignificantDigits", minS ?? 1, 21);
    r.minimumIntegerDigits = least;
    if (minS !== undefined || maxS !== undefined) {
      r.minimumSignificantDigits = minS ?? 1;
      r.maximumSignificantDigits = maxS ?? 21;
    } else {
      r.compactRounding = notation === "compact" && min === undefined && max === undefined;
      const standardMin = style === "currency" ? money : 0, standardMax = style === "currency" ? money : style === "percent" || notation === "compact" ? 0 : 3;
      if (min === undefined) min = max === undefined ? standardMin : Math.min(standardMin, max);
      if (max === undefined) max = Math.max(standardMax, min);
      if (min > max) throw new NativeRangeError("maximumFractionDigits value is out of range.");
      r.minimumFractionDigits = min;
      r.maximumFractionDigits = max;
    }
    const g = o?.useGrouping;
    r.useGrouping = g === undefined ? (notation === "compact" ? "min2" : "auto") : g === false || g === "false" ? false : g === true || g === "true" || g === "always" ? "always" : g === "min2" ? "min2" : "auto";
    if (notation === "compact") r.compactDisplay = option(o, "compactDisplay", ["short", "long"], "short");
    r.signDisplay = option(o, "signDisplay", ["auto", "never", "always", "exceptZero", "negative"], "auto");
    r.roundingIncrement = 1;
    if (o?.roundingIncrement !== undefined && +o.roundingIncrement !== 1) throw new NativeRangeError("Intl.NumberFormat: roundingIncrement is not available here.");
    r.roundingMode = option(o, "roundingMode", modes, "halfExpand");
    r.roundingPriority = option(o, "roundingPriority", ["auto", "morePrecision", "lessPrecision"], "auto");
    if (r.roundingPriority !== "auto" && (minS ?? maxS) !== undefined && (o.minimumFractionDigits ?? o.maximumFractionDigits) !== undefined) throw new NativeRangeError(`Intl.NumberFormat: roundingPriority "${r.roundingPriority}" is not available here.`);
    const english = /^en/.test(this.#key);
    if (style === "unit" && (!english || r.unitDisplay === "long" && /^en-(?!US)/.test(this.#locale))) note(`Intl has no units of "${this.#locale}" here: those of en-US stand in.`);
    if (r.currencyDisplay === "name") {
      if (!english) note(`Intl has no names of currencies in "${this.#key}" here: English ones stand in.`);
      else if (moneyNames[r.currency] === undefined) note(`Intl has no name of the currency ${r.currency} here: its code stands in.`);
    }
    if (notation === "compact" && style === "currency" && !english) note(`Intl has no compact amounts of money in "${this.#key}" here: their parts may stand in another order.`);
    if (!english && style === "currency" && r.currencyDisplay !== "code" && r.currencyDisplay !== "name" && narrow[r.currency] === undefined && markOf("en", r.currency) === undefined && !coded.includes(r.currency)) note(`Intl has no sign of the currency ${r.currency} here: its code stands in.`);
    r.trailingZeroDisplay = option(o, "trailingZeroDisplay", ["auto", "stripIfInteger"], "auto");
  }
  get format(): (v: any) => string {
    return (this.#format ??= (v: any) => join(this.#parts(v)));
  }
  formatToParts(v: any): Part[] { return this.#parts(v); }
  formatRange(a: any, b: any): string { return join(this.formatRangeToParts(a, b)); }
  formatRangeToParts(a: any, b: any): Part[] {
    if (a === undefined || b === undefined) throw new NativeTypeError("Invalid start or end of a range: undefined");
    const x = this.#parts(a), y = this.#parts(b), from = (parts: Part[], source: string) => parts.map((p) => ({ ...p, source }));
    if (join(x) === join(y)) return [{ type: "approximatelySign", value: "~" }, ...x].map((p) => ({ ...p, source: "shared" }));
    // What stands behind both numbers is written once.
    const ends = (parts: Part[]) => parts.length - parts.findLastIndex((p) => p.type === "integer" || p.type === "fraction") - 1, n = ends(x), m = ends(y);
    if (n > 0 && n === m && join(x.slice(-n)) === join(y.slice(-m))) return [...from(x.slice(0, -n), "startRange"), { type: "literal", value: "–", source: "shared" }, ...from(y.slice(0, -m), "endRange"), ...from(y.slice(-m), "shared")] as Part[];
    return [...from(x, "startRange"), { type: "literal", value: this.#o.style === "currency" ? " – " : "–", source: "shared" }, ...from(y, "endRange")] as Part[];
  }
  resolvedOptions(): Record<string, any> {
    const out: Record<string, any> = { locale: this.#asked.includes("-u-") && this.#locale !== "en-US" && this.#nu !== "latn" ? `${this.#locale}-u-nu-${this.#nu}` : this.#locale, numberingSystem: this.#nu };
    for (const k of resolved) if (this.#o[k] !== undefined) out[k] = this.#o[k];
    return out;
  }
  static supportedLocalesOf(tags: unknown, o: any = undefined): string[] { return supported("NumberFormat", tags, o, numbers); }

  #digits(d: Decimal): Decimal {
    const o = this.#o, mode = o.roundingMode;
    let r: Decimal, min = o.minimumFractionDigits ?? 0;
    if (o.maximumSignificantDigits !== undefined) {
      r = significant(d, o.maximumSignificantDigits, mode);
      const lead = r.int === "0" ? -(/^0*/.exec(r.frac)![0].length) : r.int.length;
      min = Math.max(0, o.minimumSignificantDigits - lead);
      if (r.int === "0" && /^0*$/.test(r.frac)) min = o.minimumSignificantDigits - 1;
    } else if (o.compactRounding) {
      r = d.int.length > 1 ? round(d, 0, mode) : significant(d, 2, mode);
    } else r = round(d, o.maximumFractionDigits, mode);
    let frac = r.frac.replace(/0+$/, "");
    if (!(o.trailingZeroDisplay === "stripIfInteger" && frac === "")) frac = frac.padEnd(min, "0");
    return { negative: r.negative, int: r.int.padStart(o.minimumIntegerDigits, "0"), frac };
  }

  #parts(value: any): Part[] {
    const o = this.#o, v = typeof value === "bigint" || typeof value === "string" ? value : NativeNumber(value);
    const parts: Part[] = [];
    let d = decimal(v), compact = "#", exponent: number | undefined, negative = false, zero = false;
    if (d === null) {
      const x = NativeNumber(v);
      negative = x < 0;
      parts.push(x !== x ? { type: "nan", value: nans[this.#key] ?? "NaN" } : { type: "infinity", value: "∞" });
    } else {
      if (o.style === "percent") d = shift(d, 2);
      if (o.notation === "compact") {
        const rows = compactForms(this.#locale, this.#key, o.compactDisplay === "long"), row = (n: number): [number, string] => (n < 4 ? [0, ""] : rows[Math.min(n - 4, rows.length - 1)]);
        let [away, forms] = row(d.int.length), r = this.#digits(shift(d, -away));
        if (r.int.length + away > d.int.length) { // rounded up to the next power of ten
          [away, forms] = row(r.int.length + away);
          r = this.#digits(shift(d, -away));
        }
        if (away > 0) compact = form(forms, forms.includes("=") ? category(this.#locale, false, r.frac === "" ? r.int : `${r.int}.${r.frac}`) : "other");
        d = r;
      } else if (o.notation !== "standard") {
        const lead = d.int !== "0" ? d.int.length - 1 : /[1-9]/.test(d.frac) ? -(/^0*/.exec(d.frac)![0].length) - 1 : 0;
        exponent = o.notation === "engineering" ? Math.floor(lead / 3) * 3 : lead;
        d = this.#digits(shift(d, -exponent));
      } else d = this.#digits(d);
      negative = d.negative;
      zero = /^0*$/.test(d.int + d.frac);
      const money = o.style === "currency";
      this.#group(parts, d.int, (money ? this.#data.moneyGroup : undefined) ?? this.#data.group);
      if (d.frac !== "") parts.push({ type: "decimal", value: (money ? this.#data.moneyDecimal : undefined) ?? this.#data.decimal }, { type: "fraction", value: d.frac });
      if (exponent !== undefined) {
        if (exponents[this.#key] !== undefined && exponents[this.#key] !== "E") note(`Intl writes exponents of "${this.#key}" with E here.`);
        parts.push({ type: "exponentSeparator", value: "E" });
        if (exponent < 0) parts.push({ type: "exponentMinusSign", value: "-" });
        parts.push({ type: "exponentInteger", value: `${Math.abs(exponent)}` });
      }
      const after = compact.slice(compact.indexOf("#") + 1), word = after.trim(), space = after.slice(0, after.length - after.trimStart().length);
      if (space !== "") parts.push({ type: "literal", value: space });
      if (word !== "") parts.push({ type: "compact", value: word });
    }
    if (this.#nu !== "latn") {
      const arabic = this.#nu === "arab" || this.#nu === "arabext";
      for (const p of parts) p.value = arabic && p.type === "group" ? "٬" : arabic && p.type === "decimal" ? "٫" : digitsIn(this.#nu, p.value);
    }
    return this.#sign(this.#dress(parts, d !== null && d.int === "1" && d.frac === ""), negative, zero || v !== v);
  }

  #group(parts: Part[], int: string, mark: string): void {
    const g = this.#o.useGrouping, least = g === "always" ? 1 : g === "min2" ? Math.max(2, this.#data.least) : this.#data.least;
    if (g === false || int.length < 3 + least) {
      parts.push({ type: "integer", value: int });
      return;
    }
    const size = indian.includes(this.#key) ? 2 : 3, head = int.slice(0, -3), out: string[] = [];
    for (let end = head.length; end > 0; end -= size) out.unshift(head.slice(Math.max(0, end - size), end));
    out.push(int.slice(-3));
    for (let i = 0; i < out.length; i++) {
      if (i > 0) parts.push({ type: "group", value: mark });
      parts.push({ type: "integer", value: out[i] });
    }
  }

  /** Adds what stands around the number. */
  #dress(parts: Part[], one: boolean): Part[] {
    const o = this.#o, around = (pattern: string, mark: Part): Part[] => {
      const [before, after] = pattern.split("#"), side = (s: string): Part[] => {
        if (s === "") return [];
        const text = s.replace("¤", "").replace("%", ""), m = [mark], l = text === "" ? [] : [{ type: "literal", value: text }];
        return s[0] === "¤" || s[0] === "%" ? [...m, ...l] : [...l, ...m];
      };
      return [...side(before), ...parts, ...side(after)];
    };
    switch (o.style) {
      case "percent": return around(this.#data.percent, { type: "percentSign", value: "%" });
      case "currency": {
        const c: string = o.currency;
        if (o.currencyDisplay === "name") {
          const names = moneyNames[c];
          return [...parts, { type: "literal", value: " " }, { type: "currency", value: names === undefined ? c : one ? names[1] : names[2] }];
        }
        const mark = o.currencyDisplay === "code" ? c : o.currencyDisplay === "narrowSymbol" ? narrow[c] ?? symbols[c] ?? c : markOf(this.#key, c) ?? symbols[c] ?? c;
        let pattern = this.#data.money;
        // Letters stand apart from digits.
        if (pattern === "¤#" && (/[A-Za-z\u00c0-\u024f]$/.test(mark) || mark === "元")) pattern = "¤\xa0#";
        return around(pattern, { type: "currency", value: mark });
      }
      case "unit": {
        const [unit, per] = o.unit.split("-per-"), u = units[unit], long = o.unitDisplay === "long";
        if (unit === "percent" && !long) return [...parts, { type: "percentSign", value: "%" }];
        if (o.unit === "mile-per-hour" && !long) return [...parts, ...(o.unitDisplay === "narrow" ? [] : [{ type: "literal", value: " " }]), { type: "unit", value: o.unitDisplay === "narrow" ? "mph" : "mph" }];
        let text = long ? " " + (one ? u[3] : u[4]) : o.unitDisplay === "narrow" ? u[2] : one ? u[0] : u[1];
        if (per !== undefined) text += long ? ` per ${units[per][3]}` : `/${units[per][2]}`;
        return text[0] === " " ? [...parts, { type: "literal", value: " " }, { type: "unit", value: text.slice(1) }] : [...parts, { type: "unit", value: text }];
      }
    }
    return parts;
  }

  #sign(parts: Part[], negative: boolean, zero: boolean): Part[] {
    const o = this.#o;
    let sign = "";
    switch (o.signDisplay) {
      case "auto": sign = negative ? "-" : ""; break;
      case "always": sign = negative ? "-" : "+"; break;
      case "exceptZero": sign = zero ? "" : negative ? "-" : "+"; break;
      case "negative": sign = negative && !zero ? "-" : ""; break;
    }
    if (sign === "") return parts;
    if (sign === "-" && o.currencySign === "accounting" && this.#key === "nb") note("Intl does not put losses in brackets as \"nb\" does.");
    if (sign === "-" && o.currencySign === "accounting" && (this.#data.money === "¤#" && this.#key !== "hi" && this.#key !== "en-150" && !/^es-(?!AR|UY|DO)/.test(this.#key) || brackets.includes(this.#key))) return [{ type: "literal", value: "(" }, ...parts, { type: "literal", value: ")" }];
    const p = sign === "-" ? { type: "minusSign", value: trueMinus.includes(this.#key) ? "−" : "-" } : { type: "plusSign", value: "+" };
    // Dutch and some others write the sign at the number.
    if (inner.includes(this.#key) && o.style === "currency" && sign === "-") {
      if (this.#key !== "nl" && this.#key !== "de-AT") parts = parts.filter((x, i) => !(x.type === "literal" && parts[i + 1]?.type === "integer"));
      const at = parts.findIndex((x) => x.type === "integer");
      return [...parts.slice(0, at), p, ...parts.slice(at)];
    }
    return [p, ...parts];
  }
}
const inner = ["nl", "de-CH", "de-LI", "it-CH", "es-CL", "es-VE", "es-EC"];
/** Languages that put losses in brackets, beside those whose currency stands in front. */
const brackets = ["fr", "fr-CA", "fr-CH", "fr-LU", "fr-MA", "es-AR", "es-UY", "pt-PT", "nl", "pl"];
/** Currencies whose code is their sign in English too. */
const coded = ["CHF", "RUB", "TRY", "UAH", "PLN", "CZK", "SEK", "NOK", "DKK", "SGD", "THB", "HUF", "NGN", "ZAR", "AED", "ARS", "BGN", "CLP", "COP", "EGP", "IDR", "ISK", "KES", "MAD", "MYR", "PEN", "PKR", "RON", "RSD", "SAR", "BDT", "IRR", "KWD", "BHD", "QAR", "JOD", "OMR", "TND", "LKR", "XXX"];
const resolved = [
  "style", "currency", "currencyDisplay", "currencySign", "unit", "unitDisplay", "minimumIntegerDigits", "minimumFractionDigits", "maximumFractionDigits", "minimumSignificantDigits", "maximumSignificantDigits",
  "useGrouping", "notation", "compactDisplay", "signDisplay", "roundingIncrement", "roundingMode", "roundingPriority", "trailingZeroDisplay",
];
const nans: Record<string, string> = { __proto__: null as any, ru: "не\xa0число", fi: "epäluku", "zh-TW": "非數值", "zh-HK": "非數值" };
/** Languages whose exponents are not written with E. */
const exponents: Record<string, string> = { __proto__: null as any, sv: "×10^", uk: "Е", "en-AU": "e" };

export const join = (parts: Part[]): string => {
  let s = "";
  for (let i = 0; i < parts.length; i++) s += parts[i].value;
  return s;
};
