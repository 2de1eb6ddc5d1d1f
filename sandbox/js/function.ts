// Built-in functions as V8 has them where the engine differs: their text, what btoa,
// atob and the URI functions say when they throw, and how long repeat takes.

import { domError } from "./dom";
import { FunctionToString, NativeRangeError, NativeTypeError, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ReflectApply, StringCharCodeAt, StringIndexOf, StringRepeat, StringSlice, expose } from "./primordials";

const body = "{\n    [native code]\n}";
const toString = {
  toString(this: any): string {
    if (typeof this !== "function") throw new NativeTypeError("Function.prototype.toString requires that 'this' be a Function");
    const s = FunctionToString(this);
    if (StringSlice(s, -body.length) !== body) return s;
    const d = ObjectGetOwnPropertyDescriptor(this, "name"), name = typeof d?.value === "string" ? d.value : "";
    return `function ${StringIndexOf(name, "bound ") === 0 ? "" : name}() { [native code] }`;
  },
}.toString;
ObjectDefineProperty(Function.prototype, "toString", { value: toString, writable: true, configurable: true });

/** Puts other words into what a built-in throws. */
function reword(name: string, words: () => unknown): void {
  const native = (globalThis as any)[name];
  expose(name, {
    [name](_: unknown) {
      try {
        return ReflectApply(native, undefined, arguments as any);
      } catch (e) {
        throw e instanceof DOMException || e instanceof URIError ? words() : e;
      }
    },
  }[name]);
}
reword("btoa", () => domError("InvalidCharacterError", "btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range."));
reword("atob", () => domError("InvalidCharacterError", "atob() called with invalid base64-encoded data. (Only whitespace, '+', '/', alphanumeric ASCII, and up to two terminal '=' signs when the input data length is divisible by 4 are allowed.)"));
for (const name of ["decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent"]) reword(name, () => new URIError("URI malformed"));

/** Lengths of results between which doubling is quicker and which no isolate's memory refuses: the engine adds a character at a time, 10 ns each. */
const doubles = [1 << 10, 1 << 24];
const repeat = {
  repeat(this: any, count: any): string {
    if (this === null || this === undefined) return StringRepeat(this, count);
    const text = `${this}`, times = +count, length = text.length * times;
    if (times <= -1 || times === Infinity) throw new NativeRangeError(`Invalid count value: ${times}`);
    if (!(length >= doubles[0] && length <= doubles[1])) return StringRepeat(text, times);
    let out = "";
    for (let n = times | 0, s = text; ; s += s) {
      if (n & 1) out += s;
      n >>= 1;
      if (n === 0) break;
    }
    StringCharCodeAt(out, 0); // in one piece, so that it weighs what it is long
    return out;
  },
}.repeat;
ObjectDefineProperty(String.prototype, "repeat", { value: repeat, writable: true, configurable: true });
