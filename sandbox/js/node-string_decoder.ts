// node:string_decoder.

import { Buffer } from "node:buffer";
import { argType } from "./node-errors";

export class StringDecoder {
  encoding: string;
  #rest: Uint8Array = new Uint8Array(0);
  constructor(encoding = "utf8") {
    const e = `${encoding}`.toLowerCase();
    const names: Record<string, string> = { "utf-8": "utf8", ucs2: "utf16le", "ucs-2": "utf16le", "utf-16le": "utf16le", binary: "latin1" };
    this.encoding = names[e] ?? e;
    if (!Buffer.isEncoding(this.encoding)) throw Object.assign(new TypeError(`Unknown encoding: ${encoding}`), { code: "ERR_UNKNOWN_ENCODING" });
  }
  write(given: unknown): string {
    const input: any = given;
    if (typeof input === "string") return input;
    if (!ArrayBuffer.isView(given) && !(given instanceof ArrayBuffer)) throw argType("buf", "of type string or an instance of Buffer, TypedArray, or DataView", given);
    const b = new Uint8Array(this.#rest.length + input.byteLength);
    b.set(this.#rest);
    b.set(new Uint8Array(input.buffer ?? input, input.byteOffset ?? 0, input.byteLength), this.#rest.length);
    const keep = this.#incomplete(b);
    this.#rest = b.slice(b.length - keep);
    return Buffer.from(b.buffer, 0, b.length - keep).toString(this.encoding as any);
  }
  end(input?: any): string {
    const s = input === undefined ? "" : this.write(input);
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    return rest.length === 0 ? s : s + (this.encoding === "utf8" ? "\ufffd" : Buffer.from(rest).toString(this.encoding as any));
  }
  /** How many bytes at the end belong to a character or group still to come. */
  #incomplete(b: Uint8Array): number {
    const n = b.length;
    switch (this.encoding) {
      case "base64": case "base64url": return n % 3;
      case "utf16le": {
        if (n % 2 === 1) return 1;
        return n >= 2 && b[n - 1] >= 0xd8 && b[n - 1] <= 0xdb ? 2 : 0;
      }
      case "utf8":
        for (let i = 1; i <= 3 && i <= n; i++) {
          const c = b[n - i];
          if (c < 0x80) return 0;
          if (c >= 0xc0) return (c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2) > i ? i : 0;
        }
    }
    return 0;
  }
  get lastNeed() { return this.#rest.length; }
}
export default { StringDecoder };
