// caches and Cache. Specification: Service Workers, with Workers' rules: only GET
// is kept, and only what its Cache-Control allows. The outside judges freshness.

import { NativeTypeError, NativeUint8Array, enumerable, expose, need, tag } from "./primordials";
import { backend } from "./backend";
import { encodeUTF8 } from "./encoding";
import { Request, isRequest } from "./request";
import { Response, isResponse, received, responseParts } from "./response";
import { headerGet, headersList, headersRaw } from "./headers";
import { consume } from "./body";

function toRequest(r: unknown): Request {
  return isRequest(r) ? r : new Request(r);
}

class Cache {
  #name: string;
  constructor(name: string) {
    this.#name = name;
  }
  async put(request: unknown, response: unknown): Promise<void> {
    need(arguments.length, 2, "Cache.put");
    const req = toRequest(request);
    if (!isResponse(response)) throw new NativeTypeError("Cache.put: the second argument is not a Response.");
    if (req.method !== "GET") throw new NativeTypeError("Cannot cache response to non-GET request.");
    if (response.status === 206) throw new NativeTypeError("Cannot cache response to a range request (206 Partial Content).");
    if (response.status === 304) throw new NativeTypeError("Cannot cache response with status 304 (Not Modified).");
    const vary = headerGet(headersList(response.headers), "vary");
    if (vary !== null && vary.includes("*")) throw new NativeTypeError("Cannot cache response with 'Vary: *' header.");
    const p = responseParts(response);
    const all = await consume(p.state);
    await backend("cache", `cache.put ${req.url}`, "cache.put", this.#name, req.url, headersRaw(req.headers), p.status, p.statusText, p.headers, typeof all === "string" ? encodeUTF8(all) : all);
  }
  async match(request: unknown, options?: { ignoreMethod?: boolean }): Promise<Response | undefined> {
    need(arguments.length, 1, "Cache.match");
    const req = toRequest(request);
    if (req.method !== "GET" && !(options?.ignoreMethod)) return undefined;
    // [status, statusText, headers, body]
    const r = await backend("cache", `cache.match ${req.url}`, "cache.match", this.#name, req.url, headersRaw(req.headers));
    return r === undefined ? undefined : received(r[0], r[1], r[2], new NativeUint8Array(r[3]), req.url, false, null);
  }
  async delete(request: unknown, options?: { ignoreMethod?: boolean }): Promise<boolean> {
    need(arguments.length, 1, "Cache.delete");
    const req = toRequest(request);
    if (req.method !== "GET" && !(options?.ignoreMethod)) return false;
    return backend("cache", `cache.delete ${req.url}`, "cache.delete", this.#name, req.url, headersRaw(req.headers));
  }
}

class CacheStorage {
  #default: Cache | undefined;
  get default() { return (this.#default ??= new Cache("")); }
  async open(name: string): Promise<Cache> {
    need(arguments.length, 1, "CacheStorage.open");
    return new Cache(`${name}`);
  }
}
for (const [name, C] of Object.entries({ Cache, CacheStorage })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
expose("caches", new CacheStorage());
