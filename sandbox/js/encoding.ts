// TextEncoder, TextDecoder, atob and btoa. Specifications: Encoding; HTML, section 8.3.
// The host converts whole strings and buffers in one call.

import { call, op } from "./host";
import { NativeRangeError, NativeTypeError, NativeUint8Array, TypedArrayLength, TypedArraySet, TypedArraySubarray, TypedArrayTag, bytesOf, enumerable, expose, need, tag, wrongType } from "./primordials";

const ENCODE = op("utf8.encode"), DECODE = op("text.decode"), LABEL = op("text.label");

/** A string as UTF-8. */
export function encodeUTF8(s: string): Uint8Array {
  return s === "" ? new NativeUint8Array(0) : new NativeUint8Array(call(ENCODE, s));
}

/** UTF-8 as a string, bad bytes replaced. A byte order mark is dropped. */
export function decodeUTF8(b: Uint8Array): string {
  return TypedArrayLength(b) === 0 ? "" : call(DECODE, "utf-8", b, false, false, true)[0];
}

export class TextEncoder {
  constructor() { }
  get encoding() { return "utf-8"; }
  encode(input: string = ""): Uint8Array {
    return encodeUTF8(`${input}`);
  }
  encodeInto(source: string, target: Uint8Array): { read: number; written: number } {
    need(arguments.length, 2, "TextEncoder.encodeInto", "String,Uint8Array");
    if (TypedArrayTag(target) !== "Uint8Array") throw wrongType("TextEncoder.encodeInto", 2, "Uint8Array");
    const s = `${source}`, room = TypedArrayLength(target);
    let read = 0, written = 0;
    // A code unit takes at least one byte, so no more than room of them can fit.
    for (const c of s.length > room ? s.slice(0, room) : s) {
      const p = c.codePointAt(0)!, n = p < 0x80 ? 1 : p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;
      if (written + n > room) break;
      read += c.length;
      written += n;
    }
    if (written > 0) TypedArraySet(target, encodeUTF8(s.slice(0, read)));
    return { read, written };
  }
}

export class TextDecoder {
  #encoding: string;
  #fatal: boolean;
  #ignoreBOM: boolean;
  #rest: Uint8Array | null = null;
  #seenBOM = false;

  constructor(label: string = "utf-8", options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    if (options !== undefined && (typeof options !== "object" || options === null)) throw new NativeTypeError("Failed to construct 'TextDecoder': constructor parameter 2 is not of type 'ConstructorOptions'.");
    const l = `${label}`;
    const name = l === "utf-8" ? l : (call(LABEL, l) as string);
    if (name === "") throw new NativeRangeError(`"${l}" is not a valid encoding.`);
    this.#encoding = name;
    this.#fatal = !!options?.fatal;
    this.#ignoreBOM = !!options?.ignoreBOM;
  }
  get encoding() { return this.#encoding; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }
  decode(input?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string {
    if (options !== undefined && options !== null && typeof options !== "object" && typeof options !== "function") throw wrongType("TextDecoder.decode", 2, "DecodeOptions");
    let b: Uint8Array | undefined;
    if (input === undefined) b = new NativeUint8Array(0);
    else if ((b = bytesOf(input)) === undefined) throw new NativeTypeError("Failed to execute 'decode' on 'TextDecoder': parameter 1 is not of type 'Array'.");
    const stream = !!options?.stream, rest = this.#rest;
    if (rest !== null) {
      const joined = new NativeUint8Array(TypedArrayLength(rest) + TypedArrayLength(b));
      TypedArraySet(joined, rest);
      TypedArraySet(joined, b, TypedArrayLength(rest));
      b = joined;
      this.#rest = null;
    }
    const n = TypedArrayLength(b);
    if (n === 0 && !stream) {
      this.#seenBOM = false;
      return "";
    }
    // [text, bytes left over]
    let r: [string, number];
    try {
      r = call(DECODE, this.#encoding, b, this.#fatal, this.#ignoreBOM || this.#seenBOM, !stream);
    } catch (e) {
      this.#seenBOM = false;
      throw e;
    }
    if (stream) {
      if (r[1] > 0) this.#rest = new NativeUint8Array(TypedArraySubarray(b, n - r[1]));
      if (n - r[1] > 0) this.#seenBOM = true;
    } else this.#seenBOM = false;
    return r[0];
  }
}

for (const [name, C] of Object.entries({ TextEncoder, TextDecoder })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}

// The engine's atob and btoa are native; where it has none (goja) the host does the work.
const ATOB = op("base64.decode"), BTOA = op("base64.encode");
const nativeAtob: (s: string) => string = globalThis.atob ?? ((s) => call(ATOB, s));
const nativeBtoa: (s: string) => string = globalThis.btoa ?? ((s) => call(BTOA, s));
expose("atob", function atob(s: string): string {
  need(arguments.length, 1, "atob");
  return nativeAtob(`${s}`);
});
expose("btoa", function btoa(s: string): string {
  need(arguments.length, 1, "btoa", "String");
  return nativeBtoa(`${s}`);
});
