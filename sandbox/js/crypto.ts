// crypto: random values here, SubtleCrypto in subtle.ts. Specification: Web Cryptography.

import { call, op } from "./host";
import { ArrayBufferIsView, NativeTypeError, NativeUint8Array, StringSlice, TypedArraySet, TypedArrayTag, bytesOf, enumerable, expose, need, tag, wrongType } from "./primordials";
import { domError } from "./dom";
import { refuseAtStart } from "./run";
import { CryptoKey, DigestStream, SubtleCrypto, subtle } from "./subtle";

const RANDOM = op("random"), UUID = op("random.uuid");

const own = (self: unknown): void => {
  if (self !== crypto) throw new NativeTypeError("Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.");
};

let made = false;
class Crypto {
  constructor() {
    if (made) throw new NativeTypeError("Illegal constructor");
    made = true;
  }
  get subtle() { return subtle; }
  get DigestStream() { return DigestStream; }
  getRandomValues<T extends ArrayBufferView>(view: T): T {
    own(this);
    need(arguments.length, 1, "Crypto.getRandomValues", "ArrayBufferView");
    refuseAtStart("crypto.getRandomValues()");
    const t = TypedArrayTag(view);
    if (t === undefined && !ArrayBufferIsView(view)) throw wrongType("Crypto.getRandomValues", 1, "ArrayBufferView");
    if (t === undefined || t.startsWith("Float")) throw domError("TypeMismatchError", "ArrayBufferView argument to getRandomValues() must be an integer-typed view.");
    const b = bytesOf(view)!;
    if (b.byteLength > 65536) throw domError("QuotaExceededError", "getRandomValues() only accepts buffers of size <= 64K but provided " + b.byteLength + " bytes.");
    if (b.byteLength > 0) TypedArraySet(b, new NativeUint8Array(call(RANDOM, b.byteLength)));
    return view;
  }
  randomUUID(): string {
    own(this);
    refuseAtStart("crypto.randomUUID()");
    return call(UUID);
  }
}

enumerable(Crypto);
tag(Crypto, "Crypto");
export const crypto = new Crypto();
expose("crypto", crypto);
expose("Crypto", Crypto);
expose("SubtleCrypto", SubtleCrypto);
expose("CryptoKey", CryptoKey);
