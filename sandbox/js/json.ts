// JSON.parse and JSON.stringify with V8's words for what is wrong. The engine does
// the work; only after a failure is the text or the value looked at again.
// Specification: ECMAScript, section 25.5.

import { ArrayIsArray, ArrayPush, JSONParse, JSONStringify, ObjectDefineProperty, ObjectKeys, StringCharCodeAt, StringIndexOf, StringSlice, StringSplit, isError } from "./primordials";

class Bad {
  constructor(public at: number, public what: string) { }
}

const whole = ["NaN", "Infinity", "undefined", "[object Object]"];
const context = 10; // characters shown on each side of what is wrong

/** V8's message for a text that is no JSON, null when it is. */
function explain(s: string): string | null {
  let i = 0;
  const code = () => (i < s.length ? StringCharCodeAt(s, i) : -1);
  const digit = (c: number) => c >= 48 && c <= 57;
  const space = () => {
    for (let c = code(); c === 32 || c === 9 || c === 10 || c === 13; c = code()) i++;
  };
  const unexpected = (): never => { throw new Bad(i, ""); };
  const expected = (what: string): never => { throw new Bad(i, what); };
  const string = () => {
    for (i++; ; i++) {
      const c = code();
      if (c < 0) expected("Unterminated string");
      if (c === 34) break;
      if (c < 32) expected("Bad control character in string literal");
      if (c !== 92) continue;
      i++;
      const e = code();
      if (e === 117) {
        for (let k = 0; k < 4; k++) {
          i++;
          const h = code() | 32;
          if (!digit(code()) && !(h >= 97 && h <= 102)) expected(code() < 0 ? "Unterminated string" : "Bad Unicode escape");
        }
      } else if (e < 0) expected("Unterminated string");
      else if (StringIndexOf("\"\\/bfnrt", s[i]) < 0) expected("Bad escaped character");
    }
    i++;
  };
  const number = () => {
    if (code() === 45) {
      i++;
      if (!digit(code())) expected("No number after minus sign");
    }
    if (code() === 48) {
      i++;
      if (digit(code())) unexpected();
    } else while (digit(code())) i++;
    if (code() === 46) {
      i++;
      if (!digit(code())) expected("Unterminated fractional number");
      while (digit(code())) i++;
    }
    if ((code() | 32) === 101) {
      i++;
      if (code() === 43 || code() === 45) i++;
      if (!digit(code())) expected("Exponent part is missing a number");
      while (digit(code())) i++;
    }
  };
  const value = (): void => {
    space();
    const c = code();
    if (c === 34) string();
    else if (c === 45 || digit(c)) number();
    else if (c === 123) {
      i++;
      space();
      if (code() === 125) {
        i++;
        return;
      }
      for (let first = true; ; first = false) {
        space();
        if (code() !== 34) expected(first ? "Expected property name or '}'" : "Expected double-quoted property name");
        string();
        space();
        if (code() !== 58) expected("Expected ':' after property name");
        i++;
        value();
        space();
        if (code() === 125) break;
        if (code() !== 44) expected("Expected ',' or '}' after property value");
        i++;
      }
      i++;
    } else if (c === 91) {
      i++;
      space();
      if (code() === 93) {
        i++;
        return;
      }
      for (; ;) {
        value();
        space();
        if (code() === 93) break;
        if (code() !== 44) expected("Expected ',' or ']' after array element");
        i++;
      }
      i++;
    } else {
      const word = c === 116 ? "true" : c === 102 ? "false" : c === 110 ? "null" : "";
      if (word === "") unexpected();
      for (let k = 0; k < word.length; k++, i++) if (code() !== StringCharCodeAt(word, k)) unexpected();
    }
  };
  try {
    value();
    space();
    if (i < s.length) expected("Unexpected non-whitespace character after JSON");
    return null;
  } catch (e) {
    if (!(e instanceof Bad)) throw e; // nested too deeply
    const place = (what: string) => {
      const lines = StringSplit(StringSlice(s, 0, e.at), /\r\n|\n|\r/);
      return `${what}${what === "Unexpected non-whitespace character after JSON" ? "" : " in JSON"} at position ${e.at} (line ${lines.length} column ${lines[lines.length - 1].length + 1})`;
    };
    if (e.what !== "") return place(e.what);
    if (e.at >= s.length) return "Unexpected end of JSON input";
    const c = s[e.at];
    if (c === "\"") return place("Unexpected string");
    if (c === "-" || digit(StringCharCodeAt(c, 0))) return place("Unexpected number");
    for (let k = 0; k < whole.length; k++) if (s === whole[k]) return `"${s}" is not valid JSON`;
    let near = `"${s}"`;
    if (s.length > 2 * context) {
      const from = e.at < context ? 0 : e.at - context, to = e.at >= s.length - context && e.at >= context ? s.length : e.at + context;
      near = `${from > 0 ? "..." : ""}"${StringSlice(s, from, to)}"${to < s.length ? "..." : ""}`;
    }
    return `Unexpected token '${c}', ${near} is not valid JSON`;
  }
}

/** Replaces an error's message. */
function reword(e: unknown, message: string | null): unknown {
  if (message !== null && isError(e)) ObjectDefineProperty(e, "message", { value: message, writable: true, configurable: true });
  return e;
}

/** JSON.parse. */
export function parseJSON(text: unknown, reviver?: (this: any, key: string, value: any) => any): any {
  const s = typeof text === "string" ? text : `${text as string}`;
  try {
    return JSONParse(s, reviver);
  } catch (e) {
    if (!isError(e) || (e as Error).name !== "SyntaxError") throw e;
    let message: string | null = null;
    try {
      message = explain(s);
    } catch { /* too deep to look at again: the engine's words stay */ }
    throw reword(e, message);
  }
}

/** V8's drawing of the circle that JSON.stringify met. */
function circle(v: any): string | null {
  const path: object[] = [], keys: string[] = [], seen = new WeakSet<object>();
  const name = (o: any) => {
    const C = o.constructor;
    return typeof C === "function" && C.name !== "" ? ` with constructor '${C.name}'` : "";
  };
  const walk = (o: any): string | null => {
    if (typeof o?.toJSON === "function") o = o.toJSON("");
    if (typeof o !== "object" || o === null) return null;
    const at = path.indexOf(o);
    if (at >= 0) {
      let s = `Converting circular structure to JSON\n    --> starting at object${name(o)}`;
      const n = path.length - at;
      for (let k = 1; k < n; k++) {
        if (n > 4 && k === 2) s += "\n    |     ...";
        if (n > 4 && k >= 2 && k < n - 1) continue;
        s += `\n    |     ${keys[at + k]} -> object${name(path[at + k])}`;
      }
      return `${s}\n    --- ${keys[at + n]} closes the circle`;
    }
    if (seen.has(o)) return null;
    seen.add(o);
    ArrayPush(path, o);
    const list = ObjectKeys(o);
    for (let k = 0; k < list.length; k++) {
      keys[path.length] = ArrayIsArray(o) ? `index ${list[k]}` : `property '${list[k]}'`;
      const found = walk(o[list[k]]);
      if (found !== null) return found;
    }
    path.pop();
    return null;
  };
  return walk(v);
}

/** JSON.stringify. */
export function stringifyJSON(value: unknown, replacer?: any, space?: any): string {
  try {
    return JSONStringify(value, replacer, space);
  } catch (e) {
    const m = isError(e) ? (e as Error).message : "";
    if (m === "circular reference") {
      let drawn: string | null = null;
      try {
        drawn = circle(value);
      } catch { /* a getter that throws: the engine's words stay */ }
      throw reword(e, drawn ?? "Converting circular structure to JSON");
    }
    if (StringIndexOf(m, "BigInt are forbidden") === 0) throw reword(e, "Do not know how to serialize a BigInt");
    throw e;
  }
}

for (const [name, f] of [["parse", parseJSON], ["stringify", stringifyJSON]] as const) {
  ObjectDefineProperty(f, "name", { value: name, configurable: true });
  ObjectDefineProperty(f, "length", { value: name === "parse" ? 2 : 3, configurable: true });
  ObjectDefineProperty(JSON, name, { value: f, writable: true, configurable: true });
}
