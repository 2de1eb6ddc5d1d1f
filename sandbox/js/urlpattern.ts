// URLPattern. Specification: URL Pattern. The class is urlpattern-polyfill's. The
// specification leaves open in which order a match lists its groups; programs print
// them as JSON, so they stand here as in Workers' runtime, which keeps them in a hash
// table of the C++ library: as many buckets as the next prime, CityHash of the name.

import { URLPattern } from "urlpattern-polyfill/urlpattern";
import { NativeTypeError, ObjectDefineProperty, ObjectKeys, ReflectApply, ReflectConstruct, enumerable, expose, tag } from "./primordials";
import { encodeUTF8 } from "./encoding";

const mask = (v: bigint) => BigInt.asUintN(64, v);
const k0 = 0xc3a5c85c97cb3127n, k1 = 0xb492b66fbe98f273n, k2 = 0x9ae16a3b2f90404fn, k3 = 0xc949d7c7509e6557n, multiplier = 0x9ddfea08eb382d69n;
const shiftMix = (v: bigint) => v ^ (v >> 47n);
const rotate = (v: bigint, n: bigint) => mask((v >> n) | (v << (64n - n)));
const pair = (u: bigint, v: bigint) => mask(shiftMix(mask((v ^ shiftMix(mask((u ^ v) * multiplier))) * multiplier)) * multiplier);

/** Little-endian number of n bytes. */
function word(s: Uint8Array, at: number, n: number): bigint {
  let v = 0n;
  for (let i = n - 1; i >= 0; i--) v = (v << 8n) | BigInt(s[at + i]);
  return v;
}

/** CityHash64 of a name of at most 32 bytes, with the C++ library's shift in 32 bits. */
function hash(s: Uint8Array): bigint {
  const n = s.length, size = BigInt(n);
  if (n === 0) return k2;
  if (n < 4) return mask(shiftMix(mask((BigInt(s[0] + (s[n >> 1] << 8)) * k2) ^ (BigInt(n + (s[n - 1] << 2)) * k3))) * k2);
  if (n <= 8) return pair(size + BigInt.asUintN(32, word(s, 0, 4) << 3n), word(s, n - 4, 4));
  if (n <= 16) {
    const b = word(s, n - 8, 8);
    return pair(word(s, 0, 8), rotate(mask(b + size), size)) ^ b;
  }
  const a = mask(word(s, 0, 8) * k1), b = word(s, 8, 8), c = mask(word(s, n - 8, 8) * k2), d = mask(word(s, n - 16, 8) * k0);
  return pair(mask(rotate(mask(a - b), 43n) + rotate(c, 30n) + d), mask(a + rotate(b ^ k3, 20n) - c + size));
}

function nextPrime(n: number): number {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return nextPrime(n + 1);
  return n;
}

/** The groups of one component in the table's order; longer names stay as they are. */
function ordered(groups: Record<string, string | undefined>): Record<string, string | undefined> {
  const names = ObjectKeys(groups);
  if (names.length < 2) return groups;
  const n = names.length, buckets = (n & (n - 1)) === 0 ? n : nextPrime(n), order: [name: string, bucket: bigint][] = [];
  for (let i = 0; i < n; i++) {
    const bytes = encodeUTF8(names[i]);
    if (bytes.length > 32) return groups;
    // A bucket's new name goes before the bucket's others, a new bucket before all.
    const bucket = hash(bytes) % BigInt(buckets), at = order.findIndex((x) => x[1] === bucket);
    order.splice(at < 0 ? 0 : at, 0, [names[i], bucket]);
  }
  const out: Record<string, string | undefined> = {};
  for (let i = 0; i < n; i++) out[order[i][0]] = groups[order[i][0]];
  return out;
}

const { exec: match, test: matches } = URLPattern.prototype as any;
const parts = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];
const texts = [...parts, "baseURL"];

/** What is matched: a text, or a dictionary of parts whose values are texts; a URL counts as one. */
function input(v: unknown): any {
  if (v === undefined || v === null) return {};
  if (typeof v !== "object" && typeof v !== "function") return `${v as string}`;
  const out: Record<string, string> = {};
  for (let i = 0; i < texts.length; i++) if ((v as any)[texts[i]] !== undefined) out[texts[i]] = `${(v as any)[texts[i]]}`;
  return out;
}

/** Calls one of the class's methods with arguments as Workers take them. */
function ask(method: Function, self: unknown, verb: string, given: unknown[]): any {
  const from = input(given[0]), base = given[1];
  if (typeof from !== "string" && base !== undefined) throw new NativeTypeError(`Failed to ${verb} URLPattern`);
  return ReflectApply(method, self, base === undefined ? [from] : [from, `${base as string}`]);
}
const methods = {
  exec(this: unknown): any {
    const m: any = ask(match, this, "exec", arguments as any);
    if (m === null) return m;
    const from = m.inputs[0];
    if (typeof from === "object") m.inputs[0] = { protocol: from.protocol, username: from.username, password: from.password, hostname: from.hostname, port: from.port, pathname: from.pathname, search: from.search, hash: from.hash, baseURL: from.baseURL };
    for (const part of parts) m[part].groups = ordered(m[part].groups);
    return m;
  },
  test(this: unknown): boolean { return ask(matches, this, "test", arguments as any); },
};
for (const name of ["test", "exec"] as const) ObjectDefineProperty(URLPattern.prototype, name, { value: methods[name], writable: true, enumerable: true, configurable: true });
enumerable(URLPattern as any);
delete (URLPattern as any).compareComponent;

// Workers say of a pattern only that it is wrong.
const Exposed: any = { URLPattern: function (this: unknown, pattern: unknown, base: unknown, options: unknown) {
  if (new.target === undefined) throw new NativeTypeError("Failed to construct 'URLPattern': Please use the 'new' operator, this object constructor cannot be called as a function.");
  let from = pattern, given: unknown[] = [];
  if (pattern !== undefined) {
    from = input(pattern);
    given = base === undefined ? [from] : options === undefined ? [from, base] : [from, base, options];
  }
  try {
    if (typeof from === "object" && base !== undefined && base !== null && typeof base !== "object") throw 0;
    return ReflectConstruct(URLPattern as any, given, new.target);
  } catch {
    throw new NativeTypeError("Failed to construct URLPattern");
  }
} }.URLPattern;
ObjectDefineProperty(Exposed, "prototype", { value: URLPattern.prototype, writable: false });
ObjectDefineProperty(URLPattern.prototype, "constructor", { value: Exposed, writable: true, configurable: true });
tag(Exposed, "URLPattern");
expose("URLPattern", Exposed);
