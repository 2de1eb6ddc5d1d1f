// Small bindings: rate limit, analytics, static assets and version metadata.

import { ArrayIsArray, NativeNumber, JSONStringify, NativeTypeError, ObjectDefineProperty, TypedArrayLength } from "./primordials";
import { backend } from "./backend";
import { binding, Binding } from "./bindings";
import { Fetcher } from "./rpc";
import { encodeUTF8 } from "./encoding";
import { waitUntil } from "./workers";

class RateLimit {
  #b: Binding;
  constructor(b: Binding) {
    this.#b = b;
  }
  async limit(options: { key: string }): Promise<{ success: boolean }> {
    const key = options?.key;
    if (typeof key !== "string") throw new NativeTypeError("limit() takes an object with a key, for example { key: userId }; the key must be a string.");
    const b = this.#b;
    return { success: await backend("ratelimit", `${b.name}.limit`, "ratelimit", b.id, key, b.limit, b.period) };
  }
}

class AnalyticsEngineDataset {
  #name: string;
  constructor(name: string) {
    this.#name = name;
  }
  writeDataPoint(point: { blobs?: unknown[]; doubles?: unknown[]; indexes?: unknown[] } = {}): void {
    if (typeof point !== "object" || point === null) throw new NativeTypeError("writeDataPoint() takes an object with blobs, doubles and indexes.");
    const text = (v: unknown, most: number, bytes: number, what: string) => {
      if (v === undefined || v === null) return [];
      if (!ArrayIsArray(v)) throw new NativeTypeError(`writeDataPoint(): ${what} must be an array.`);
      if (v.length > most) throw new NativeTypeError(`writeDataPoint(): Maximum of ${most} ${what} supported.`);
      const out: (string | null)[] = [];
      let sum = 0;
      for (let i = 0; i < v.length; i++) {
        out[i] = v[i] === null || v[i] === undefined ? null : typeof v[i] === "string" ? v[i] : decode(v[i]);
        sum += out[i] === null ? 0 : TypedArrayLength(encodeUTF8(out[i]!));
      }
      if (sum > bytes) throw new NativeTypeError(`writeDataPoint(): ${what} hold ${sum} bytes; ${bytes} is the most.`);
      return out;
    };
    const blobs = text(point.blobs, 20, 16 * 1024, "blobs"), indexes = text(point.indexes, 1, 96, "indexes"), doubles: number[] = [];
    if (point.doubles !== undefined && point.doubles !== null) {
      if (!ArrayIsArray(point.doubles)) throw new NativeTypeError("writeDataPoint(): doubles must be an array.");
      if (point.doubles.length > 20) throw new NativeTypeError("writeDataPoint(): Maximum of 20 doubles supported.");
      for (let i = 0; i < point.doubles.length; i++) doubles[i] = NativeNumber(point.doubles[i]);
    }
    // The caller does not wait for it, the run does.
    waitUntil(backend("analytics", `${this.#name}.writeDataPoint`, "analytics", this.#name, JSONStringify({ blobs, doubles, indexes })));
  }
}
function decode(v: unknown): string {
  if (ArrayBuffer.isView(v) || v instanceof ArrayBuffer) return new TextDecoder().decode(v as ArrayBuffer);
  throw new NativeTypeError("writeDataPoint(): blobs and indexes hold strings or buffers.");
}

for (const [name, C] of Object.entries({ RateLimit, AnalyticsEngineDataset })) ObjectDefineProperty(C.prototype, Symbol.toStringTag, { value: name, configurable: true });
binding("ratelimit", (b) => new RateLimit(b));
binding("analytics", (b) => new AnalyticsEngineDataset(b.name));
binding("assets", (b) => new Fetcher(["assets", b.name, "", "", "", "", ""]));
binding("version", (b) => ({ id: b.id, tag: b.value, timestamp: b.props }));
