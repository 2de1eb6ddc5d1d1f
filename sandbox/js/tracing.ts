// ctx.tracing: spans that nobody records. A span's function runs, and the span says
// that it is not traced, as in Workers' runtime when no tracing was asked for.

import { NativeTypeError, ReflectApply, enumerable, tag } from "./primordials";

const key = {};
class Span {
  constructor(k: unknown) {
    if (k !== key) throw new NativeTypeError("Illegal constructor");
  }
  get isTraced() { return false; }
  setAttribute(_name: string, _value?: unknown): this { return this; }
  setAttributes(_values: object): this { return this; }
  setStatus(_status: unknown): this { return this; }
  updateName(_name: string): this { return this; }
  recordException(_error: unknown): void { }
  spanContext(): undefined { return undefined; }
  end(): void { }
}
tag(Span, "Span");
enumerable(Span);

class Tracing {
  constructor(k: unknown) {
    if (k !== key) throw new NativeTypeError("Illegal constructor");
  }
  /** Calls the last function given with a span, and gives what it gives. */
  enterSpan(_name: string, f: unknown, ...args: unknown[]): unknown { return within(f, args); }
  startActiveSpan(_name: string, f: unknown, ...args: unknown[]): unknown { return within(f, args); }
  startSpan(_name: string): Span { return new Span(key); }
  getActiveSpan(): undefined { return undefined; }
  withActiveSpan(_span: unknown, f: unknown, ...args: unknown[]): unknown { return typeof f === "function" ? ReflectApply(f as any, undefined, args) : undefined; }
  get Span() { return Span; }
}
function within(f: unknown, args: unknown[]): unknown {
  if (typeof f !== "function") throw new NativeTypeError("Failed to execute 'enterSpan' on 'Tracing': parameter 2 is not of type 'function'.");
  return ReflectApply(f as any, undefined, [new Span(key), ...args]);
}
tag(Tracing, "Tracing");
enumerable(Tracing);

/** The tracing of every event. */
export const tracing = new Tracing(key);
