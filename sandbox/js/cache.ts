// caches and Cache. Specification: Service Workers, with Workers' rules: only GET
// is kept, and only what its Cache-Control allows. The outside judges freshness.

import { ArrayJoin, NativeError, NativeTypeError, NativeUint8Array, StringIndexOf, StringSlice, StringSplit, TypedArrayLength, TypedArraySubarray, enumerable, expose, need, tag } from "./primordials";
import { backend } from "./backend";
import { encodeUTF8 } from "./encoding";
import { Request, isRequest } from "./request";
import { Response, isResponse, partsOf, rawHead, received } from "./response";
import { headerGet, headerSet, headersFrom, headersList, headersRaw } from "./headers";
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
    const vary = headerGet(headersList(response.headers), "vary");
    if (vary !== null && vary.includes("*")) throw new NativeTypeError("Cannot cache response with 'Vary: *' header.");
    const p = partsOf(response);
    if (p.status === 304) return; // says nothing that could be kept
    const headers = rawHead(response);
    const all = await consume(p.body);
    await backend("cache", `cache.put ${req.url}`, "cache.put", this.#name, keyOf(req), headersRaw(req.headers), p.status, p.statusText, headers, typeof all === "string" ? encodeUTF8(all) : all);
  }
  async match(request: unknown, options?: { ignoreMethod?: boolean }): Promise<Response | undefined> {
    need(arguments.length, 1, "Cache.match");
    const req = toRequest(request);
    if (req.method !== "GET" && !(options?.ignoreMethod)) return undefined;
    // [status, statusText, headers, body]
    const r = await backend("cache", `cache.match ${req.url}`, "cache.match", this.#name, keyOf(req), headersRaw(req.headers));
    if (r === undefined) return undefined;
    const stored = headersList(headersFrom(r[2], "none")), asked = headersList(req.headers);
    headerSet(stored, "cf-cache-status", "HIT");
    let status: number = r[0], text: string = r[1], body: Uint8Array | null = new NativeUint8Array(r[3]);
    if (unchanged(asked, stored)) {
      [status, text, body] = [304, "Not Modified", null];
    } else if (status === 200) {
      const size = TypedArrayLength(body), range = rangeOf(headerGet(asked, "range"), size);
      if (range !== null) {
        [status, text] = [206, "Partial Content"];
        headerSet(stored, "content-range", `bytes ${range[0]}-${range[1]}/${size}`);
        headerSet(stored, "content-length", `${range[1] - range[0] + 1}`);
        body = TypedArraySubarray(body, range[0], range[1] + 1);
      }
    }
    return received(status, text, ArrayJoin(stored, "\n"), body, req.url, false, null);
  }
  async delete(request: unknown, options?: { ignoreMethod?: boolean }): Promise<boolean> {
    need(arguments.length, 1, "Cache.delete");
    const req = toRequest(request);
    if (req.method !== "GET" && !(options?.ignoreMethod)) return false;
    return backend("cache", `cache.delete ${req.url}`, "cache.delete", this.#name, keyOf(req), headersRaw(req.headers));
  }
}

/** The URL under which an answer is kept: without its fragment. */
function keyOf(req: Request): string {
  const i = StringIndexOf(req.url, "#");
  return i < 0 ? req.url : StringSlice(req.url, 0, i);
}

/** Whether what is kept is what the asker already has. Specification: RFC 9110, section 13. */
function unchanged(asked: string[], stored: string[]): boolean {
  const none = headerGet(asked, "if-none-match"), tag = headerGet(stored, "etag");
  if (none !== null) return tag !== null && (none === "*" || StringSplit(none, ",").some((t) => t.trim().replace(/^W\//, "") === tag.replace(/^W\//, "")));
  const since = headerGet(asked, "if-modified-since"), modified = headerGet(stored, "last-modified");
  return since !== null && modified !== null && Date.parse(modified) <= Date.parse(since);
}

/** First and last byte of a Range header with one range that can be had; null for the whole. */
function rangeOf(range: string | null, size: number): [number, number] | null {
  const m = range === null ? null : /^bytes=(\d*)-(\d*)$/.exec(range);
  if (m === null || (m[1] === "" && m[2] === "")) return null;
  const from = m[1] === "" ? Math.max(0, size - +m[2]) : +m[1], to = m[1] === "" || m[2] === "" ? size - 1 : Math.min(+m[2], size - 1);
  return from <= to && from < size ? [from, to] : null;
}

for (const name of ["add", "addAll", "keys", "matchAll"]) {
  Object.defineProperty(Cache.prototype, name, { value: { [name]() { throw new NativeError(`Failed to execute '${name}' on 'Cache': the method is not available here.`); } }[name], writable: true, configurable: true });
}

class CacheStorage {
  #default: Cache | undefined;
  get default() { return (this.#default ??= new Cache("")); }
  async open(name: string): Promise<Cache> {
    need(arguments.length, 1, "CacheStorage.open");
    return new Cache(`${name}`);
  }
  has(): never { throw new NativeError("Failed to execute 'has' on 'CacheStorage': the method is not available here."); }
  keys(): never { throw new NativeError("Failed to execute 'keys' on 'CacheStorage': the method is not available here."); }
  match(): never { throw new NativeError("Failed to execute 'match' on 'CacheStorage': the method is not available here."); }
  delete(): never { throw new NativeError("Failed to execute 'delete' on 'CacheStorage': the method is not available here."); }
}
for (const [name, C] of Object.entries({ Cache, CacheStorage })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
expose("caches", new CacheStorage());
