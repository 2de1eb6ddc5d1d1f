// KV namespaces: the client half. Values cross as bytes; the types are made here.
// Errors have the classes and the texts of Workers KV.

import { parseJSON } from "./json";
import { ArrayIsArray, JSONParse, JSONStringify, NativeError, NativeTypeError, NativeUint8Array, TypedArrayLength, bytesOf } from "./primordials";
import { backend, backendAt } from "./backend";
import { here, stackOf } from "./errors";
import { binding } from "./bindings";
import { concat } from "./blob";
import { wholeOf } from "./body";
import { decodeUTF8, encodeUTF8 } from "./encoding";
import { bytesStream, eachChunk, isReadableStream } from "./streams";

type Meta = unknown;

function checkKey(key: unknown, verb: string): string {
  const k = `${key as string}`;
  if (k === "") throw new NativeTypeError("Key name cannot be empty.");
  if (k === "." || k === "..") throw new NativeTypeError(`"${k}" is not allowed as a key name.`);
  const n = TypedArrayLength(encodeUTF8(k));
  if (n > 512) throw new NativeError(`KV ${verb} failed: 414 UTF-8 encoded length of ${n} exceeds key length limit of 512.`);
  return k;
}

/** An option as Workers read it: a whole number of 32 bits. */
function int32(v: unknown): number {
  const n = Math.trunc(+(v as number));
  if (n > 2147483647 || n < -2147483648) throw new NativeTypeError("Value out of range. Must be between -2147483648 and 2147483647 (inclusive).");
  return n || 0;
}

const wrongKey = (method: string, type = "string", parameter = 1) => new NativeTypeError(`Failed to execute '${method}' on 'KvNamespace': parameter ${parameter} is not of type '${type}'.`);

function readType(options: any, many = false): { type: string; ttl: number } {
  const o = typeof options === "string" ? { type: options } : options ?? {};
  const type = o.type === undefined || o.type === null ? "text" : `${o.type}`;
  if (type !== "text" && type !== "json" && type !== "arrayBuffer" && type !== "stream") throw new NativeTypeError("Unknown response type. Possible types are \"text\", \"arrayBuffer\", \"json\", and \"stream\".");
  if (many && type !== "text" && type !== "json") throw new NativeError(`KV GET_BULK failed: 400 "${type}" is not a valid type. Use "json" or "text"`);
  const ttl = int32(o.cacheTtl ?? 30);
  if (ttl < 30) throw new NativeError(`KV GET failed: 400 Invalid cache_ttl of ${ttl}. Cache TTL must be at least 30.`);
  return { type, ttl };
}

/** The value of a type; at is where the program asked. */
function convert(b: ArrayBuffer | undefined, type: string, at: Error): unknown {
  if (b === undefined) return null;
  switch (type) {
    case "arrayBuffer": return b;
    case "stream": return bytesStream(new NativeUint8Array(b));
    case "json":
      try {
        return parseJSON(decodeUTF8(new NativeUint8Array(b)));
      } catch (e) {
        throw stackOf(e, at);
      }
  }
  return decodeUTF8(new NativeUint8Array(b));
}
const metadata = (text: string | undefined): Meta => (text === undefined || text === "" ? null : JSONParse(text));

class KvNamespace {
  #id: string;
  #name: string;
  constructor(id: string, name: string) {
    this.#id = id;
    this.#name = name;
  }
  async get(key: string | string[], options?: any): Promise<any> {
    if (arguments.length === 0) throw wrongKey("get", "string or Array");
    if (ArrayIsArray(key)) return this.#many(key, options, false);
    const k = checkKey(key, "GET"), { type } = readType(options), at = here();
    const r = await backendAt(at, "kv", this.#name + ".get", "kv.get", this.#id, k);
    return convert(r === undefined ? undefined : r[0], type, at);
  }
  async getWithMetadata(key: string | string[], options?: any): Promise<any> {
    if (arguments.length === 0) throw wrongKey("getWithMetadata", "string or Array");
    if (ArrayIsArray(key)) return this.#many(key, options, true);
    const k = checkKey(key, "GET"), { type } = readType(options), at = here();
    const r = await backendAt(at, "kv", this.#name + ".getWithMetadata", "kv.get", this.#id, k);
    return r === undefined ? { value: null, metadata: null, cacheStatus: null } : { value: convert(r[0], type, at), metadata: metadata(r[1]), cacheStatus: null };
  }
  async #many(keys: unknown[], options: any, meta: boolean): Promise<Map<string, any>> {
    const { type } = readType(options, true);
    if (keys.length > 100) throw new NativeError("KV GET_BULK failed: 400 You can request a maximum of 100 keys");
    if (keys.length === 0) throw new NativeError("KV GET_BULK failed: 400 You must request a minimum of 1 key");
    const names: string[] = [];
    for (let i = 0; i < keys.length; i++) {
      if (`${keys[i] as string}` === "") throw new NativeError("KV GET_BULK failed: 400 Key names must not be empty");
      names[i] = checkKey(keys[i], "GET_BULK");
    }
    const at = here(), list: ([ArrayBuffer, string?] | undefined)[] = await backendAt(at, "kv", this.#name + ".get", "kv.getMany", this.#id, names);
    const out = new Map<string, any>();
    for (let i = 0; i < names.length; i++) {
      const r = list[i];
      let value: unknown;
      try {
        value = convert(r === undefined ? undefined : r[0], type, at);
      } catch {
        throw stackOf(new NativeError("KV GET_BULK failed: 400 At least one of the requested keys corresponds to a non-json value"), at);
      }
      out.set(names[i], meta ? (r === undefined ? null : { value, metadata: metadata(r[1]) }) : value);
    }
    return out;
  }
  async put(key: string, value: any, options?: any): Promise<void> {
    if (arguments.length === 0) throw wrongKey("put");
    if (arguments.length < 2) throw wrongKey("put", "string or Object", 2);
    const k = checkKey(key, "PUT"), now = Math.floor(Date.now() / 1000);
    let expiration = 0;
    if (options?.expirationTtl !== undefined && options.expirationTtl !== null) {
      const ttl = int32(options.expirationTtl);
      if (ttl <= 0) throw new NativeError(`KV PUT failed: 400 Invalid expiration_ttl of ${ttl}. Please specify integer greater than 0.`);
      if (ttl < 60) throw new NativeError(`KV PUT failed: 400 Invalid expiration_ttl of ${ttl}. Expiration TTL must be at least 60.`);
      expiration = now + ttl;
    } else if (options?.expiration !== undefined && options.expiration !== null) {
      const at = int32(options.expiration);
      if (at <= now) throw new NativeError(`KV PUT failed: 400 Invalid expiration of ${at}. Please specify integer greater than the current number of seconds since the UNIX epoch.`);
      if (at < now + 60) throw new NativeError(`KV PUT failed: 400 Invalid expiration of ${at}. Expiration times must be at least 60 seconds in the future.`);
      expiration = at;
    }
    let meta = "";
    if (options?.metadata !== undefined && options.metadata !== null) {
      meta = JSONStringify(options.metadata) ?? "";
      const n = TypedArrayLength(encodeUTF8(meta));
      if (n > 1024) throw new NativeError(`KV PUT failed: 413 Metadata length of ${n} exceeds limit of 1024.`);
    }
    let bytes: Uint8Array;
    const view = bytesOf(value);
    if (view !== undefined) bytes = view;
    else if (isReadableStream(value)) {
      const whole = wholeOf(value);
      if (whole !== null) bytes = await whole;
      else {
        const parts: Uint8Array[] = [];
        await eachChunk(value, (b) => {
          parts.push(new NativeUint8Array(b));
        });
        bytes = parts.length === 0 ? new NativeUint8Array(0) : concat(parts);
      }
    } else if (value !== null && (typeof value === "object" || typeof value === "function" || typeof value === "symbol")) {
      throw new NativeTypeError("KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.");
    } else bytes = encodeUTF8(`${value}`);
    if (TypedArrayLength(bytes) > 25 * 1024 * 1024) throw new NativeError(`KV PUT failed: 413 Value length of ${TypedArrayLength(bytes)} exceeds limit of 26214400.`);
    await backend("kv", this.#name + ".put", "kv.put", this.#id, k, bytes, expiration, meta);
  }
  async delete(key: string | string[]): Promise<void> {
    if (arguments.length === 0) throw wrongKey("delete");
    if (ArrayIsArray(key)) {
      for (const k of key) await this.delete(k);
      return;
    }
    await backend("kv", this.#name + ".delete", "kv.delete", this.#id, checkKey(key, "DELETE"));
  }
  async list(options?: any): Promise<any> {
    if (options !== undefined && options !== null && typeof options !== "object") throw wrongKey("list", "ListOptions");
    const o = options ?? {};
    let limit = o.limit === undefined || o.limit === null ? 1000 : Math.trunc(+o.limit);
    if (limit > 1000) throw new NativeError(`KV GET failed: 400 Invalid key_count_limit of ${o.limit}. Please specify an integer less than 1000.`);
    if (!(limit >= 1)) limit = 1000;
    const prefix = o.prefix === undefined || o.prefix === null ? "" : `${o.prefix}`, n = TypedArrayLength(encodeUTF8(prefix));
    if (n > 512) throw new NativeError(`KV GET failed: 414 UTF-8 encoded length of ${n} exceeds key length limit of 512.`);
    // [cursor, name, expiration, metadata, …]
    const r: any[] = await backend("kv", this.#name + ".list", "kv.list", this.#id, prefix, limit, o.cursor === undefined || o.cursor === null ? "" : `${o.cursor}`);
    const keys: any[] = [];
    for (let i = 1; i < r.length; i += 3) {
      const k: any = { name: r[i] };
      if (r[i + 1] > 0) k.expiration = r[i + 1];
      if (r[i + 2] !== undefined && r[i + 2] !== "") k.metadata = JSONParse(r[i + 2]);
      keys.push(k);
    }
    return r[0] === undefined || r[0] === "" ? { keys, list_complete: true, cacheStatus: null } : { keys, list_complete: false, cursor: r[0], cacheStatus: null };
  }
}
Object.defineProperty(KvNamespace.prototype, Symbol.toStringTag, { value: "KvNamespace", configurable: true });
binding("kv", (b) => new KvNamespace(b.id, b.name));
