// node:crypto: hashes, HMAC, random values, key derivation and timingSafeEqual, on
// the operations of SubtleCrypto; keys and ciphers are beside it. What is not here says so
// when it is called.

import { argType, callable, nodeError, outOfRange, whole } from "./node-errors";
import { bytesOf } from "./primordials";
import { Buffer } from "node:buffer";
import { Transform } from "./node-stream";
import { call, op } from "./host";
import { concat } from "./blob";
import { crypto as web } from "./crypto";
import { queueMicrotask } from "./timers";
import { refuseAtStart } from "./run";

import { bytes, output, digestName, secretBytes, KeyObject, SecretKeyObject, PublicKeyObject, PrivateKeyObject, createSecretKey, createPrivateKey, createPublicKey, createSign, createVerify, Sign, Verify, sign, verify, generateKeyPair, generateKeyPairSync, generateKey, generateKeySync, generatePrime, generatePrimeSync, checkPrime, checkPrimeSync, publicEncrypt, privateDecrypt, privateEncrypt, publicDecrypt, diffieHellman, ECDH, createECDH, constants } from "./node-keys";
import { Cipheriv, Decipheriv, createCipheriv, createDecipheriv, getCipherInfo, getCiphers } from "./node-cipher";

const DIGEST = op("crypto.digest"), MAC = op("crypto.hmac"), RANDOM = op("random"), EQUAL = op("crypto.equal"), KDF = op("crypto.kdf"), SCRYPT = op("crypto.scrypt");

const nameOf = (n: string): string => {
  const h = digestName(n);
  if (h === undefined) throw new Error("Digest method not supported");
  return h;
};
/** The bytes of a password or a salt. */
function secret(what: string, v: unknown): Uint8Array {
  if (typeof v !== "string" && bytesOf(v) === undefined) throw argType(what, "of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView", v);
  return bytes(v, undefined, what);
}
/** The digest that a key is derived with. */
function kdfDigest(digest: unknown, kind: string, end: string): string {
  if (typeof digest !== "string") throw argType("digest", "of type string", digest);
  const h = digestName(digest);
  if (h === undefined) throw new TypeError(`Invalid ${kind} digest: ${digest}${end}`);
  return h;
}

class Hasher extends (Transform as any) {
  protected parts: Uint8Array[] = [];
  protected done = false;
  digest(_encoding?: string): any { return undefined; }
  update(data: any, encoding?: string): this {
    if (this.done) throw nodeError(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this.parts.push(new Uint8Array(bytes(data, encoding)));
    return this;
  }
  protected take(): Uint8Array {
    if (this.done) throw nodeError(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this.done = true;
    return this.parts.length === 0 ? new Uint8Array(0) : concat(this.parts);
  }
  _transform(chunk: any, encoding: any, done: (e?: unknown) => void): void {
    this.update(chunk, encoding);
    done();
  }
  _flush(done: (e?: unknown) => void): void {
    (this as any).push(this.digest());
    done();
  }
}
export class Hash extends Hasher {
  #name: string;
  constructor(name: string) {
    super();
    this.#name = nameOf(name);
  }
  digest(encoding?: string): any { return output(call(DIGEST, this.#name, this.take()), encoding); }
  copy(): Hash {
    if (this.done) throw nodeError(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    const h = new Hash("sha1");
    h.#name = this.#name;
    h.parts = [...this.parts];
    return h;
  }
}
export class Hmac extends Hasher {
  #name: string;
  #key: Uint8Array;
  constructor(name: string, key: any) {
    super();
    this.#name = nameOf(name);
    this.#key = secretBytes(key);
  }
  digest(encoding?: string): any { return output(call(MAC, this.#name, this.#key, this.take()), encoding); }
}
export function createHash(name: string, options?: any): Hash {
  if (typeof name !== "string") throw argType("algorithm", "of type string", name);
  const h = new Hash(name), length = options?.outputLength, digest = length === undefined ? undefined : digestName(name);
  if (digest !== undefined && length !== (call(DIGEST, digest, new Uint8Array(0)) as Uint8Array).length) throw new Error("invalid digest size");
  return h;
}
export function createHmac(name: string, key: any, _options?: unknown): Hmac {
  if (typeof name !== "string") throw argType("hmac", "of type string", name);
  if (typeof key !== "string" && bytesOf(key) === undefined && !(typeof key === "object" && key !== null)) {
    throw argType("key", "of type string or an instance of ArrayBuffer, Buffer, ArrayBufferView, KeyObject, or CryptoKey", key);
  }
  return new Hmac(name, key);
}
export function hash(name: string, data: any, encoding = "hex"): any { return createHash(name).update(data).digest(encoding); }
export function getHashes(): string[] { return ["RSA-MD5", "RSA-SHA1", "RSA-SHA224", "RSA-SHA256", "RSA-SHA384", "RSA-SHA512", "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512-256", "sha3-256", "sha3-384", "sha3-512"]; }
export function getCurves(): string[] { return ["prime256v1", "secp384r1", "secp521r1"]; }

const random = (n: number): Uint8Array => {
  refuseAtStart("random values");
  const out = new Uint8Array(n);
  for (let i = 0; i < n; i += 65536) out.set(new Uint8Array(call(RANDOM, Math.min(65536, n - i))), i);
  return out;
};
const later = <T>(f: () => T, done: (e: unknown, v?: T) => void): void => {
  let v: T;
  try {
    v = f();
  } catch (e) {
    queueMicrotask(() => done(e));
    return;
  }
  queueMicrotask(() => done(null, v));
};
export function randomBytes(n: number, done?: (e: unknown, b?: any) => void): any {
  if (typeof n !== "number") throw argType("size", "of type number", n);
  if (!(n >= 0 && n <= 2147483647)) throw outOfRange("size", ">= 0 && <= 2147483647", n);
  if (done !== undefined && typeof done !== "function") throw argType("callback", "of type function", done);
  if (done) return later(() => Buffer.from(random(n).buffer as ArrayBuffer), done);
  return Buffer.from(random(n).buffer as ArrayBuffer);
}
export const pseudoRandomBytes = randomBytes, rng = randomBytes, prng = randomBytes;
export function randomFillSync(b: any, offset = 0, size?: number): any {
  if (!ArrayBuffer.isView(b) && bytesOf(b) === undefined) throw argType("buffer", "an instance of TypedArray, DataView, ArrayBuffer, or SharedArrayBuffer", b);
  const all = bytes(b, undefined, "buf");
  whole("offset", offset, 0, 2147483647);
  if (size !== undefined) whole("size", size, 0, all.length - offset);
  const v = all.subarray(offset, size === undefined ? undefined : offset + size);
  v.set(random(v.length));
  return b;
}
export function randomFill(b: any, ...rest: any[]): void {
  const done = rest.pop();
  if (typeof done !== "function") throw argType("callback", "of type function", done);
  later(() => randomFillSync(b, ...rest), done);
}
export function randomInt(min: number, max?: any, done?: any): any {
  if (max === undefined || typeof max === "function") [min, max, done] = [0, min, max];
  for (const [k, v] of [["min", min], ["max", max]]) if (typeof v !== "number") throw argType(k, "of type number", v);
  for (const [k, v] of [["min", min], ["max", max]]) if (!Number.isSafeInteger(v)) throw outOfRange(k, "an integer", v);
  if (max <= min) throw outOfRange("min", "min < max", min);
  if (max - min > 2 ** 48) throw outOfRange("max", "<= 281474976710655", max);
  const pick = () => {
    const span = max - min, limit = 2 ** 48 - (2 ** 48 % span);
    for (;;) {
      const b = random(6);
      let v = 0;
      for (let i = 0; i < 6; i++) v = v * 256 + b[i];
      if (v < limit) return min + (v % span);
    }
  };
  return typeof done === "function" ? later(pick, done) : pick();
}
export function randomUUID(options?: unknown): string {
  if (options !== undefined && (typeof options !== "object" || options === null)) throw argType("options", "of type object", options);
  const cache = (options as any)?.disableEntropyCache;
  if (cache !== undefined && typeof cache !== "boolean") throw argType("options.disableEntropyCache", "of type boolean", cache);
  return web.randomUUID();
}
function timingSafe(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) throw new TypeError("Input buffers must have the same byte length.");
  return call(EQUAL, a, b);
}
export function timingSafeEqual(a: any, b: any): boolean {
  for (const [i, v] of [[1, a], [2, b]]) if (bytesOf(v) === undefined) throw new TypeError(`Failed to execute 'timingSafeEqual' on 'SubtleCrypto': parameter ${i} is not of type 'BufferSource'.`);
  return timingSafe(bytes(a, undefined, "buf1"), bytes(b, undefined, "buf2"));
}
function derivedLength(what: string, n: unknown): number {
  if (typeof n !== "number") throw argType(what, "of type number", n);
  if (!(Number.isInteger(n) && n >= 0 && n <= 2147483647)) throw outOfRange(what, Number.isInteger(n) ? ">= 0 && <= 2147483647" : "an integer", n);
  return n;
}
export function pbkdf2Sync(password: any, salt: any, iterations: number, length: number, digest: string): any {
  if (typeof digest !== "string") throw argType("digest", "of type string", digest);
  whole("iterations", iterations, 1, 2147483647);
  return Buffer.from(call(KDF, "PBKDF2", kdfDigest(digest, "Pbkdf2", "."), secret("password", password), secret("salt", salt), iterations, derivedLength("keylen", length)));
}
export function pbkdf2(password: any, salt: any, iterations: number, length: number, digest: string, done: any): void {
  if (typeof digest === "function") [done, digest] = [undefined, digest];
  callable("callback", done);
  whole("iterations", iterations, 1, 2147483647);
  later(() => pbkdf2Sync(password, salt, iterations, length, digest), done);
}
function keyMaterial(v: unknown): Uint8Array {
  if (v instanceof SecretKeyObject) return secretBytes(v, "ikm");
  if (typeof v !== "string" && bytesOf(v) === undefined) throw argType("ikm", "of type string or an instance of SecretKeyObject, ArrayBuffer, TypedArray, DataView, or Buffer", v);
  return bytes(v, undefined, "ikm");
}
export function hkdfSync(digest: string, key: any, salt: any, info: any, length: number): ArrayBuffer {
  const h = kdfDigest(digest, "Hkdf", "");
  if (typeof length === "number" && length > 255 * output(call(DIGEST, h, new Uint8Array(0))).length) throw new RangeError("Invalid Hkdf key length");
  return call(KDF, "HKDF", h, keyMaterial(key), bytes(salt, undefined, "salt"), bytes(info, undefined, "info"), derivedLength("length", length));
}
export function hkdf(digest: string, key: any, salt: any, info: any, length: number, done: any): void {
  callable("callback", done);
  keyMaterial(key);
  later(() => hkdfSync(digest, key, salt, info, length), done);
}
export function scryptSync(password: any, salt: any, length: number, o: any = {}): any {
  for (const [one, other] of [["N", "cost"], ["r", "blockSize"], ["p", "parallelization"]]) {
    if (o?.[one] !== undefined && o[other] !== undefined) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument '${other}' is invalid. Received ${o[other]}`);
  }
  if (o?.maxmem !== undefined) whole("maxmem", o.maxmem, 0, Number.MAX_SAFE_INTEGER);
  const many = (...names: string[]): number | undefined => {
    for (const k of names) {
      if (o[k] === undefined) continue;
      return whole(k, o[k], 0, 0xffffffff, ">= 0 && < 4294967296") || undefined;
    }
    return undefined;
  };
  const N = many("N", "cost") ?? 16384, r = many("r", "blockSize") ?? 8, p = many("p", "parallelization") ?? 1;
  if (N > 1 << 20) throw new RangeError("Scrypt failed: cost exceeds maximum (1048576).");
  if (N < 2 || (N & (N - 1)) !== 0) throw new Error("Scrypt failed");
  if (128 * N * r > (o.maxmem ?? 32 * 1024 * 1024)) throw nodeError(RangeError, "ERR_CRYPTO_INVALID_SCRYPT_PARAMS", "Invalid scrypt params: memory limit exceeded");
  return Buffer.from(call(SCRYPT, secret("password", password), secret("salt", salt), N, r, p, derivedLength("keylen", length)));
}
export function scrypt(password: any, salt: any, length: number, o: any, done?: any): void {
  if (typeof o === "function") [o, done] = [{}, o];
  callable("callback", arguments.length < 5 && done === undefined ? o : done);
  later(() => scryptSync(password, salt, length, o), done);
}
const missing = (name: string): any => function () { throw nodeError(Error, "ERR_METHOD_NOT_IMPLEMENTED", `crypto.${name} is not available here.`); };
export const createDiffieHellman = missing("createDiffieHellman"), getDiffieHellman = missing("getDiffieHellman");
export {
  KeyObject, SecretKeyObject, PublicKeyObject, PrivateKeyObject, createSecretKey, createPrivateKey, createPublicKey, createSign, createVerify, Sign, Verify, sign, verify, generateKeyPair, generateKeyPairSync, generateKey, generateKeySync,
  generatePrime, generatePrimeSync, checkPrime, checkPrimeSync, publicEncrypt, privateDecrypt, privateEncrypt, publicDecrypt, diffieHellman, ECDH, createECDH, constants,
  Cipheriv, Decipheriv, createCipheriv, createDecipheriv, getCipherInfo, getCiphers,
};
export const webcrypto = web, subtle = web.subtle;
export function getRandomValues(v: any): any { return web.getRandomValues(v); }
export const CryptoKey = (globalThis as any).CryptoKey, fips = true;
export function getFips(): number { return 0; }
export function setFips(): void { }
export default {
  Hash, Hmac, KeyObject, createSecretKey, createHash, createHmac, hash, getHashes, getCiphers, getCurves, randomBytes, pseudoRandomBytes, rng, prng, randomFillSync, randomFill, randomInt, randomUUID, timingSafeEqual, pbkdf2Sync, pbkdf2, hkdfSync, hkdf, scryptSync, scrypt,
  createCipheriv, createDecipheriv, Cipheriv, Decipheriv, getCipherInfo, createSign, createVerify, Sign, Verify, sign, verify, createPrivateKey, createPublicKey, SecretKeyObject, PublicKeyObject, PrivateKeyObject, generateKeyPair, generateKeyPairSync, generateKey, generateKeySync,
  createDiffieHellman, getDiffieHellman, ECDH, createECDH, publicEncrypt, privateDecrypt, privateEncrypt, publicDecrypt, diffieHellman, generatePrime, generatePrimeSync, checkPrime, checkPrimeSync,
  webcrypto, subtle, constants, getRandomValues, getFips, setFips, CryptoKey, fips,
};
