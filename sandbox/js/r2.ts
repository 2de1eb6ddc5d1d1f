// R2 buckets: the client half. Objects cross as one piece of bytes with what
// describes them; classes, shapes and texts are those of Workers R2.

import { ArrayIsArray, ArrayPush, JSONParse, JSONStringify, MathFloor, NativeDate, NativeError, NativeTypeError, NativeUint8Array, ObjectDefineProperty, ObjectKeys, TypedArrayLength, bytesOf, isDate } from "./primordials";
import { backend, backendAt } from "./backend";
import { here } from "./errors";
import { binding } from "./bindings";
import { blobBytes, concat, isBlob } from "./blob";
import { BodyState, bodyLength, mixBody, wholeOf } from "./body";
import { encodeUTF8 } from "./encoding";
import { Headers, headerGet, headersList, isHeaders } from "./headers";
import { eachChunk, fixedLength, isReadableStream } from "./streams";

/** [key, version, size, etag, uploaded, HTTP metadata, custom metadata, checksums] */
type Description = [string, string, number, string, number, string, string, string];
type Range = { offset: number; length: number; suffix: undefined };

const metaHeaders: [field: string, header: string][] = [
  ["contentType", "content-type"], ["contentLanguage", "content-language"], ["contentDisposition", "content-disposition"],
  ["contentEncoding", "content-encoding"], ["cacheControl", "cache-control"], ["cacheExpiry", "expires"],
];

const algorithms = ["md5", "sha1", "sha256", "sha384", "sha512"], algorithmNames = ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"], algorithmBytes = [16, 20, 32, 48, 64];

class R2Checksums {
  #hex: Record<string, string | undefined> = {};
  constructor(hexed: Record<string, string>) {
    for (let i = algorithms.length - 1; i >= 0; i--) {
      const hex = hexed[algorithms[i]];
      ObjectDefineProperty(this, algorithms[i], { value: hex === undefined ? undefined : unhex(hex), enumerable: true });
    }
    for (let i = 0; i < algorithms.length; i++) this.#hex[algorithms[i]] = hexed[algorithms[i]];
  }
  toJSON() { return { ...this.#hex }; }
}

/** The checksum that put() is told, as its algorithm and hex digits; both "" for none. */
function checksumOf(o: any): [string, string] {
  let out: [string, string] = ["", ""];
  for (let i = 0; o && i < algorithms.length; i++) {
    const v = o[algorithms[i]], name = algorithmNames[i], n = algorithmBytes[i];
    if (v === undefined || v === null) continue;
    if (out[0] !== "") throw new NativeTypeError("You cannot specify multiple hashing algorithms.");
    const b = bytesOf(v);
    if (b !== undefined) {
      if (TypedArrayLength(b) !== n) throw new NativeTypeError(`${name} is ${n} bytes, not ${TypedArrayLength(b)}`);
      out = [algorithms[i], hexOf(b)];
    } else {
      const s = `${v}`.toLowerCase();
      if (s.length !== 2 * n) throw new NativeTypeError(`${name} is ${2 * n} hex characters, not ${s.length}`);
      if (!/^[0-9a-f]*$/.test(s)) throw new NativeTypeError(`Provided ${name} wasn't a valid hex string`);
      out = [algorithms[i], s];
    }
  }
  return out;
}
function hexOf(b: Uint8Array): string {
  let s = "";
  for (let i = 0; i < b.length; i++) s += (b[i] < 16 ? "0" : "") + b[i].toString(16);
  return s;
}
function unhex(s: string): ArrayBuffer {
  const out = new NativeUint8Array(s.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(s.slice(2 * i, 2 * i + 2), 16);
  return out.buffer;
}

class R2Object {
  readonly ssecKeyMd5 = undefined;
  readonly storageClass = "Standard";
  readonly range: Range | undefined;
  readonly customMetadata: Record<string, string>;
  readonly httpMetadata: Record<string, any>;
  readonly uploaded: Date;
  readonly checksums: R2Checksums;
  readonly httpEtag: string;
  readonly etag: string;
  readonly size: number;
  readonly version: string;
  readonly key: string;
  constructor(d: Description, range?: Range) {
    const meta = d[5] === "" ? {} : JSONParse(d[5]);
    this.range = range;
    this.customMetadata = d[6] === "" ? {} : JSONParse(d[6]);
    this.httpMetadata = {};
    for (let i = 0; i < metaHeaders.length; i++) {
      const f = metaHeaders[i][0], v = meta[f];
      this.httpMetadata[f] = f === "cacheExpiry" && v !== undefined ? new NativeDate(v) : v;
    }
    this.uploaded = new NativeDate(d[4]);
    this.checksums = new R2Checksums(d[7] === "" ? {} : JSONParse(d[7]));
    this.httpEtag = `"${d[3]}"`;
    this.etag = d[3];
    this.size = d[2];
    this.version = d[1];
    this.key = d[0];
  }
  writeHttpMetadata(headers: Headers): void {
    if (!isHeaders(headers)) throw new NativeTypeError("Failed to execute 'writeHttpMetadata' on 'HeadResult': parameter 1 is not of type 'Headers'.");
    for (let i = 0; i < metaHeaders.length; i++) {
      const v = this.httpMetadata[metaHeaders[i][0]];
      if (v !== undefined) headers.set(metaHeaders[i][1], isDate(v) ? v.toUTCString() : v);
    }
  }
}

const none = new Headers();
let stateOf: (o: R2ObjectBody) => BodyState;
class R2ObjectBody extends R2Object {
  #state: BodyState;
  constructor(d: Description, bytes: Uint8Array, range?: Range) {
    super(d, range);
    this.#state = new BodyState(bytes);
  }
  static { stateOf = (o) => o.#state; }
}
mixBody(R2ObjectBody, (o) => o instanceof R2ObjectBody, (o) => stateOf(o), (o) => (o.httpMetadata.contentType === undefined ? none : new Headers({ "content-type": o.httpMetadata.contentType })));
delete (R2ObjectBody.prototype as any).formData;

function checkKey(key: unknown, verb: string): string {
  const k = `${key as string}`, n = TypedArrayLength(encodeUTF8(k));
  if (n === 0 || n > 1024) throw new NativeError(`${verb}: The specified object name is not valid. (10020)`);
  return k;
}

const time = (v: unknown, field: string): number => {
  const t = isDate(v) ? (v as Date).getTime() : typeof v === "number" ? v : NaN;
  if (Number.isNaN(t)) throw new NativeTypeError(`Incorrect type for the '${field}' field on 'Conditional': the provided value is not of type 'date'.`);
  return t;
};
function etags(header: string | null, name: string): string[] | undefined {
  if (header === null) return undefined;
  const out: string[] = [];
  for (const part of header.split(",")) {
    const t = part.trim();
    if (t !== "*" && !/^(W\/)?"[^"]*"$/.test(t)) throw new NativeError(`Invalid ETag in ${name} header`);
    if (t !== "") ArrayPush(out, t.startsWith("W/") ? t.slice(2).replace(/"/g, "") : t.replace(/"/g, ""));
  }
  return out;
}
function httpTime(header: string | null): number | undefined {
  const t = header === null ? NaN : NativeDate.parse(header);
  return Number.isNaN(t) ? undefined : t;
}

/** onlyIf, as Headers or an object, in the form the outside reads. */
function conditions(o: any, options: string): string {
  if (o === undefined || o === null) return "";
  if (isHeaders(o)) {
    const l = headersList(o), c: any = { secondsGranularity: true };
    c.etagMatches = etags(headerGet(l, "if-match"), "if-match");
    c.etagDoesNotMatch = etags(headerGet(l, "if-none-match"), "if-none-match");
    // As RFC 9110 has it: a test of the tag outranks the one of the time.
    const before = httpTime(headerGet(l, "if-unmodified-since")), after = httpTime(headerGet(l, "if-modified-since"));
    if (before !== undefined && c.etagMatches === undefined) c.uploadedBefore = before + 1000;
    if (after !== undefined && c.etagDoesNotMatch === undefined) c.uploadedAfter = after;
    return JSONStringify(c);
  }
  if (typeof o !== "object") throw new NativeTypeError(`Incorrect type for the 'onlyIf' field on '${options}': the provided value is not of type 'Conditional or Headers'.`);
  const tag = (v: unknown, field: string) => {
    if (v === undefined || v === null) return undefined;
    if (typeof v === "object") throw new NativeTypeError(`Incorrect type for the '${field}' field on 'Conditional': the provided value is not of type 'string'.`);
    const s = `${v}`;
    if (s.length >= 2 && s[0] === "\"" && s[s.length - 1] === "\"") throw new NativeTypeError(`Conditional ETag should not be wrapped in quotes (${s}).`);
    return s;
  };
  return JSONStringify({
    etagMatches: tag(o.etagMatches, "etagMatches"), etagDoesNotMatch: tag(o.etagDoesNotMatch, "etagDoesNotMatch"),
    uploadedBefore: o.uploadedBefore === undefined ? undefined : time(o.uploadedBefore, "uploadedBefore"),
    uploadedAfter: o.uploadedAfter === undefined ? undefined : time(o.uploadedAfter, "uploadedAfter"),
    secondsGranularity: !!o.secondsGranularity,
  });
}

const whole = (v: unknown, what: string): number => {
  const n = +(v as number);
  if (!(n >= 0)) throw new RangeError(`Invalid ${what} (${Number.isNaN(n) ? "nan" : n}) must be greater than or equal to 0.`);
  if (!Number.isInteger(n)) throw new RangeError(`Invalid ${what} (${n}) must be an integer, not floating point.`);
  return n;
};
/** The range to read as offset and length; offset below zero counts from the end, length -1 is the rest. */
function rangeOf(o: any): [number, number] {
  if (o === undefined || o === null) return [0, -1];
  if (isHeaders(o)) {
    const h = headerGet(headersList(o), "range"), m = h === null ? null : /^bytes=(\d*)-(\d*)$/.exec(h.trim());
    if (m === null || m[1] === "" && m[2] === "") return [0, -1];
    if (m[1] === "") return [-m[2], -1];
    return m[2] === "" ? [+m[1], -1] : +m[2] < +m[1] ? [0, -1] : [+m[1], +m[2] - +m[1] + 1];
  }
  if (typeof o !== "object") throw new NativeTypeError("Incorrect type for the 'range' field on 'GetOptions': the provided value is not of type 'Range or Headers'.");
  const unsatisfiable = () => new NativeError("get: The requested range is not satisfiable (10039)");
  if (o.suffix !== undefined) {
    if (o.offset !== undefined) throw new NativeTypeError("Suffix is incompatible with offset.");
    if (o.length !== undefined) throw new NativeTypeError("Suffix is incompatible with length.");
    const n = whole(o.suffix, "suffix. Suffix");
    if (n === 0) throw unsatisfiable();
    return [-n, -1];
  }
  const offset = o.offset === undefined ? 0 : whole(o.offset, "range. Starting offset"), length = o.length === undefined ? -1 : whole(o.length, "range. Length");
  if (length === 0) throw unsatisfiable();
  return [offset, length];
}

function httpMetadata(o: any): string {
  if (o === undefined || o === null) return "";
  const out: Record<string, unknown> = {};
  if (isHeaders(o)) {
    const l = headersList(o);
    for (let i = 0; i < metaHeaders.length; i++) {
      const v = headerGet(l, metaHeaders[i][1]);
      if (v !== null) out[metaHeaders[i][0]] = metaHeaders[i][0] === "cacheExpiry" ? httpTime(v) : v;
    }
    return JSONStringify(out);
  }
  if (typeof o !== "object") throw new NativeTypeError("Incorrect type for the 'httpMetadata' field on 'PutOptions': the provided value is not of type 'HttpMetadata or Headers'.");
  for (let i = 0; i < metaHeaders.length; i++) {
    const f = metaHeaders[i][0], v = o[f];
    if (v === undefined || v === null) continue;
    if (f === "cacheExpiry" && !isDate(v)) throw new NativeTypeError("Incorrect type for the 'cacheExpiry' field on 'HttpMetadata': the provided value is not of type 'date'.");
    out[f] = f === "cacheExpiry" ? (v as Date).getTime() : `${v}`;
  }
  return JSONStringify(out);
}
function customMetadata(o: any): string {
  if (o === undefined || o === null) return "";
  if (typeof o !== "object") throw new NativeTypeError("Incorrect type for the 'customMetadata' field on 'PutOptions': the provided value is not of type 'object'.");
  const out: Record<string, string> = {};
  for (const k of ObjectKeys(o)) out[k] = `${o[k]}`;
  const text = JSONStringify(out);
  let size = 0; // of names and values
  for (const k of ObjectKeys(out)) size += TypedArrayLength(encodeUTF8(k)) + TypedArrayLength(encodeUTF8(out[k]));
  if (size > 2048) throw new NativeError("put: Your metadata headers exceed the maximum allowed metadata size. (10012)");
  return text;
}

const wrongValue = "Failed to execute 'put' on 'R2Bucket': parameter 2 is not of type 'JsReadableStream or ArrayBuffer or ArrayBufferView or string or Blob'.";
const needKey = (n: number, method: string, type = "string") => {
  if (n < 1) throw new NativeTypeError(`Failed to execute '${method}' on 'R2Bucket': parameter 1 is not of type '${type}'.`);
};
async function bytesFrom(value: unknown): Promise<Uint8Array> {
  if (value === null || value === undefined) return new NativeUint8Array(0);
  if (typeof value === "string") return encodeUTF8(value);
  const b = bytesOf(value);
  if (b !== undefined) return b;
  if (isBlob(value)) return blobBytes(value);
  if (isReadableStream(value)) {
    if (!fixedLength.has(value) && bodyLength(value) === undefined) throw new NativeTypeError("Provided readable stream must have a known length (request/response body or readable half of FixedLengthStream)");
    const all = wholeOf(value);
    if (all !== null) return all;
    const parts: Uint8Array[] = [];
    await eachChunk(value, (c) => {
      ArrayPush(parts, new NativeUint8Array(c));
    });
    return parts.length === 0 ? new NativeUint8Array(0) : concat(parts);
  }
  throw new NativeTypeError(wrongValue);
}

/** Encryption with a key of the caller's own is not here, and nobody shall believe that it is. */
function noSecretKey(options: any): void {
  if (options?.ssecKey !== undefined && options.ssecKey !== null) throw new NativeError("R2: ssecKey is not available here: objects are stored without a key of your own.");
}

class R2Bucket {
  #id: string;
  #name: string;
  constructor(id: string, name: string) {
    this.#id = id;
    this.#name = name;
  }
  async head(key: string): Promise<R2Object | null> {
    needKey(arguments.length, "head");
    const d = await backend("r2", this.#name + ".head", "r2.head", this.#id, checkKey(key, "head"));
    return d === undefined || d === null ? null : new R2Object(d, { offset: 0, length: d[2], suffix: undefined });
  }
  async get(key: string, options?: any): Promise<R2ObjectBody | R2Object | null> {
    needKey(arguments.length, "get");
    const k = checkKey(key, "get"), [offset, length] = rangeOf(options?.range);
    const r = await backend("r2", this.#name + ".get", "r2.get", this.#id, k, offset, length, conditions(options?.onlyIf, "GetOptions"), isHeaders(options?.range));
    if (r === undefined || r === null) return null;
    // [description, bytes or none, offset, length]
    if (r[1] === undefined || r[1] === null) return new R2Object(r[0], { offset: 0, length: r[0][2], suffix: undefined });
    return new R2ObjectBody(r[0], new NativeUint8Array(r[1]), { offset: r[2], length: r[3], suffix: undefined });
  }
  async put(key: string, value: unknown, options?: any): Promise<R2Object | null> {
    needKey(arguments.length, "put");
    if (arguments.length < 2) throw new NativeTypeError(wrongValue);
    noSecretKey(options);
    const k = checkKey(key, "put"), http = httpMetadata(options?.httpMetadata), custom = customMetadata(options?.customMetadata), only = conditions(options?.onlyIf, "PutOptions"), sum = checksumOf(options);
    const at = here(), bytes = await bytesFrom(value);
    const d = await backendAt(at, "r2", this.#name + ".put", "r2.put", this.#id, k, bytes, http, custom, only, sum[0], sum[1]);
    return d === undefined || d === null ? null : new R2Object(d);
  }
  async delete(keys: string | string[]): Promise<void> {
    needKey(arguments.length, "delete", "string or Array");
    const list: string[] = [], from = ArrayIsArray(keys) ? keys : [keys];
    for (let i = 0; i < from.length; i++) list[i] = checkKey(from[i], "delete");
    if (list.length > 0) await backend("r2", this.#name + ".delete", "r2.delete", this.#id, list);
  }
  async list(options?: any): Promise<any> {
    if (options !== undefined && options !== null && typeof options !== "object") throw new NativeTypeError("Failed to execute 'list' on 'R2Bucket': parameter 1 is not of type 'ListOptions'.");
    const o = options ?? {}, text = (v: unknown) => (v === undefined || v === null ? "" : `${v}`);
    for (const v of o.include ?? []) if (v !== "httpMetadata" && v !== "customMetadata") throw new RangeError(`Unsupported include value ${v}`);
    const limit = o.limit === undefined ? 1000 : MathFloor(+o.limit);
    if (!(limit >= 1 && limit <= 1000)) throw new NativeError("list: MaxKeys params must be positive integer <= 1000. (10022)");
    const [cursor, prefixes, ...found]: any[] = await backend("r2", this.#name + ".list", "r2.list", this.#id, text(o.prefix), limit, text(o.cursor), text(o.delimiter), text(o.startAfter));
    const include = (what: string) => ArrayIsArray(o.include) && o.include.includes(what), objects: R2Object[] = [];
    for (let i = 0; i < found.length; i++) {
      const d: Description = found[i];
      if (!include("httpMetadata")) d[5] = "";
      if (!include("customMetadata")) d[6] = "";
      ArrayPush(objects, new R2Object(d));
    }
    return { objects, truncated: cursor !== "", cursor: cursor === "" ? undefined : cursor, delimitedPrefixes: prefixes };
  }
  createMultipartUpload(): never {
    throw new NativeError("R2: multipart uploads are not available here; put() takes objects of up to 16 MiB.");
  }
  resumeMultipartUpload(): never {
    return this.createMultipartUpload();
  }
}

// The names that Workers' runtime gives them.
for (const [name, C] of Object.entries({ R2Bucket, HeadResult: R2Object, GetResult: R2ObjectBody, Checksums: R2Checksums })) {
  ObjectDefineProperty(C, "name", { value: name, configurable: true });
  ObjectDefineProperty(C.prototype, Symbol.toStringTag, { value: name, configurable: true });
}
binding("r2", (b) => new R2Bucket(b.id, b.name));
