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

/** The entry of a table for the first locale asked for that has one: exactly, else by language. What names the table where a region's own entry is missing. */
export function choose<T>(arg: unknown, table: Record<string, T>, what?: string): { locale: string; data: T; key: string; asked: string } {
  const list = locales(arg);
  for (let i = 0; i < list.length; i++) {
    const tag = plain(list[i]), lang = StringSplit(tag, "-")[0], near = tag === "en-AU" || tag === "en-NZ" || tag === "en-IE" || tag === "en-ZA" ? "en-GB" : lang;
    for (const key of [tag, near, lang]) {
      if (table[key] === undefined) continue;
      if (what !== undefined && key !== tag && !(alike[what] ?? "").includes(` ${tag} `)) note(`Intl has no ${what} of "${tag}" here: those of "${key}" stand in.`);
      return { locale: tag, data: table[key], key, asked: list[i] };
    }
  }
  if (list.length > 0) missing(StringSplit(plain(list[0]), "-")[0]);
  return { locale: "en-US", data: table.en, key: "en", asked: list[0] ?? "en-US" };
}

/** Says once what language there is no data for. */
function missing(language: string): void {
  if (language !== "und") note(`Intl has no data for "${language}" here: en-US stands in.`);
}
/** Says once what is not here and what stands in for it. */
export function note(sentence: string): void {
  if (said[sentence]) return;
  said[sentence] = true;
  console.warn(sentence);
}
/** What a tag's -u- extension says for a key. */
export function keyword(tag: string, key: string): string | undefined {
  const at = tag.indexOf("-u-");
  const m = at < 0 ? null : new RegExp(`-${key}((?:-[a-z0-9]{3,8})*)(?=-[a-z0-9]{2}(?:-|$)|$)`).exec(tag.slice(at + 2));
  return m === null ? undefined : m[1].slice(1);
}

// Numbering systems: the zero of each whose digits follow each other.
const zeros: Record<string, number> = {
  __proto__: null as any,
  adlm: 0x1e950, ahom: 0x11730, arab: 0x660, arabext: 0x6f0, bali: 0x1b50, beng: 0x9e6, bhks: 0x11c50, brah: 0x11066, cakm: 0x11136, cham: 0xaa50, deva: 0x966, fullwide: 0xff10, gujr: 0xae6, guru: 0xa66, java: 0xa9d0, kali: 0xa900, khmr: 0x17e0, knda: 0xce6,
  lana: 0x1a80, lanatham: 0x1a90, laoo: 0xed0, latn: 0x30, lepc: 0x1c40, limb: 0x1946, mathbold: 0x1d7ce, mathdbl: 0x1d7d8, mathmono: 0x1d7f6, mathsanb: 0x1d7ec, mathsans: 0x1d7e2, mlym: 0xd66, modi: 0x11650, mong: 0x1810, mroo: 0x16a60, mtei: 0xabf0, mymr: 0x1040, mymrshan: 0x1090,
  mymrtlng: 0xa9f0, newa: 0x11450, nkoo: 0x7c0, olck: 0x1c50, orya: 0xb66, osma: 0x104a0, saur: 0xa8d0, shrd: 0x111d0, sind: 0x112f0, sinh: 0xde6, sora: 0x110f0, sund: 0x1bb0, takr: 0x116c0, talu: 0x19d0, tamldec: 0xbe6, telu: 0xc66, thai: 0xe50, tibt: 0xf20, tirh: 0x114d0, vaii: 0xa620, wara: 0x118e0,
};
export const numberingSystems = [...Object.keys(zeros), "hanidec"].sort();
const han = "〇一二三四五六七八九";
/** The numbering system that options or a tag ask for; Latin digits where neither names one that there is. */
export function numbering(asked: string, o: any): string {
  let nu = o?.numberingSystem;
  if (nu !== undefined) {
    nu = `${nu}`;
    if (!/^[A-Za-z0-9]{3,8}(?:-[A-Za-z0-9]{3,8})*$/.test(nu)) throw new NativeRangeError(`Invalid numberingSystem : ${nu}`);
    nu = nu.toLowerCase();
  }
  for (const n of [nu, keyword(asked, "nu")]) if (n !== undefined && (zeros[n] !== undefined || n === "hanidec")) return n;
  return "latn";
}
/** Writes Latin digits in a numbering system. */
export function digitsIn(nu: string, s: string): string {
  return nu === "latn" ? s : s.replace(/[0-9]/g, (c) => (nu === "hanidec" ? han[+c] : String.fromCodePoint(zeros[nu] + +c)));
}
/** Regional locales that write as their language does. */
const alike: Record<string, string> = {
  __proto__: null as any,
  "number formats": " en-US en-PH de-DE de-BE de-IT de-LU fr-FR fr-BE fr-SN fr-CI fr-MC fr-TN es-ES it-IT it-SM pt-BR nl-NL nl-BE sv-SE sv-FI da-DK nb-NO fi-FI pl-PL cs-CZ ru-RU ru-KZ ru-BY uk-UA ja-JP zh-CN zh-Hans zh-Hans-CN ko-KR hi-IN ",
  "date formats": " en-US en-PH de-DE de-BE de-CH de-LI de-LU fr-FR fr-LU fr-SN fr-CI fr-MC es-ES it-IT it-SM pt-BR nl-NL sv-SE nb-NO pl-PL ru-RU ru-UA ru-KZ ru-BY uk-UA ja-JP zh-CN zh-Hans zh-Hans-CN ",
  "relative times": " en-US en-GB en-CA en-AU en-NZ en-IE en-ZA en-IN en-SG en-HK en-PH en-MY en-KE en-NG en-150 en-001 en-IL de-DE de-AT de-BE de-CH de-IT de-LI de-LU fr-FR fr-BE fr-CH fr-LU fr-MA fr-SN fr-CI fr-MC fr-TN es-ES it-IT it-CH it-SM pt-BR nl-NL nl-BE sv-SE sv-FI nb-NO pl-PL tr-TR ru-RU ru-UA ru-KZ ru-BY ja-JP zh-CN zh-Hans zh-Hans-CN ko-KR ",
  "lists": " en-US en-PH de-DE de-BE de-IT de-LU fr-FR fr-BE fr-SN fr-CI fr-MC fr-TN es-ES it-IT it-SM pt-BR nl-NL nl-BE sv-SE sv-FI da-DK nb-NO fi-FI pl-PL cs-CZ tr-TR ru-RU ru-UA ru-KZ ru-BY uk-UA ja-JP zh-CN zh-SG zh-Hans zh-Hans-CN ko-KR hi-IN ",
};
const said: Record<string, boolean> = { __proto__: null } as any;
const plain = (tag: string) => StringSplit(tag, "-u-")[0];

/** Languages that classes without a table know on Workers, and here. */
const languages: Record<string, string> = {
  __proto__: null as any,
  Collator: "af am ar bg bn ca cs da de el en es et fa fi fil fr gu he hi hr hu id it ja kn ko lt lv ml mr ms nb nl no pl pt ro ru sk sl sr sv sw ta te th tr uk ur vi zh",
  DisplayNames: "af ak am ar az bg bn bs ca cs da de el en es et fa fi fil fr gu he hi hr hu id it ja kk kn ko kok lt lv ml mr ms nb nl no pa pl pt ro ru sd sk sl sr sv sw ta te th tr uk ur uz vi zh",
  PluralRules: "af ak am an ar ars as asa ast az bal be bem bez bg bho blo bm bn bo br brx bs ca ce ceb cgg chr ckb cs csw cv cy da de doi dsb dv dz ee el en eo es et eu fa ff fi fil fo fr fur fy ga gd gl gsw gu guw gv ha haw he hi hnj hr hsb hu hy ia id ie ig ii io is it iu ja jbo jgo jmc jv ka kab kaj kcg kde kea kk kkj kl km kn ko kok ks ksb ksh ku kw ky lag lb lg lij lkt lld ln lo lt lv mas mg mgo mk ml mn mr ms mt my nah naq nb nd ne nl nn nnh no nqo nr nso ny nyn om or os osa pa pap pcm pl prg ps pt rm ro rof ru rwk sah saq sat sc scn sd sdh se seh ses sg sgs shi si sk sl sma smi smj smn sms sn so sq sr ss ssy st su sv sw syr ta te teo th ti tig tk tn to tpi tr ts tzm ug uk ur uz ve vec vi vo vun wa wae wo xh xog yi yo yue zh zu",
  Segmenter: "af ak am an ar as ast az be bg bho bm bn br bs ca ceb chr ckb cs cy da de doi ee el en eo es et eu fa fi fil fo fr fy ga gd gl gu ha haw he hi hr hu hy ia id ig is it ja jv ka kk km kn ko kok ku ky lb lg ln lo lt lv mai mg mi mk ml mn mni mr ms mt my nb ne nl nn no nso oc om or pa pl ps pt qu rm ro ru rw sa sd si sk sl sn so sq sr st su sv sw ta te tg th ti tk tn to tr tt ug uk ur uz vi wa wo xh yi yo zh zu",
};
/** supportedLocalesOf of a class, over its table if it has one. */
export function supported(name: string, arg: unknown, o: any, table: Record<string, unknown> | null): string[] {
  const list = locales(arg);
  optionsOf(`${name}.supportedLocalesOf`, o);
  return list.filter((tag) => {
    const language = StringSplit(tag, "-")[0];
    return table === null ? ` ${languages[name]} `.includes(` ${language} `) : table[plain(tag)] !== undefined || table[language] !== undefined;
  });
}

let asker = "Intl";
/** Names in later errors whose options are read, and checks the one that all of them have. */
export function optionsOf(name: string, o: any): void {
  asker = `Intl.${name}`;
  option(o, "localeMatcher", ["lookup", "best fit"]);
}
/** An option that must be one of a list. */
export function option<T extends string>(o: any, name: string, allowed: readonly T[] | null, standard: T): T;
export function option<T extends string>(o: any, name: string, allowed: readonly T[] | null, standard?: T): T | undefined;
export function option(o: any, name: string, allowed: readonly string[] | null, standard?: string): string | undefined {
  const v = o?.[name];
  if (v === undefined) return standard;
  const s = `${v}`;
  if (allowed !== null && !allowed.includes(s)) throw new NativeRangeError(`Value ${s} out of range for ${asker} options property ${name}`);
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
    // Options become keywords of the tag, in the order of their keys.
    const words: string[] = [];
    for (const [k, name] of [["ca", "calendar"], ["co", "collation"], ["fw", "firstDayOfWeek"], ["hc", "hourCycle"], ["kf", "caseFirst"], ["kn", "numeric"], ["nu", "numberingSystem"]]) {
      const v = options?.[name] ?? keyword(`${tag}`.toLowerCase(), k);
      if (v !== undefined && v !== false) words.push(v === true || v === "" || v === "true" ? k : `${k}-${`${v}`.toLowerCase()}`);
    }
    if (words.length > 0) s = `${StringSplit(s, "-u-")[0]}-u-${words.join("-")}`;
    this.#given = s;
    const t = this.#tag = parseTag(s);
    const [, language, script, region] = t;
    for (const [k, value] of Object.entries({ baseName: plain(t[0]), language, script: script === "" ? undefined : script, region: region === "" ? undefined : region })) ObjectDefineProperty(this, k, { value, configurable: true });
  }
  #extension(key: string): string | undefined { return keyword(this.#given.toLowerCase(), key) || undefined; }
  get calendar() { return this.#extension("ca"); }
  get numberingSystem() { return this.#extension("nu"); }
  get hourCycle() { return this.#extension("hc"); }
  get collation() { return this.#extension("co"); }
  get numeric() { const v = keyword(this.#given.toLowerCase(), "kn"); return v === "" || v === "true"; }
  get caseFirst() { return this.#extension("kf"); }
  get firstDayOfWeek() { return this.#extension("fw"); }
  get variants(): string | undefined {
    const found = StringSplit(plain(this.#given).toLowerCase(), "-").slice(1).filter((x) => /^(?:[a-z0-9]{5,8}|\d[a-z0-9]{3})$/.test(x)).sort();
    return found.length === 0 ? undefined : found.join("-");
  }
  getTextInfo(): { direction: string } { return { direction: /-(?:Arab|Hebr|Syrc|Thaa|Nkoo|Adlm|Rohg|Mand|Samr|Yezi)-/.test(this.#tag[4]) ? "rtl" : "ltr" }; }
  getNumberingSystems(): string[] { return [this.numberingSystem ?? "latn"]; }
  maximize(): Locale { return new Locale(this.#tag[4]); }
  minimize(): Locale { return new Locale(this.#tag[5]); }
  toString(): string { return this.#tag[0]; }
}
for (const name of ["getCalendars", "getCollations", "getHourCycles", "getTimeZones", "getWeekInfo"]) {
  ObjectDefineProperty(Locale.prototype, name, { value: { [name]() { throw new NativeTypeError(`Intl.Locale.prototype.${name}() is not available here.`); } }[name], writable: true, configurable: true });
}
