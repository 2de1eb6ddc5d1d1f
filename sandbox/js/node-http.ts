// node:http, the server half: no port is opened. A server that listens is found
// by its port, and handleAsNodeRequest (cloudflare:node) hands it requests. The
// client half is refused: Workers have fetch.

import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { Agent } from "unenv/node/internal/http/agent";
import { argType } from "./node-errors";
import { METHODS, STATUS_CODES, maxHeaderSize } from "unenv/node/internal/http/constants";
import { Readable, Writable } from "./node-stream";
import { Response } from "./response";
import { Headers } from "./headers";
import { ReadableStream } from "./streams";
import { queueMicrotask } from "./timers";

export { Agent, METHODS, STATUS_CODES, maxHeaderSize };

const nodeError = (Type: any, code: string, message: string) => Object.assign(new Type(message), { code });

/** What req.socket and res.socket are: facts about a connection that is not there. */
class Connection extends EventEmitter {
  readable = true;
  writable = true;
  destroyed = false;
  encrypted: boolean;
  remoteAddress: string;
  remoteFamily = "IPv4";
  remotePort = 0;
  localAddress = "127.0.0.1";
  localPort: number;
  constructor(encrypted: boolean, remoteAddress: string, localPort: number) {
    super();
    this.encrypted = encrypted;
    this.remoteAddress = remoteAddress;
    this.localPort = localPort;
    if (remoteAddress.includes(":")) this.remoteFamily = "IPv6";
  }
  address() { return { address: this.localAddress, family: "IPv4", port: this.localPort }; }
  setTimeout() { return this; }
  setNoDelay() { return this; }
  setKeepAlive() { return this; }
  ref() { return this; }
  unref() { return this; }
  cork() {}
  uncork() {}
  destroy() {
    this.destroyed = true;
    this.readable = this.writable = false;
    return this;
  }
}

// Of these a second value is dropped, as Node does; others are joined.
const single = new Set(["age", "authorization", "content-length", "content-type", "etag", "expires", "from", "host", "if-modified-since",
  "if-unmodified-since", "last-modified", "location", "max-forwards", "proxy-authorization", "referer", "retry-after", "server", "user-agent"]);

export class IncomingMessage extends Readable {
  constructor(socket?: any) {
    super({});
    this.socket = this.connection = socket ?? null;
    this.httpVersion = "1.1";
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this.complete = false;
    this.aborted = false;
    this.rawHeaders = [];
    this.headers = {};
    this.rawTrailers = [];
    this.trailers = {};
    this.method = null;
    this.url = "";
    this.statusCode = null;
    this.statusMessage = null;
  }
  _read(): void {}
  setTimeout(_ms: number, f?: () => void): this {
    if (f) this.on("timeout", f);
    return this;
  }
  get headersDistinct(): Record<string, string[]> {
    const all: Record<string, string[]> = Object.create(null);
    for (let i = 0; i < this.rawHeaders.length; i += 2) (all[this.rawHeaders[i].toLowerCase()] ??= []).push(this.rawHeaders[i + 1]);
    return all;
  }
  get trailersDistinct(): Record<string, string[]> { return {}; }
}

function addHeader(headers: Record<string, any>, name: string, value: string): void {
  if (name === "set-cookie") (headers[name] ??= []).push(value);
  else if (headers[name] === undefined) headers[name] = value;
  else if (!single.has(name)) headers[name] += (name === "cookie" ? "; " : ", ") + value;
}

const token = /^[\^`\-\w!#$%&'*+.|~]+$/;
const badValue = /[^\t\x20-\x7e\x80-\xff]/;

export function validateHeaderName(name: unknown, label = "Header name"): void {
  if (typeof name !== "string" || !token.test(name)) throw nodeError(TypeError, "ERR_INVALID_HTTP_TOKEN", `${label} must be a valid HTTP token ["${name}"]`);
}
export function validateHeaderValue(name: string, value: unknown): void {
  if (value === undefined) throw nodeError(TypeError, "ERR_HTTP_INVALID_HEADER_VALUE", `Invalid value "${value}" for header "${name}"`);
  if (badValue.test(`${value as string}`)) throw nodeError(TypeError, "ERR_INVALID_CHAR", `Invalid character in header content ["${name}"]`);
}

export class OutgoingMessage extends Writable {
  constructor() {
    super({});
    this._names = new Map(); // lower case to [name as set, value]
    this.headersSent = false;
    this.finished = false;
    this.sendDate = true;
    this.shouldKeepAlive = true;
    this.chunkedEncoding = false;
    this.socket = this.connection = null;
  }
  _fixed(what: string): void {
    if (this.headersSent) throw nodeError(Error, "ERR_HTTP_HEADERS_SENT", `Cannot ${what} headers after they are sent to the client`);
  }
  setHeader(name: string, value: any): this {
    this._fixed("set");
    validateHeaderName(name);
    for (const v of Array.isArray(value) ? value : [value]) validateHeaderValue(name, v);
    this._names.set(name.toLowerCase(), [name, value]);
    return this;
  }
  setHeaders(headers: any): this {
    for (const [name, value] of headers) this.appendHeader(name, value);
    return this;
  }
  appendHeader(name: string, value: any): this {
    const old = this.getHeader(name);
    return this.setHeader(name, old === undefined ? value : [old, value].flat());
  }
  getHeader(name: string): any { return this._names.get(`${name}`.toLowerCase())?.[1]; }
  getHeaders(): Record<string, any> {
    const all = Object.create(null);
    for (const [name, [, value]] of this._names) all[name] = value;
    return all;
  }
  getHeaderNames(): string[] { return [...this._names.keys()]; }
  getRawHeaderNames(): string[] { return [...this._names.values()].map((x: any) => x[0]); }
  hasHeader(name: string): boolean { return this._names.has(`${name}`.toLowerCase()); }
  removeHeader(name: string): void {
    this._fixed("remove");
    this._names.delete(`${name}`.toLowerCase());
  }
  addTrailers(): void {}
  flushHeaders(): void {}
  setTimeout(_ms: number, f?: () => void): this {
    if (f) this.on("timeout", f);
    return this;
  }
}

export class ServerResponse extends OutgoingMessage {
  constructor(req: any) {
    super();
    this.req = req;
    this.statusCode = 200;
    this.statusMessage = undefined;
    this._controller = undefined; // of the body, once it streams
    this._pulled = undefined; // called when the reader wants more
    this._answer = undefined; // gives the Response to whoever waits for it
  }
  assignSocket(socket: any): void { this.socket = this.connection = socket; }
  detachSocket(): void { this.socket = this.connection = null; }
  writeContinue(): void {}
  writeProcessing(): void {}
  writeEarlyHints(): void {}
  writeHead(status: number, message?: any, headers?: any): this {
    this._fixed("write");
    if (typeof message !== "string") [message, headers] = [undefined, message];
    if (!(status >= 100 && status <= 999)) throw nodeError(RangeError, "ERR_HTTP_INVALID_STATUS_CODE", `Invalid status code: ${status}`);
    this.statusCode = status | 0;
    if (message !== undefined) this.statusMessage = message;
    if (Array.isArray(headers)) {
      const pairs = Array.isArray(headers[0]) ? headers.flat() : headers;
      for (let i = 0; i < pairs.length; i += 2) this.removeHeader(pairs[i]);
      for (let i = 0; i < pairs.length; i += 2) this.appendHeader(pairs[i], pairs[i + 1]);
    } else {
      for (const name of Object.keys(headers ?? {})) if (headers[name] !== undefined) this.setHeader(name, headers[name]);
    }
    this.headersSent = true;
    return this;
  }
  flushHeaders(): void { this._start(); }
  /** Answers now, with a body that streams. */
  _start(): void {
    if (this._controller) return;
    const body = new ReadableStream({
      start: (c: any) => void (this._controller = c),
      pull: () => {
        const go = this._pulled;
        this._pulled = undefined;
        go?.();
      },
      cancel: () => void this.destroy(),
    } as any);
    this._respond(body);
  }
  _respond(body: any): void {
    this.headersSent = true;
    const headers = new Headers();
    for (const [name, [, value]] of this._names) {
      if (name === "transfer-encoding" || name === "connection" || name === "keep-alive") continue; // the platform's own
      for (const v of Array.isArray(value) ? value : [value]) headers.append(name, `${v}`);
    }
    const none = this.statusCode === 204 || this.statusCode === 205 || this.statusCode === 304 || this.req?.method === "HEAD";
    this._answer?.(new Response(none ? null : body, { status: this.statusCode, statusText: this.statusMessage ?? STATUS_CODES[this.statusCode as 200] ?? "", headers } as any));
  }
  _write(chunk: any, _encoding: any, done: (e?: Error) => void): void {
    if (this._whole) {
      this._whole = false;
      this._respond(chunk);
      return done();
    }
    this._start();
    try {
      this._controller.enqueue(new Uint8Array(chunk));
    } catch (e) {
      return done(e as Error);
    }
    if (this._controller.desiredSize > 0) done();
    else this._pulled = done;
  }
  _final(done: () => void): void {
    if (this._controller) this._controller.close();
    else if (!this._sentWhole) this._respond(null);
    done();
  }
  end(chunk?: any, encoding?: any, done?: any): this {
    this.finished = true;
    // All of the body at once needs no stream.
    if (chunk !== undefined && chunk !== null && typeof chunk !== "function" && !this._controller && this.writableLength === 0 && !this.writableEnded) {
      this._whole = this._sentWhole = true;
    }
    return super.end(chunk, encoding, done);
  }
  _destroy(error: Error | null, done: (e: Error | null) => void): void {
    try {
      if (this._controller && !this.writableFinished) this._controller.error(error ?? new Error("The response was destroyed before its end."));
    } catch {
      // The reader has gone already.
    }
    if (!this.headersSent) this._answer?.(new Response("Internal Server Error", { status: 500 } as any));
    done(error);
  }
}

const servers = new Map<number, Server>();
let nextPort = 49152;

export class Server extends EventEmitter {
  listening = false;
  timeout = 0;
  keepAliveTimeout = 5000;
  headersTimeout = 60000;
  requestTimeout = 300000;
  maxHeadersCount: number | null = null;
  maxRequestsPerSocket = 0;
  #port: number | undefined;
  constructor(options?: any, listener?: any) {
    super();
    if (typeof options === "function") listener = options;
    if (listener) this.on("request", listener);
  }
  listen(...args: any[]): this {
    const first = args[0], done = args[args.length - 1];
    const asked = typeof first === "object" && first !== null ? first.port : first;
    let port = typeof asked === "function" || asked === undefined || asked === null ? 0 : Number(asked);
    if (typeof first === "string" && Number.isNaN(port)) throw nodeError(Error, "ERR_INVALID_ARG_VALUE", `Workers have no sockets in files: listen on a port, not on "${first}"`);
    if (!(port >= 0 && port < 65536)) throw nodeError(RangeError, "ERR_SOCKET_BAD_PORT", `options.port should be >= 0 and < 65536. Received ${String(asked)}.`);
    if (this.listening) throw nodeError(Error, "ERR_SERVER_ALREADY_LISTEN", "Listen method has been called more than once without closing.");
    while (port === 0) {
      if (!servers.has(nextPort)) port = nextPort;
      nextPort++;
    }
    if (servers.has(port)) {
      const e = Object.assign(nodeError(Error, "EADDRINUSE", `listen EADDRINUSE: address already in use :::${port}`), { errno: -98, syscall: "listen", address: "::", port });
      queueMicrotask(() => this.emit("error", e));
      return this;
    }
    servers.set(port, this);
    this.#port = port;
    this.listening = true;
    if (typeof done === "function") this.once("listening", done);
    queueMicrotask(() => this.emit("listening"));
    return this;
  }
  address(): { address: string; family: string; port: number } | null {
    return this.#port === undefined ? null : { address: "::", family: "IPv6", port: this.#port };
  }
  close(done?: (e?: Error) => void): this {
    const was = this.#port;
    if (was !== undefined) servers.delete(was);
    this.#port = undefined;
    this.listening = false;
    const error = was === undefined ? nodeError(Error, "ERR_SERVER_NOT_RUNNING", "Server is not running.") : undefined;
    queueMicrotask(() => {
      if (!error) this.emit("close");
      done?.(error);
    });
    return this;
  }
  closeAllConnections(): void {}
  closeIdleConnections(): void {}
  setTimeout(): this { return this; }
  ref(): this { return this; }
  unref(): this { return this; }
  [Symbol.asyncDispose](): Promise<void> { return new Promise((f) => void this.close(() => f())); }
}

export function createServer(options?: any, listener?: any): Server {
  if (options !== undefined && options !== null && typeof options !== "object" && typeof options !== "function") throw argType("options", "of type object", options);
  return new Server(options, listener);
}

/** Hands a request to the server that listens on a port and gives its answer. */
export function handle(port: number, request: any): Promise<any> {
  const server = servers.get(port);
  if (!server) {
    const open = [...servers.keys()];
    throw new Error(`No server listens on port ${port}; ${open.length === 0 ? "none listens at all" : `there is one on ${open.join(" and ")}`}.`);
  }
  const url = new URL(request.url);
  const socket = new Connection(url.protocol === "https:", request.headers.get("cf-connecting-ip") ?? "127.0.0.1", port);
  const req: any = new IncomingMessage(socket);
  req.method = request.method;
  req.url = url.pathname + url.search;
  for (const [name, value] of request.headers) {
    req.rawHeaders.push(name, value);
    addHeader(req.headers, name, value);
  }
  if (req.headers.host === undefined) {
    req.rawHeaders.push("host", url.host);
    req.headers.host = url.host;
  }
  if (request.body && req.headers["content-length"] === undefined && req.headers["transfer-encoding"] === undefined) {
    req.headers["transfer-encoding"] = "chunked"; // what says that there is a body
  }
  feed(req, request.body);
  const res: any = new ServerResponse(req);
  res.assignSocket(socket);
  const answer = new Promise((f) => (res._answer = f));
  request.signal?.addEventListener("abort", () => {
    req.aborted = true;
    req.emit("aborted");
    req.destroy();
    res.destroy();
  });
  if (!server.emit("request", req, res)) {
    res.statusCode = 404;
    res.end();
  }
  return answer;
}

/** Lets a request's body out of an IncomingMessage, as fast as it is read. */
function feed(req: any, body: any): void {
  if (!body) {
    req.complete = true;
    req.push(null);
    return;
  }
  let reader: any;
  req._read = () => {
    reader ??= body.getReader();
    reader.read().then(({ value, done }: any) => {
      if (done) req.complete = true;
      req.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    }, (e: Error) => req.destroy(e));
  };
}

const noClient = (what: string) => function (): never {
  throw new Error(`http.${what} is not available here; use fetch(), which Workers have built in.`);
};
export const request = noClient("request");
export const get = noClient("get");
export class ClientRequest {
  constructor() { noClient("ClientRequest")(); }
}
export const globalAgent = new Agent();
export function setMaxIdleHTTPParsers(): void {}
export function _connectionListener(): void {}
export const WebSocket = (globalThis as any).WebSocket;
export const CloseEvent = (globalThis as any).CloseEvent;
export const MessageEvent = (globalThis as any).MessageEvent;

// Code changes what require("http") gives it, so this is one object for all.
export default {
  Agent, ClientRequest, CloseEvent, IncomingMessage, METHODS, MessageEvent, OutgoingMessage, STATUS_CODES, Server, ServerResponse, WebSocket, _connectionListener, createServer, get,
  globalAgent, maxHeaderSize, request, setMaxIdleHTTPParsers, validateHeaderName, validateHeaderValue,
};
