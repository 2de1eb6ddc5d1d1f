// What Intl knows of languages here. A locale that is not listed is answered in
// en-US, as ECMA-402 has it for locales that an engine lacks.

/** Numbers: decimal mark, group mark, digits below which no group is made, percent and money patterns. */
export type NumberData = { decimal: string; group: string; least: number; percent: string; money: string; moneyDecimal?: string; moneyGroup?: string };
const n = (decimal: string, group: string, money: string, percent = "#%", least = 1): NumberData => ({ decimal, group, least, percent, money });
export const numbers: Record<string, NumberData> = {
  __proto__: null as any,
  en: n(".", ",", "¤#", "#%", 1), "en-GB": n(".", ",", "¤#"), "en-IN": n(".", ",", "¤#", "#%", 1),
  de: n(",", ".", "#\xa0¤", "#\xa0%", 1), "de-AT": n(",", "\xa0", "¤\xa0#", "#\xa0%", 1), "de-CH": n(".", "'", "¤\xa0#", "#%", 1),
  fr: n(",", "\u202f", "#\xa0¤", "#\xa0%"), "fr-CA": n(",", "\xa0", "#\xa0¤", "#\xa0%", 1), "fr-CH": n(",", "\u202f", "#\xa0¤", "#%", 1),
  es: n(",", ".", "#\xa0¤", "#\xa0%", 2), it: n(",", ".", "#\xa0¤", "#%", 2), pt: n(",", ".", "¤\xa0#"), "pt-PT": n(",", "\xa0", "#\xa0¤", "#%", 2),
  nl: n(",", ".", "¤\xa0#"), sv: n(",", "\xa0", "#\xa0¤", "#\xa0%"), da: n(",", ".", "#\xa0¤", "#\xa0%"), nb: n(",", "\xa0", "#\xa0¤", "#\xa0%", 1),
  fi: n(",", "\xa0", "#\xa0¤", "#\xa0%", 1), pl: n(",", "\xa0", "#\xa0¤", "#%", 2), cs: n(",", "\xa0", "#\xa0¤", "#\xa0%"), tr: n(",", ".", "¤#", "%#", 1),
  ru: n(",", "\xa0", "#\xa0¤", "#\xa0%", 1), uk: n(",", "\xa0", "#\xa0¤", "#%", 1),
  ja: n(".", ",", "¤#", "#%", 1), zh: n(".", ",", "¤#"), ko: n(".", ",", "¤#"), hi: n(".", ",", "¤#", "#%", 1),
};
/** Locales whose groups are of two digits above the first three. */
export const indian = ["en-IN", "hi"];
/** Locales that write U+2212 for minus. */
export const trueMinus = ["sv", "nb", "fi"];

/** Currency marks that all listed locales share, and digits where there are not two. */
export const symbols: Record<string, string> = { __proto__: null as any, AUD: "A$", BRL: "R$", CAD: "CA$", CNY: "CN¥", EUR: "€", GBP: "£", HKD: "HK$", ILS: "₪", INR: "₹", JPY: "¥", KRW: "₩", MXN: "MX$", NZD: "NZ$", PHP: "₱", TWD: "NT$", USD: "$", VND: "₫", XAF: "FCFA", XCD: "EC$", XOF: "F\u202fCFA", XPF: "CFPF" };
export const narrow: Record<string, string> = { __proto__: null as any, AFN: "؋", AMD: "֏", AOA: "Kz", ARS: "$", AUD: "$", AZN: "₼", BAM: "KM", BBD: "$", BDT: "৳", BMD: "$", BND: "$", BOB: "Bs", BSD: "$", BWP: "P", BZD: "$", CAD: "$", CLP: "$", CNY: "¥", COP: "$", CRC: "₡", CUC: "$", CUP: "$", CZK: "Kč", DKK: "kr", DOP: "$", EGP: "E£", FJD: "$", FKP: "£", GEL: "₾", GHS: "GH₵", GIP: "£", GNF: "FG", GTQ: "Q", GYD: "$", HKD: "$", HNL: "L", HRK: "kn", HUF: "Ft", IDR: "Rp", ISK: "kr", JMD: "$", KGS: "⃀", KHR: "៛", KMF: "CF", KPW: "₩", KYD: "$", KZT: "₸", LAK: "₭", LBP: "L£", LKR: "Rs", LRD: "$", MGA: "Ar", MMK: "K", MNT: "₮", MUR: "Rs", MXN: "$", MYR: "RM", NAD: "$", NGN: "₦", NIO: "C$", NOK: "kr", NPR: "Rs", NZD: "$", PKR: "Rs", PLN: "zł", PYG: "₲", RON: "lei", RUB: "₽", RWF: "RF", SBD: "$", SEK: "kr", SGD: "$", SHP: "£", SRD: "$", SSP: "£", STN: "Db", SYP: "£", THB: "฿", TOP: "T$", TRY: "₺", TTD: "$", TWD: "$", UAH: "₴", UYU: "$", XCD: "$", ZAR: "R", ZMW: "ZK" };
export const moneyDigits: Record<string, number> = { __proto__: null as any, ADP: 0, AFN: 0, ALL: 0, BIF: 0, BYR: 0, CLP: 0, COP: 0, DJF: 0, ESP: 0, GNF: 0, HUF: 0, IDR: 0, IQD: 0, IRR: 0, ISK: 0, ITL: 0, JPY: 0, KMF: 0, KPW: 0, KRW: 0, LAK: 0, LBP: 0, LUF: 0, MGA: 0, MGF: 0, MMK: 0, MRO: 0, PKR: 0, PYG: 0, RSD: 0, RWF: 0, SLL: 0, SOS: 0, STD: 0, SYP: 0, TMM: 0, TRL: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0, YER: 0, ZMK: 0, ZWD: 0, BHD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3, CLF: 4, UYW: 4 };
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
  /** months that stand without a day, where they differ */ nominative?: string[];
  /** short months and days that stand alone, where they differ */ shortAlone?: string[]; dayAlone?: string[];
  /** what follows a field that stands alone */ alone?: { y: string; M: string; d: string; h: string };
  /** a weekday that comes last: long, short */ after?: [string, string];
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
    styles: ["EEEE, d. MMMM y", "d. MMMM y", "dd.MM.y", "dd.MM.yy"], join: [" um ", ", "], numeric: ["d.M.y", "d.M.", "M/y"], text: ["d. M y", "d. M", "M y"], weekday: [", ", ", "], shortAlone: list("Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez"), dayAlone: list("So Mo Di Mi Do Fr Sa"),
  },
  fr: {
    months: list("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"), short: list("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
    days: list("dimanche lundi mardi mercredi jeudi vendredi samedi"), dayShort: list("dim. lun. mar. mer. jeu. ven. sam."), ampm: ["AM", "PM"], hour12: false, era: " ap. J.-C.",
    styles: ["EEEE d MMMM y", "d MMMM y", "d MMM y", "dd/MM/y"], join: [" à ", " "], numeric: ["dd/MM/y", "dd/MM", "MM/y"], text: ["d M y", "d M", "M y"], weekday: [" ", " "],
  },
  es: {
    months: list("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"), short: list("ene feb mar abr may jun jul ago sept oct nov dic"),
    days: list("domingo lunes martes miércoles jueves viernes sábado"), dayShort: list("dom lun mar mié jue vie sáb"), ampm: ["a. m.", "p. m."], hour12: false, era: " d. C.",
    styles: ["EEEE, d de MMMM de y", "d de MMMM de y", "d MMM y", "d/M/yy"], join: [", ", ", "], numeric: ["d/M/y", "d/M", "M/y"], text: ["d M y", "d M", "M y"], weekday: [", ", ", "],
  },
  it: {
    months: list("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"), short: list("gen feb mar apr mag giu lug ago set ott nov dic"),
    days: list("domenica lunedì martedì mercoledì giovedì venerdì sabato"), dayShort: list("dom lun mar mer gio ven sab"), ampm: ["AM", "PM"], hour12: false, era: " d.C.",
    styles: ["EEEE d MMMM y", "d MMMM y", "d MMM y", "dd/MM/yy"], join: [" alle ore ", ", "], numeric: ["dd/MM/y", "dd/MM", "MM/y"], text: ["d M y", "d M", "M y"], weekday: [" ", " "],
  },
  pt: {
    months: list("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro"), short: list("jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez."),
    days: list("domingo segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado"), dayShort: list("dom. seg. ter. qua. qui. sex. sáb."), ampm: ["AM", "PM"], hour12: false, era: " d.C.",
    styles: ["EEEE, d de MMMM de y", "d de MMMM de y", "d de MMM de y", "dd/MM/y"], join: [" às ", ", "], numeric: ["dd/MM/y", "dd/MM", "MM/y"], text: ["d de M de y", "d de M", "M de y"], weekday: [", ", ", "],
  },
  nl: {
    months: list("januari februari maart april mei juni juli augustus september oktober november december"), short: list("jan feb mrt apr mei jun jul aug sep okt nov dec"),
    days: list("zondag maandag dinsdag woensdag donderdag vrijdag zaterdag"), dayShort: list("zo ma di wo do vr za"), ampm: ["a.m.", "p.m."], hour12: false, era: " n.Chr.",
    styles: ["EEEE d MMMM y", "d MMMM y", "d MMM y", "dd-MM-y"], join: [" om ", ", "], numeric: ["d-M-y", "d-M", "M-y"], text: ["d M y", "d M", "M y"], weekday: [" ", " "],
  },
  sv: {
    months: list("januari februari mars april maj juni juli augusti september oktober november december"), short: list("jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec."),
    days: list("söndag måndag tisdag onsdag torsdag fredag lördag"), dayShort: list("sön mån tis ons tors fre lör"), ampm: ["fm", "em"], hour12: false, era: " e.Kr.",
    styles: ["EEEE d MMMM y", "d MMMM y", "d MMM y", "y-MM-dd"], join: [" kl. ", " "], numeric: ["y-MM-dd", "d/M", "y-MM"], text: ["d M y", "d M", "M y"], weekday: [" ", ", "],
  },
  nb: {
    months: list("januar februar mars april mai juni juli august september oktober november desember"), short: list("jan. feb. mars apr. mai juni juli aug. sep. okt. nov. des."),
    days: list("søndag mandag tirsdag onsdag torsdag fredag lørdag"), dayShort: list("søn. man. tir. ons. tor. fre. lør."), ampm: ["a.m.", "p.m."], hour12: false, era: " e.Kr.",
    styles: ["EEEE d. MMMM y", "d. MMMM y", "d. MMM y", "dd.MM.y"], join: [" kl. ", ", "], numeric: ["d.M.y", "d.M.", "M.y"], text: ["d. M y", "d. M", "M y"], weekday: [" ", " "], shortAlone: list("jan feb mar apr mai jun jul aug sep okt nov des"), alone: { y: "", M: "", d: ".", h: "" },
  },
  ja: {
    months: list("1 2 3 4 5 6 7 8 9 10 11 12"), short: list("1 2 3 4 5 6 7 8 9 10 11 12"),
    days: list("日曜日 月曜日 火曜日 水曜日 木曜日 金曜日 土曜日"), dayShort: list("日 月 火 水 木 金 土"), ampm: ["午前", "午後"], hour12: false, era: " 西暦",
    styles: ["y年M月d日EEEE", "y年M月d日", "y/MM/dd", "y/MM/dd"], join: [" ", " "], numeric: ["y/M/d", "M/d", "y/M"], text: ["y年M月d日", "M月d日", "y年M月"], weekday: ["", ""], alone: { y: "年", M: "月", d: "日", h: "時" }, after: ["", "(#)"],
  },
  zh: {
    months: list("一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月"), short: list("1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月"),
    days: list("星期日 星期一 星期二 星期三 星期四 星期五 星期六"), dayShort: list("周日 周一 周二 周三 周四 周五 周六"), ampm: ["上午", "下午"], hour12: false, era: " 公元",
    styles: ["y年M月d日EEEE", "y年M月d日", "y年M月d日", "y/M/d"], join: [" ", " "], numeric: ["y/M/d", "M/d", "y/M"], text: ["y年M月d日", "M月d日", "y年M月"], weekday: ["", ""], alone: { y: "年", M: "", d: "日", h: "时" }, after: ["", ""],
  },
  "en-CA": {
    months: list("January February March April May June July August September October November December"), short: list("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
    days: list("Sunday Monday Tuesday Wednesday Thursday Friday Saturday"), dayShort: list("Sun Mon Tue Wed Thu Fri Sat"), ampm: ["a.m.", "p.m."], hour12: true, era: " AD",
    styles: ["EEEE, MMMM d, y", "MMMM d, y", "MMM d, y", "y-MM-dd"], join: [" at ", ", "], numeric: ["y-MM-dd", "MM-dd", "y-MM"], text: ["M d, y", "M d", "M y"], weekday: [", ", ", "],
  },
  "en-AU": {
    months: list("January February March April May June July August September October November December"), short: list("Jan Feb Mar Apr May June July Aug Sept Oct Nov Dec"),
    days: list("Sunday Monday Tuesday Wednesday Thursday Friday Saturday"), dayShort: list("Sun Mon Tue Wed Thu Fri Sat"), ampm: ["am", "pm"], hour12: true, era: " AD",
    styles: ["EEEE, d MMMM y", "d MMMM y", "d MMM y", "d/M/yy"], join: [" at ", ", "], numeric: ["dd/MM/y", "d/M", "MM/y"], text: ["d M y", "d M", "M y"], weekday: [", ", ", "],
  },
  "en-IN": {
    months: list("January February March April May June July August September October November December"), short: list("Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec"),
    days: list("Sunday Monday Tuesday Wednesday Thursday Friday Saturday"), dayShort: list("Sun Mon Tue Wed Thu Fri Sat"), ampm: ["am", "pm"], hour12: true, era: " AD",
    styles: ["EEEE, d MMMM y", "d MMMM y", "d MMM y", "dd/MM/yy"], join: [" at ", ", "], numeric: ["d/M/y", "dd/MM", "MM/y"], text: ["d M y", "d M", "M y"], weekday: [", ", ", "],
  },
  "ru": {
    months: list("января февраля марта апреля мая июня июля августа сентября октября ноября декабря"), short: list("янв. февр. мар. апр. мая июн. июл. авг. сент. окт. нояб. дек."),
    days: list("воскресенье понедельник вторник среда четверг пятница суббота"), dayShort: list("вс пн вт ср чт пт сб"), ampm: ["AM", "PM"], hour12: false, era: " г. н. э.",
    styles: ["EEEE, d MMMM y г.", "d MMMM y г.", "d MMM y г.", "dd.MM.y"], join: [" в ", ", "], numeric: ["dd.MM.y", "dd.MM", "MM.y"], text: ["d M y г.", "d M", "M y г."], weekday: [", ", ", "], nominative: list("январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь"),
  },
  "pl": {
    months: list("stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"), short: list("sty lut mar kwi maj cze lip sie wrz paź lis gru"),
    days: list("niedziela poniedziałek wtorek środa czwartek piątek sobota"), dayShort: list("niedz. pon. wt. śr. czw. pt. sob."), ampm: ["AM", "PM"], hour12: false, era: " n.e.",
    styles: ["EEEE, d MMMM y", "d MMMM y", "d MMM y", "d.MM.y"], join: [" ", ", "], numeric: ["d.MM.y", "d.MM", "MM.y"], text: ["d M y", "d M", "M y"], weekday: [", ", ", "], nominative: list("styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień"),
  },
  "uk": {
    months: list("січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня"), short: list("січ. лют. бер. квіт. трав. черв. лип. серп. вер. жовт. лист. груд."),
    days: list("неділя понеділок вівторок середа четвер пʼятниця субота"), dayShort: list("нд пн вт ср чт пт сб"), ampm: ["дп", "пп"], hour12: false, era: " н. е.",
    styles: ["EEEE, d MMMM y р.", "d MMMM y р.", "d MMM y р.", "dd.MM.yy"], join: [" о ", ", "], numeric: ["dd.MM.y", "dd.MM", "MM.y"], text: ["d M y р.", "d M", "M y р."], weekday: [", ", ", "], nominative: list("січень лютий березень квітень травень червень липень серпень вересень жовтень листопад грудень"),
  },
};

/** Long names of time zones in English: standard and daylight. */
export const zones: Record<string, [string, string?]> = {
  __proto__: null as any,
  UTC: ["Coordinated Universal Time"], GMT: ["Greenwich Mean Time"], EST: ["Eastern Standard Time"], EDT: ["Eastern Daylight Time"], CST: ["Central Standard Time"], CDT: ["Central Daylight Time"],
  MST: ["Mountain Standard Time"], MDT: ["Mountain Daylight Time"], PST: ["Pacific Standard Time"], PDT: ["Pacific Daylight Time"], AKST: ["Alaska Standard Time"], AKDT: ["Alaska Daylight Time"], HST: ["Hawaii-Aleutian Standard Time"],
  CET: ["Central European Standard Time"], CEST: ["Central European Summer Time"], EET: ["Eastern European Standard Time"], EEST: ["Eastern European Summer Time"], WET: ["Western European Standard Time"], WEST: ["Western European Summer Time"], BST: ["British Summer Time"], JST: ["Japan Standard Time"], IST: ["India Standard Time"],
};
/** Abbreviations that en-US uses; other zones are shown by their offset. */
export const abbreviated = list("UTC EST EDT CST CDT MST MDT PST PDT AKST AKDT HST");
