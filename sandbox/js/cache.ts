// caches and Cache. Specification: Service Workers, with Workers' rules: only GET
// is kept, and only what its Cache-Control allows. The outside judges freshness.

import { ArrayJoin, NativeError, NativeTypeError, NativeUint8Array, StringIndexOf, StringSlice, StringSplit, TypedArrayLength, TypedArraySubarray, enumerable, expose, tag } from "./primordials";
import { backend } from "./backend";
import { encodeUTF8 } from "./encoding";
import { Request, isRequest } from "./request";
import { Response, isResponse, partsOf, rawHead, received } from "./response";
import { headerGet, headerSet, headersFrom, headersList } from "./headers";
import { HostBody, consume } from "./body";
import { fixedLength } from "./streams";

function toRequest(method: string, r: unknown): Request {
  if (r === undefined) throw new NativeTypeError(`Failed to execute '${method}' on 'Cache': parameter 1 is not of type 'Request or string'.`);
  return isRequest(r) ? r : new Request(r);
}

const within = {}; // who may make a Cache

class Cache {
  #name: string;
  constructor(key: unknown, name: string) {
    if (key !== within) throw new NativeTypeError("Illegal constructor");
    this.#name = name;
  }
  async put(request: unknown, response: unknown): Promise<void> {
    const req = toRequest("put", request);
    if (!isResponse(response)) throw new NativeTypeError("Failed to execute 'put' on 'Cache': parameter 2 is not of type 'Response'.");
    if (req.method !== "GET") throw new NativeTypeError("Cannot cache response to non-GET request.");
    if (response.status === 206) throw new NativeTypeError("Cannot cache response to a range request (206 Partial Content).");
    const vary = headerGet(headersList(response.headers), "vary");
    if (vary !== null && vary.includes("*")) throw new NativeTypeError("Cannot cache response with 'Vary: *' header.");
    const p = partsOf(response);
    if (p.status === 304) return; // says nothing that could be kept
    const head = headersList(headersFrom(rawHead(response), "none")), s = p.body, fixed = s.stream === null ? -1 : fixedLength.get(s.stream) ?? -1;
    const known = fixed >= 0 || (s.stream === null && !(s.source instanceof HostBody));
    const all = await consume(s), bytes = typeof all === "string" ? encodeUTF8(all) : all;
    if (known && headerGet(head, "content-length") === null) headerSet(head, "content-length", `${TypedArrayLength(bytes)}`);
    await backend("cache", `cache.put ${req.url}`, "cache.put", this.#name, keyOf(req), p.status, p.statusText, ArrayJoin(head, "\n"), bytes);
  }
  async match(request: unknown, options?: { ignoreMethod?: boolean }): Promise<Response | undefined> {
    const req = toRequest("match", request);
    if (req.method !== "GET" && !(options?.ignoreMethod)) return undefined;
    // [status, statusText, headers, body, age in seconds]
    const r = await backend("cache", `cache.match ${req.url}`, "cache.match", this.#name, keyOf(req));
    if (r === undefined) return undefined;
    const stored = headersList(headersFrom(r[2], "none")), asked = headersList(req.headers);
    headerSet(stored, "cf-cache-status", "HIT");
    headerSet(stored, "age", `${r[4]}`);
    let status: number = r[0], text: string = r[1], body: Uint8Array | null = new NativeUint8Array(r[3]);
    if (unchanged(asked, stored)) {
      [status, text, body] = [304, "Not Modified", null];
    } else if (status === 200) {
      const size = TypedArrayLength(body), wanted = headerGet(asked, "range"), range = rangeOf(wanted, size);
      if (wanted !== null && range === null) return received(416, "Range Not Satisfiable", `content-range\nbytes */${size}`, null, "", false, null);
      if (range !== null) {
        [status, text] = [206, "Partial Content"];
        headerSet(stored, "content-range", `bytes ${range[0]}-${range[1]}/${size}`);
        headerSet(stored, "content-length", `${range[1] - range[0] + 1}`);
        body = TypedArraySubarray(body, range[0], range[1] + 1);
      }
    }
    return received(status, text, ArrayJoin(stored, "\n"), body, "", false, null);
  }
  async delete(request: unknown, options?: { ignoreMethod?: boolean }): Promise<boolean> {
    const req = toRequest("delete", request);
    if (req.method !== "GET" && !(options?.ignoreMethod)) return false;
    return backend("cache", `cache.delete ${req.url}`, "cache.delete", this.#name, keyOf(req));
  }
}

/** The URL under which an answer is kept: without its fragment. */
function keyOf(req: Request): string {
  const i = StringIndexOf(req.url, "#");
  return i < 0 ? req.url : StringSlice(req.url, 0, i);
}

/** Whether what is kept is what the asker already has, by either condition. Specification: RFC 9110, section 13. */
function unchanged(asked: string[], stored: string[]): boolean {
  const none = headerGet(asked, "if-none-match"), tag = headerGet(stored, "etag");
  if (none !== null && tag !== null && (none === "*" || StringSplit(none, ",").some((t) => t.trim().replace(/^W\//, "") === tag.replace(/^W\//, "")))) return true;
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
  readonly default = new Cache(within, "");
  constructor(key: unknown) {
    if (key !== within) throw new NativeTypeError("Illegal constructor");
  }
  async open(name: string): Promise<Cache> {
    if (arguments.length === 0) throw new NativeTypeError("Failed to execute 'open' on 'CacheStorage': parameter 1 is not of type 'string'.");
    return new Cache(within, `${name}`);
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
expose("caches", new CacheStorage(within));
