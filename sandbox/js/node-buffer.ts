// node:buffer. Buffer is unenv's (the buffer package), with text conversions by the
// host and base64url added; the rest is ours.

import { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength } from "unenv/node/internal/buffer/buffer";
import { Blob, File } from "./blob";
import { decodeUTF8, encodeUTF8 } from "./encoding";
import { bytesOf } from "./primordials";

{
  const B = Buffer as any, from = B.from, toString = B.prototype.toString, isEncoding = B.isEncoding, write = B.prototype.write, byteLength = B.byteLength;
  const plain = (e: unknown) => (e === undefined || e === null ? "utf8" : `${e as string}`.toLowerCase());
  const put = (name: string, on: any, f: any) => Object.defineProperty(on, name, { value: f, writable: true, configurable: true, enumerable: true });
  put("isEncoding", B, function isEncoding_(e: unknown) { return plain(e) === "base64url" || (typeof e === "string" && isEncoding(e)); });
  put("from", B, function (v: any, e?: any, n?: any) {
    if (typeof v === "string") {
      const enc = plain(e);
      if (enc === "utf8" || enc === "utf-8") {
        const b = encodeUTF8(v);
        return from(b.buffer, b.byteOffset, b.byteLength);
      }
      if (enc === "base64url") return from(v, "base64");
    }
    return from(v, e, n);
  });
  put("toString", B.prototype, function (this: Uint8Array, e?: any, a?: any, z?: any) {
    const enc = plain(e);
    if (enc === "utf8" || enc === "utf-8") {
      const part = a === undefined && z === undefined ? this : this.subarray(Math.max(0, a ?? 0), z === undefined ? this.length : Math.max(0, z));
      // A byte order mark is part of the text here.
      return part.length >= 3 && part[0] === 0xef && part[1] === 0xbb && part[2] === 0xbf ? "\ufeff" + decodeUTF8(part.subarray(3)) : decodeUTF8(part);
    }
    if (enc === "base64url") return toString.call(this, "base64", a, z).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
    return toString.call(this, e, a, z);
  });
  put("write", B.prototype, function (this: any, s: string, ...rest: any[]) {
    for (let i = 0; i < rest.length; i++) if (plain(rest[i]) === "base64url" && typeof rest[i] === "string") rest[i] = "base64";
    return write.call(this, s, ...rest);
  });
  put("byteLength", B, function (v: any, e?: any) {
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
export function transcode(source: Uint8Array, from: string, to: string): unknown { return Buffer.from(Buffer.from(source).toString(from as any), to as any); }
export function resolveObjectURL(): undefined { return undefined; }
export default { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength, kStringMaxLength, constants, Blob, File, atob, btoa, isUtf8, isAscii, transcode, resolveObjectURL };
