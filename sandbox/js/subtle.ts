// SubtleCrypto. Specification: Web Cryptography. This file checks arguments and
// owns key objects; the host does the arithmetic with Go's library.

import { call, op } from "./host";
import { NativePromise, NativeTypeError, PromiseReject, PromiseResolve, StringToUpperCase, bytesOf, enumerable, need, tag } from "./primordials";
import { domError } from "./dom";

const DIGEST = op("crypto.digest");

const hashes: Record<string, string> = { __proto__: null, "SHA-1": "SHA-1", "SHA-256": "SHA-256", "SHA-384": "SHA-384", "SHA-512": "SHA-512", MD5: "MD5" } as any;

export function hashName(a: any): string {
  const name = typeof a === "string" ? a : a?.name;
  if (name === undefined) throw new NativeTypeError("The hash algorithm has no name.");
  const h = hashes[StringToUpperCase(`${name}`)];
  if (h === undefined) throw domError("NotSupportedError", `Unrecognized or unimplemented digest algorithm "${name}" requested.`);
  return h;
}

export function needBytes(v: unknown, what: string): Uint8Array {
  const b = bytesOf(v);
  if (b === undefined) throw new NativeTypeError(`${what} is not an ArrayBuffer or a view on one.`);
  return b;
}

export class CryptoKey {
  constructor() {
    throw new NativeTypeError("Illegal constructor");
  }
}

const attempt = <T>(f: () => T): Promise<T> => {
  try {
    return PromiseResolve(f());
  } catch (e) {
    return PromiseReject(e);
  }
};

export class SubtleCrypto {
  digest(algorithm: any, data: any): Promise<ArrayBuffer> {
    return attempt(() => {
      need(arguments.length, 2, "SubtleCrypto.digest");
      return call(DIGEST, hashName(algorithm), needBytes(data, "SubtleCrypto.digest: the data"));
    });
  }
}
enumerable(SubtleCrypto);
tag(SubtleCrypto, "SubtleCrypto");
tag(CryptoKey, "CryptoKey");
export const subtle = new SubtleCrypto();
