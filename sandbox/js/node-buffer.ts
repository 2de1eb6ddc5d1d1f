// node:buffer. Buffer is unenv's (the buffer package), with text conversions by the
// host and base64url added; the rest is ours.

import { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength } from "unenv/node/internal/buffer/buffer";
import { Blob, File } from "./blob";
import { decodeUTF8, encodeUTF8 } from "./encoding";
import { bytesOf } from "./primordials";
import { argType, nodeError, outOfRange, whole } from "./node-errors";

{
  const B = Buffer as any, from = B.from, toString = B.prototype.toString, isEncoding = B.isEncoding, write = B.prototype.write, byteLength = B.byteLength;
  const plain = (e: unknown) => (e === undefined || e === null ? "utf8" : `${e as string}`.toLowerCase());
  const put = (name: string, on: any, f: any) => Object.defineProperty(on, name, { value: f, writable: true, configurable: true, enumerable: true });
  /** The bytes that hexadecimal text begins with: what follows a wrong digit is not read. */
  const hexOf = (s: string): string => {
    const bad = s.search(/[^0-9a-f]/i);
    return bad < 0 ? s : s.slice(0, bad - bad % 2);
  };
  put("isEncoding", B, function isEncoding_(e: unknown) { return plain(e) === "base64url" || (typeof e === "string" && isEncoding(e)); });
  put("from", B, function (v: any, e?: any, n?: any) {
    if (typeof v === "string") {
      const enc = plain(e);
      if (enc === "utf8" || enc === "utf-8") {
        const b = encodeUTF8(v);
        return from(b.buffer, b.byteOffset, b.byteLength);
      }
      if (enc === "base64url") return from(v, "base64");
      if (enc === "hex") return from(hexOf(v), "hex");
      if (!B.isEncoding(enc)) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${e}`);
    }
    if (v === null || v === undefined || typeof v === "number" || typeof v === "boolean" || typeof v === "bigint" || typeof v === "symbol" || typeof v === "function") {
      throw argType("first argument", "of type string or an instance of Buffer, TypedArray, ArrayBuffer, SharedArrayBuffer, or Array or an Array-like Object", v);
    }
    try {
      return from(v, e, n);
    } catch (x) {
      if (x instanceof RangeError && v instanceof ArrayBuffer) throw nodeError(RangeError, "ERR_BUFFER_OUT_OF_BOUNDS", x.message);
      if (!(x instanceof TypeError) || v.length !== undefined) throw x;
      throw argType("first argument", "of type string or an instance of Buffer, TypedArray, ArrayBuffer, SharedArrayBuffer, or Array or an Array-like Object", v);
    }
  });
  for (const name of ["alloc", "allocUnsafe", "allocUnsafeSlow"]) {
    const make = B[name];
    put(name, B, { [name](size: any, ...rest: any[]) {
      if (typeof size !== "number") throw argType("size", "of type number", size);
      if (size !== size) throw nodeError(RangeError, "ERR_INVALID_ARG_VALUE", "The argument 'size' is invalid. Received NaN");
      if (!(size >= 0 && size <= kMaxLength)) throw outOfRange("size", `>= 0 && <= ${kMaxLength}`, size);
      if (name === "alloc" && typeof rest[0] === "string" && rest[1] !== undefined && !B.isEncoding(rest[1])) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${rest[1]}`);
      return make.call(B, size, ...rest);
    } }[name]);
  }
  put("copyBytesFrom", B, function copyBytesFrom(view: any, offset = 0, length?: number) {
    const part = view.slice(offset, length === undefined ? undefined : offset + length);
    return from(part.buffer, part.byteOffset, part.byteLength);
  });
  put("toString", B.prototype, function (this: Uint8Array, e?: any, a?: any, z?: any) {
    const enc = plain(e);
    if (enc === "utf8" || enc === "utf-8") {
      const part = a === undefined && z === undefined ? this : this.subarray(Math.max(0, a ?? 0), z === undefined ? this.length : Math.max(0, z));
      // A byte order mark is part of the text here.
      return part.length >= 3 && part[0] === 0xef && part[1] === 0xbb && part[2] === 0xbf ? "\ufeff" + decodeUTF8(part.subarray(3)) : decodeUTF8(part);
    }
    if (enc === "base64url") return toString.call(this, "base64", a, z).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    if (!B.isEncoding(enc)) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${e}`);
    return toString.call(this, e, a, z);
  });
  for (const enc of ["ascii", "base64", "base64url", "hex", "latin1", "ucs2", "utf8"]) {
    put(`${enc}Slice`, B.prototype, function (this: any, a?: number, z?: number) { return this.toString(enc, a, z); });
    put(`${enc}Write`, B.prototype, function (this: any, s: string, offset = 0, length = this.length - offset) { return this.write(s, offset, length, enc); });
  }
  for (const bits of [16, 32, 64]) {
    const swap = B.prototype[`swap${bits}`];
    put(`swap${bits}`, B.prototype, function (this: any) {
      if (this.length % (bits / 8) !== 0) throw nodeError(RangeError, "ERR_INVALID_BUFFER_SIZE", `Buffer size must be a multiple of ${bits}-bits`);
      return swap.call(this);
    });
  }
  // Reading and writing numbers, with Node's errors.
  for (const name of Object.getOwnPropertyNames(B.prototype)) {
    const m = /^(read|write)(Big)?(U?[Ii]nt|Float|Double)(\d*)(?:LE|BE)?$/.exec(name);
    if (m === null) continue;
    const act = B.prototype[name], writes = m[1] === "write", at = writes ? 1 : 0, signed = !/^U/.test(m[3]), whole = /nt$/.test(m[3]);
    put(name, B.prototype, { [name](this: any, ...args: any[]) {
      const offset = args[at] === undefined ? 0 : args[at], size = m[3] === "Float" ? 4 : m[3] === "Double" ? 8 : m[4] === "" ? args[at + 1] : +m[4] / 8;
      if (typeof offset !== "number") throw argType("offset", "of type number", offset);
      if (m[4] === "" && whole) {
        if (typeof size !== "number" && size !== undefined) throw argType("byteLength", "of type number", size);
        if (!Number.isInteger(size)) throw outOfRange("byteLength", "an integer", size);
        if (!(size >= 1 && size <= 6)) throw outOfRange("byteLength", ">= 1 and <= 6", size);
      }
      if (!Number.isInteger(offset)) throw outOfRange("offset", "an integer", offset);
      try {
        return act.apply(this, args);
      } catch (e) {
        if (!(e instanceof RangeError)) throw e;
        if (this.length < size) throw nodeError(RangeError, "ERR_BUFFER_OUT_OF_BOUNDS", "Attempt to access memory outside buffer bounds");
        if (!(Number.isInteger(offset) && offset >= 0 && offset <= this.length - size)) throw outOfRange("offset", Number.isInteger(offset) ? `>= 0 and <= ${this.length - size}` : "an integer", offset);
        if (!writes || !whole) throw e;
        const bits = size * 8, two = (n: number) => `2n ** ${n}n`;
        if (m[2] === undefined) throw outOfRange("value", signed ? `>= ${-(2 ** (bits - 1))} and <= ${2 ** (bits - 1) - 1}` : `>= 0 and <= ${2 ** bits - 1}`, args[0]);
        throw outOfRange("value", signed ? `>= -(${two(bits - 1)}) and < ${two(bits - 1)}` : `>= 0n and < ${two(bits)}`, args[0]);
      }
    } }[name]);
  }
  put("write", B.prototype, function (this: any, s: string, ...rest: any[]) {
    for (let i = 0; i < rest.length; i++) if (plain(rest[i]) === "base64url" && typeof rest[i] === "string") rest[i] = "base64";
    if (typeof s === "string" && plain(rest[rest.length - 1]) === "hex") s = hexOf(s);
    if (typeof rest[rest.length - 1] === "string" && !B.isEncoding(rest[rest.length - 1])) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${rest[rest.length - 1]}`);
    for (const [i, name] of [[0, "offset"], [1, "length"]] as const) if (typeof rest[i] === "number" && !(rest[i] >= 0 && rest[i] <= this.length)) throw outOfRange(name, `>= 0 && <= ${this.length}`, rest[i]);
    return write.call(this, s, ...rest);
  });
  const concat = B.concat, compare = B.compare, fill = B.prototype.fill;
  put("concat", B, function (list: any, n?: any) {
    if (!Array.isArray(list)) throw argType("list", "an (Buffer|Uint8Array)[]", list);
    if (typeof n === "number" && !Number.isInteger(n)) throw outOfRange("length", "an integer", n);
    if (typeof n === "number" && n < 0) throw outOfRange("length", ">= 0 && <= 9007199254740991", n);
    for (let i = 0; i < list.length; i++) if (!(list[i] instanceof Uint8Array)) throw argType(`list[${i}]`, "an instance of Buffer or Uint8Array", list[i]);
    return concat.call(B, list, n);
  });
  put("compare", B, function (a: any, b: any) {
    if (!(a instanceof Uint8Array)) throw argType("a", "an instance of Buffer or Uint8Array", a);
    if (!(b instanceof Uint8Array)) throw argType("b", "an instance of Buffer or Uint8Array", b);
    return compare.call(B, a, b);
  });
  // What is compared, copied or looked for, and is no such thing.
  for (const [name, arg, want] of [["compare", "target", ""], ["equals", "b", ""], ["copy", "target", ""], ["indexOf", "value", "number"], ["lastIndexOf", "value", "number"], ["includes", "value", "number"]]) {
    const act = B.prototype[name];
    put(name, B.prototype, { [name](this: any, v: any, ...rest: any[]) {
      if (!(v instanceof Uint8Array) && (want === "" || typeof v !== "number" && typeof v !== "string")) throw argType(arg, want === "" ? "an instance of Buffer or Uint8Array" : "one of type number or string or an instance of Buffer or Uint8Array", v);
      if (name === "compare") for (const [i, what, most] of [[0, "targetStart", 2147483647], [1, "targetEnd", (v as Uint8Array).length], [2, "sourceStart", 2147483647], [3, "sourceEnd", this.length]] as const) if (rest[i] !== undefined) whole(what, rest[i], 0, most);
      if (name === "copy" && typeof rest[1] === "number" && rest[1] < 0) throw outOfRange("sourceStart", ">= 0", rest[1]);
      if (name === "copy" && typeof rest[0] === "number" && rest[0] < 0) throw outOfRange("targetStart", ">= 0", rest[0]);
      if (want !== "" && typeof v === "string" && typeof rest[1] === "string" && !B.isEncoding(rest[1])) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${rest[1]}`);
      return act.call(this, v, ...rest);
    } }[name]);
  }
  put("fill", B.prototype, function (this: any, v: any, start?: any, end?: any, e?: any) {
    if (typeof start === "number" && (start < 0 || start > this.length)) throw outOfRange("start", "0 to end", start);
    if (typeof end === "number" && (end < 0 || end > this.length)) throw outOfRange("end", `0 to ${this.length}`, end);
    const encoding = typeof v !== "string" ? undefined : typeof start === "string" ? start : typeof end === "string" ? end : e;
    if (encoding !== undefined && encoding !== null && !B.isEncoding(encoding)) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${encoding}`);
    return fill.call(this, v, start, end, e);
  });
  put("byteLength", B, function (v: any, e?: any) {
    if (typeof v !== "string" && !ArrayBuffer.isView(v) && bytesOf(v) === undefined) throw argType("string", "of type string or an instance of Buffer or ArrayBuffer", v);
    if (typeof v === "string" && plain(e) === "base64url") return byteLength(v, "base64");
    if (typeof v === "string" && (plain(e) === "utf8" || plain(e) === "utf-8")) return encodeUTF8(v).length;
    return byteLength(v, e);
  });
}

export { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength, Blob, File };
export const kStringMaxLength = 536870888, constants = Object.freeze({ MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength });
export const atob = globalThis.atob, btoa = globalThis.btoa;
const need = (v: unknown) => {
  const b = bytesOf(v);
  if (b === undefined) throw Object.assign(new TypeError('The "input" argument must be an instance of ArrayBuffer, Buffer, or TypedArray.'), { code: "ERR_INVALID_ARG_TYPE" });
  return b;
};
export function isUtf8(v: unknown): boolean {
  const b = need(v);
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(b);
    return true;
  } catch {
    return false;
  }
}
export function isAscii(v: unknown): boolean { return need(v).every((c) => c < 128); }
export function transcode(source: Uint8Array, from: string, to: string): unknown {
  if (!ArrayBuffer.isView(source)) throw argType("source", "an instance of ArrayBufferView", source);
  for (const e of [from, to]) {
    if (!(Buffer as any).isEncoding(e)) throw nodeError(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${e}`);
    if (/^(?:hex|base64|base64url)$/i.test(e)) throw new Error("Unable to transcode buffer due to unsupported encoding");
  }
  const byte = (e: string) => /^(?:ascii|latin1|binary)$/i.test(e), given = (Buffer as any).from(source.buffer, source.byteOffset, source.byteLength);
  let text: string = given.toString(byte(from) ? "latin1" : from);
  if (byte(from)) text = text.replace(/[\x80-\x9f]/g, (c) => windows[c.charCodeAt(0) - 128]);
  if (!byte(to)) return (Buffer as any).from(text, to);
  return (Buffer as any).from([...text].map((c) => {
    const at = windows.indexOf(c), n = c.codePointAt(0)!;
    return at >= 0 ? 128 + at : n < 256 ? n : 63;
  }));
}
// What Workers take for the bytes 128 to 159 of Latin-1 and ASCII: Windows' letters.
const windows = [..."\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178"];
export function resolveObjectURL(): never { throw new Error("buffer.resolveObjectURL is not available here."); }
export default { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength, kStringMaxLength, constants, Blob, File, atob, btoa, isUtf8, isAscii, transcode, resolveObjectURL };
