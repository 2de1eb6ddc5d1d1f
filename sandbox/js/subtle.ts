// SubtleCrypto. Specification: Web Cryptography, plus Workers' timingSafeEqual,
// DigestStream, MD5 and NODE-ED25519. This file checks arguments and owns key
// objects; the host does the arithmetic with Go's library. A key's material stays in
// a private field: raw bytes for secrets, SPKI or PKCS #8 for pairs.

import { refuseAtStart } from "./run";
import { call, op } from "./host";
import { ArrayIsArray, JSONParse, JSONStringify, NativePromise, NativeTypeError, NativeUint8Array, ObjectDefineProperty, PromiseReject, PromiseResolve, StringToUpperCase, TypedArrayLength, bytesOf, enumerable, isArrayBuffer, tag, wrongType } from "./primordials";
import { domError } from "./dom";
import { decodeUTF8, encodeUTF8 } from "./encoding";
import { WritableStream } from "./streams";
import { concat } from "./blob";
import { hostAsync } from "./async";

const DIGEST = op("crypto.digest"), EQUAL = op("crypto.equal"), RANDOM = op("random"), MAC = op("crypto.hmac"), AES = op("crypto.aes"), KDF = op("crypto.kdf"),
  IMPORT = op("crypto.import"), EXPORT = op("crypto.export"), GENERATE = op("crypto.generate"), SIGN = op("crypto.sign"), VERIFY = op("crypto.verify"), AGREE = op("crypto.agree"), RSA = op("crypto.rsa");

const hashes: Record<string, string> = { __proto__: null, "SHA-1": "SHA-1", "SHA-256": "SHA-256", "SHA-384": "SHA-384", "SHA-512": "SHA-512", MD5: "MD5" } as any;
const digestBits: Record<string, number> = { __proto__: null, "SHA-1": 160, "SHA-256": 256, "SHA-384": 384, "SHA-512": 512, MD5: 128 } as any;
const hashBits: Record<string, number> = { __proto__: null, "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024, MD5: 512 } as any;

/** The canonical name of a hash algorithm. */
export function hashName(a: any): string {
  const name = typeof a === "string" ? a : a?.name;
  if (name === undefined) throw new NativeTypeError("Missing field \"hash\" in \"algorithm\".");
  const h = hashes[StringToUpperCase(`${name}`)];
  if (h === undefined) throw domError("NotSupportedError", "Unrecognized or unimplemented digest algorithm requested.");
  return h;
}

/** The bytes of a field of an algorithm. */
function fieldBytes(alg: Algorithm, field: string, type: string): Uint8Array {
  const v = alg[field];
  if (v === undefined) throw new NativeTypeError(field === "counter" ? "Missing \"counter\" member in \"algorithm\"." : `Missing field "${field}" in "algorithm".`);
  const b = bytesOf(v);
  if (b === undefined) throw new NativeTypeError(`Incorrect type for the '${field}' field on '${type}': the provided value is not of type 'BufferSource'.`);
  return b;
}

type Algorithm = { name: string;[k: string]: any };
type Family = "hmac" | "aes" | "kdf" | "ec" | "okp" | "rsa";
type Spec = { name: string; family: Family; usages: string[]; publicUsages?: string[] };
const specs: Record<string, Spec> = { __proto__: null } as any;
for (const s of [
  { name: "HMAC", family: "hmac", usages: ["sign", "verify"] },
  { name: "AES-CBC", family: "aes", usages: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] },
  { name: "AES-CTR", family: "aes", usages: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] },
  { name: "AES-GCM", family: "aes", usages: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] },
  { name: "AES-KW", family: "aes", usages: ["wrapKey", "unwrapKey"] },
  { name: "PBKDF2", family: "kdf", usages: ["deriveKey", "deriveBits"] },
  { name: "HKDF", family: "kdf", usages: ["deriveKey", "deriveBits"] },
  { name: "ECDSA", family: "ec", usages: ["sign"], publicUsages: ["verify"] },
  { name: "ECDH", family: "ec", usages: ["deriveKey", "deriveBits"], publicUsages: [] },
  { name: "Ed25519", family: "okp", usages: ["sign"], publicUsages: ["verify"] },
  { name: "NODE-ED25519", family: "okp", usages: ["sign"], publicUsages: ["verify"] },
  { name: "X25519", family: "okp", usages: ["deriveKey", "deriveBits"], publicUsages: [] },
  { name: "RSASSA-PKCS1-v1_5", family: "rsa", usages: ["sign"], publicUsages: ["verify"] },
  { name: "RSA-PSS", family: "rsa", usages: ["sign"], publicUsages: ["verify"] },
  { name: "RSA-OAEP", family: "rsa", usages: ["decrypt", "unwrapKey"], publicUsages: ["encrypt", "wrapKey"] },
] as Spec[]) specs[StringToUpperCase(s.name)] = s;

/** What a caller names as its algorithm; what for: "import", "generation", or the key that it must be the algorithm of. */
function algorithm(a: any, what: "import" | "generation" | "operation" = "operation", k?: CryptoKey): { alg: Algorithm; spec: Spec } {
  const alg: Algorithm = typeof a === "object" && a !== null ? a : { name: `${a}` };
  const spec = specs[StringToUpperCase(`${alg.name}`)];
  if (spec === undefined) {
    if (k !== undefined) throw mismatch(alg.name, k);
    throw domError("NotSupportedError", `Unrecognized key ${what} algorithm "${alg.name}" requested.`);
  }
  return { alg, spec };
}
const mismatch = (name: string, k: CryptoKey) => domError("InvalidAccessError", `Requested algorithm "${name}" does not match this CryptoKey's algorithm "${k.algorithm.name}".`);

const usageOrder = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];
function usageList(u: any, allowed: string[], what: string): string[] {
  const given: string[] = [...u].map((x) => `${x}`), out: string[] = [];
  for (const x of given) if (allowed.indexOf(x) < 0) throw domError("SyntaxError", `Attempt to ${what} key with invalid usage "${x}".`);
  for (const x of usageOrder) if (given.indexOf(x) >= 0) out.push(x);
  return out;
}

const key = {};
export let dataOf: (k: CryptoKey) => Uint8Array;
export let isKey: (o: unknown) => o is CryptoKey;
let has: (k: CryptoKey, usage: string) => boolean;

export class CryptoKey {
  #type: string;
  #extractable: boolean;
  #algorithm: Algorithm;
  #usages: string[];
  #data: Uint8Array;
  constructor(k?: unknown, type?: any, extractable?: any, alg?: any, usages?: any, data?: any) {
    if (k !== key) throw new NativeTypeError("Illegal constructor");
    this.#type = type;
    this.#extractable = extractable;
    this.#algorithm = alg;
    this.#usages = usages;
    this.#data = data;
    ObjectDefineProperty(this, "usages", { value: usages, enumerable: true });
    ObjectDefineProperty(this, "algorithm", { value: alg, enumerable: true });
    ObjectDefineProperty(this, "extractable", { value: extractable, enumerable: true });
    ObjectDefineProperty(this, "type", { value: type, enumerable: true });
  }
  static {
    dataOf = (k) => k.#data;
    isKey = (o): o is CryptoKey => typeof o === "object" && o !== null && #data in o;
    has = (k, usage) => k.#usages.indexOf(usage) >= 0;
  }
  get type() { return this.#type; }
  get extractable() { return this.#extractable; }
  get algorithm() { return this.#algorithm; }
  get usages() { return this.#usages; }
}
enumerable(CryptoKey);
const make = (type: string, extractable: boolean, alg: Algorithm, usages: string[], data: Uint8Array): CryptoKey => new (CryptoKey as any)(key, type, !!extractable, alg, usages, data);

function needKey(k: unknown, spec: Spec, usage: string): Uint8Array {
  if (!isKey(k)) throw new NativeTypeError("The key is not a CryptoKey.");
  if (k.algorithm.name !== spec.name) throw mismatch(spec.name, k);
  if (!has(k, usage)) throw domError("InvalidAccessError", `Requested key usage "${usage}" does not match any usage listed in this CryptoKey.`);
  return dataOf(k);
}

const b64url = (b: Uint8Array) => btoaBytes(b).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const btoaBytes = (b: Uint8Array) => {
  let s = "";
  for (let i = 0; i < TypedArrayLength(b); i++) s += String.fromCharCode(b[i]);
  return nativeBtoa(s);
};
const nativeBtoa = globalThis.btoa;
const nativeAtob = globalThis.atob;
function fromB64url(s: unknown, wrong: string): Uint8Array {
  let bin: string;
  try {
    if (typeof s !== "string") throw s;
    bin = nativeAtob(s.replace(/-/g, "+").replace(/_/g, "/"));
  } catch {
    throw domError("DataError", wrong);
  }
  const b = new NativeUint8Array(bin.length);
  for (let i = 0; i < bin.length; i++) b[i] = bin.charCodeAt(i);
  return b;
}
const wrap = (b: ArrayBuffer) => new NativeUint8Array(b);

const macNames: Record<string, string> = { __proto__: null, "SHA-1": "HS1", "SHA-256": "HS256", "SHA-384": "HS384", "SHA-512": "HS512" } as any;
const aesSuffix: Record<string, string> = { __proto__: null, "AES-CBC": "CBC", "AES-CTR": "CTR", "AES-GCM": "GCM", "AES-KW": "KW" } as any;
const curves = ["P-256", "P-384", "P-521"];
function curveOf(alg: Algorithm): string {
  if (alg.namedCurve === undefined) throw new NativeTypeError("Missing field \"namedCurve\" in \"algorithm\".");
  const c = `${alg.namedCurve}`;
  if (curves.indexOf(c) < 0) throw domError("NotSupportedError", `Unrecognized or unimplemented EC curve "${c}" requested.`);
  return c;
}
const rsaAlg = (name: string, hash: string) => {
  const d = hash.slice(4);
  return name === "RSA-OAEP" ? (d === "1" ? "RSA-OAEP" : "RSA-OAEP-" + d) : (name === "RSA-PSS" ? "PS" : "RS") + d;
};

/** Checks what a JSON Web Key says of its use; HMAC keys may say what they like. */
function checkJwk(jwk: any, usages: string[], spec: Spec): void {
  if (spec.family === "hmac") return;
  const pair = spec.family !== "aes", use = spec.usages.indexOf("sign") >= 0 ? "sig" : "enc", ops = jwk.key_ops;
  if (jwk.use !== undefined && usages.length > 0 && jwk.use !== use) throw domError("DataError", pair ? `Asymmetric "jwk" key import with usages requires a JSON Web Key with Public Key Use parameter "use" ("${jwk.use}") equal to "${use}".` : `Symmetric "jwk" key must have a "use" of "enc", not "${jwk.use}".`);
  if (ops === undefined) return;
  for (let i = 0; i < ops.length; i++) if (ops.indexOf(ops[i], i + 1) >= 0) throw domError("DataError", pair ? "A JSON Web Key's Key Operations parameter (\"key_ops\") must not contain duplicates." : `Symmetric "jwk" key contains duplicate value "${ops[i]}", in "key_op".`);
  for (const u of usages) if (ops.indexOf(u) < 0) throw domError("DataError", pair ? "All specified key usages must be present in the JSON Web Key's Key Operations parameter (\"key_ops\")." : `"jwk" key missing usage "${u}", in "key_ops".`);
}
const checkExt = (jwk: any, extractable: boolean, spec: Spec): void => {
  if (jwk.ext === false && extractable) throw domError("DataError", `JWK ext field for "${spec.name}" is set to false but extractable is true`);
};
const unknownFormat = (format: string) => domError("NotSupportedError", `Unrecognized key import format "${format}".`);
const keyless = () => domError("SyntaxError", "Secret/private CryptoKeys must have at least one usage.");

function importKey(format: string, data: any, a: any, extractable: boolean, usagesGiven: any): CryptoKey {
  const isJwk = format === "jwk", bytes = bytesOf(data);
  if (isJwk ? bytes !== undefined : bytes === undefined && (format === "raw" || format === "pkcs8" || format === "spki")) throw new NativeTypeError(isJwk ? "Import data provided for \"jwk\" import format must be a JsonWebKey." : "Import data provided for buffer-based import formats must be a buffer source.");
  if (!isJwk && format !== "raw" && format !== "pkcs8" && format !== "spki") throw unknownFormat(format);
  if (isJwk && data.key_ops !== undefined && !ArrayIsArray(data.key_ops)) throw new NativeTypeError("Incorrect type for the 'key_ops' field on 'JsonWebKey': the provided value is not of type 'Array'.");
  const { alg, spec } = algorithm(a, "import");
  switch (spec.family) {
    case "hmac": case "aes": {
      const usages = usageList(usagesGiven, spec.usages, `import secret ${spec.name}`), hmac = spec.family === "hmac";
      if (format !== "raw" && format !== "jwk") throw unknownFormat(format);
      const hash = hmac ? hashName(alg.hash) : "";
      let raw: Uint8Array;
      if (isJwk) {
        if (data.kty !== "oct") throw domError("DataError", `${hmac ? "HMAC" : "Symmetric"} "jwk" key import requires a JSON Web Key with Key Type parameter ${hmac ? "(\"kty\")" : "\"kty\""} equal to "oct" (encountered "${data.kty}").`);
        raw = fromB64url(data.k, hmac ? "HMAC \"jwk\" key import requires a base64Url encoding of the key" : "Symmetric \"jwk\" key import requires a base64Url encoding of the key.");
        checkJwk(data, usages, spec);
      } else raw = new NativeUint8Array(bytes!);
      const bits = TypedArrayLength(raw) * 8;
      if (hmac) {
        if (isJwk && data.alg !== undefined && data.alg !== macNames[hash]) throw domError("DataError", `HMAC "jwk" key import specifies "alg" that is incompatible with the hash name (encountered "${data.alg}", expected "${macNames[hash]}").`);
        if (isJwk) checkExt(data, extractable, spec);
        if (usages.length === 0) throw keyless();
        const length = alg.length === undefined ? bits : Math.trunc(+alg.length);
        if (!(length > 0 && length <= bits && length > bits - 8)) throw domError("DataError", `Imported HMAC key length (${length}) must be a non-zero value up to 7 bits less than, and no greater than, the bit length of the raw key data (${bits}).`);
        return make("secret", extractable, { name: spec.name, hash: { name: hash }, length }, usages, raw);
      }
      if (bits !== 128 && bits !== 192 && bits !== 256) throw domError("DataError", `Imported AES key length must be 128, 192, or 256 bits but provided ${bits}.`);
      const name = `A${bits}${aesSuffix[spec.name]}`;
      if (isJwk && data.alg !== undefined && data.alg !== name) throw domError("DataError", `Symmetric "jwk" key contains invalid "alg" value "${data.alg}", expected "${name}".`);
      if (isJwk) checkExt(data, extractable, spec);
      if (usages.length === 0) throw keyless();
      return make("secret", extractable, { name: spec.name, length: bits }, usages, raw);
    }
    case "kdf": {
      const usages = usageList(usagesGiven, spec.usages, `import secret ${spec.name}`);
      if (extractable) throw domError("SyntaxError", `${spec.name} key cannot be extractable.`);
      if (format !== "raw") throw unknownFormat(format);
      if (usages.length === 0) throw keyless();
      return make("secret", false, { name: spec.name }, usages, new NativeUint8Array(bytes!));
    }
  }
  // Key pairs: the host parses and says what it found.
  if (format === "raw" && spec.family === "rsa") throw unknownFormat(format);
  const isPrivate = isJwk ? data.d !== undefined : format === "pkcs8";
  const readUsages = () => usageList(usagesGiven, isPrivate ? spec.usages : spec.publicUsages!, `import ${isPrivate ? "private" : "public"} ${spec.name}`);
  let usages: string[] = isJwk ? readUsages() : [];
  let curve = "";
  let hash = "";
  if (spec.family === "ec") curve = curveOf(alg);
  else if (spec.family === "okp") {
    curve = spec.name === "X25519" ? "X25519" : "Ed25519";
    if (spec.name === "NODE-ED25519" && alg.namedCurve !== undefined && alg.namedCurve !== "NODE-ED25519") throw domError("NotSupportedError", `Unrecognized curve "${alg.namedCurve}".`);
  } else hash = hashName(alg.hash);
  if (isJwk) {
    checkKty(data, spec);
    checkJwk(data, usages, spec);
    if (spec.family === "rsa" && data.alg !== undefined && data.alg !== rsaAlg(spec.name, hash)) throw data.alg in jwkAlgs ? domError("DataError", `JSON Web Key Algorithm parameter "alg" ("${data.alg}") does not match requested ${spec.name} with ${hash}.`) : unknownAlg(data.alg);
    if (spec.name === "ECDSA" && data.alg !== undefined && !(data.alg in jwkAlgs)) throw unknownAlg(data.alg);
    if (curve === "Ed25519" && data.alg !== undefined && data.alg !== "EdDSA") throw domError("DataError", `JSON Web Key Algorithm parameter "alg" ("${data.alg}") does not match requested ${spec.name} curve.`);
    checkExt(data, extractable, spec);
  }
  // → [material, modulusLength, publicExponent]
  const r = call(IMPORT, spec.family, format, curve, isJwk ? JSONStringify(data) : bytes!);
  if (!isJwk) usages = readUsages();
  if (isPrivate && usages.length === 0) throw keyless();
  const shown: Algorithm = { name: spec.name };
  if (spec.family === "ec") shown.namedCurve = curve;
  if (spec.name === "NODE-ED25519") shown.namedCurve = "NODE-ED25519";
  if (spec.family === "rsa") {
    shown.modulusLength = r[1];
    shown.publicExponent = wrap(r[2]);
    shown.hash = { name: hash };
  }
  return make(isPrivate ? "private" : "public", extractable, shown, usages, wrap(r[0]));
}

const jwkAlgs: object = { __proto__: null, RS1: 0, RS256: 0, RS384: 0, RS512: 0, PS1: 0, PS256: 0, PS384: 0, PS512: 0, "RSA-OAEP": 0, "RSA-OAEP-256": 0, "RSA-OAEP-384": 0, "RSA-OAEP-512": 0, ES256: 0, ES384: 0, ES512: 0 } as any;
const unknownAlg = (alg: string) => domError("NotSupportedError", `Unrecognized or unimplemented algorithm "${alg}" listed in JSON Web Key Algorithm parameter.`);
function checkKty(jwk: any, spec: Spec): void {
  const want = spec.family === "ec" ? "EC" : spec.family === "okp" ? "OKP" : "RSA";
  if (jwk.kty === want) return;
  const what = spec.family === "ec" ? "Elliptic curve \"jwk\" key import" : spec.family === "okp" ? `${spec.name} "jwk" key imports` : "RSASSA-PKCS1-v1_5 \"jwk\" key import";
  throw domError("DataError", `${what} requires a JSON Web Key with Key Type parameter "kty" ("${jwk.kty}") equal to "${want}".`);
}

function exportKey(format: string, k: unknown): ArrayBuffer | object {
  if (!isKey(k)) throw new NativeTypeError("The key is not a CryptoKey.");
  if (!k.extractable) throw domError("InvalidAccessError", "Attempt to export non-extractable " + k.algorithm.name + " key.");
  const { spec } = algorithm(k.algorithm), d = dataOf(k);
  if (spec.family === "kdf") throw domError("NotSupportedError", `${spec.name} keys cannot be exported.`);
  if (spec.family === "hmac" || spec.family === "aes") {
    if (format === "raw") return new NativeUint8Array(d).buffer as ArrayBuffer;
    if (format !== "jwk") throw domError("NotSupportedError", spec.family === "hmac" ? `Unimplemented key export format "${format}".` : `${spec.name} key only supports exporting "raw", "raw-secret" & "jwk", not "${format}".`);
    if (spec.family === "hmac" && macNames[k.algorithm.hash.name] === undefined) throw domError("NotSupportedError", `Unimplemented JWK key export format for key algorithm "${k.algorithm.hash.name}".`);
    const alg = spec.family === "hmac" ? macNames[k.algorithm.hash.name] : `A${k.algorithm.length}${aesSuffix[spec.name]}`;
    return jsonWebKey({ kty: "oct", k: b64url(d), alg }, k.usages);
  }
  if (format === "raw" ? k.type !== "public" || spec.family === "rsa" : format === "spki" ? k.type !== "public" : format === "pkcs8" ? k.type !== "private" : format !== "jwk") {
    throw domError("InvalidAccessError", format === "spki" ? `Asymmetric spki export requires public key (not "${k.type}").` : format === "pkcs8" ? `Asymmetric pkcs8 export requires private key (not "${k.type}").` : format === "raw" && spec.family === "ec" ? "Raw export of elliptic curve keys is only allowed for public keys." : `Cannot export "${spec.name}" in "${format}" format.`);
  }
  if ((format === "spki" && k.type === "public") || (format === "pkcs8" && k.type === "private")) return new NativeUint8Array(d).buffer as ArrayBuffer;
  const out = call(EXPORT, spec.family, k.type, format, d);
  if (format === "raw") return out;
  const jwk = JSONParse(out);
  if (spec.family === "rsa") jwk.alg = rsaAlg(spec.name, k.algorithm.hash.name);
  else if (jwk.crv === "Ed25519") jwk.alg = "EdDSA";
  return jsonWebKey(jwk, k.usages);
}

/** A JsonWebKey as Workers make one: every member of the dictionary, in its order. */
function jsonWebKey(members: any, usages: string[]): object {
  const out: any = {};
  for (const m of jwkMembers) out[m] = m === "key_ops" ? [...usages] : m === "ext" ? true : members[m];
  return out;
}
const jwkMembers = ["kty", "use", "key_ops", "alg", "ext", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "oth", "k", "pub", "priv"];

async function generateKey(a: any, extractable: boolean, usagesGiven: any): Promise<any> {
  const { alg, spec } = algorithm(a, "generation");
  const all = spec.publicUsages === undefined ? spec.usages : [...spec.usages, ...spec.publicUsages];
  if (spec.family === "kdf") throw domError("NotSupportedError", `Unrecognized key generation algorithm "${spec.name}" requested.`);
  if (spec.family === "rsa") fieldBytes(alg, "publicExponent", "GenerateKeyAlgorithm");
  if (spec.family === "hmac") hashName(alg.hash);
  const usages = usageList(usagesGiven, all, `generate ${spec.name}`);
  if (spec.family === "aes") {
    if (alg.length === undefined) throw new NativeTypeError("Missing field \"length\" in \"algorithm\".");
    const n = Math.trunc(+alg.length);
    if (n !== 128 && n !== 192 && n !== 256) throw domError("OperationError", `Generated AES key length must be 128, 192, or 256 bits but requested ${alg.length}.`);
    if (usages.length === 0) throw domError("SyntaxError", "Secret/private CryptoKeys must have at least one usage.");
    return make("secret", extractable, { name: spec.name, length: n }, usages, wrap(call(RANDOM, n / 8)));
  }
  if (spec.family === "hmac") {
    const hash = hashName(alg.hash), n = alg.length === undefined ? hashBits[hash] : Math.trunc(+alg.length);
    if (!(n > 0 && n <= 65536 * 8)) throw domError("OperationError", `HMAC key length must be a non-zero unsigned long integer (requested ${n}).`);
    if (usages.length === 0) throw domError("SyntaxError", "Secret/private CryptoKeys must have at least one usage.");
    return make("secret", extractable, { name: spec.name, hash: { name: hash }, length: n }, usages, wrap(call(RANDOM, Math.ceil(n / 8))));
  }
  const privateUsages = usages.filter((u) => spec.usages.indexOf(u) >= 0), publicUsages = usages.filter((u) => spec.publicUsages!.indexOf(u) >= 0);
  const shown: Algorithm = { name: spec.name };
  let kind: string = spec.family, bits = 0, exponent = 0;
  if (spec.family === "ec") kind = shown.namedCurve = curveOf(alg);
  else if (spec.family === "okp") {
    kind = spec.name === "X25519" ? "X25519" : "Ed25519";
    if (spec.name === "NODE-ED25519") shown.namedCurve = "NODE-ED25519";
  } else {
    if (alg.modulusLength === undefined) throw new NativeTypeError("Missing field \"modulusLength\" in \"algorithm\".");
    bits = Math.trunc(+alg.modulusLength);
    const e = fieldBytes(alg, "publicExponent", "GenerateKeyAlgorithm");
    for (let i = 0; i < TypedArrayLength(e); i++) exponent = exponent * 256 + e[i];
    if (exponent !== 3 && exponent !== 65537) throw domError("OperationError", `The "publicExponent" must be either 3 or 65537, but got ${exponent}.`);
    if (!(bits >= 256 && bits <= 16384 && bits % 8 === 0)) throw domError("OperationError", `The modulus length must be a multiple of 8 and between 256 and 16k, but ${alg.modulusLength} was requested.`);
    if (!(bits >= 1024 && bits <= 4096)) throw domError("OperationError", `A modulus length of ${bits} bits is not available here: take 1024 to 4096 bits.`);
    shown.modulusLength = bits;
    shown.publicExponent = new NativeUint8Array(e);
    shown.hash = { name: hashName(alg.hash) };
  }
  if (privateUsages.length === 0) throw domError("SyntaxError", "Attempt to generate asymmetric keys with no valid private key usages.");
  const r: [ArrayBuffer, ArrayBuffer] = await hostAsync(GENERATE, kind, bits, exponent);
  return {
    publicKey: make("public", true, shown, publicUsages, wrap(r[0])),
    privateKey: make("private", extractable, { ...shown }, privateUsages, wrap(r[1])),
  };
}

function crypt(a: any, k: unknown, data: Uint8Array, encrypt: boolean, usage: string): ArrayBuffer {
  const { alg, spec } = algorithm(a, "operation", k as CryptoKey);
  const d = needKey(k, spec, usage);
  switch (spec.name) {
    case "AES-CBC": {
      const iv = fieldBytes(alg, "iv", "EncryptAlgorithm");
      if (TypedArrayLength(iv) !== 16) throw domError("OperationError", `AES-CBC IV must be 16 bytes long (provided ${TypedArrayLength(iv)} bytes).`);
      return call(AES, "CBC", encrypt, d, iv, data);
    }
    case "AES-CTR": {
      const counter = fieldBytes(alg, "counter", "EncryptAlgorithm"), n = Math.trunc(+alg.length);
      if (TypedArrayLength(counter) !== 16) throw domError("OperationError", `Counter must have length of 16 bytes (provided ${TypedArrayLength(counter)}).`);
      if (alg.length === undefined) throw new NativeTypeError("Missing \"length\" member in \"algorithm\".");
      if (!(n >= 1 && n <= 128)) throw domError("OperationError", `Invalid counter of ${n} bits length provided.`);
      return call(AES, "CTR", encrypt, d, counter, data, n);
    }
    case "AES-GCM": {
      const iv = fieldBytes(alg, "iv", "EncryptAlgorithm"), t = alg.tagLength === undefined ? 128 : Math.trunc(+alg.tagLength);
      if (TypedArrayLength(iv) === 0) throw domError("OperationError", "AES-GCM IV must not be empty.");
      if ([32, 64, 96, 104, 112, 120, 128].indexOf(t) < 0) throw domError("OperationError", `Invalid AES-GCM tag length ${alg.tagLength}.`);
      const aad = alg.additionalData === undefined ? new NativeUint8Array(0) : fieldBytes(alg, "additionalData", "EncryptAlgorithm");
      if (!encrypt && TypedArrayLength(data) * 8 < t) throw domError("OperationError", `Ciphertext length of ${TypedArrayLength(data) * 8} bits must be greater than or equal to the size of the AES-GCM tag length of ${t} bits.`);
      return call(AES, "GCM", encrypt, d, iv, data, t, aad);
    }
    case "RSA-OAEP": {
      const label = alg.label === undefined ? new NativeUint8Array(0) : fieldBytes(alg, "label", "EncryptAlgorithm");
      return call(RSA, encrypt, (k as CryptoKey).algorithm.hash.name, d, data, label);
    }
  }
  throw domError("NotSupportedError", `The ${spec.name} algorithm does not implement ${usage}.`);
}

function deriveBits(a: any, k: unknown, length: any, usage: string): ArrayBuffer {
  const { alg, spec } = algorithm(a, "operation", k as CryptoKey);
  const d = needKey(k, spec, usage);
  const bits = length === undefined || length === null ? null : Math.trunc(+length);
  if (bits !== null && bits < 0) throw new NativeTypeError("deriveBits length must be an unsigned long integer.");
  switch (spec.name) {
    case "PBKDF2": {
      const hash = hashName(alg.hash), salt = fieldBytes(alg, "salt", "DeriveKeyAlgorithm");
      if (alg.iterations === undefined) throw new NativeTypeError("Missing field \"iterations\" in \"algorithm\".");
      const n = Math.trunc(+alg.iterations) || 0;
      if (n !== (n | 0)) throw new NativeTypeError("Value out of range. Must be between -2147483648 and 2147483647 (inclusive).");
      if (bits === null) throw domError("OperationError", "PBKDF2 cannot derive a key with null length.");
      if (bits % 8 !== 0) throw domError("OperationError", `PBKDF2 requires a derived key length that is a multiple of eight (requested ${bits}).`);
      if (!(n > 0)) throw domError("OperationError", `PBKDF2 requires a positive iteration count (requested ${n}).`);
      if (bits === 0) return new ArrayBuffer(0);
      return call(KDF, "PBKDF2", hash, d, salt, n, bits / 8);
    }
    case "HKDF": {
      const hash = hashName(alg.hash), salt = fieldBytes(alg, "salt", "DeriveKeyAlgorithm"), info = fieldBytes(alg, "info", "DeriveKeyAlgorithm");
      if (bits === null) throw domError("OperationError", "HKDF cannot derive a key with null length.");
      if (bits % 8 !== 0) throw domError("OperationError", `HKDF requires a derived key length that is a multiple of eight (requested ${bits}).`);
      if (bits === 0) return new ArrayBuffer(0);
      if (bits > 255 * digestBits[hash]) throw domError("OperationError", "HKDF deriveBits failed.");
      return call(KDF, "HKDF", hash, d, salt, info, bits / 8);
    }
    case "ECDH": case "X25519": {
      const pub = alg.public ?? alg.$public;
      if (pub === undefined) throw new NativeTypeError("Missing field \"public\" in \"derivedKeyParams\".");
      if (!isKey(pub)) throw new NativeTypeError("Incorrect type for the 'public' field on 'DeriveKeyAlgorithm': the provided value is not of type 'CryptoKey'.");
      if (pub.type !== "public") throw domError("InvalidAccessError", `The provided key has type "${pub.type}", not "public"`);
      if (pub.algorithm.name !== spec.name || pub.algorithm.namedCurve !== (k as CryptoKey).algorithm.namedCurve) throw domError("InvalidAccessError", pub.algorithm.name === spec.name ? `Private key for derivation is using curve "${(k as CryptoKey).algorithm.namedCurve}" while public key is using "${pub.algorithm.namedCurve}".` : "The public key is of another algorithm or curve.");
      const out: ArrayBuffer = call(AGREE, d, dataOf(pub));
      if (bits === null || bits === 0) return out;
      if (bits > out.byteLength * 8) throw domError("OperationError", `Derived key length (${bits} bits) is too long (should be at most ${out.byteLength * 8} bits).`);
      const r = wrap(out).slice(0, Math.ceil(bits / 8));
      if (bits % 8 !== 0) r[r.length - 1] &= 0xff << (8 - (bits % 8));
      return r.buffer as ArrayBuffer;
    }
  }
  throw domError("NotSupportedError", `The ${spec.name} algorithm does not implement ${usage}.`);
}

// What each method's parameters must be, checked in their order. A name with an
// algorithm's type is a string or a dictionary; keys and bytes come as they are.
const methods: Record<string, string[]> = {
  __proto__: null, digest: ["HashAlgorithm", "BufferSource"], generateKey: ["GenerateKeyAlgorithm", "boolean", "Array"], importKey: ["string", "BufferSource or JsonWebKey", "ImportKeyAlgorithm", "boolean", "Array"],
  exportKey: ["string", "CryptoKey"], encrypt: ["EncryptAlgorithm", "CryptoKey", "BufferSource"], decrypt: ["EncryptAlgorithm", "CryptoKey", "BufferSource"], sign: ["SignAlgorithm", "CryptoKey", "BufferSource"],
  verify: ["SignAlgorithm", "CryptoKey", "BufferSource", "BufferSource"], deriveBits: ["DeriveKeyAlgorithm", "CryptoKey"], deriveKey: ["DeriveKeyAlgorithm", "CryptoKey", "ImportKeyAlgorithm", "boolean", "Array"],
  wrapKey: ["string", "CryptoKey", "CryptoKey", "EncryptAlgorithm"], unwrapKey: ["string", "BufferSource", "CryptoKey", "EncryptAlgorithm", "ImportKeyAlgorithm", "boolean", "Array"], timingSafeEqual: ["BufferSource", "BufferSource"],
} as any;

/** Throws unless the arguments are of their parameters' types. */
function check(method: string, args: ArrayLike<any>): void {
  const types = methods[method];
  for (let i = 0; i < types.length; i++) {
    const type = types[i], v = args[i], none = i >= args.length;
    let right = !none, shown = type;
    if (type === "CryptoKey") right = isKey(v);
    else if (type === "BufferSource") right = bytesOf(v) !== undefined;
    else if (type === "BufferSource or JsonWebKey") right = typeof v === "object" && v !== null;
    else if (type === "Array") right = typeof v === "object" && v !== null && typeof v[Symbol.iterator] === "function";
    else if (type !== "string" && type !== "boolean") {
      shown = "string or " + type;
      if (right && (v === undefined || v === null)) throw new NativeTypeError(`Cannot initialize N7workerd3api12SubtleCrypto${type.length}${type}E with required members from an undefined or null value.`);
    }
    if (!right) throw wrongType("SubtleCrypto." + method, i + 1, shown);
    if (typeof v === "symbol") throw new NativeTypeError("Cannot convert a Symbol value to a string");
  }
}

/** A promise for what f returns or throws. */
const attempt = <T>(f: () => T): Promise<T> => {
  try {
    return PromiseResolve(f());
  } catch (e) {
    return PromiseReject(e);
  }
};

let made = false;
export class SubtleCrypto {
  constructor() {
    if (made) throw new NativeTypeError("Illegal constructor");
    made = true;
  }
  digest(algorithm: any, data: any): Promise<ArrayBuffer> {
    const given = arguments;
    return attempt(() => {
      check("digest", given);
      if (typeof algorithm === "object" ? algorithm !== null && algorithm.name === undefined : typeof algorithm !== "string") throw domError("NotSupportedError", "Unrecognized or unimplemented digest algorithm requested.");
      return call(DIGEST, hashName(algorithm), bytesOf(data)!);
    });
  }
  generateKey(algorithm: any, extractable: boolean, usages: any): Promise<any> {
    const given = arguments;
    refuseAtStart("crypto.subtle.generateKey()");
    try {
      check("generateKey", given);
    } catch (e) {
      return PromiseReject(e);
    }
    return generateKey(algorithm, extractable, usages);
  }
  importKey(format: string, data: any, algorithm: any, extractable: boolean, usages: any): Promise<CryptoKey> {
    const given = arguments;
    return attempt(() => (check("importKey", given), importKey(`${format}`, data, algorithm, !!extractable, usages)));
  }
  exportKey(format: string, k: CryptoKey): Promise<any> {
    const given = arguments;
    return attempt(() => (check("exportKey", given), exportKey(`${format}`, k)));
  }
  encrypt(algorithm: any, k: CryptoKey, data: any): Promise<ArrayBuffer> {
    const given = arguments;
    return attempt(() => (check("encrypt", given), crypt(algorithm, k, bytesOf(data)!, true, "encrypt")));
  }
  decrypt(algorithm: any, k: CryptoKey, data: any): Promise<ArrayBuffer> {
    const given = arguments;
    return attempt(() => (check("decrypt", given), crypt(algorithm, k, bytesOf(data)!, false, "decrypt")));
  }
  sign(a: any, k: CryptoKey, data: any): Promise<ArrayBuffer> {
    const given = arguments;
    return attempt(() => {
      check("sign", given);
      const { alg, spec } = algorithm(a, "operation", k), d = needKey(k, spec, "sign"), b = bytesOf(data)!;
      if (spec.family === "hmac") return call(MAC, k.algorithm.hash.name, d, b);
      return call(SIGN, ...signing(alg, spec, k), d, b);
    });
  }
  verify(a: any, k: CryptoKey, signature: any, data: any): Promise<boolean> {
    const given = arguments;
    return attempt(() => {
      check("verify", given);
      const { alg, spec } = algorithm(a, "operation", k), d = needKey(k, spec, "verify"), s = bytesOf(signature)!, b = bytesOf(data)!;
      if (spec.family === "hmac") return call(EQUAL, call(MAC, k.algorithm.hash.name, d, b), s);
      return call(VERIFY, ...signing(alg, spec, k), d, b, s);
    });
  }
  deriveBits(algorithm: any, k: CryptoKey, length: number): Promise<ArrayBuffer> {
    const given = arguments;
    return attempt(() => (check("deriveBits", given), deriveBits(algorithm, k, length, "deriveBits")));
  }
  deriveKey(a: any, k: CryptoKey, derived: any, extractable: boolean, usages: any): Promise<CryptoKey> {
    const given = arguments;
    return attempt(() => {
      check("deriveKey", given);
      algorithm(a, "operation", k);
      const { alg, spec } = algorithm(derived, "import");
      let n: number | null = null;
      if (spec.family === "aes") {
        if (alg.length === undefined) throw new NativeTypeError("Missing field \"length\" in \"derivedKeyParams\".");
        n = Math.trunc(+alg.length);
        if (n !== 128 && n !== 192 && n !== 256) throw domError("OperationError", `Derived AES key must be 128, 192, or 256 bits in length but provided ${alg.length}.`);
      } else if (spec.family === "hmac") n = alg.length === undefined ? hashBits[hashName(alg.hash)] : Math.trunc(+alg.length);
      const bits = deriveBits(a, k, n, "deriveKey");
      return importKey("raw", bits, derived, extractable, usages);
    });
  }
  wrapKey(format: string, k: CryptoKey, by: CryptoKey, algorithmGiven: any): Promise<ArrayBuffer> {
    const given = arguments;
    return attempt(() => {
      check("wrapKey", given);
      const out = exportKey(`${format}`, k), { spec } = algorithm(algorithmGiven);
      const b = isArrayBuffer(out) ? wrap(out as ArrayBuffer) : encodeUTF8(JSONStringify(out));
      if (spec.name !== "AES-KW") return crypt(algorithmGiven, by, b, true, "wrapKey");
      const d = needKey(by, spec, "wrapKey");
      if (TypedArrayLength(b) % 8 !== 0 || TypedArrayLength(b) < 16) throw domError("OperationError", `Unwrapped key bit length must be a multiple of 64 bits but unwrapped key has a length of ${TypedArrayLength(b) * 8} bits.`);
      return call(AES, "KW", true, d, new NativeUint8Array(0), b);
    });
  }
  unwrapKey(format: string, wrapped: any, by: CryptoKey, algorithmGiven: any, keyAlgorithm: any, extractable: boolean, usages: any): Promise<CryptoKey> {
    const given = arguments;
    return attempt(() => {
      check("unwrapKey", given);
      const { spec } = algorithm(algorithmGiven, "operation", by), b = bytesOf(wrapped)!;
      const raw: ArrayBuffer = spec.name === "AES-KW" ? call(AES, "KW", false, needKey(by, spec, "unwrapKey"), new NativeUint8Array(0), b) : crypt(algorithmGiven, by, b, false, "unwrapKey");
      let data: any = raw;
      if (format === "jwk") {
        try {
          data = JSONParse(decodeUTF8(wrap(raw)));
        } catch {
          throw domError("DataError", "The unwrapped data is not a JSON Web Key.");
        }
      }
      return importKey(`${format}`, data, keyAlgorithm, !!extractable, usages);
    });
  }
  timingSafeEqual(a: any, b: any): boolean {
    check("timingSafeEqual", arguments);
    const x = bytesOf(a)!, y = bytesOf(b)!;
    if (TypedArrayLength(x) !== TypedArrayLength(y)) throw new NativeTypeError("Input buffers must have the same byte length.");
    return call(EQUAL, x, y);
  }
}

function signing(alg: Algorithm, spec: Spec, k: CryptoKey): [name: string, hash: string, salt: number] {
  switch (spec.name) {
    case "ECDSA":
      if (alg.hash === undefined) throw new NativeTypeError("Missing \"hash\" in AlgorithmIdentifier. (ECDSA requires that the hash algorithm be specified at call time rather than on the key. This differs from other WebCrypto algorithms for historical reasons.)");
      return ["ECDSA", hashName(alg.hash), 0];
    case "Ed25519": case "NODE-ED25519": return ["Ed25519", "", 0];
    case "RSA-PSS":
      if (alg.saltLength === undefined) throw domError("DataError", "Failed to provide salt for RSA-PSS key operation which requires a salt");
      if (+alg.saltLength < 0) throw domError("DataError", `SaltLength for RSA-PSS must be non-negative (provided ${alg.saltLength}).`);
      return [spec.name, k.algorithm.hash.name, Math.trunc(+alg.saltLength) || 0];
    case "RSASSA-PKCS1-v1_5": return [spec.name, k.algorithm.hash.name, 0];
  }
  throw domError("NotSupportedError", `The ${spec.name} algorithm does not sign.`);
}

/** Workers' writable stream that hashes what is written to it. */
export class DigestStream extends WritableStream {
  #digest: Promise<ArrayBuffer>;
  #count = 0;
  #reject: (e: unknown) => void;
  constructor(algorithm: any) {
    if (typeof algorithm !== "string" && (typeof algorithm !== "object" || algorithm === null)) throw new NativeTypeError("Failed to construct 'DigestStream': constructor parameter 1 is not of type 'string or HashAlgorithm'.");
    const hash = hashName(algorithm);
    let resolve: (v: ArrayBuffer) => void, reject: (e: unknown) => void;
    const parts: Uint8Array[] = [];
    let self: DigestStream | undefined;
    super({
      write(chunk: unknown) {
        const b = bytesOf(chunk) ?? (typeof chunk === "string" ? encodeUTF8(chunk) : undefined);
        if (b === undefined) {
          const e = new NativeTypeError("DigestStream is a byte stream but received an object of non-ArrayBuffer/ArrayBufferView/string type on its writable side.");
          reject(e);
          throw e;
        }
        parts.push(new NativeUint8Array(b));
        self!.#count += TypedArrayLength(b);
      },
      close() { resolve(call(DIGEST, hash, parts.length === 0 ? new NativeUint8Array(0) : concat(parts))); },
      abort(e: unknown) { reject(e); },
    });
    self = this;
    this.#digest = new NativePromise((y, n) => {
      resolve = y;
      reject = n;
    });
    this.#reject = reject!;
    this.#digest.catch(() => { });
  }
  get digest() { return this.#digest; }
  get bytesWritten() { return BigInt(this.#count); }
  [Symbol.dispose]() { this.#reject(new NativeTypeError("The DigestStream was disposed.")); }
}

enumerable(SubtleCrypto);
tag(SubtleCrypto, "SubtleCrypto");
tag(CryptoKey, "CryptoKey");
tag(DigestStream, "DigestStream");
export const subtle = new SubtleCrypto();
