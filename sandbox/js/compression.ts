// CompressionStream and DecompressionStream. Specification: Compression. The host
// keeps the state; each chunk is one call.

import { call, op } from "./host";
import { NativeTypeError, NativeUint8Array, StringStartsWith, enumerable, expose, need, tag } from "./primordials";
import { refuseAtStart } from "./run";
import { TransformStream, chunkBytes, transformBytes } from "./streams";

const OPEN = op("codec.open"), PUT = op("codec.put"), END = op("codec.end");

const formats = ["gzip", "deflate", "deflate-raw"];

/** What f gives; what is wrong with compressed data is not told, as on Workers. */
function plain<T>(f: () => T): T {
  try {
    return f();
  } catch (e) {
    throw StringStartsWith(`${(e as Error)?.message}`, "Decompression failed") ? new NativeTypeError("Decompression failed.") : e;
  }
}

function compress(t: TransformStream, format: unknown, decompress: boolean): void {
  const f = `${format as string}`;
  if (formats.indexOf(f) < 0) throw new NativeTypeError(`The compression format must be either 'deflate', 'deflate-raw' or 'gzip'.`);
  let id = 0;
  const open = () => (id === 0 ? (id = call(OPEN, f, decompress, -1)) : id);
  const bytes = (b: ArrayBuffer) => new NativeUint8Array(b);
  transformBytes(t, (chunk) => {
    const b = chunkBytes(chunk);
    return bytes(plain(() => call(PUT, open(), b)));
  }, () => bytes(plain(() => call(END, open()))), 1 << 20);
}

class CompressionStream extends TransformStream {
  constructor(format: string) {
    refuseAtStart("new CompressionStream()");
    need(arguments.length, 1, "CompressionStream constructor");
    super();
    compress(this, format, false);
  }
}
class DecompressionStream extends TransformStream {
  constructor(format: string) {
    refuseAtStart("new DecompressionStream()");
    need(arguments.length, 1, "DecompressionStream constructor");
    super();
    compress(this, format, true);
  }
}
for (const [name, C] of Object.entries({ CompressionStream, DecompressionStream })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
