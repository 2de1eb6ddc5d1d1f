// node:buffer. Buffer is unenv's (the buffer package); the rest is ours.

import { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength } from "unenv/node/internal/buffer/buffer";
import { Blob, File } from "./blob";
import { bytesOf } from "./primordials";

export { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength, Blob, File };
export const kStringMaxLength = 536870888, constants = Object.freeze({ MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kStringMaxLength });
export const atob = globalThis.atob, btoa = globalThis.btoa;
const need = (v: unknown) => {
  const b = bytesOf(v);
  if (b === undefined) throw Object.assign(new TypeError('The "input" argument must be an instance of ArrayBuffer, Buffer, or TypedArray.'), { code: "ERR_INVALID_ARG_TYPE" });
  return b;
};
export function isUtf8(v: unknown): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(need(v));
    return true;
  } catch (e) {
    if (bytesOf(v) === undefined) throw e;
    return false;
  }
}
export function isAscii(v: unknown): boolean { return need(v).every((c) => c < 128); }
export function transcode(source: Uint8Array, from: string, to: string): unknown { return Buffer.from(Buffer.from(source).toString(from as any), to as any); }
export function resolveObjectURL(): undefined { return undefined; }
export default { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength, kStringMaxLength, constants, Blob, File, atob, btoa, isUtf8, isAscii, transcode, resolveObjectURL };
