// Blob and File. Specification: File API, sections 3 and 4.

import { refuseAtStart } from "./run";
import { ArrayIsArray, ArrayPush, DateNow, NativeError, NativeTypeError, NativeUint8Array, RegExpTest, StringToLowerCase, StringToWellFormed, TypedArrayLength, TypedArraySet, TypedArraySubarray, bytesOf, enumerable, expose, tag, uncurryThis, wrongType } from "./primordials";
import { TextDecoder, decodeUTF8, encodeUTF8 } from "./encoding";
import { cloneable } from "./clone";
import { bytesStream, fixedLength } from "./streams";

export let blobBytes: (b: Blob) => Uint8Array;
/** A Blob over these bytes, its type as given. */
export let typedBlob: (bytes: Uint8Array, type: string) => Blob;
export let isBlob: (o: unknown) => o is Blob;

/** Joins byte blocks into one. */
export function concat(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  let n = 0;
  for (let i = 0; i < parts.length; i++) n += TypedArrayLength(parts[i]);
  const out = new NativeUint8Array(n);
  n = 0;
  for (let i = 0; i < parts.length; i++) {
    TypedArraySet(out, parts[i], n);
    n += TypedArrayLength(parts[i]);
  }
  return out;
}

function gather(parts: unknown): Uint8Array {
  if (parts === undefined) return new NativeUint8Array(0);
  if (parts === null || typeof parts !== "object" || !ArrayIsArray(parts)) throw new NativeTypeError("Failed to construct 'Blob': constructor parameter 1 is not of type 'Array'.");
  const list: Uint8Array[] = [], from: unknown[] = parts;
  for (let i = 0; i < from.length; i++) {
    const p = from[i];
    if (isBlob(p)) ArrayPush(list, blobBytes(p));
    else ArrayPush(list, bytesOf(p) ?? encodeUTF8(StringToWellFormed(`${p as string}`)));
  }
  const all = concat(list);
  return list.length === 1 ? new NativeUint8Array(all) : all;
}

export class Blob {
  #bytes: Uint8Array;
  #type: string;

  constructor(parts?: unknown[], options?: { type?: string }) {
    if (options !== undefined && options !== null && typeof options !== "object" && typeof options !== "function") throw new NativeTypeError("Failed to construct 'Blob': constructor parameter 2 is not of type 'Options'.");
    if ((options as any)?.endings !== undefined) throw new NativeError("The 'endings' field on 'Options' is not implemented.");
    this.#bytes = gather(parts);
    const t = options?.type === undefined ? "" : `${options.type}`;
    this.#type = RegExpTest(/[^ -~]/, t) ? "" : StringToLowerCase(t);
  }
  static {
    blobBytes = (b) => b.#bytes;
    typedBlob = (bytes, type) => {
      const b = new Blob();
      b.#bytes = bytes;
      b.#type = type;
      return b;
    };
    isBlob = (o): o is Blob => typeof o === "object" && o !== null && #bytes in o;
  }
  get size() { return TypedArrayLength(this.#bytes); }
  get type() { return this.#type; }
  slice(start?: number, end?: number, type?: string): Blob {
    const b = new Blob([], { type: type ?? "" });
    b.#bytes = TypedArraySubarray(this.#bytes, start ?? 0, end === undefined ? TypedArrayLength(this.#bytes) : end);
    return b;
  }
  async text(): Promise<string> { return decodeBlob(this.#bytes); }
  async arrayBuffer(): Promise<ArrayBuffer> { return new NativeUint8Array(this.#bytes).buffer as ArrayBuffer; }
  async bytes(): Promise<Uint8Array> { return new NativeUint8Array(this.#bytes); }
  stream() {
    refuseAtStart("blob.stream()");
    const s = bytesStream(this.#bytes);
    fixedLength.set(s, TypedArrayLength(this.#bytes));
    return s;
  }
}

const asIs = new TextDecoder("utf-8", { ignoreBOM: true }), decode = uncurryThis(TextDecoder.prototype.decode as any) as any;
/** The text of a Blob, which keeps a byte order mark. */
function decodeBlob(b: Uint8Array): string { return TypedArrayLength(b) > 0 && b[0] === 0xef ? decode(asIs, b) : decodeUTF8(b); }

export class File extends Blob {
  #name: string;
  #modified: number;
  constructor(parts: unknown[], name: string, options?: { type?: string; lastModified?: number }) {
    if (parts !== undefined && !(typeof parts === "object" && ArrayIsArray(parts))) throw wrongType("File constructor", 1, "Array");
    if (arguments.length < 2) throw wrongType("File constructor", 2, "string");
    if (options !== undefined && options !== null && typeof options !== "object" && typeof options !== "function") throw wrongType("File constructor", 3, "Options");
    super(parts, options);
    this.#name = StringToWellFormed(`${name}`);
    this.#modified = options?.lastModified === undefined ? DateNow() : +options.lastModified || 0;
  }
  get name() { return this.#name; }
  get lastModified() { return this.#modified; }
}

cloneable((o) => isBlob(o) && !(o instanceof File), (b: Blob) => typedBlob(blobBytes(b), b.type));
for (const [name, C] of Object.entries({ Blob, File })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
