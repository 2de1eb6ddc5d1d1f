// The engine's error messages in V8's words, as Workers show them: what cannot be
// read, called, looped over or assigned is named from the line of source where it
// happened. The engine calls a hook below whenever it makes an error; where
// the program cannot see errors, only those that nobody catches are reworded.

import { call, op } from "./host";
import { JSONParse, NativeRegExp, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, RegExpExec, StringEndsWith, StringIndexOf, StringSlice, StringSplit, StringStartsWith, isError } from "./primordials";
import { type Frame, type Site, engineStack, frameOf, framesOf, hasStack, ownStack, watch } from "./errors";

const LINE = op("source.line");

const WORD = /[\w$#\u0080-\uffff]/;
const isWord = (c: string | undefined): boolean => c !== undefined && RegExpExec(WORD, c) !== null;

const iterations = [/\bof (?=[^;]*\))/, /\.\.\./, /\]\s*=\s*/];

/** The line of source of a frame, and the index of its column in it. */
class Place {
  s = "";
  i = 0;
  constructor(f: Frame | undefined) {
    if (f === undefined || f.file !== "worker.js" || f.line === 0) return;
    const r = call(LINE, f.line, f.column) as [string, number];
    this.s = r[0];
    this.i = r[1];
  }

  /** The match of a pattern on this line, or else on one of the next two, which this place then is: the engine counts the start of a statement to the line before. */
  find(re: RegExp, f: Frame | undefined): RegExpExecArray | null {
    for (let k = 0; f !== undefined && k < 3; k++) {
      if (k > 0) {
        const r = call(LINE, f.line + k, 1) as [string, number];
        this.s = r[0];
        this.i = 0;
      }
      const m = RegExpExec(re, this.s);
      if (m !== null) return m;
    }
    return null;
  }

  /** The index after the bracket that closes the one at i. */
  #close(i: number): number {
    const s = this.s;
    let depth = 0, quote = "";
    for (; i < s.length; i++) {
      const c = s[i];
      if (quote !== "") {
        if (c === "\\") i++;
        else if (c === quote) quote = "";
      } else if (c === "\"" || c === "'" || c === "`") quote = c;
      else if (c === "(" || c === "[" || c === "{") depth++;
      else if ((c === ")" || c === "]" || c === "}") && --depth <= 0) return i + 1;
    }
    return s.length;
  }

  /** The index of the bracket that opens the one at i. */
  #open(i: number): number {
    const s = this.s;
    let depth = 0, quote = "";
    for (; i >= 0; i--) {
      const c = s[i];
      if (quote !== "") {
        if (c === quote && s[i - 1] !== "\\") quote = "";
      } else if (c === "\"" || c === "'" || c === "`") quote = c;
      else if (c === ")" || c === "]" || c === "}") depth++;
      else if ((c === "(" || c === "[" || c === "{") && --depth <= 0) return i;
    }
    return 0;
  }

  /** A chain of names, members and calls that starts at i, as V8 prints it; "" when there is none. */
  chain(i: number): { text: string; end: number } {
    const s = this.s;
    let text = "";
    const word = () => {
      const from = i;
      while (isWord(s[i])) i++;
      return StringSlice(s, from, i);
    };
    if (isWord(s[i])) text = word();
    else if (s[i] === "(" || s[i] === "[" || s[i] === "{") {
      const end = this.#close(i), inner = StringSlice(s, i, end);
      text = s[i] === "(" && RegExpExec(/=>|\bawait\b|\bnew\b|\bfunction\b|\{/, inner) !== null ? "(intermediate value)" : s[i] === "[" ? inner : s[i] === "{" ? (end === i + 2 ? "{}" : "{(intermediate value)}") : inner;
      i = end;
    } else if (s[i] === "\"" || s[i] === "'") {
      const from = i, q = s[i];
      for (i++; i < s.length && s[i] !== q; i++) if (s[i] === "\\") i++;
      i++;
      text = StringSlice(s, from, i);
    } else return { text: "", end: i };
    if (text === "super") text = "(intermediate value)";
    for (;;) {
      if (s[i] === "?" && s[i + 1] === "." && (s[i + 2] === "(" || s[i + 2] === "[")) i += 2;
      if (s[i] === "." && isWord(s[i + 1])) {
        i++;
        text += "." + word();
      } else if (s[i] === "?" && s[i + 1] === "." && isWord(s[i + 2])) {
        i += 2;
        text += "?." + word();
      } else if (s[i] === "[") {
        const end = this.#close(i), key = StringSlice(s, i + 1, end - 1);
        const str = RegExpExec(/^"([^"\\]*)"$/, key);
        text += str !== null ? "." + str[1] : "[" + key + "]";
        i = end;
      } else return { text, end: i };
    }
  }

  /** What is called at the column: its text, and the text of its first argument. */
  callee(): { text: string; made: boolean; arg: string; second: string } {
    const s = this.s;
    // Forward to the bracket of the call, out of the brackets of a last member [key].
    let i = this.i;
    for (; i < s.length; i++) {
      if (s[i] === "(" || s[i] === "`") break;
      if (s[i] === "[" || s[i] === "{") i = this.#close(i) - 1;
      else if (s[i] === "\"" || s[i] === "'") i = this.#string(i);
      else if (s[i] === ";") return { text: "", made: false, arg: "", second: "" };
    }
    let end = i;
    if (s[end - 1] === "." && s[end - 2] === "?") end -= 2;
    const from = this.#start(end);
    if (from === end) return { text: "", made: false, arg: "", second: "" };
    const made = RegExpExec(/\bnew\s+$/, StringSlice(s, 0, from)) !== null;
    const close = this.#close(i), args = s[i] === "(" ? StringSlice(s, i + 1, close - 1) : "";
    const arg = this.#first(args), second = RegExpExec(/^,\s*([^]*)$/, StringSlice(args, arg.length));
    return { text: this.#calls(from, end), made, arg, second: second === null ? "" : this.#first(second[1]) };
  }

  #string(i: number): number {
    const q = this.s[i];
    for (i++; i < this.s.length && this.s[i] !== q; i++) if (this.s[i] === "\\") i++;
    return i;
  }

  /** Where the chain that ends before the index begins. */
  #start(end: number): number {
    const s = this.s;
    let i = end;
    for (;;) {
      const c = s[i - 1];
      if (c === ")" || c === "]") {
        i = this.#open(i - 1);
        if (isWord(s[i - 1]) || s[i - 1] === ")" || s[i - 1] === "]" || s[i - 1] === ".") {
          const w = RegExpExec(/\b(?:return|await|typeof|if|while|of|in|case|new|void|delete|throw|yield|else)\s*$/, StringSlice(s, 0, i));
          if (w === null) continue;
        }
        return i;
      }
      if (c === "\"" || c === "'" || c === "`") {
        for (i -= 2; i > 0 && s[i] !== c; i--);
        return i;
      }
      if (!isWord(c)) return i;
      while (isWord(s[i - 1])) i--;
      if (s[i - 1] === ".") i -= s[i - 2] === "?" ? 2 : 1;
      else return i;
    }
  }

  /** The text of a chain with the arguments of its calls left out. */
  #calls(from: number, end: number): string {
    const s = this.s;
    let text = "", i = from;
    while (i < end) {
      if (s[i] === "(") {
        const to = this.#close(i);
        if (i > from) text += "(...)";
        else {
          const inner = StringSlice(s, i, to);
          text += RegExpExec(/=>|\bawait\b|\bnew\b|\bfunction\b|\{/, inner) !== null ? "(intermediate value)" : inner;
        }
        i = to;
      } else if (s[i] === "[" && i > from) {
        const to = this.#close(i), str = RegExpExec(/^"([^"\\]*)"$/, StringSlice(s, i + 1, to - 1));
        text += str !== null ? "." + str[1] : StringSlice(s, i, to);
        i = to;
      } else text += s[i++];
    }
    return StringSlice(text, 0, 6) === "super." ? "(intermediate value)" + StringSlice(text, 5) : text;
  }

  #first(args: string): string {
    let depth = 0;
    for (let i = 0; i < args.length; i++) {
      const c = args[i];
      if (c === "\"" || c === "'" || c === "`") for (i++; i < args.length && args[i] !== c; i++) if (args[i] === "\\") i++;
      if (c === "(" || c === "[" || c === "{") depth++;
      else if (c === ")" || c === "]" || c === "}") depth--;
      else if (c === "," && depth === 0) return StringSlice(args, 0, i);
    }
    return args;
  }

  /** What the line loops over, spreads or takes apart. */
  iterated(f: Frame | undefined): string {
    const given = this.s;
    for (let k = 0; k < iterations.length; k++) {
      this.s = given;
      const m = this.find(iterations[k], f);
      if (m === null) continue;
      const from = m.index + m[0].length, c = this.chain(from);
      if (c.text === "void" && RegExpExec(/^void 0\b/, StringSlice(this.s, from)) !== null) return "undefined";
      if (c.text === "{(intermediate value)}") return c.text;
      if (c.text !== "") return this.#calls(from, this.#through(c.end));
    }
    return "";
  }

  /** The end of the chain of which the index is one, calls included. */
  #through(end: number): number {
    while (this.s[end] === "(") end = this.chain(this.#close(end)).end || this.#close(end);
    return end;
  }
}

/** A value as V8 names it in "… is not a function", read from its source: literals only. */
function literal(s: string): string {
  if (s === "" || s === "void 0" || s === "undefined") return "undefined";
  if (s === "null") return "object null";
  if (RegExpExec(/^-?[\d.]+$/, s) !== null) return "number " + s;
  if (RegExpExec(/^"[^"]*"$/, s) !== null) return "string " + s;
  if (s === "true" || s === "false") return "boolean " + s;
  if (s[0] === "{" || s[0] === "[") return "object";
  return s;
}
const unquoted = (s: string): string => s[0] === "\"" ? StringSlice(s, 1, -1) : s;
const bare = (s: string): string => s === "" || s === "void 0" ? "undefined" : s;

const fixed: { [message: string]: string } = {
  __proto__: null as any,
  "cannot convert symbol to string": "Cannot convert a Symbol value to a string",
  "cannot convert symbol to number": "Cannot convert a Symbol value to a number",
  "cannot convert BigInt to number": "Cannot mix BigInt and other types, use explicit conversions",
  "bigint argument with unary +": "Cannot convert a BigInt value to a number",
  "BigInt division by zero": "Division by zero",
  "BigInt negative exponent": "Exponent must be positive",
  "invalid string length": "Invalid string length",
  "invalid repeat count": "Invalid string length", // what is no count at all does not come to the engine
  "Date value is NaN": "Invalid time value",
  "not a Date object": "this is not a Date object.",
  "circular prototype chain": "Cyclic __proto__ value",
  toPrimitive: "Cannot convert object to primitive value",
  "promise self resolution": "Chaining cycle detected for promise #<Promise>",
  "revoked proxy": "Cannot perform 'get' on a proxy that has been revoked",
  "cannot invoke a running generator": "Generator is already running",
  "derived class constructor must return an object or undefined": "Derived constructors may only return object or undefined",
  "empty array": "Reduce of empty array with no initial value",
  "empty iterator": "Reduce of a done iterator with no initial value",
  "invalid value used as WeakMap key": "Invalid value used as weak map key",
  "invalid value used as WeakSet key": "Invalid value used in weak set",
  "invalid target": "WeakRef: invalid target",
  "abstract class not constructable": "Abstract class Iterator not directly constructable",
  "this is not initialized": "Must call super constructor in derived class before accessing 'this' or returning from derived constructor",
  "'this' can be initialized only once": "Super constructor may only be called once",
  "bad normalization form": "The normalization form should be one of NFC, NFD, NFKC, NFKD.",
  "out of bound": "Offset is outside the bounds of the DataView",
  "ArrayBuffer object expected": "First argument to DataView constructor must be an ArrayBuffer",
  "invalid typed array index": "Invalid typed array index",
  "Invalid property descriptor. Cannot both specify accessors and a value or writable attribute": "Invalid property descriptor. Cannot both specify accessors and a value or writable attribute, #<Object>",
  "expected string": "input argument must be a string",
  "Object expected": "An object is expected with `using` declarations",
  "Object not disposable": "Symbol(Symbol.dispose) is not a function",
  ".size is undefined": "The .size property is NaN",
  ".size is not a number": "The .size property is NaN",
  "operand 'prototype' property is not an object": "Function has non-object prototype 'undefined' in instanceof check",
};

const regexps: { [message: string]: string } = {
  __proto__: null as any,
  "expecting ')'": "Unterminated group", "invalid class range": "Range out of order in character class", "nothing to repeat": "Nothing to repeat", "unexpected end": "Unterminated character class",
  "duplicate group name": "Duplicate capture group name", "group name not defined": "Invalid named capture referenced", "invalid repetition count": "numbers out of order in {} quantifier",
  "invalid group name": "Invalid capture group name", "extraneous characters at the end": "Unmatched ')'", "unknown unicode property name": "Invalid property name", "invalid escape sequence in regular expression": "Invalid escape",
};

/** Where a method of the platform is called without its object, as in const { waitUntil } = ctx. */
const illegal = "Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.";

/** What Workers say where a class of the platform is called without new. */
const notCalled = (name: string): string => StringIndexOf(unmade, ` ${name} `) >= 0 ? "Illegal constructor" : `Failed to construct '${name}': Please use the 'new' operator, this object constructor cannot be called as a function.`;
const unmade = " AbortSignal MessagePort Crypto CryptoKey SubtleCrypto Cache CacheStorage Navigator Performance ReadableByteStreamController ReadableStreamDefaultController ReadableStreamBYOBRequest WritableStreamDefaultController TransformStreamDefaultController ";

/** What else the engine says, word for word. */
const said = [
  "not a function", "not a constructor", "class constructors must be invoked with 'new'", "must be called with new", "value is not iterable",
  "Cannot convert undefined or null to object", "object is not extensible", "could not delete property", "no setter for property", "proxy: cannot set property",
  "invalid 'instanceof' right operand", "invalid 'in' operand", "object prototype may only be an Object or null", "must be positive", "ArrayBuffer is detached",
  "invalid array buffer length", "DisposableStack has been disposed", "AsyncDisposableStack has been disposed", "parent class must be constructor",
  "invalid regular expression flags", "regexp must have the 'g' flag", "regexp not supported", "null or undefined are forbidden", "not a symbol", "not a number",
  "invalid array length", "invalid number of digits", "invalid code point", "cannot convert NaN or Infinity to BigInt",
  "cannot convert to BigInt: not an integer", "cannot convert to BigInt", "invalid BigInt literal", "invalid array index", "invalid offset", "invalid length",
  "not an object", "property is not configurable",
] as const;
const exact: { [message: string]: unknown } = { __proto__: null, ...fixed, ...regexps };
for (let i = 0; i < said.length; i++) exact[said[i]] = "";

/** Whether the engine may have said this. Most messages are the program's own, and asking is far cheaper than looking where they were made. */
function engines(m: string): boolean {
  if (exact[m] !== undefined) return true;
  switch (m[0]) {
    case "'": return StringEndsWith(m, " is read-only");
    case "c": if (StringStartsWith(m, "cannot ")) return true; break;
    case "i": if (StringStartsWith(m, "invalid array index: ")) return true; break;
    case "p": if (StringStartsWith(m, "private class field ")) return true; break;
  }
  return m[m.length - 1] === "d" && (StringEndsWith(m, " is not initialized") || StringEndsWith(m, " object expected"));
}

/** The message in V8's words, or the same message when it is none of the engine's. */
function translate(m: string, frames: Frame[]): string {
  const f = fixed[m];
  if (f !== undefined) return f;
  const at = frames[0], native = at !== undefined && at.native, fn = native ? at.name : "";
  if (at !== undefined && !native && at.file !== "worker.js" && (m === "not an object" || StringIndexOf(m, "private class field") === 0)) return illegal;
  const caller = () => new Place(native ? frames[1] : at).callee();
  let x: RegExpExecArray | null;
  switch (m as (typeof said)[number] | undefined) { // a case that is not in said does not compile
    case "not a function": {
      const c = caller();
      if (!native && RegExpExec(/\bfor await\b/, new Place(at).s) !== null) {
        const t = new Place(at).iterated(at);
        if (t !== "" && c.text === "") return `${t} is not async iterable`;
      }
      if (fn === "FinalizationRegistry") return "FinalizationRegistry: cleanup must be callable";
      if (fn === "Promise") return `Promise resolver ${bare(c.arg)} is not a function`;
      if (fn === "sort" || fn === "toSorted") return `The comparison function must be either a function or undefined: ${c.arg}`;
      if (native) return c.text === "" ? "undefined is not a function" : `${literal(c.arg)} is not a function`;
      if (c.text === "") return m;
      if (c.made && RegExpExec(/Error$/, c.text) !== null) return m; // the program's own words
      return `${c.text} is not a ${c.made ? "constructor" : "function"}`;
    }
    case "not a constructor": {
      const c = caller();
      return `${c.text === "" ? "(intermediate value)" : c.text} is not a constructor`;
    }
    case "class constructors must be invoked with 'new'":
      return at !== undefined && !at.native && at.file !== "worker.js" ? notCalled(at.name) : `Class constructor ${at?.name ?? ""} cannot be invoked without 'new'`;
    case "must be called with new":
      return fn === "Promise" ? "Promise constructor cannot be invoked without 'new'" : `Constructor ${fn} requires 'new'`;
    case "value is not iterable": {
      const p = new Place(native ? frames[1] : at), t = native ? literal(p.callee().arg) : p.iterated(at);
      if (native || t === "") return `${t === "" ? "object" : t} is not iterable (cannot read property Symbol(Symbol.iterator))`;
      return RegExpExec(/[\w$)\]]\s*\((?:.*,\s*)?\.\.\./, p.s) !== null ? "Spread syntax requires ...iterable[Symbol.iterator] to be a function" : `${t} is not iterable`;
    }
    case "Cannot convert undefined or null to object": {
      const via = native ? RegExpExec(/^((?:Array|String)\.prototype\.\w+)\.(?:call|apply)$/, caller().text) : null;
      if (via !== null) return `${via[1]} called on null or undefined`;
      if (native) return m;
      // A declaration or assignment on this line, else a parameter on it, else a declaration further down.
      const p = new Place(at), taken = /\{\s*([\w$]+)(?:\s*[:,=][^=]*)?\s*\}\s*=\s*/, here = RegExpExec(taken, p.s);
      if (here === null && (x = RegExpExec(/\(\{\s*([\w$]+)/, p.s)) !== null) return `Cannot destructure property '${x[1]}' of 'undefined' as it is undefined.`;
      if ((x = here ?? p.find(taken, at)) === null) return m;
      const c = p.chain(x.index + x[0].length);
      return `Cannot destructure property '${x[1]}' of '${c.text === "" ? "undefined" : c.text}' as it is ${c.text === "null" ? "null" : "undefined"}.`;
    }
    case "object is not extensible": {
      if (!native && StringIndexOf(new Place(at).s, "__coldstart_constant()") >= 0) return "Assignment to constant variable."; // the bundler's mark
      x = native ? null : RegExpExec(/\.([\w$]+)\s*=[^=]/, new Place(at).s);
      return x !== null ? `Cannot add property ${x[1]}, object is not extensible` : "Cannot add property, object is not extensible";
    }
    case "could not delete property": {
      x = RegExpExec(/\bdelete\b.*?\.([\w$]+)\s*[;)\]}]?\s*$/, new Place(at).s);
      return `Cannot delete property${x !== null ? ` '${x[1]}'` : ""} of #<Object>`;
    }
    case "no setter for property": {
      const p = new Place(at);
      x = RegExpExec(/\.(status|statusText|ok|redirected|method)\s*=[^=]/, p.s); // what learners try with the platform's objects
      if (x !== null) return `Cannot assign to read only property '${x[1]}' of object '#<${x[1] === "method" ? "Request" : "Response"}>'`;
      x = RegExpExec(/\.([\w$]+)\s*(?:[-+*/%&|^]|\*\*|<<|>>>?|\?\?|&&|\|\|)?=[^=]/, p.s);
      return x !== null ? `Cannot set property ${x[1]} of #<Object> which has only a getter` : "Cannot set property of #<Object> which has only a getter";
    }
    case "proxy: cannot set property":
      x = RegExpExec(/\.([\w$]+)\s*=[^=]/, new Place(native ? frames[1] : at).s);
      return "'set' on proxy: trap returned falsish" + (x !== null ? ` for property '${x[1]}'` : "");
    case "invalid 'instanceof' right operand":
      x = RegExpExec(/\binstanceof\s+(?:[\d"'`]|void 0|null|undefined|true|false)/, new Place(at).s);
      return `Right-hand side of 'instanceof' is not ${x !== null ? "an object" : "callable"}`;
    case "invalid 'in' operand": {
      // V8 says the values; what is no literal has its text instead.
      const p = new Place(at), found = RegExpExec(/("[^"\\]*"|[\w$]+)\s+in\s+/, p.s);
      if (found === null) return m;
      const right = StringSlice(p.s, found.index + found[0].length), text = RegExpExec(/^void 0\b/, right) !== null ? "undefined" : p.chain(found.index + found[0].length).text;
      return text === "" ? m : `Cannot use 'in' operator to search for '${unquoted(found[1])}' in ${unquoted(text)}`;
    }
    case "object prototype may only be an Object or null":
      return `Object prototype may only be an Object or null: ${bare(caller().arg)}`;
    case "must be positive":
      return `${caller().arg} must be positive`;
    case "ArrayBuffer is detached":
      return native ? `Cannot perform ${fn === "slice" || fn === "resize" || RegExpExec(/^transfer/, fn) !== null ? "ArrayBuffer.prototype." : "%TypedArray%.prototype."}${fn} on a detached ArrayBuffer` : m;
    case "invalid array buffer length":
      return fn === "resize" ? "ArrayBuffer.prototype.resize: Invalid length parameter" : m;
    case "DisposableStack has been disposed": case "AsyncDisposableStack has been disposed": {
      const name = StringSplit(m, " ")[0];
      return `Cannot call ${name}.prototype.${fn} on an already-disposed ${name}`;
    }
    case "parent class must be constructor": {
      x = RegExpExec(/\bextends\s+([\w$.]+)/, new Place(at).s);
      return `Class extends value ${x !== null && RegExpExec(/^\d/, x[1]) !== null ? x[1] : "undefined"} is not a constructor or null`;
    }
    case "invalid regular expression flags": {
      const t = RegExpExec(/^"(\w*)"$/, caller().second);
      return `Invalid flags supplied to RegExp constructor${t === null ? "" : ` '${t[1]}'`}`;
    }
    case "regexp must have the 'g' flag":
      return `String.prototype.${fn} called with a non-global RegExp argument`;
    case "regexp not supported":
      return `First argument to String.prototype.${fn} must not be a regular expression`;
    case "null or undefined are forbidden":
      return `String.prototype.${fn} called on null or undefined`;
    case "not a symbol":
      return native ? `Symbol.prototype.${fn} requires that 'this' be a Symbol` : m;
    case "not a number":
      return native ? `Number.prototype.${fn} requires that 'this' be a Number` : m;
    case "invalid array length":
      return fn === "set" ? "offset is out of bounds" : "Invalid array length";
    case "invalid number of digits":
      return fn === "toPrecision" ? "toPrecision() argument must be between 1 and 100" : fn === "toFixed" ? "toFixed() digits argument must be between 0 and 100" : `${fn}() argument must be between 0 and 100`;
    case "invalid code point":
      return `Invalid code point ${caller().arg}`;
    case "cannot convert NaN or Infinity to BigInt":
    case "cannot convert to BigInt: not an integer":
      return `The number ${caller().arg} cannot be converted to a BigInt because it is not an integer`;
    case "cannot convert to BigInt":
      return `Cannot convert ${bare(caller().arg)} to a BigInt`;
    case "invalid BigInt literal": {
      const a = caller().arg, s = RegExpExec(/^"(.*)"$/, a);
      return `Cannot convert ${s !== null ? s[1] : a} to a BigInt`;
    }
    case "invalid array index":
      return fn === "ArrayBuffer" ? "Array buffer allocation failed" : `Invalid typed array length: ${caller().arg}`;
    case "invalid offset":
      return "Start offset is outside the bounds of the buffer";
    case "invalid length":
      return native ? `byte length of ${fn} should be a multiple of ${fn === "Float64Array" || RegExpExec(/64/, fn) !== null ? 8 : RegExpExec(/32/, fn) !== null ? 4 : 2}` : m;
    case "not an object":
      switch (fn) {
        case "defineProperty": return "Object.defineProperty called on non-object";
        case "Proxy": return "Cannot create proxy with a non-object as target or handler";
        case "setPrototypeOf": return `Object prototype may only be an Object or null: ${bare(caller().second)}`;
        case "Map": case "WeakMap": case "fromEntries": return "Iterator value undefined is not an entry object";
        case "getPrototypeOf": return "Cannot convert undefined or null to object";
        case "ownKeys": case "get": case "set": case "has": case "deleteProperty": case "getOwnPropertyDescriptor": return `Reflect.${fn} called on non-object`;
      }
      return m;
    case "property is not configurable": {
      x = RegExpExec(/defineProperty\([^,]*,\s*"([^"]*)"/, new Place(native ? frames[1] : at).s);
      return x !== null ? `Cannot redefine property: ${x[1]}` : "Cannot redefine property";
    }
  }
  if ((x = RegExpExec(/^cannot (read|set) property '(.*)' of (undefined|null)$/s, m)) !== null) {
    const [, how, name, of] = x;
    if (how === "read" && name === "Symbol.iterator") {
      const p = new Place(native ? frames[1] : at), t = native ? "" : p.iterated(at);
      return t === "" ? `${of === "null" ? "object null" : "undefined"} is not iterable (cannot read property Symbol(Symbol.iterator))` : `${t} is not iterable`;
    }
    const key = StringIndexOf(name, "Symbol.") === 0 ? `Symbol(${name})` : name;
    return how === "read" ? `Cannot read properties of ${of} (reading '${key}')` : `Cannot set properties of ${of} (setting '${key}')`;
  }
  if ((x = RegExpExec(/^'(.*)' is read-only$/s, m)) !== null) {
    const name = x[1];
    if (name[0] === "#") return `Private method '${name}' is not writable`;
    const p = new Place(native ? frames[1] : at);
    if (!native && StringSlice(p.s, p.i, p.i + name.length) === name && p.s[p.i - 1] !== "." && !isWord(p.s[p.i + name.length]) && p.s[p.i + name.length] !== ".") return "Assignment to constant variable.";
    return `Cannot assign to read only property '${name}' of object '${RegExpExec(/^\d+$/, name) !== null ? "[object Array]" : "#<Object>"}'`;
  }
  if ((x = RegExpExec(/^(.*) is not initialized$/s, m)) !== null) return `Cannot access '${x[1]}' before initialization`;
  if ((x = RegExpExec(/^private class field '(.*)' does not exist$/s, m)) !== null) {
    const writes = RegExpExec(/\.(#\w+)\s*(?:[-+*/%&|^]|\*\*|<<|>>>?|\?\?|&&|\|\|)?=[^=]/, new Place(at).s);
    return `Cannot ${writes !== null && writes[1] === x[1] ? "write private member " + x[1] + " to" : "read private member " + x[1] + " from"} an object whose class did not declare it`;
  }
  if ((x = RegExpExec(/^(\w+) object expected$/, m)) !== null) {
    if (native && fn !== "call") return `Method ${x[1]}.prototype.${fn} called on incompatible receiver #<Object>`;
    const c = RegExpExec(/^(.*)\.call$/, new Place(native ? frames[1] : at).callee().text);
    if (c !== null) return `Method ${c[1]} called on incompatible receiver #<Object>`;
  }
  if ((x = RegExpExec(/^invalid array index: (.*)$/, m)) !== null) return `Invalid index : ${x[1]}`;
  if (fn === "RegExp") {
    const why = regexps[m];
    if (why !== undefined) {
      const c = caller(), s = c.text === "RegExp" ? RegExpExec(/^"(.*)"$/, c.arg) : null, flags = RegExpExec(/^"(\w*)"$/, c.second);
      const text = s !== null ? JSONParse(c.arg) as string : "…";
      return `Invalid regular expression: /${text}/${s !== null && flags !== null ? flags[1] : ""}: ${RegExpExec(/(?:^|[^\\])(?:\\\\)*\\$/, text) !== null ? "\\ at end of pattern" : why}`;
    }
  }
  return m;
}

/** Entry: why the engine cannot read a regular expression, in its own words and on a second line in V8's; undefined when it can. */
export function pattern(source: string, flags: string): string | undefined {
  try {
    new NativeRegExp(source, flags);
  } catch (e) {
    const m = `${(e as Error).message}`;
    return `${m}\n${regexps[m] ?? m}`;
  }
}

let watched = false;

/** The message of an error that was just made, in V8's words. */
function reworded(m: string, sites: Site[]): string {
  if (m.length > 500 || !engines(m)) return m;
  const frames: Frame[] = [];
  for (let i = 0; i < sites.length; i++) frames[i] = frameOf(sites[i]);
  return translate(m, frames);
}

/** What the engine calls for each error it makes, and for what is thrown and captured: the value is the stack, which nobody may ever look at. */
function prepare(e: any, sites: Site[]): unknown {
  if (!hasStack(e)) ownStack(e, sites, reworded);
  return sites;
}

/**
 * Has every error in V8's words from now on. Only for programs that look at
 * errors: where the stack is full the engine cannot call this, and such an
 * error then has no frames.
 */
export function watchErrors(): void {
  if (!watched) watched = watch(prepare);
}

/** An error that nobody caught, in V8's words. */
export function uncaughtWords(e: unknown): void {
  if (watched || !isError(e)) return;
  const m = ObjectGetOwnPropertyDescriptor(e as object, "message")?.value;
  if (typeof m !== "string" || m.length > 500 || !engines(m)) return;
  const frames = framesOf(engineStack(e), 3);
  if (frames.length === 0) return;
  const t = translate(m, frames);
  if (t !== m) ObjectDefineProperty(e as object, "message", { value: t, writable: true, enumerable: false, configurable: true });
}
