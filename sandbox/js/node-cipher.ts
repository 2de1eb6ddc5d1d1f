// node:crypto's ciphers: AES in the modes ECB, CBC, CTR and GCM. The host works on
// whole blocks or on a place in the key stream; what is left over waits here.

import { Buffer } from "node:buffer";
import { argType, nodeError, objectArg } from "./node-errors";
import { Transform } from "./node-stream";
import { call, op } from "./host";
import { concat } from "./blob";
import { bytes, output, secretBytes } from "./node-keys";

const BLOCKS = op("crypto.blocks"), AES = op("crypto.aes"), EQUAL = op("crypto.equal");
const block = 16, none = new Uint8Array(0);

const nids: Record<string, number[]> = { ecb: [418, 422, 426], cbc: [419, 423, 427], ctr: [904, 905, 906], gcm: [895, 898, 901] };
export function getCipherInfo(name: any, options?: unknown): any {
  if (typeof name !== "string" && typeof name !== "number") throw argType("nameOrId", "one of type string or number", name);
  if (options !== undefined) objectArg("options", options);
  const m = /^aes-?(128|192|256)-(ecb|cbc|ctr|gcm)$/i.exec(`${name}`);
  if (m === null) return undefined;
  const mode = m[2].toLowerCase(), size = +m[1];
  return { name: mode === "gcm" ? `id-aes${size}-GCM` : `AES-${size}-${mode.toUpperCase()}`, nid: nids[mode][size / 64 - 2], blockSize: mode === "ctr" || mode === "gcm" ? undefined : block, ivLength: mode === "ecb" ? undefined : mode === "gcm" ? 12 : 16, keyLength: size / 8, mode };
}
export function getCiphers(): string[] {
  const out: string[] = [];
  for (const size of [128, 192, 256]) for (const mode of ["cbc", "ctr", "ecb", "gcm"]) out.push(`aes-${size}-${mode}`);
  return out;
}

class AES_ extends (Transform as any) {
  #mode: string;
  #encrypt: boolean;
  #key: Uint8Array;
  #iv: Uint8Array;
  #left: Uint8Array = none; // less than a block, or when deciphering with padding up to one
  #at = 0; // bytes of the key stream that were used
  #padding = true;
  #done = false;
  #aad: Uint8Array[] = [];
  #text: Uint8Array[] = []; // GCM: the plain text, for the tag
  #tag: Uint8Array | null = null;
  #tagLength: number;
  constructor(encrypt: boolean, name: any, key: any, iv: any, o: any) {
    super();
    if (typeof name !== "string") throw argType("algorithm", "of type string", name);
    const info = getCipherInfo(name);
    this.#key = new Uint8Array(secretBytes(key));
    if (iv === undefined) throw argType("iv", "of type string or an instance of Buffer, TypedArray, or DataView or null", iv);
    this.#iv = iv === null ? none : new Uint8Array(bytes(iv, undefined, "iv"));
    if (info === undefined) throw new Error(`Unknown or unsupported cipher: ${name}`);
    if (this.#key.length !== info.keyLength) throw new Error("Invalid key length");
    if (info.mode === "gcm" ? this.#iv.length === 0 : this.#iv.length !== (info.ivLength ?? 0)) throw new Error("Invalid initialization vector");
    this.#mode = info.mode.toUpperCase();
    this.#encrypt = encrypt;
    this.#tagLength = o?.authTagLength ?? block;
  }
  update(data: any, from?: string, to?: string): any {
    if (typeof data !== "string" && !ArrayBuffer.isView(data)) throw argType("data", "of type string or an instance of Buffer, TypedArray, or DataView", data);
    if (typeof data === "string" ? from === undefined || from === null : !ArrayBuffer.isView(data)) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", "The argument 'inputEncoding' If inputEncoding is not provided then the data must be a Buffer. Received undefined");
    if (this.#done) throw new Error("Cipher/decipher context has already been finalized");
    return output(this.#some(bytes(data, from)), to);
  }
  #some(b: Uint8Array): Uint8Array {
    if (this.#mode === "CTR" || this.#mode === "GCM") return this.#stream(new Uint8Array(b));
    const all = concat([this.#left, b, none]);
    // Deciphering keeps the last block, which may be padding.
    let n = all.length - (all.length % block);
    if (!this.#encrypt && this.#padding && n === all.length && n > 0) n -= block;
    this.#left = all.slice(n);
    return this.#blocks(all.subarray(0, n));
  }
  #blocks(b: Uint8Array): Uint8Array {
    if (b.length === 0) return none;
    const out = new Uint8Array(call(BLOCKS, this.#mode, this.#encrypt, this.#key, this.#iv, b, 0));
    if (this.#mode === "CBC") this.#iv = (this.#encrypt ? out : b).slice(b.length - block);
    return out;
  }
  #stream(b: Uint8Array): Uint8Array {
    let out: Uint8Array;
    if (this.#mode === "GCM" && this.#iv.length !== 12) {
      // The first counter is a hash: seal all there was and take what is new.
      const all = concat([...(this.#text.length === 0 ? [none] : this.#text), b]);
      out = new Uint8Array(call(AES, "GCM", true, this.#key, this.#iv, all, 128, none)).slice(this.#at, this.#at + b.length);
    } else {
      let iv = this.#iv;
      if (this.#mode === "GCM") {
        iv = new Uint8Array(block);
        iv.set(this.#iv);
        iv[15] = 2;
      }
      out = new Uint8Array(call(BLOCKS, "CTR", true, this.#key, iv, b, this.#at));
    }
    this.#at += b.length;
    if (this.#mode === "GCM") this.#text.push(this.#encrypt ? b : out);
    return out;
  }
  final(to?: string): any { return output(this.#last(), to); }
  #last(): Uint8Array {
    if (this.#done) throw new Error("Cipher/decipher context has already been finalized");
    this.#done = true;
    if (this.#mode === "CTR") return none;
    if (this.#mode === "GCM") {
      const text = concat([...this.#text, none]), full = new Uint8Array(call(AES, "GCM", true, this.#key, this.#iv, text, 128, concat([...this.#aad, none])));
      const tag = full.slice(text.length);
      if (this.#encrypt) this.#tag = tag.slice(0, this.#tagLength);
      else if (this.#tag === null || !call(EQUAL, tag.slice(0, this.#tag.length), this.#tag)) throw new Error("Authentication failed");
      return none;
    }
    const failed = () => new Error("Authentication failed");
    const left = this.#left;
    if (!this.#padding) {
      if (left.length > 0) throw failed();
      return none;
    }
    if (this.#encrypt) {
      const n = block - left.length, last = new Uint8Array(block).fill(n);
      last.set(left);
      return this.#blocks(last);
    }
    if (left.length !== block) throw failed();
    const last = this.#blocks(left), n = last[block - 1];
    let bad = n === 0 || n > block;
    for (let i = block - n; !bad && i < block; i++) bad = last[i] !== n;
    if (bad) throw failed();
    return last.slice(0, block - n);
  }
  setAutoPadding(on = true): this {
    this.#padding = !!on;
    return this;
  }
  setAAD(b: any, o?: any): this {
    this.#aad.push(new Uint8Array(bytes(b, o?.encoding, "buffer")));
    return this;
  }
  getAuthTag(): any {
    if (this.#tag === null) throw new Error("Auth tag is only available once cipher context has been finalized");
    return Buffer.from(this.#tag);
  }
  setAuthTag(b: any, encoding?: string): this {
    const tag = new Uint8Array(bytes(b, encoding, "buffer"));
    if (this.#mode !== "GCM") throw new Error("Cipher does not support authenticated mode");
    if (tag.length !== 4 && tag.length !== 8 && (tag.length < 12 || tag.length > 16)) throw new Error("Invalid authentication tag length");
    this.#tag = tag;
    return this;
  }
  _transform(chunk: any, encoding: any, done: (e?: unknown) => void): void {
    try {
      (this as any).push(output(this.#some(bytes(chunk, encoding))));
      done();
    } catch (e) {
      done(e);
    }
  }
  _flush(done: (e?: unknown) => void): void {
    try {
      (this as any).push(output(this.#last()));
      done();
    } catch (e) {
      done(e);
    }
  }
}
export class Cipheriv extends AES_ {
  constructor(name: any, key: any, iv: any, o?: any) { super(true, name, key, iv, o); }
}
export class Decipheriv extends AES_ {
  constructor(name: any, key: any, iv: any, o?: any) { super(false, name, key, iv, o); }
}
export const createCipheriv = (name: any, key: any, iv: any, o?: any): Cipheriv => new Cipheriv(name, key, iv, o);
export const createDecipheriv = (name: any, key: any, iv: any, o?: any): Decipheriv => new Decipheriv(name, key, iv, o);
