// What the engine and the bundled packages give, for the type checker. Global
// classes of our own are declared as far as modules reach them through the global object.

declare var DOMException: { new(message?: string, name?: string): DOMException; prototype: DOMException };
interface DOMException extends Error { readonly code: number }
declare var atob: (s: string) => string;
declare var btoa: (s: string) => string;
declare function queueMicrotask(f: () => void): void;
declare var URL: { new(url: string, base?: string): any };
declare var TextDecoder: { new(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): { decode(b?: ArrayBuffer | ArrayBufferView): string } };
declare var EventTarget: new () => object;
declare var CryptoKey: new () => object;
declare var AbortSignal: { new(): object; any(list: unknown[]): any; timeout(ms: number): any; abort(reason?: unknown): any };
interface AbortSignal { readonly aborted: boolean; readonly reason: any; addEventListener(type: string, f: (e: any) => void, o?: unknown): void; removeEventListener(type: string, f: (e: any) => void): void }
interface SymbolConstructor { readonly dispose: unique symbol; readonly asyncDispose: unique symbol }

declare module "node:buffer" {
  export type Buffer = any;
  export const Buffer: any, Blob: any, File: any;
}
declare module "node:*";
declare module "unenv/*";
declare module "urlpattern-polyfill/urlpattern" { export const URLPattern: new (input?: unknown, base?: unknown) => object }
// Written while the bootstrap is bundled; see node.go.
declare module "*/node-all" { export const nodeModules: Record<string, any> }
declare module "web-streams-polyfill" {
  export class ReadableStream<R = any> {
    constructor(source?: any, strategy?: any);
    readonly locked: boolean;
    cancel(reason?: unknown): Promise<void>;
    getReader(options?: any): any;
    pipeThrough(t: any, options?: any): ReadableStream;
    pipeTo(w: any, options?: any): Promise<void>;
    tee(): [ReadableStream<R>, ReadableStream<R>];
    values(options?: any): AsyncIterableIterator<R>;
    [Symbol.asyncIterator](options?: any): AsyncIterableIterator<R>;
    static from(v: any): ReadableStream;
  }
  export class WritableStream<W = any> {
    constructor(sink?: any, strategy?: any);
    readonly locked: boolean;
    abort(reason?: unknown): Promise<void>;
    close(): Promise<void>;
    getWriter(): any;
  }
  export class TransformStream<I = any, O = any> {
    constructor(transformer?: any, writable?: any, readable?: any);
    readonly readable: ReadableStream<O>;
    readonly writable: WritableStream<I>;
  }
  export class ByteLengthQueuingStrategy { constructor(init: { highWaterMark: number }); readonly highWaterMark: number; readonly size: (chunk: any) => number }
  export class CountQueuingStrategy { constructor(init: { highWaterMark: number }); readonly highWaterMark: number; readonly size: () => number }
  export const ReadableByteStreamController: any, ReadableStreamBYOBReader: any, ReadableStreamBYOBRequest: any, ReadableStreamDefaultController: any;
  export class ReadableStreamDefaultReader { constructor(s: ReadableStream); read(): Promise<any>; cancel(reason?: unknown): Promise<void>; releaseLock(): void; readonly closed: Promise<void> }
  export const TransformStreamDefaultController: any, WritableStreamDefaultController: any, WritableStreamDefaultWriter: any;
}
