// node:net. There are no sockets here; what tells addresses apart is real.

import base from "unenv/node/net";
import { customInspect, inspect } from "./inspect";
import { argType, nodeError, outOfRange } from "./node-errors";

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const v4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

export function isIPv4(s: unknown): boolean { return v4.test(`${s}`); }
export function isIPv6(s: unknown): boolean { return /^[\da-fA-F:.]+(?:%[\w.-]+)?$/.test(`${s}`) && (URL as any).canParse(`http://[${`${s}`.split("%")[0]}]/`); }
export function isIP(s: unknown): number { return isIPv4(s) ? 4 : isIPv6(s) ? 6 : 0; }

type Family = "ipv4" | "ipv6";
function familyOf(v: unknown, name: string): Family {
  if (v !== "ipv4" && v !== "ipv6") throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The ${name.includes(".") ? "property" : "argument"} '${name}' must be one of: 'ipv4', 'ipv6'. Received ${inspect(v)}`);
  return v;
}
function textOf(v: unknown, name: string): string {
  if (typeof v !== "string") throw argType(name, "of type string", v);
  return v;
}

export class SocketAddress {
  #o: { address: string; port: number; family: Family; flowlabel: number };
  static isSocketAddress(v: unknown): boolean { return v instanceof SocketAddress; }
  /** The address in "host:port"; undefined where there is none. */
  static parse(input: string): SocketAddress | undefined {
    textOf(input, "input");
    const u = (URL as any).parse(`http://${input}`), host: string | undefined = u?.hostname;
    if (host === undefined) return undefined;
    try {
      return host[0] === "[" ? new SocketAddress({ address: host.slice(1, -1), port: +u.port, family: "ipv6" }) : new SocketAddress({ address: host, port: +u.port });
    } catch {
      return undefined;
    }
  }
  constructor(o: any = {}) {
    if (o === null || typeof o !== "object") throw argType("options", "of type object", o);
    const family = familyOf(typeof o.family === "string" && o.family !== "" ? o.family.toLowerCase() : o.family || "ipv4", "options.family");
    const address = textOf(o.address ?? (family === "ipv4" ? "127.0.0.1" : "::"), "options.address"), port = o.port ?? 0, flowlabel = o.flowlabel ?? 0;
    if (typeof port !== "number" && typeof port !== "string" || `${port}`.trim() === "" || !Number.isInteger(+port) || +port < 0 || +port > 65535) throw nodeError(Error, "ERR_SOCKET_BAD_PORT", `options.port should be >= 0 and < 65536. Received ${typeof port}.`);
    if (typeof flowlabel !== "number") throw argType("options.flowlabel", "of type number", flowlabel);
    if (!Number.isInteger(flowlabel) || flowlabel < 0 || flowlabel > 4294967295) throw outOfRange("options.flowlabel", Number.isInteger(flowlabel) ? ">= 0 && <= 4294967295" : "an integer", flowlabel);
    if (family === "ipv4" ? !isIPv4(address) : !isIPv6(address)) throw nodeError(TypeError, "ERR_INVALID_ADDRESS", "Invalid socket address");
    this.#o = { address, port: +port, family, flowlabel };
  }
  get address(): string { return this.#o.address; }
  get port(): number { return this.#o.port; }
  get family(): Family { return this.#o.family; }
  get flowlabel(): number { return this.#o.flowlabel; }
  toJSON(): object { return { ...this.#o }; }
  [customInspect](): string { return `SocketAddress ${inspect(this.toJSON())}`; }
}

/** An address as a number. */
function numberOf(s: string, family: Family): bigint {
  let n = 0n;
  if (family === "ipv4") {
    for (const part of s.split(".")) n = n * 256n + BigInt(part);
    return n;
  }
  // As URLs write it, without a dotted end.
  const [head, tail] = new URL(`http://[${s.split("%")[0]}]/`).hostname.slice(1, -1).split("::"), groups = (x: string | undefined) => (x === undefined || x === "" ? [] : x.split(":"));
  const a = groups(head), b = groups(tail);
  for (const g of [...a, ...Array(8 - a.length - b.length).fill("0"), ...b]) n = n * 65536n + BigInt(`0x${g}`);
  return n;
}
type Rule = { family: Family; from: bigint; to: bigint; text: string };

export class BlockList {
  #rules: Rule[] = [];
  static isBlockList(v: unknown): boolean { return v instanceof BlockList; }
  /** Takes an address apart: [text, family]; throws when it is none. */
  #address(a: any, family: unknown, name: string): [string, Family] {
    if (a instanceof SocketAddress) return [a.address, a.family];
    textOf(a, name);
    const f = familyOf(family, "family");
    if (f === "ipv4" ? !isIPv4(a) : !isIPv6(a)) throw nodeError(TypeError, "ERR_INVALID_IP_ADDRESS", `Invalid IP address: Invalid IP${f.slice(2)} address`);
    return [a, f];
  }
  #add(kind: string, family: Family, what: string, from: bigint, to: bigint): void { this.#rules.push({ family, from, to, text: `${kind}: IP${family.slice(2)} ${what}` }); }
  addAddress(address: any, family: string = "ipv4"): void {
    const [a, f] = this.#address(address, family, "address"), n = numberOf(a, f);
    this.#add("Address", f, a, n, n);
  }
  addRange(start: any, end: any, family: string = "ipv4"): void {
    const [a, f] = this.#address(start, family, "start"), [b, g] = this.#address(end, start instanceof SocketAddress ? f : family, "end");
    if (f !== g) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'end' must be same family as start. Received ${inspect(end)}`);
    const from = numberOf(a, f), to = numberOf(b, f);
    if (from > to) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'start' must come before end. Received ${inspect(a)}`);
    this.#add("Range", f, `${a}-${b}`, from, to);
  }
  addSubnet(network: any, prefix: number, family: string = "ipv4"): void {
    if (!(network instanceof SocketAddress)) {
      textOf(network, "network");
      familyOf(family, "family");
    }
    const bits = (network instanceof SocketAddress ? network.family : family) === "ipv4" ? 32 : 128;
    if (typeof prefix !== "number") throw argType("prefix", "of type number", prefix);
    if (!Number.isInteger(prefix) || prefix < 0 || prefix > bits) throw outOfRange("prefix", Number.isInteger(prefix) ? `between 0 and ${bits}` : "an integer", prefix);
    const [a, f] = this.#address(network, family, "network"), size = 1n << BigInt(bits - prefix), from = numberOf(a, f) / size * size;
    this.#add("Subnet", f, `${a}/${prefix}`, from, from + size - 1n);
  }
  check(address: any, family: string = "ipv4"): boolean {
    let a = address, f = family;
    if (a instanceof SocketAddress) [a, f] = [a.address, a.family];
    else {
      textOf(a, "address");
      familyOf(f, "family");
    }
    if (f === "ipv4" ? !isIPv4(a) : !isIPv6(a)) return false;
    const n = numberOf(a, f as Family), mapped = f === "ipv6" && n >> 32n === 0xffffn ? n & 0xffffffffn : undefined; // ::ffff:1.2.3.4
    return this.#rules.some((r) => (r.family === f ? r.from <= n && n <= r.to : mapped !== undefined && r.family === "ipv4" && r.from <= mapped && mapped <= r.to));
  }
  get rules(): string[] { return this.#rules.map((r) => r.text); }
  toJSON(): string[] { return this.rules; }
  fromJSON(data: string | string[]): void {
    const list: unknown = typeof data === "string" ? JSON.parse(data) : data;
    if (!Array.isArray(list)) throw argType("data", "of type string or an instance of Array", data);
    for (const line of list) {
      const m = /^(Address|Range|Subnet): IP(v[46]) ([^-/]+)(?:[-/](.+))?$/.exec(`${line}`);
      if (m === null) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'data' is invalid. Received ${inspect(data)}`);
      const f = `ip${m[2]}`;
      if (m[1] === "Address") this.addAddress(m[3], f);
      else if (m[1] === "Range") this.addRange(m[3], m[4], f);
      else this.addSubnet(m[3], +m[4], f);
    }
  }
  [customInspect](): string { return `BlockList {\n  rules: ${inspect(this.rules)}\n}`; }
}

// These belong to connecting: as on Workers, the timeout is kept and families are not tried in turn.
let attemptTimeout = 10;
export function getDefaultAutoSelectFamily(): boolean { return false; }
export function setDefaultAutoSelectFamily(v: boolean): void {
  if (v) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'val' is invalid. Received ${inspect(v)}`);
}
export function getDefaultAutoSelectFamilyAttemptTimeout(): number { return attemptTimeout; }
export function setDefaultAutoSelectFamilyAttemptTimeout(v: number): void {
  if (typeof v !== "number") throw argType("val", "of type number", v);
  if (!Number.isInteger(v) || v < 1 || v > 2147483647) throw outOfRange("val", Number.isInteger(v) ? ">= 1 && <= 2147483647" : "an integer", v);
  attemptTimeout = Math.max(v, 10);
}

export * from "unenv/node/net";
export default {
  ...(base as any), isIP, isIPv4, isIPv6, BlockList, SocketAddress,
  getDefaultAutoSelectFamily, setDefaultAutoSelectFamily, getDefaultAutoSelectFamilyAttemptTimeout, setDefaultAutoSelectFamilyAttemptTimeout,
};
