// node:crypto's keys: KeyObject, pairs, signatures, RSA encryption and key agreement, on
// the host's library. Keys are kept as SPKI and PKCS #8. Not here: DSA, classic
// Diffie-Hellman, encrypted PEM, X.509 certificates as objects.

import { Buffer } from "node:buffer";
import { argType, callable, nodeError, objectArg, outOfRange, whole } from "./node-errors";
import { inspect } from "./inspect";
import { bytesOf } from "./primordials";
import { call, op } from "./host";
import { CryptoKey, dataOf, isKey } from "./subtle";
import { concat } from "./blob";
import { queueMicrotask } from "./timers";
import { refuseAtStart } from "./run";
import { Writable } from "./node-stream";

const KEY = op("crypto.key"), EXPORT = op("crypto.keyexport"), PAIR = op("crypto.keypair"), SIGN = op("crypto.nodesign"), VERIFY = op("crypto.nodeverify"), RSA = op("crypto.nodersa");
const AGREE = op("crypto.agree"), ECDH_NEW = op("crypto.ecdh"), ECDH_SECRET = op("crypto.ecdhsecret"), EQUAL = op("crypto.equal"), RANDOM = op("random"), PRIME = op("crypto.prime"), IS_PRIME = op("crypto.isprime");

export const constants = Object.freeze({
  RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6,
  RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2,
});

const hashes: Record<string, string> = { __proto__: null, md5: "MD5", sha1: "SHA-1", sha224: "SHA-224", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512", "sha512-256": "SHA-512/256", "sha512-224": "SHA-512/224", "sha3-256": "SHA3-256", "sha3-384": "SHA3-384", "sha3-512": "SHA3-512", ripemd160: "RIPEMD-160", rmd160: "RIPEMD-160" } as any;
/** The host's name of a digest, undefined when there is none. */
export const digestName = (n: string): string | undefined => hashes[`${n}`.toLowerCase().replace(/^rsa-/, "").replace(/^sha-(?=\d)/, "sha")];
const digest = (n: any): string => {
  if (n === null || n === undefined) return "";
  const h = digestName(n);
  if (h === undefined) throw new Error(`Unknown digest: ${n}`);
  return h;
};

const want = "of type string or an instance of Buffer, TypedArray, or DataView";
/** The bytes of an argument. */
export function bytes(v: any, encoding?: string, what = "data"): Uint8Array {
  if (typeof v === "string") return Buffer.from(v, (encoding ?? "utf8") as any);
  if (ArrayBuffer.isView(v)) return new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
  if (v instanceof ArrayBuffer) return new Uint8Array(v);
  throw argType(what, want, v);
}
/** Bytes as a Buffer or, with an encoding, as text. */
export const output = (b: ArrayBuffer | Uint8Array, encoding?: string): any => {
  const buf = b instanceof Uint8Array ? Buffer.from(b.buffer as ArrayBuffer, b.byteOffset, b.byteLength) : Buffer.from(b);
  return encoding === undefined || encoding === null || encoding === "buffer" ? buf : buf.toString(encoding as any);
};

const jwkNames = ["kty", "use", "key_ops", "alg", "ext", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "oth", "k", "pub", "priv"];
const jwkOf = (from: any): any => {
  const out: any = {};
  for (const k of jwkNames) out[k] = from[k];
  return out;
};
const curves: Record<string, string> = { __proto__: null, "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" } as any;
const curveOf = (name: any): string => {
  for (const c in curves) if (c === name || curves[c] === name) return c;
  if (name === "secp256r1") return "P-256";
  throw new Error("Invalid or unsupported curve");
};

type Info = { material: Uint8Array; kind: string; curve: string; bits: number; exponent: number };
let infoOf: (k: KeyObject) => Info;
let isKeyObject: (v: unknown) => v is KeyObject;

/** A key of any kind. */
export class KeyObject {
  #type: string;
  #info: Info;
  constructor(type: string, info: Info) {
    this.#type = type;
    this.#info = info;
  }
  static {
    infoOf = (k) => k.#info;
    isKeyObject = (v): v is KeyObject => typeof v === "object" && v !== null && #info in v;
  }
  static from(k: CryptoKey): KeyObject {
    if (!isKey(k)) throw argType("key", "an instance of CryptoKey", k);
    return k.type === "secret" ? secret(dataOf(k)) : read(k.type === "private", new Uint8Array(dataOf(k)), "der");
  }
  get type(): string { return this.#type; }
  get symmetricKeySize(): number | undefined { return this.#type === "secret" ? this.#info.material.length : undefined; }
  get asymmetricKeyType(): string | undefined { return this.#type === "secret" ? undefined : this.#info.kind; }
  get asymmetricKeyDetails(): any {
    if (this.#type === "secret") return undefined;
    const { kind, bits, exponent, curve } = this.#info;
    return { modulusLength: kind === "rsa" ? bits : undefined, publicExponent: kind === "rsa" ? BigInt(exponent) : undefined, divisorLength: undefined, namedCurve: curve === "" ? undefined : curves[curve] };
  }
  export(o: any = {}): any {
    const { material } = this.#info;
    if (this.#type === "secret") return o.format === "jwk" ? jwkOf({ kty: "oct", k: Buffer.from(material).toString("base64url"), ext: true }) : Buffer.from(material);
    const isPrivate = this.#type === "private";
    if (o.format === "jwk") {
      const j = JSON.parse(call(EXPORT, isPrivate, material, "", "jwk"));
      if (this.#info.kind === "ed25519") j.alg = "EdDSA";
      return jwkOf(j);
    }
    if (o.type === undefined) throw new TypeError("Missing type option");
    if (o.cipher !== undefined || o.passphrase !== undefined) throw new Error("Encrypted private keys are not available here.");
    const v = call(EXPORT, isPrivate, material, `${o.type}`, o.format === "der" ? "der" : "pem");
    return typeof v === "string" ? v : Buffer.from(v);
  }
  equals(o: any): boolean {
    if (!isKeyObject(o)) throw argType("otherKeyObject", "an instance of KeyObject", o);
    const a = this.#info.material, b = o.#info.material;
    return this.#type === o.#type && a.length === b.length && call(EQUAL, a, b);
  }
  get [Symbol.toStringTag]() { return "KeyObject"; }
}
export class SecretKeyObject extends KeyObject { }
export class PublicKeyObject extends KeyObject { }
export class PrivateKeyObject extends KeyObject { }

const secret = (b: Uint8Array): KeyObject => new SecretKeyObject("secret", { material: new Uint8Array(b), kind: "", curve: "", bits: 0, exponent: 0 });
function read(isPrivate: boolean, v: unknown, format: string): KeyObject {
  const [material, kind, curve, bits, exponent] = call(KEY, isPrivate, v, format);
  return new (isPrivate ? PrivateKeyObject : PublicKeyObject)(isPrivate ? "private" : "public", { material: new Uint8Array(material), kind, curve, bits, exponent });
}
function input(k: any, isPrivate: boolean): KeyObject {
  if (isKeyObject(k)) {
    if (k.type === "secret") throw nodeError(Error, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type secret, expected ${isPrivate ? "private" : "public"}.`);
    if (isPrivate && k.type !== "private") throw nodeError(Error, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type ${k.type}, expected private.`);
    return !isPrivate && k.type === "private" ? read(false, infoOf(k).material, "der") : k;
  }
  if (isKey(k)) return input(KeyObject.from(k), isPrivate);
  if (typeof k === "string") return read(isPrivate, k, "pem");
  if (ArrayBuffer.isView(k) || k instanceof ArrayBuffer) return read(isPrivate, bytes(k), "pem");
  if (typeof k !== "object" || k === null || k.key === undefined) throw argType("key", "of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey", k);
  if (k.passphrase !== undefined) throw new Error("Encrypted private keys are not available here.");
  if (isKeyObject(k.key) || isKey(k.key)) return input(k.key, isPrivate);
  if (k.format === "jwk") return read(isPrivate, JSON.stringify(k.key), "jwk");
  return read(isPrivate, typeof k.key === "string" ? k.key : bytes(k.key, k.encoding, "key.key"), k.format ?? "pem");
}
export const createPrivateKey = (k: any): KeyObject => input(k, true);
export const createPublicKey = (k: any): KeyObject => input(k, false);
export function createSecretKey(k: any, encoding?: string): KeyObject {
  if (typeof k !== "string" && bytesOf(k) === undefined) throw new TypeError("Failed to execute 'createSecretKey' on 'CryptoImpl': parameter 1 is not of type 'BufferSource'.");
  return secret(bytes(k, encoding, "key"));
}
/** The bytes of a secret key in any form. */
export function secretBytes(k: any, what = "key"): Uint8Array {
  if (isKeyObject(k)) {
    if (k.type !== "secret") throw nodeError(TypeError, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type ${k.type}, expected secret.`);
    return infoOf(k).material;
  }
  if (isKey(k)) return dataOf(k);
  if (typeof k !== "string" && !ArrayBuffer.isView(k) && !(k instanceof ArrayBuffer)) throw argType(what, "of type string or an instance of Buffer, TypedArray, DataView, KeyObject, or CryptoKey", k);
  return bytes(k, undefined, what);
}

// ---- signatures ----

/** What the options of a key say about a signature. */
const scheme = (k: any): [padding: number, salt: number, p1363: boolean] => {
  const o = typeof k === "object" && k !== null && !isKeyObject(k) && !isKey(k) ? k : {};
  return [o.padding ?? 1, o.saltLength ?? -2, o.dsaEncoding === "ieee-p1363"];
};
const sealed = (h: string, data: Uint8Array, k: any): ArrayBuffer => {
  const key = input(k, true);
  return call(SIGN, h, infoOf(key).material, data, ...scheme(k));
};
const proven = (h: string, data: Uint8Array, k: any, signature: Uint8Array): boolean => call(VERIFY, h, infoOf(input(k, false)).material, data, signature, ...scheme(k));

class Signer extends (Writable as any) {
  protected parts: Uint8Array[] = [];
  protected hash: string;
  constructor(name: string) {
    super();
    if (typeof name !== "string") throw argType("algorithm", "of type string", name);
    this.hash = digest(name);
  }
  update(data: any, encoding?: string): this {
    this.parts.push(new Uint8Array(bytes(data, encoding)));
    return this;
  }
  _write(chunk: any, encoding: any, done: (e?: unknown) => void): void {
    this.update(chunk, encoding);
    done();
  }
}
export class Sign extends Signer {
  sign(k: any, encoding?: string): any {
    if (k === undefined || k === null) throw nodeError(Error, "ERR_CRYPTO_SIGN_KEY_REQUIRED", "No key provided to sign");
    return output(sealed(this.hash, concat([...this.parts, new Uint8Array(0)]), k), encoding);
  }
}
export class Verify extends Signer {
  verify(k: any, signature: any, encoding?: string): boolean { return proven(this.hash, concat([...this.parts, new Uint8Array(0)]), k, bytes(signature, encoding, "signature")); }
}
export const createSign = (name: string, _options?: unknown): Sign => new Sign(name);
export const createVerify = (name: string, _options?: unknown): Verify => new Verify(name);

/** Gives f's outcome to a callback in a later microtask; without one, at once. */
function answer<T>(f: () => T, done?: (e: unknown, ...v: any[]) => void, spread = false): T | undefined {
  if (done === undefined) return f();
  let v: any;
  try {
    v = f();
  } catch (e) {
    queueMicrotask(() => done(e));
    return undefined;
  }
  queueMicrotask(() => (spread ? done(null, ...v) : done(null, v)));
  return undefined;
}
export const sign = (name: any, data: any, k: any, done?: any): any => answer(() => output(sealed(digest(name), bytes(data), k)), done);
export const verify = (name: any, data: any, k: any, signature: any, done?: any): any => answer(() => proven(digest(name), bytes(data), k, bytes(signature, undefined, "signature")), done);

// ---- generating ----

function encode(k: KeyObject, o: any): any { return o === undefined || o === null ? k : k.export(o); }
export function generateKeyPairSync(type: string, o: any = {}): { publicKey: any; privateKey: any } {
  refuseAtStart("generating keys");
  let kind: string;
  switch (type) {
    case "rsa": case "rsa-pss":
      if (!Number.isInteger(o.modulusLength)) throw argType("options.modulusLength", "of type number", o.modulusLength);
      kind = "RSA";
      break;
    case "ec":
      if (typeof o.namedCurve !== "string") throw argType("options.namedCurve", "of type string", o.namedCurve);
      kind = curveOf(o.namedCurve);
      break;
    case "ed25519": kind = "Ed25519"; break;
    case "x25519": kind = "X25519"; break;
    default: throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'type' must be one of: 'rsa', 'ec', 'ed25519', 'x25519', 'dh'. Received '${type}'`);
  }
  const [pub, priv] = call(PAIR, kind, o.modulusLength ?? 0);
  return { publicKey: encode(read(false, new Uint8Array(pub), "der"), o.publicKeyEncoding), privateKey: encode(read(true, new Uint8Array(priv), "der"), o.privateKeyEncoding) };
}
export function generateKeyPair(type: string, o: any, done?: any): void {
  if (typeof o === "function") [o, done] = [{}, o];
  answer(() => {
    const k = generateKeyPairSync(type, o);
    return [k.publicKey, k.privateKey];
  }, done, true);
}
export function generateKeySync(type: string, o: any): KeyObject {
  refuseAtStart("generating keys");
  if (type !== "hmac" && type !== "aes") throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'type' must be one of: 'hmac', 'aes'. Received ${inspect(type)}`);
  objectArg("options", o);
  if (type === "hmac") whole("options.length", o.length, 8, 65536);
  else if (o.length !== 128 && o.length !== 192 && o.length !== 256) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The property 'options.length' must be one of: 128, 192, 256. Received ${inspect(o.length)}`);
  return secret(new Uint8Array(call(RANDOM, Math.floor(o.length / 8))));
}
export function generateKey(type: string, o: any, done: any): void { answer(() => generateKeySync(type, o), done); }

const number = (b: Uint8Array): bigint => BigInt("0x" + (Buffer.from(b).toString("hex") || "0"));
const numeric = "of type bigint or an instance of ArrayBuffer, TypedArray, Buffer, or DataView";
export function generatePrimeSync(bits: number, o: any = {}): any {
  refuseAtStart("random values");
  whole("size", bits, 1, 2147483647);
  objectArg("options", o);
  for (const k of ["safe", "bigint"]) if (o[k] !== undefined && typeof o[k] !== "boolean") throw argType(`options.${k}`, "of type boolean", o[k]);
  for (const k of ["add", "rem"]) if (o[k] !== undefined && typeof o[k] !== "bigint" && bytesOf(o[k]) === undefined) throw argType(`options.${k}`, numeric, o[k]);
  const b = new Uint8Array(call(PRIME, bits));
  return o.bigint ? number(b) : b.buffer;
}
export function generatePrime(bits: number, o: any, done?: any): void {
  if (typeof o === "function") [o, done] = [{}, o];
  callable("callback", done);
  answer(() => generatePrimeSync(bits, o), done);
}
export function checkPrimeSync(v: any, o: any = {}): boolean {
  if (typeof v !== "bigint" && bytesOf(v) === undefined) throw argType("candidate", numeric, v);
  if (typeof v === "bigint" && v < 0n) throw outOfRange("candidate", ">= 0", v);
  objectArg("options", o);
  if (o.checks !== undefined) whole("options.checks", o.checks, 0, 2147483647);
  if (typeof v === "bigint") {
    const h = v.toString(16);
    v = Buffer.from(h.length % 2 === 0 ? h : "0" + h, "hex");
  }
  return call(IS_PRIME, bytes(v, undefined, "candidate"));
}
export function checkPrime(v: any, o: any, done?: any): void {
  if (typeof o === "function") [o, done] = [{}, o];
  objectArg("options", o);
  callable("callback", done);
  answer(() => checkPrimeSync(v, o), done);
}

// ---- encryption and agreement ----

const crypt = (encrypt: boolean, isPrivate: boolean, padding: number) => (k: any, data: any): any => {
  const o = typeof k === "object" && k !== null && !isKeyObject(k) && !isKey(k) && !ArrayBuffer.isView(k) ? k : {};
  const key = input(k, isPrivate);
  return output(call(RSA, encrypt, isPrivate, infoOf(key).material, o.padding ?? padding, digest(o.oaepHash ?? "sha1"), o.oaepLabel === undefined ? new Uint8Array(0) : bytes(o.oaepLabel), bytes(data, o.encoding, "buffer")));
};
export const publicEncrypt = crypt(true, false, 4), privateDecrypt = crypt(false, true, 4), privateEncrypt = crypt(true, true, 1), publicDecrypt = crypt(false, false, 1);

export function diffieHellman(o: { privateKey: KeyObject; publicKey: KeyObject }): any {
  return output(call(AGREE, infoOf(input(o.privateKey, true)).material, infoOf(input(o.publicKey, false)).material));
}
export class ECDH {
  #curve: string;
  #private: Uint8Array | null = null;
  #public: Uint8Array | null = null;
  constructor(curve: string) { this.#curve = curveOf(curve); }
  #take(b?: Uint8Array): void {
    const [priv, pub] = call(ECDH_NEW, this.#curve, b ?? new Uint8Array(0));
    this.#private = new Uint8Array(priv);
    this.#public = new Uint8Array(pub);
  }
  generateKeys(encoding?: string, format?: string): any {
    refuseAtStart("generating keys");
    this.#take();
    return this.getPublicKey(encoding, format);
  }
  getPrivateKey(encoding?: string): any {
    if (this.#private === null) throw new Error("Failed to get ECDH private key");
    return output(this.#private.slice(), encoding);
  }
  getPublicKey(encoding?: string, format?: string): any {
    const b = this.#public;
    if (b === null) throw new Error("Failed to get ECDH public key");
    if (format !== "compressed") return output(b.slice(), encoding);
    const n = (b.length - 1) / 2, out = b.slice(0, 1 + n);
    out[0] = 2 + (b[b.length - 1] & 1);
    return output(out, encoding);
  }
  setPrivateKey(k: any, encoding?: string): void { this.#take(bytes(k, encoding, "privateKey")); }
  computeSecret(other: any, encoding?: string, as?: string): any {
    if (this.#private === null) throw new Error("Failed to get ECDH private key");
    return output(call(ECDH_SECRET, this.#curve, this.#private, bytes(other, encoding, "otherPublicKey")), as);
  }
}
export const createECDH = (curve: string): ECDH => new ECDH(curve);
