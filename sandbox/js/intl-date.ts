// Intl.DateTimeFormat and toLocaleString of dates. Specification: ECMA-402, section 11.
// Omitted: calendars other than the Gregorian one. What is English for want of
// other words, a line in the log names.

import { call, op } from "./host";
import { DateGetTime, NativeDate, NativeRangeError, NativeTypeError, isDate } from "./primordials";
import { DateData, abbreviated, dates, zones } from "./intl-data";
import { Part, join } from "./intl-number";
import { choose, digitsIn, keyword, note, numbering, option, optionsOf, supported, whole } from "./intl-locale";

const ZONE = op("intl.zone");
const fieldNames: Record<string, string> = { E: "weekday", y: "year", M: "month", d: "day", h: "hour", m: "minute", s: "second", S: "fractionalSecond", a: "dayPeriod", B: "dayPeriod", z: "timeZoneName", G: "era" };
const forms = ["numeric", "2-digit"] as const, texts = ["long", "short", "narrow"] as const;

const two = (n: number) => (n < 10 ? "0" + n : `${n}`);

/** A zone's name and, at a time, its offset in minutes. */
function zoneAt(name: string, ms: number): [name: string, offset: number, short: string] {
  const m = /^([-+])(\d\d)(?::?(\d\d))?$/.exec(name);
  if (m !== null && +m[2] < 24 && +(m[3] ?? 0) < 60) {
    const n = (+m[2] * 60 + +(m[3] ?? 0)) * (m[1] === "-" ? -1 : 1);
    return [`${m[1]}${m[2]}:${m[3] ?? "00"}`, n, ""];
  }
  const upper = name.toUpperCase();
  if (upper === "UTC" || upper === "GMT" || upper === "ETC/UTC" || upper === "ETC/GMT") return ["UTC", 0, "UTC"];
  const r = call(ZONE, name, ms);
  return [r[0], r[1], r[2]];
}
function offsetText(minutes: number, long: boolean): string {
  if (minutes === 0) return "GMT";
  const n = Math.abs(minutes), h = Math.floor(n / 60), m = Math.round(n % 60), s = minutes < 0 ? "-" : "+";
  return long ? `GMT${s}${two(h)}:${two(m)}` : `GMT${s}${h}${m === 0 ? "" : ":" + two(m)}`;
}

export class DateTimeFormat {
  #locale: string;
  #data: DateData;
  #key: string;
  #o: Record<string, any> = {};
  #zone: string;
  #pattern: string;
  #nu: string;
  #tag: string;
  #format: ((d?: any) => string) | undefined;
  constructor(tags?: unknown, o?: any, needs: "date" | "time" | "any" = "any", defaults: "date" | "time" | "all" = "date") {
    if (o === null) throw new NativeTypeError("Cannot convert undefined or null to object");
    optionsOf("DateTimeFormat", o);
    let asked: string;
    ({ locale: this.#locale, data: this.#data, key: this.#key, asked } = choose(tags, dates, "date formats"));
    this.#nu = numbering(asked, o);
    const r = this.#o;
    this.#zone = o?.timeZone === undefined ? "UTC" : zoneAt(`${o.timeZone}`, 0)[0];
    const calendar = o?.calendar !== undefined ? `${o.calendar}` : keyword(asked, "ca"), kinds = ["buddhist", "chinese", "coptic", "dangi", "ethioaa", "ethiopic", "hebrew", "indian", "islamic", "islamic-civil", "islamic-rgsa", "islamic-tbla", "islamic-umalqura", "iso8601", "japanese", "persian", "roc"];
    if (calendar !== undefined && !/^[A-Za-z0-9]{3,8}(?:-[A-Za-z0-9]{3,8})*$/.test(calendar)) throw new NativeRangeError(`Invalid calendar : ${calendar}`);
    if (calendar !== undefined && kinds.includes(calendar.toLowerCase())) throw new NativeRangeError(`Intl.DateTimeFormat: the calendar "${calendar}" is not available here.`);
    const kept = [["ca", o?.calendar === undefined && calendar === "gregory" ? "gregory" : undefined], ["hc", o?.hour12 === undefined && o?.hourCycle === undefined ? keyword(asked, "hc") : undefined], ["nu", keyword(asked, "nu") === this.#nu ? this.#nu : undefined]].filter(([, v]) => v !== undefined && v !== "").map(([k, v]) => `${k}-${v}`);
    this.#tag = kept.length > 0 && asked.includes("-u-") ? `${this.#locale}-u-${kept.join("-")}` : this.#locale;
    option(o, "formatMatcher", ["basic", "best fit"]);
    r.weekday = option(o, "weekday", texts);
    r.era = option(o, "era", texts);
    r.year = option(o, "year", forms);
    r.month = option(o, "month", [...forms, ...texts]);
    r.day = option(o, "day", forms);
    r.dayPeriod = option(o, "dayPeriod", texts);
    r.hour = option(o, "hour", forms);
    r.minute = option(o, "minute", forms);
    r.second = option(o, "second", forms);
    r.fractionalSecondDigits = whole(o, "fractionalSecondDigits", 1, 3);
    r.timeZoneName = option(o, "timeZoneName", ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"]);
    const styles = ["full", "long", "medium", "short"] as const;
    r.dateStyle = option(o, "dateStyle", styles);
    r.timeStyle = option(o, "timeStyle", styles);
    const hour12 = o?.hour12, own = keyword(asked, "hc"), cycle = option(o, "hourCycle", ["h11", "h12", "h23", "h24"]) ?? (own !== undefined && /^h(?:11|12|23|24)$/.test(own) ? own : undefined);
    const twelve: boolean = hour12 !== undefined ? !!hour12 : cycle !== undefined ? cycle === "h12" || cycle === "h11" : this.#data.hour12;
    const hasDate = r.weekday ?? r.year ?? r.month ?? r.day, hasTime = r.dayPeriod ?? r.hour ?? r.minute ?? r.second ?? r.fractionalSecondDigits;
    if (r.dateStyle !== undefined || r.timeStyle !== undefined) {
      if (hasDate !== undefined || hasTime !== undefined || r.timeZoneName !== undefined) throw new NativeTypeError(`Can't set option ${["weekday", "era", "year", "month", "day", "dayPeriod", "hour", "minute", "second", "fractionalSecondDigits", "timeZoneName"].find((k) => r[k] !== undefined)} when ${r.dateStyle !== undefined ? "dateStyle" : "timeStyle"} is used`);
      if (needs === "date" && r.timeStyle !== undefined || needs === "time" && r.dateStyle !== undefined) throw new NativeTypeError(`Invalid option : ${needs === "date" ? "timeStyle" : "dateStyle"}`);
    } else if (!((needs === "date" || needs === "any") && hasDate !== undefined || (needs === "time" || needs === "any") && hasTime !== undefined)) {
      if (defaults !== "time") r.year = r.month = r.day = "numeric";
      if (defaults !== "date") r.hour = r.minute = r.second = "numeric";
    }
    if (r.hour !== undefined || r.timeStyle !== undefined) {
      r.hourCycle = cycle !== undefined && hour12 === undefined ? cycle : twelve ? "h12" : "h23";
      r.hour12 = r.hourCycle === "h12" || r.hourCycle === "h11";
    }
    this.#pattern = this.#build();
    const english = this.#key === "en" || /^en-/.test(this.#key), narrowed = r.month === "narrow" || r.weekday === "narrow";
    if (!english) {
      if (/z/.test(this.#pattern) && r.timeZoneName !== "shortOffset" && r.timeZoneName !== "longOffset" && !(r.timeStyle === "long" && this.#zone === "UTC" && this.#key !== "zh")) note(`Intl has no names of time zones in "${this.#key}" here: English ones and offsets stand in.`);
      if (r.dayPeriod !== undefined) note(`Intl has no day periods of "${this.#key}" here: the halves of the day stand in.`);
      if (r.era !== undefined && this.#key !== "de" && this.#key !== "fr" && this.#key !== "es" && this.#key !== "it" && this.#key !== "pt" && this.#key !== "nl" || narrowed && (this.#key === "ja" || this.#key === "zh")) note(`Intl may put these fields in another order here than "${this.#key}" has them.`);
    } else if (r.timeZoneName !== undefined && /Generic$/.test(r.timeZoneName)) note("Intl has no generic names of time zones here: those of the time stand in.");
  }
  get format(): (d?: any) => string {
    return (this.#format ??= (d?: any) => join(this.#parts(d)));
  }
  formatToParts(d?: any): Part[] { return this.#parts(d); }
  formatRange(a: any, b: any): string { return join(this.formatRangeToParts(a, b)); }
  formatRangeToParts(a: any, b: any): Part[] {
    if (a === undefined || b === undefined) throw new NativeTypeError("startDate or endDate cannot be undefined");
    const x = this.#parts(a), y = this.#parts(b), from = (parts: Part[], source: string) => parts.map((p) => ({ ...p, source }));
    if (join(x) === join(y)) return from(x, "shared");
    if (this.#key !== "en" || !/^M\/d\/yy?$/.test(this.#pattern)) note("Intl.DateTimeFormat writes both ends of a range in full here.");
    return [...from(x, "startRange"), { type: "literal", value: " – ", source: "shared" } as Part, ...from(y, "endRange")];
  }
  resolvedOptions(): Record<string, any> {
    const out: Record<string, any> = { locale: this.#tag, calendar: "gregory", numberingSystem: this.#nu, timeZone: this.#zone };
    for (const k of ["hourCycle", "hour12", "weekday", "era", "year", "month", "day", "dayPeriod", "hour", "minute", "second", "fractionalSecondDigits", "timeZoneName", "dateStyle", "timeStyle"]) if (this.#o[k] !== undefined) out[k] = this.#o[k];
    return out;
  }
  static supportedLocalesOf(tags: unknown, o: any = undefined): string[] { return supported("DateTimeFormat", tags, o, dates); }

  /** The pattern: letters are fields, text is between quotes. */
  #build(): string {
    const o = this.#o, d = this.#data, styles = ["full", "long", "medium", "short"];
    // Hours of one digit; the half of the day before them.
    const single = this.#key === "es" || this.#key === "ja", before = this.#key === "ja" || this.#key === "zh" ? "a" : "";
    if (o.dateStyle !== undefined || o.timeStyle !== undefined) {
      let date = "", time = "";
      if (o.dateStyle !== undefined) date = d.styles[styles.indexOf(o.dateStyle)].replace(/\bde\b/g, "'de'");
      if (o.timeStyle !== undefined) {
        time = (o.hour12 ? before + "h" : single ? "h" : "hh") + ":mm" + (o.timeStyle === "short" ? "" : ":ss") + (o.hour12 && before === "" ? " a" : "") + (o.timeStyle === "full" ? " zzzz" : o.timeStyle === "long" ? " z" : "");
      }
      const wide = o.dateStyle === "full" || o.dateStyle === "long";
      if (date === "" || time === "") return date + time;
      const between = this.#key === "es" && o.dateStyle === "long" ? " a las " : this.#key === "fr" && o.dateStyle === "medium" ? ", " : d.join[wide ? 0 : 1];
      return `${date}'${between}'${time}`;
    }
    const named = o.month !== undefined && o.month !== "numeric" && o.month !== "2-digit";
    const month = o.month === undefined ? "" : o.month === "numeric" ? "M" : o.month === "2-digit" ? "MM" : o.month === "long" ? "MMMM" : o.month === "short" ? "MMM" : "MMMMM";
    const day = o.day === "2-digit" ? "dd" : "d", year = o.year === "2-digit" ? "yy" : "y";
    let date = "";
    if (o.month !== undefined && (o.day !== undefined || o.year !== undefined)) {
      let p = (named ? d.text : d.numeric)[o.day === undefined ? 2 : o.year === undefined ? 1 : 0];
      if (named && this.#key === "es" && o.month === "long") p = ["d 'de' M 'de' y", "d 'de' M", "M 'de' y"][o.day === undefined ? 2 : o.year === undefined ? 1 : 0];
      // A 2-digit month or day in any locale is padded; so is either beside the other where the locale pads.
      date = p.replace(/d+/, (s) => (o.day === "2-digit" ? "dd" : named ? day : s)).replace(/M+/, (s) => (named || o.month === "2-digit" ? month : s)).replace(/y/, year);
      if (named && this.#key === "zh") date = p.replace(/d+/, o.day === "2-digit" ? "dd" : "d").replace(/y/, year);
      // The d of 'de' is text.
      if (this.#key === "pt") p = p.replace(/\bde\b/g, "'de'");
      if (this.#key === "es" || (this.#key === "pt" && named)) date = p.split(/('de')/).map((x) => (x === "'de'" ? x : x.replace(/d+/, o.day === "2-digit" ? "dd" : "d").replace(/M+/, month).replace(/y/, year))).join("");
    } else {
      if (o.month !== undefined) date = month;
      if (o.day !== undefined) date = o.year === undefined ? day : `${day} ${year}`;
      else if (o.year !== undefined) date = year;
    }
    if (o.era !== undefined) date += "G";
    if (d.alone !== undefined && d.alone[date[0] as "y"] !== "" && (date === "y" || date === "yy" || date === "d" || date === "dd" || /^M+$/.test(date))) date += `'${d.alone[date[0] as "y"]}'`;
    if (o.weekday !== undefined && d.after !== undefined && date !== "") {
      const e = o.weekday === "long" ? "EEEE" : o.weekday === "short" ? "EEE" : "EEEEE";
      const long = o.weekday === "long" && o.month !== "numeric" && o.month !== "2-digit";
      date += long || d.after[1] === "" ? e : d.after[1].replace("#", () => e);
    } else if (o.weekday !== undefined) {
      const e = o.weekday === "long" ? "EEEE" : o.weekday === "short" ? "EEE" : "EEEEE";
      if (date === "") date = e;
      else if (o.day !== undefined && o.month === undefined) date = this.#key === "en" ? `${date} ${e}` : `${e}${this.#key === "de" ? ", " : " "}${date}`;
      else if (o.day === undefined) date = `${date} ${e}`;
      else if (named && (this.#key === "sv" || this.#key === "en-AU" && (o.weekday === "long" || o.month === "long"))) date = `${e} ${date}`;
      else date = `${e}${d.weekday[o.year === undefined ? 0 : 1]}${date}`;
    }
    let time = "";
    if (o.hour !== undefined) {
      const alone = o.minute === undefined && o.second === undefined, pad = o.hour === "2-digit" || !(o.hour12 || single || (alone && "it ru uk zh".includes(this.#key)));
      time = (o.hour12 ? before : "") + (pad ? "hh" : "h");
      if (o.minute !== undefined) time += ":mm";
      if (o.second !== undefined) time += ":ss";
      if (o.fractionalSecondDigits !== undefined) time += this.#dot() + "S";
      if (o.minute === undefined && !o.hour12) time += this.#key === "de" ? " 'Uhr'" : this.#key === "fr" ? " 'h'" : d.alone !== undefined ? `'${d.alone.h}'` : "";
      if (o.hour12) time += before === "" ? " a" : alone ? `'${d.alone!.h}'` : "";
    } else if (o.minute !== undefined || o.second !== undefined) {
      time = o.minute !== undefined && o.second !== undefined ? "mm:ss" : o.minute !== undefined ? "m" : "s";
      if (o.fractionalSecondDigits !== undefined && o.second !== undefined) time += this.#dot() + "S";
    } else if (o.fractionalSecondDigits !== undefined) time = "S";
    if (o.timeZoneName !== undefined) {
      const z = ({ short: "z", long: "zzzz", shortOffset: "zz", longOffset: "zzz", shortGeneric: "z", longGeneric: "zzzz" } as Record<string, string>)[o.timeZoneName];
      time = time === "" ? z : `${time} ${z}`;
    }
    // Words for parts of the day, where they are known, instead of its halves.
    if (o.dayPeriod !== undefined && o.hour12 !== false) {
      if (this.#key !== "en" && !this.#key.startsWith("en-")) time = time === "" ? "a" : time;
      else time = time === "" ? "B" : time.replace(/ a\b/, " B");
    }
    if (date === "" || time === "") return date + time;
    const wide = o.month === "long" && o.day !== undefined, between = o.weekday !== undefined && o.day === undefined && o.month === undefined && this.#key === "en" ? " " : this.#key === "es" && wide ? " a las " : this.#key === "fr" && o.month === "short" ? ", " : d.join[wide ? 0 : 1];
    return `${date}'${between}'${time}`;
  }
  #dot(): string { return this.#data.hour12 || this.#key === "en-GB" ? "." : ","; }

  #parts(value?: any): Part[] {
    const ms = value === undefined ? NativeDate.now() : isDate(value) ? DateGetTime(value) : +value;
    if (!(Math.abs(ms) <= 8.64e15)) throw new NativeRangeError("Invalid time value");
    const [, offset, short] = zoneAt(this.#zone, ms), t = new NativeDate(ms + offset * 60000), d = this.#data, out: Part[] = [];
    const literal = (s: string) => {
      if (s === "") return;
      if (out.length > 0 && out[out.length - 1].type === "literal") out[out.length - 1].value += s;
      else out.push({ type: "literal", value: s });
    };
    const y = t.getUTCFullYear(), month = t.getUTCMonth(), h = t.getUTCHours();
    const cycle = this.#o.hourCycle, hour = cycle === "h12" && this.#key === "ja" && this.#pattern.includes("m") ? h % 12 : cycle === "h12" ? h % 12 || 12 : cycle === "h11" ? h % 12 : cycle === "h24" ? h || 24 : h;
    for (const m of this.#pattern.matchAll(/'([^']*)'|([EyMdhmsSaBzG])\2*|[^'EyMdhmsSaBzG]+/g)) {
      if (m[1] !== undefined || m[2] === undefined) {
        literal(m[1] ?? m[0]);
        continue;
      }
      const n = m[0].length;
      let v = "";
      switch (m[2]) {
        case "E": v = n === 4 ? d.days[t.getUTCDay()] : n === 5 ? d.days[t.getUTCDay()][0].toUpperCase() : (this.#pattern === "EEE" ? d.dayAlone ?? d.dayShort : d.dayShort)[t.getUTCDay()]; break;
        case "y": v = n === 2 ? two(((y % 100) + 100) % 100) : `${y <= 0 ? 1 - y : y}`; break;
        case "M": v = n === 1 ? `${month + 1}` : n === 2 ? two(month + 1) : n === 3 ? (this.#pattern === "MMM" ? d.shortAlone ?? d.short : d.short)[month] : n === 4 ? (d.nominative !== undefined && !this.#pattern.includes("d") ? d.nominative : d.months)[month] : d.months[month][0].toUpperCase(); break;
        case "d": v = n === 2 ? two(t.getUTCDate()) : `${t.getUTCDate()}`; break;
        case "h": v = n === 2 ? two(hour) : `${hour}`; break;
        case "m": v = n === 2 ? two(t.getUTCMinutes()) : `${t.getUTCMinutes()}`; break;
        case "s": v = n === 2 ? two(t.getUTCSeconds()) : `${t.getUTCSeconds()}`; break;
        case "S": v = `${t.getUTCMilliseconds()}`.padStart(3, "0").slice(0, this.#o.fractionalSecondDigits); break;
        case "B": v = h < 12 ? "in the morning" : h === 12 && !(this.#pattern.includes("m") && t.getUTCMinutes() > 0) ? "noon" : h < 18 ? "in the afternoon" : h < 21 ? "in the evening" : "at night"; break;
        case "a": v = d.ampm[h < 12 ? 0 : 1]; break;
        case "G":
          literal(d.era[0]);
          v = y <= 0 && d.era === " AD" ? "BC" : d.era.slice(1);
          break;
        case "z":
          if (n === 2 || n === 3) v = offsetText(offset, n === 3);
          else if (n === 4) {
            if (zones[short] === undefined) note(`Intl has no name of the time zone "${this.#zone}" here: its offset stands in.`);
            v = zones[short] !== undefined ? zones[short][0] : offsetText(offset, true);
          } else if (this.#key !== "en" && /^(?:CES?T|EES?T|WES?T|BST|IST)$/.test(short)) {
            note(`Intl has no short names of time zones in "${this.#key}" here: offsets stand in.`);
            v = offsetText(offset, false);
          } else v = abbreviated.includes(short) && (short === "UTC" || this.#key === "en" || this.#key === "en-CA") ? short : offsetText(offset, false);
          break;
      }
      out.push({ type: fieldNames[m[2]], value: digitsIn(this.#nu, v) });
    }
    return out;
  }
}
