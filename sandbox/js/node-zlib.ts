// node:zlib on the host's codecs: gzip, deflate, raw deflate and brotli, each in a
// synchronous, a callback and a stream form.

import { Buffer } from "node:buffer";
import { Transform } from "./node-stream";
import * as constantsList from "unenv/node/internal/zlib/constants";
import { codes as codeList } from "unenv/node/internal/zlib/codes";
import { call, op } from "./host";
import { bytesOf } from "./primordials";
import { encodeUTF8 } from "./encoding";
import { argType, nodeError, outOfRange, whole } from "./node-errors";
import { queueMicrotask } from "./timers";

const ONCE = op("codec.once"), OPEN = op("codec.open"), PUT = op("codec.put"), FLUSH = op("codec.flush"), END = op("codec.end"), CRC = op("crc32");

export const codes: any = Object.freeze({ ...codeList });

type Options = { level?: number; dictionary?: any; maxOutputLength?: number; params?: Record<number, number>;[k: string]: unknown };
type Format = "gzip" | "deflate" | "deflate-raw" | "brotli";

function input(v: unknown, method = "zlibSync"): Uint8Array {
  if (typeof v === "string") return encodeUTF8(v);
  const b = bytesOf(v);
  if (b === undefined) throw new TypeError(`Failed to execute '${method}' on 'ZlibUtil': parameter 1 is not of type 'string or ArrayBuffer or ArrayBufferView'.`);
  return b;
}
/** A setting of the calls that give all at once: what is no number counts as 0, except where a whole positive one is needed. */
function setting(o: Options, name: string, min: number, max: number, orZero = false): void {
  const v = o[name];
  if (v === undefined) return;
  const n = Math.trunc(Number(v)) || 0;
  if (name !== "level") {
    if (Number.isNaN(Number(v))) throw new TypeError("The value cannot be converted because it is not an integer.");
    if (n < 0) throw new TypeError("The value cannot be converted because it is negative and this API expects a positive number.");
    if (n > 0xffffffff) throw new TypeError("Value out of range. Must be less than or equal to 4294967295.");
  }
  if (name === "strategy" && n > max) throw new Error("invalid strategy");
  if ((n < min || n > max) && !(orZero && n === 0)) throw new RangeError(`The value of "options.${name}" is out of range. It must be >= ${min} and <= ${max}. Received ${name === "finishFlush" ? 0 : n}`);
}
/** Refuses settings of the calls that give all at once, in the words of Workers. */
function settings(format: Format | "unzip", decompress: boolean, o: any, method: string): void {
  if (o === undefined) return;
  if (o === null) throw new TypeError("Cannot read properties of null (reading 'info')");
  if (typeof o !== "object") throw new TypeError(`Failed to execute '${method}' on 'ZlibUtil': parameter 2 is not of type 'Options'.`);
  setting(o, "chunkSize", 64, 128 << 20);
  if (format === "brotli") {
    const most = decompress ? 1 : 8;
    for (const k of Object.keys(o.params ?? {})) if (!(+k >= 0 && +k <= most)) throw new Error("Setting parameter failed");
    return;
  }
  setting(o, "flush", 0, 6);
  setting(o, "finishFlush", 0, 6);
  setting(o, "windowBits", 8, 15, decompress);
  setting(o, "level", -1, 9);
  setting(o, "memLevel", 1, 9);
  setting(o, "strategy", 0, 4);
}
/** Refuses settings of the streams, as Node does. */
function streamSettings(format: Format | "unzip", decompress: boolean, o: any): void {
  const check = (name: string, min: number, max: number, bounds = `>= ${min} and <= ${max}`) => {
    if (o?.[name] !== undefined && !Number.isNaN(o[name]) && !(decompress && name === "windowBits" && o[name] === 0)) whole(`options.${name}`, o[name], min, max, bounds);
  };
  check("chunkSize", 64, Infinity, ">= 64");
  check("maxOutputLength", 1, 2147483647);
  if (format === "brotli") {
    check("flush", 0, 3);
    check("finishFlush", 0, 3);
    const most = decompress ? 1 : 8;
    for (const k of Object.keys(o?.params ?? {})) {
      if (!(+k >= 0 && +k <= most)) throw nodeError(RangeError, "ERR_BROTLI_INVALID_PARAM", `${k} is not a valid Brotli parameter`);
      if (typeof o.params[k] !== "number" && typeof o.params[k] !== "boolean") throw argType("options.params[key]", "of type number", o.params[k]);
    }
    return;
  }
  check("flush", 0, 5);
  check("finishFlush", 0, 5);
  check("windowBits", format === "gzip" && !decompress ? 9 : 8, 15);
  check("level", -1, 9);
  check("memLevel", 1, 9);
  check("strategy", 0, 4);
  if (o?.dictionary !== undefined && bytesOf(o.dictionary) === undefined) throw argType("options.dictionary", "an instance of Buffer, TypedArray, DataView, or ArrayBuffer", o.dictionary);
}
function levelOf(format: Format, o: Options | undefined): number {
  if (format === "brotli") return o?.params?.[constants.BROTLI_PARAM_QUALITY] ?? 11;
  return Math.trunc(Number(o?.level ?? -1)) || 0;
}
function dictionary(o: Options | undefined): Uint8Array | undefined {
  if (o?.dictionary === undefined) return undefined;
  const b = bytesOf(o.dictionary);
  if (b === undefined) throw new TypeError("Incorrect type for the 'dictionary' field on 'Options': the provided value is not of type 'ArrayBuffer or ArrayBufferView'.");
  return b;
}

/** What unzip sees at the start of its input. */
const sniff = (b: Uint8Array): Format => (b.length > 1 && b[0] === 0x1f && b[1] === 0x8b ? "gzip" : "deflate");

function once(format: Format | "unzip", decompress: boolean, data: unknown, o?: Options): any {
  const b = input(data);
  settings(format, decompress, o, "zlibSync");
  const f = format === "unzip" ? sniff(b) : format;
  const out = Buffer.from(call(ONCE, f, decompress, decompress ? -1 : levelOf(f, o), dictionary(o), b));
  if (o?.maxOutputLength !== undefined && out.length > o.maxOutputLength) throw nodeError(RangeError, "ERR_BUFFER_TOO_LARGE", `Cannot create a Buffer larger than ${o.maxOutputLength} bytes`);
  return out;
}

const dataErrors = new Set(["incorrect header check", "incorrect data check", "invalid compressed data"]);
/** A stream's error, with zlib's code. */
function streamError(e: any, format: Format): any {
  const words = `${e?.message}`.replace(/^Decompression failed: /, "");
  const message = /incomplete data|unexpected EOF/.test(words) ? "unexpected end of file" : /header/.test(words) ? "incorrect header check" : /checksum/.test(words) ? "incorrect data check" : format === "brotli" ? "Decompression failed" : words;
  const code = message === "unexpected end of file" ? "Z_BUF_ERROR" : format === "brotli" ? "ERR__ERROR_FORMAT_PADDING_1" : "Z_DATA_ERROR";
  return Object.assign(new Error(dataErrors.has(message) || message === "unexpected end of file" || format === "brotli" ? message : "invalid compressed data"), { code, errno: constants[code] ?? -3 });
}

class Codec extends (Transform as any) {
  bytesWritten = 0;
  _id = 0;
  _format: Format | "unzip";
  _decompress: boolean;
  _options: Options | undefined;
  constructor(format: Format | "unzip", decompress: boolean, o?: Options) {
    streamSettings(format, decompress, o);
    super(o);
    this._format = format;
    this._decompress = decompress;
    this._options = o;
  }
  _open(first: Uint8Array): number {
    if (this._id === 0) {
      if (this._format === "unzip") this._format = sniff(first);
      this._id = call(OPEN, this._format, this._decompress, this._decompress ? -1 : levelOf(this._format, this._options), dictionary(this._options));
    }
    return this._id;
  }
  _give(b: ArrayBuffer): void {
    if (b.byteLength > 0) (this as any).push(Buffer.from(b));
  }
  _transform(chunk: any, encoding: any, done: (e?: unknown) => void): void {
    const b = typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
    this.bytesWritten += b.length;
    try {
      this._give(call(PUT, this._open(b), b));
    } catch (e) {
      done(streamError(e, this._format as Format));
      return;
    }
    done();
  }
  _flush(done: (e?: unknown) => void): void {
    try {
      const id = this._id === 0 && this._decompress ? 0 : this._open(new Uint8Array(0));
      if (id !== 0) this._give(call(END, id));
    } catch (e) {
      done(streamError(e, this._format as Format));
      return;
    }
    done();
  }
  flush(kind?: any, done?: () => void): void {
    const f = typeof kind === "function" ? kind : done;
    if (!this._decompress) this._give(call(FLUSH, this._open(new Uint8Array(0))));
    if (f !== undefined) queueMicrotask(f);
  }
  reset(): void { this._id = 0; }
  params(_level: number, _strategy: number, done?: () => void): void { if (done !== undefined) queueMicrotask(done); }
  close(done?: () => void): void {
    (this as any).destroy();
    if (done !== undefined) queueMicrotask(done);
  }
}

const kind = (name: string, format: Format | "unzip", decompress: boolean) => {
  const C: any = { [name]: class extends Codec { constructor(o?: Options) { super(format, decompress, o); } } }[name];
  Object.defineProperty(C, "name", { value: name, configurable: true });
  return C;
};
export const Gzip = kind("Gzip", "gzip", false), Gunzip = kind("Gunzip", "gzip", true), Deflate = kind("Deflate", "deflate", false), Inflate = kind("Inflate", "deflate", true),
  DeflateRaw = kind("DeflateRaw", "deflate-raw", false), InflateRaw = kind("InflateRaw", "deflate-raw", true), Unzip = kind("Unzip", "unzip", true),
  BrotliCompress = kind("BrotliCompress", "brotli", false), BrotliDecompress = kind("BrotliDecompress", "brotli", true);

export const createGzip = (o?: Options) => new Gzip(o), createGunzip = (o?: Options) => new Gunzip(o), createDeflate = (o?: Options) => new Deflate(o), createInflate = (o?: Options) => new Inflate(o),
  createDeflateRaw = (o?: Options) => new DeflateRaw(o), createInflateRaw = (o?: Options) => new InflateRaw(o), createUnzip = (o?: Options) => new Unzip(o),
  createBrotliCompress = (o?: Options) => new BrotliCompress(o), createBrotliDecompress = (o?: Options) => new BrotliDecompress(o);

const sync = (format: Format | "unzip", decompress: boolean) => (data: unknown, o?: Options) => once(format, decompress, data, o);
const later = (format: Format | "unzip", decompress: boolean) => (data: unknown, o: any, done?: any) => {
  const f = typeof o === "function" ? o : done;
  if (typeof f !== "function") throw argType("callback", "of type function", f);
  let result: any, failure: any = null;
  const b = input(data, "zlib");
  try {
    result = once(format, decompress, b, typeof o === "function" ? undefined : o);
  } catch (e) {
    failure = e;
  }
  queueMicrotask(() => (failure === null ? f(null, result) : f(failure)));
};
export const gzipSync = sync("gzip", false), gunzipSync = sync("gzip", true), deflateSync = sync("deflate", false), inflateSync = sync("deflate", true), deflateRawSync = sync("deflate-raw", false),
  inflateRawSync = sync("deflate-raw", true), unzipSync = sync("unzip", true), brotliCompressSync = sync("brotli", false), brotliDecompressSync = sync("brotli", true);
export const gzip = later("gzip", false), gunzip = later("gzip", true), deflate = later("deflate", false), inflate = later("deflate", true), deflateRaw = later("deflate-raw", false),
  inflateRaw = later("deflate-raw", true), unzip = later("unzip", true), brotliCompress = later("brotli", false), brotliDecompress = later("brotli", true);

export function crc32(data: unknown, before = 0): number {
  if (typeof before === "number" && Number.isInteger(before) && (before < 0 || before > 0xffffffff)) throw nodeError(RangeError, "ERR_OUT_OF_RANGE", `The value of "value" is out of range. It must be >= 0 && < 4294967296. Received ${before}`);
  return call(CRC, input(data, "crc32"), whole("value", before, 0, 0xffffffff));
}

// Zstandard: the numbers are here, the codec is not.
export const ZSTD_COMPRESS = 10, ZSTD_DECODE = 11, ZSTD_DECOMPRESS = 11, ZSTD_ENCODE = 10, ZSTD_error_GENERIC = 1, ZSTD_error_checksum_wrong = 22,
  ZSTD_error_corruption_detected = 20, ZSTD_error_dictionaryCreation_failed = 34, ZSTD_error_dictionary_corrupted = 30, ZSTD_error_dictionary_wrong = 32,
  ZSTD_error_dstBuffer_null = 74, ZSTD_error_dstSize_tooSmall = 70, ZSTD_error_frameParameter_unsupported = 14,
  ZSTD_error_frameParameter_windowTooLarge = 16, ZSTD_error_init_missing = 62, ZSTD_error_literals_headerWrong = 24,
  ZSTD_error_maxSymbolValue_tooLarge = 46, ZSTD_error_maxSymbolValue_tooSmall = 48, ZSTD_error_memory_allocation = 64,
  ZSTD_error_noForwardProgress_destFull = 80, ZSTD_error_noForwardProgress_inputEmpty = 82, ZSTD_error_no_error = 0,
  ZSTD_error_parameter_combination_unsupported = 41, ZSTD_error_parameter_outOfBound = 42, ZSTD_error_parameter_unsupported = 40,
  ZSTD_error_prefix_unknown = 10, ZSTD_error_srcSize_wrong = 72, ZSTD_error_stabilityCondition_notRespected = 50, ZSTD_error_stage_wrong = 60,
  ZSTD_error_tableLog_tooLarge = 44, ZSTD_error_version_unsupported = 12, ZSTD_error_workSpace_tooSmall = 66;
const zstd = { ZSTD_COMPRESS, ZSTD_DECODE, ZSTD_DECOMPRESS, ZSTD_ENCODE, ZSTD_error_GENERIC, ZSTD_error_checksum_wrong, ZSTD_error_corruption_detected, ZSTD_error_dictionaryCreation_failed, ZSTD_error_dictionary_corrupted, ZSTD_error_dictionary_wrong, ZSTD_error_dstBuffer_null, ZSTD_error_dstSize_tooSmall, ZSTD_error_frameParameter_unsupported, ZSTD_error_frameParameter_windowTooLarge, ZSTD_error_init_missing, ZSTD_error_literals_headerWrong, ZSTD_error_maxSymbolValue_tooLarge, ZSTD_error_maxSymbolValue_tooSmall, ZSTD_error_memory_allocation, ZSTD_error_noForwardProgress_destFull, ZSTD_error_noForwardProgress_inputEmpty, ZSTD_error_no_error, ZSTD_error_parameter_combination_unsupported, ZSTD_error_parameter_outOfBound, ZSTD_error_parameter_unsupported, ZSTD_error_prefix_unknown, ZSTD_error_srcSize_wrong, ZSTD_error_stabilityCondition_notRespected, ZSTD_error_stage_wrong, ZSTD_error_tableLog_tooLarge, ZSTD_error_version_unsupported, ZSTD_error_workSpace_tooSmall, ZSTD_e_continue: 0, ZSTD_e_flush: 1, ZSTD_e_end: 2, ZSTD_c_compressionLevel: 100, ZSTD_c_windowLog: 101, ZSTD_c_hashLog: 102, ZSTD_c_chainLog: 103,
  ZSTD_c_searchLog: 104, ZSTD_c_minMatch: 105, ZSTD_c_targetLength: 106, ZSTD_c_strategy: 107, ZSTD_c_enableLongDistanceMatching: 160,
  ZSTD_c_ldmHashLog: 161, ZSTD_c_ldmMinMatch: 162, ZSTD_c_ldmBucketSizeLog: 163, ZSTD_c_ldmHashRateLog: 164, ZSTD_c_contentSizeFlag: 200,
  ZSTD_c_checksumFlag: 201, ZSTD_c_dictIDFlag: 202, ZSTD_c_nbWorkers: 400, ZSTD_c_jobSize: 401, ZSTD_c_overlapLog: 402, ZSTD_d_windowLogMax: 100,
  ZSTD_fast: 1, ZSTD_dfast: 2, ZSTD_greedy: 3, ZSTD_lazy: 4, ZSTD_lazy2: 5, ZSTD_btlazy2: 6, ZSTD_btopt: 7, ZSTD_btultra: 8, ZSTD_btultra2: 9,
  ZSTD_CLEVEL_DEFAULT: 3 };
export const constants: any = Object.freeze({ ...constantsList, ...zstd });
const noZstd = (name: string): any => ({ [name]: function () { throw new Error(`zlib.${name} is not available here: use gzip, deflate or brotli.`); } }[name]);
export const ZstdCompress = noZstd("ZstdCompress"), ZstdDecompress = noZstd("ZstdDecompress"), createZstdCompress = noZstd("createZstdCompress"), createZstdDecompress = noZstd("createZstdDecompress"),
  zstdCompress = noZstd("zstdCompress"), zstdCompressSync = noZstd("zstdCompressSync"), zstdDecompress = noZstd("zstdDecompress"), zstdDecompressSync = noZstd("zstdDecompressSync");

export * from "unenv/node/internal/zlib/constants";
export default {
  ...constantsList, ...zstd, constants, codes, crc32, ZstdCompress, ZstdDecompress, createZstdCompress, createZstdDecompress, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync,
  Gzip, Gunzip, Deflate, Inflate, DeflateRaw, InflateRaw, Unzip, BrotliCompress, BrotliDecompress,
  createGzip, createGunzip, createDeflate, createInflate, createDeflateRaw, createInflateRaw, createUnzip, createBrotliCompress, createBrotliDecompress,
  gzipSync, gunzipSync, deflateSync, inflateSync, deflateRawSync, inflateRawSync, unzipSync, brotliCompressSync, brotliDecompressSync,
  gzip, gunzip, deflate, inflate, deflateRaw, inflateRaw, unzip, brotliCompress, brotliDecompress,
};
