// CompressionStream and DecompressionStream. Specification: Compression. The host
// keeps the state; each chunk is one call.

import { call, op } from "./host";
import { NativeTypeError, NativeUint8Array, StringStartsWith, enumerable, expose, need, tag, TypedArrayLength } from "./primordials";
import { refuseAtStart } from "./run";
import { TransformStream, chunkBytes } from "./streams";

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

function transformer(format: unknown, decompress: boolean, name: string) {
  const f = `${format as string}`;
  if (formats.indexOf(f) < 0) throw new NativeTypeError(`The compression format must be either 'deflate', 'deflate-raw' or 'gzip'.`);
  let id = 0;
  const open = () => (id === 0 ? (id = call(OPEN, f, decompress, -1)) : id);
  const give = (b: ArrayBuffer, c: any) => {
    const v = new NativeUint8Array(b);
    if (TypedArrayLength(v) > 0) c.enqueue(v);
  };
  return {
    transform(chunk: unknown, c: any) {
      const b = chunkBytes(chunk);
      give(plain(() => call(PUT, open(), b)), c);
    },
    flush(c: any) { give(plain(() => call(END, open())), c); },
  };
}

// What has been written may wait for its reader up to here, in bytes, so that a
// program can write and close before it begins to read.
const room = { highWaterMark: 1 << 20, size: (b: Uint8Array) => TypedArrayLength(b) };

class CompressionStream extends TransformStream {
  constructor(format: string) {
    refuseAtStart("new CompressionStream()");
    need(arguments.length, 1, "CompressionStream constructor");
    super(transformer(format, false, "CompressionStream"), undefined, room);
  }
}
class DecompressionStream extends TransformStream {
  constructor(format: string) {
    refuseAtStart("new DecompressionStream()");
    need(arguments.length, 1, "DecompressionStream constructor");
    super(transformer(format, true, "DecompressionStream"), undefined, room);
  }
}
for (const [name, C] of Object.entries({ CompressionStream, DecompressionStream })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
