// The host: numbered operations implemented in Go (sandbox/webapi). A name is
// resolved to its number once, while the bootstrap is evaluated.

declare const __host: {
  op(name: string): number;
  call(op: number, ...args: unknown[]): any;
};

/** Performs a host operation at once; what the host refuses is thrown. */
export const call: (op: number, ...args: unknown[]) => any = __host.call;

/** The number of a host operation; throws when the host has none of that name. */
export function op(name: string): number {
  const n = __host.op(name);
  if (!(n >= 0)) throw new TypeError("no host operation " + name);
  return n;
}

/** What the engine can tell about a value that scripts cannot; absent in engines without it. */
export const engine: {
  stacks?: WeakMap<object, unknown>; // the frames of errors, where scripts keep them in the engine's place
  stackText?: (sites: any[]) => string; // the engine's text of the frames it gives to a watcher
  promiseState?: (p: Promise<unknown>) => [state: number, value: unknown];
} = (__host as any).engine ?? {};
