// What Intl knows of languages here. A locale that is not listed is answered in
// en-US, as ECMA-402 has it for locales that an engine lacks.

/** Numbers: decimal mark, group mark, digits below which no group is made, percent and money patterns. */
export type NumberData = { decimal: string; group: string; least: number; percent: string; money: string; dollar: string };
const n = (decimal: string, group: string, money: string, percent = "#%", least = 1, dollar = "US$"): NumberData => ({ decimal, group, least, percent, money, dollar });
export const numbers: Record<string, NumberData> = {
  __proto__: null as any,
  en: n(".", ",", "¤#", "#%", 1, "$"), "en-GB": n(".", ",", "¤#"), "en-IN": n(".", ",", "¤#", "#%", 1, "$"),
  de: n(",", ".", "#\xa0¤", "#\xa0%", 1, "$"), "de-AT": n(",", "\xa0", "¤\xa0#", "#\xa0%", 1, "$"), "de-CH": n(".", "’", "¤\xa0#", "#%", 1, "$"),
  fr: n(",", "\u202f", "#\xa0¤", "#\u202f%", 1, "$US"), "fr-CA": n(",", "\xa0", "#\xa0¤", "#\xa0%", 1, "$\xa0US"), "fr-CH": n(",", "\u202f", "#\xa0¤", "#%", 1, "$US"),
  es: n(",", ".", "#\xa0¤", "#\xa0%", 2), it: n(",", ".", "#\xa0¤", "#%", 2, "USD"), pt: n(",", ".", "¤\xa0#"), "pt-PT": n(",", "\xa0", "#\xa0¤", "#%", 2),
  nl: n(",", ".", "¤\xa0#"), sv: n(",", "\xa0", "#\xa0¤", "#\xa0%"), da: n(",", ".", "#\xa0¤", "#\xa0%"), nb: n(",", "\xa0", "#\xa0¤", "#\xa0%", 1, "USD"),
  fi: n(",", "\xa0", "#\xa0¤", "#\xa0%", 1, "$"), pl: n(",", "\xa0", "#\xa0¤", "#%", 2, "USD"), cs: n(",", "\xa0", "#\xa0¤", "#\xa0%"), tr: n(",", ".", "¤#", "%#", 1, "$"),
  ru: n(",", "\xa0", "#\xa0¤", "#\xa0%", 1, "$"), uk: n(",", "\xa0", "#\xa0¤", "#%", 1, "USD"),
  ja: n(".", ",", "¤#", "#%", 1, "$"), zh: n(".", ",", "¤#"), ko: n(".", ",", "¤#"), hi: n(".", ",", "¤#", "#%", 1, "$"),
};
/** Locales whose groups are of two digits above the first three. */
export const indian = ["en-IN", "hi"];
/** Locales that write U+2212 for minus. */
export const trueMinus = ["sv", "nb", "fi"];

/** Currency marks that all listed locales share, and digits where there are not two. */
export const symbols: Record<string, string> = { __proto__: null as any, EUR: "€", GBP: "£", JPY: "¥", INR: "₹", KRW: "₩", CNY: "CN¥", BRL: "R$", CAD: "CA$", AUD: "A$", MXN: "MX$", NZD: "NZ$", ILS: "₪", VND: "₫", TWD: "NT$", HKD: "HK$", PHP: "₱", XAF: "FCFA", XOF: "F\u202fCFA" };
export const narrow: Record<string, string> = { __proto__: null as any, USD: "$", CNY: "¥", CAD: "$", AUD: "$", MXN: "$", NZD: "$", TWD: "$", HKD: "$", RUB: "₽", TRY: "₺", UAH: "₴", PLN: "zł", CZK: "Kč", SEK: "kr", NOK: "kr", DKK: "kr", SGD: "$", THB: "฿", HUF: "Ft", NGN: "₦", ZAR: "R" };
export const moneyDigits: Record<string, number> = { __proto__: null as any, JPY: 0, KRW: 0, VND: 0, CLP: 0, ISK: 0, PYG: 0, UGX: 0, XAF: 0, XOF: 0, XPF: 0, BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3 };
/** English names of currencies: one and other. */
export const moneyNames: Record<string, [string, string, string]> = {
  __proto__: null as any,
  USD: ["US Dollar", "US dollar", "US dollars"], EUR: ["Euro", "euro", "euros"], GBP: ["British Pound", "British pound", "British pounds"], JPY: ["Japanese Yen", "Japanese yen", "Japanese yen"],
  CHF: ["Swiss Franc", "Swiss franc", "Swiss francs"], CAD: ["Canadian Dollar", "Canadian dollar", "Canadian dollars"], AUD: ["Australian Dollar", "Australian dollar", "Australian dollars"],
  INR: ["Indian Rupee", "Indian rupee", "Indian rupees"], CNY: ["Chinese Yuan", "Chinese yuan", "Chinese yuan"], BRL: ["Brazilian Real", "Brazilian real", "Brazilian reals"],
  SEK: ["Swedish Krona", "Swedish krona", "Swedish kronor"], NOK: ["Norwegian Krone", "Norwegian krone", "Norwegian kroner"], DKK: ["Danish Krone", "Danish krone", "Danish kroner"],
  PLN: ["Polish Zloty", "Polish zloty", "Polish zlotys"], MXN: ["Mexican Peso", "Mexican peso", "Mexican pesos"], KRW: ["South Korean Won", "South Korean won", "South Korean won"],
};

/** Units in English: short and narrow behind the number, then long for one and other. */
const u = (short: string, narrowForm: string, one: string, other = one + "s", shorts = short) => [short, shorts, narrowForm, one, other];
export const units: Record<string, string[]> = {
  __proto__: null as any,
  bit: u(" bit", "bit", "bit"), byte: u(" byte", "B", "byte"), kilobyte: u(" kB", "kB", "kilobyte"), megabyte: u(" MB", "MB", "megabyte"), gigabyte: u(" GB", "GB", "gigabyte"), terabyte: u(" TB", "TB", "terabyte"), petabyte: u(" PB", "PB", "petabyte"),
  kilobit: u(" kb", "kb", "kilobit"), megabit: u(" Mb", "Mb", "megabit"), gigabit: u(" Gb", "Gb", "gigabit"),
  millisecond: u(" ms", "ms", "millisecond"), microsecond: u(" μs", "μs", "microsecond"), nanosecond: u(" ns", "ns", "nanosecond"), second: u(" sec", "s", "second"), minute: u(" min", "m", "minute"), hour: u(" hr", "h", "hour"),
  day: u(" day", "d", "day", "days", " days"), week: u(" wk", "w", "week", "weeks", " wks"), month: u(" mth", "m", "month", "months", " mths"), year: u(" yr", "y", "year", "years", " yrs"),
  meter: u(" m", "m", "meter"), kilometer: u(" km", "km", "kilometer"), centimeter: u(" cm", "cm", "centimeter"), millimeter: u(" mm", "mm", "millimeter"), mile: u(" mi", "mi", "mile"), foot: u(" ft", "′", "foot", "feet"), inch: u(" in", "″", "inch", "inches"), yard: u(" yd", "yd", "yard"),
  gram: u(" g", "g", "gram"), kilogram: u(" kg", "kg", "kilogram"), pound: u(" lb", "#", "pound"), ounce: u(" oz", "oz", "ounce"), stone: u(" st", "st", "stone", "stones"),
  liter: u(" L", "L", "liter"), milliliter: u(" mL", "mL", "milliliter"), gallon: u(" gal", "gal", "gallon"), celsius: u("°C", "°C", "degree Celsius", "degrees Celsius"), fahrenheit: u("°F", "°", "degree Fahrenheit", "degrees Fahrenheit"), degree: u(" deg", "°", "degree"), percent: u("%", "%", "percent", "percent"),
  hectare: u(" ha", "ha", "hectare"), acre: u(" ac", "ac", "acre"),
};

/** Dates. Patterns: each letter run is a field, the rest is as it is. */
export type DateData = {
  months: string[]; short: string[]; days: string[]; dayShort: string[]; ampm: [string, string]; hour12: boolean; era: string;
  /** full, long, medium, short */ styles: [string, string, string, string];
  /** what stands between date and time: long styles, others */ join: [string, string];
  /** numeric, with month's name: y M d; M d; y M */ numeric: [string, string, string]; text: [string, string, string];
  /** a weekday in front of: text, numeric */ weekday: [string, string];
};
const list = (s: string) => s.split(" ");
const enMonths = list("January February March April May June July August September October November December"), enShort = list("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec");
const enDays = list("Sunday Monday Tuesday Wednesday Thursday Friday Saturday");
export const dates: Record<string, DateData> = {
  __proto__: null as any,
  en: {
    months: enMonths, short: enShort, days: enDays, dayShort: list("Sun Mon Tue Wed Thu Fri Sat"), ampm: ["AM", "PM"], hour12: true, era: " AD",
    styles: ["EEEE, MMMM d, y", "MMMM d, y", "MMM d, y", "M/d/yy"], join: [" at ", ", "], numeric: ["M/d/y", "M/d", "M/y"], text: ["M d, y", "M d", "M y"], weekday: [", ", ", "],
  },
  "en-GB": {
    months: enMonths, short: [...enShort.slice(0, 8), "Sept", ...enShort.slice(9)], days: enDays, dayShort: list("Sun Mon Tue Wed Thu Fri Sat"), ampm: ["am", "pm"], hour12: false, era: " AD",
    styles: ["EEEE, d MMMM y", "d MMMM y", "d MMM y", "dd/MM/y"], join: [" at ", ", "], numeric: ["dd/MM/y", "dd/MM", "MM/y"], text: ["d M y", "d M", "M y"], weekday: [" ", ", "],
  },
  de: {
    months: list("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"), short: list("Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."),
    days: list("Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag"), dayShort: list("So. Mo. Di. Mi. Do. Fr. Sa."), ampm: ["AM", "PM"], hour12: false, era: " n. Chr.",
    styles: ["EEEE, d. MMMM y", "d. MMMM y", "dd.MM.y", "dd.MM.yy"], join: [" um ", ", "], numeric: ["d.M.y", "d.M.", "M/y"], text: ["d. M y", "d. M", "M y"], weekday: [", ", ", "],
  },
  fr: {
    months: list("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"), short: list("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
    days: list("dimanche lundi mardi mercredi jeudi vendredi samedi"), dayShort: list("dim. lun. mar. mer. jeu. ven. sam."), ampm: ["AM", "PM"], hour12: false, era: " ap. J.-C.",
    styles: ["EEEE d MMMM y", "d MMMM y", "d MMM y", "dd/MM/y"], join: [" à ", " "], numeric: ["dd/MM/y", "dd/MM", "MM/y"], text: ["d M y", "d M", "M y"], weekday: [" ", " "],
  },
  es: {
    months: list("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"), short: list("ene feb mar abr may jun jul ago sept oct nov dic"),
    days: list("domingo lunes martes miércoles jueves viernes sábado"), dayShort: list("dom lun mar mié jue vie sáb"), ampm: ["a.\xa0m.", "p.\xa0m."], hour12: false, era: " d. C.",
    styles: ["EEEE, d de MMMM de y", "d de MMMM de y", "d MMM y", "d/M/yy"], join: [", ", ", "], numeric: ["d/M/y", "d/M", "M/y"], text: ["d M y", "d M", "M y"], weekday: [", ", ", "],
  },
};

/** "and" and "or" of lists. */
export const words: Record<string, [string, string]> = { __proto__: null as any, en: ["and", "or"], de: ["und", "oder"], fr: ["et", "ou"], es: ["y", "o"], it: ["e", "o"], pt: ["e", "ou"], nl: ["en", "of"], sv: ["och", "eller"], da: ["og", "eller"], nb: ["og", "eller"] };
/** Long names of time zones in English: standard and daylight. */
export const zones: Record<string, [string, string?]> = {
  __proto__: null as any,
  UTC: ["Coordinated Universal Time"], GMT: ["Greenwich Mean Time"], EST: ["Eastern Standard Time"], EDT: ["Eastern Daylight Time"], CST: ["Central Standard Time"], CDT: ["Central Daylight Time"],
  MST: ["Mountain Standard Time"], MDT: ["Mountain Daylight Time"], PST: ["Pacific Standard Time"], PDT: ["Pacific Daylight Time"], AKST: ["Alaska Standard Time"], AKDT: ["Alaska Daylight Time"], HST: ["Hawaii-Aleutian Standard Time"],
  CET: ["Central European Standard Time"], CEST: ["Central European Summer Time"], EET: ["Eastern European Standard Time"], EEST: ["Eastern European Summer Time"], WET: ["Western European Standard Time"], WEST: ["Western European Summer Time"], BST: ["British Summer Time"], JST: ["Japan Standard Time"], IST: ["India Standard Time"],
};
/** Abbreviations that en-US uses; other zones are shown by their offset. */
export const abbreviated = list("UTC EST EDT CST CDT MST MDT PST PDT AKST AKDT HST");
