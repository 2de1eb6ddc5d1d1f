// Runs Google Cloud Functions and Firebase functions that answer HTTP:
//
//   exports.login = (req, res) => { res.send("User logged in"); };
//
// Each exported function has the address /<its name>, as deployed functions do.
// A file with one function answers every address, as a service with one function does.
// req and res have the parts of Express that the vendor documents:
// https://cloud.google.com/functions/docs/writing/write-http-functions
import * as entry from "coldstart:entry";
import { registered } from "coldstart:functions";
import { Buffer } from "node:buffer";

type Handler = (req: FunctionRequest, res: FunctionResponse) => unknown;

export default {
  async fetch(request: Request, env: Record<string, unknown>): Promise<Response> {
    for (const [name, value] of Object.entries(env)) {
      if (typeof value === "string" && globalThis.process?.env) {
        process.env[name] = value;
      }
    }
    const target = choose(new URL(request.url).pathname);
    if (!target) {
      return new Response("Not Found", { status: 404 });
    }
    const req = await FunctionRequest.from(request, target.prefix);
    try {
      req.body = parseBody(req);
    } catch {
      return new Response("Bad Request", { status: 400 });
    }
    const res = new FunctionResponse(req);
    try {
      await Promise.race([Promise.resolve(target.handler(req, res)).then(() => res.finished), res.finished]);
    } catch (error) {
      console.error(error);
      return new Response("Internal Server Error", { status: 500 });
    }
    return res.toResponse();
  },
};

/** Which function answers a path, and the part of the path that named it. */
function choose(path: string): { handler: Handler; prefix: string } | undefined {
  const functions = new Map<string, Handler>();
  const module = entry as Record<string, unknown>;
  // A CommonJS file arrives as the default export.
  for (const source of [module.default, module]) {
    if (typeof source === "function") {
      functions.set("default", source as Handler);
    } else if (source && typeof source === "object") {
      for (const [name, value] of Object.entries(source)) {
        if (typeof value === "function") functions.set(name, value as Handler);
      }
    }
  }
  for (const [name, handler] of registered) {
    functions.set(name, handler as Handler);
  }
  const name = path.split("/")[1];
  const named = functions.get(name);
  if (named) {
    return { handler: named, prefix: "/" + name };
  }
  if (functions.size === 1) {
    return { handler: [...functions.values()][0], prefix: "" };
  }
  return undefined;
}

class FunctionRequest {
  method = "";
  url = "";
  originalUrl = "";
  baseUrl = "";
  path = "";
  protocol = "https";
  secure = true;
  hostname = "";
  ip = "";
  params: Record<string, string> = {};
  query: Record<string, any> = {};
  headers: Record<string, string> = {};
  cookies: Record<string, string> = {};
  rawBody: Buffer = Buffer.alloc(0);
  body: any = {};

  static async from(request: Request, prefix: string): Promise<FunctionRequest> {
    const req = new FunctionRequest();
    const url = new URL(request.url);
    req.method = request.method;
    req.originalUrl = url.pathname + url.search;
    req.baseUrl = prefix;
    req.path = url.pathname.slice(prefix.length) || "/";
    req.url = req.path + url.search;
    req.protocol = url.protocol.slice(0, -1);
    req.secure = req.protocol === "https";
    req.hostname = url.hostname;
    request.headers.forEach((value, name) => (req.headers[name] = value));
    req.headers.host ??= url.host;
    req.ip = req.headers["cf-connecting-ip"] ?? "127.0.0.1";
    req.query = toQuery(url.searchParams);
    for (const part of (req.headers.cookie ?? "").split(/;\s*/)) {
      const [name, ...rest] = part.split("=");
      if (name) req.cookies[name] = rest.join("=");
    }
    req.rawBody = Buffer.from(await request.arrayBuffer());
    return req;
  }

  get(name: string): string | undefined {
    return this.headers[name.toLowerCase()];
  }

  header(name: string): string | undefined {
    return this.get(name);
  }

  get xhr(): boolean {
    return this.get("x-requested-with")?.toLowerCase() === "xmlhttprequest";
  }

  is(type: string): boolean {
    return (this.get("content-type") ?? "").includes(type);
  }

  /** The first of the types that the client takes, such as "json" or "text/html". */
  accepts(...types: (string | string[])[]): string | false {
    const accept = this.get("accept") ?? "*/*";
    const takes = (type: string) => {
      const full = TYPES[type] ?? type;
      return [full, full.split("/")[0] + "/*", "*/*"].some((each) => accept.includes(each));
    };
    return types.flat().find(takes) ?? false;
  }
}

const TYPES: Record<string, string> = { html: "text/html", json: "application/json", text: "text/plain", txt: "text/plain", xml: "application/xml" };

/** One value is a string, several are a list, and a[b]=c is an object. */
function toQuery(params: URLSearchParams): Record<string, any> {
  const query: Record<string, any> = {};
  for (const name of new Set(params.keys())) {
    const all = params.getAll(name);
    const [, outer, inner] = /^([^[\]]+)\[([^[\]]+)\]$/.exec(name) ?? [];
    const nested = outer && outer !== "__proto__" && typeof (query[outer] ??= {}) === "object";
    const into = nested ? query[outer] : query;
    into[nested ? inner : name.replace(/\[\]$/, "")] = all.length === 1 && !name.endsWith("[]") ? all[0] : all;
  }
  return query;
}

/** The body as its content type says: JSON, form, text, or bytes. */
function parseBody(req: FunctionRequest): unknown {
  if (req.rawBody.length === 0) return {};
  const text = () => req.rawBody.toString("utf8");
  if (req.is("json")) return JSON.parse(text());
  if (req.is("application/x-www-form-urlencoded")) return toQuery(new URLSearchParams(text()));
  if (req.is("text/")) return text();
  return req.rawBody;
}

class FunctionResponse {
  statusCode = 200;
  headersSent = false;
  locals: Record<string, unknown> = {};
  finished: Promise<void>;
  #headers = new Headers();
  #chunks: Uint8Array[] = [];
  #finish!: () => void;

  constructor(readonly req: FunctionRequest) {
    this.finished = new Promise((resolve) => (this.#finish = resolve));
  }

  status(code: number): this {
    this.statusCode = code;
    return this;
  }

  set(name: string | Record<string, string>, value?: string | number | string[]): this {
    if (typeof name === "object") {
      for (const [key, each] of Object.entries(name)) this.set(key, each);
      return this;
    }
    this.#headers.delete(name);
    return this.append(name, value as string);
  }

  append(name: string, value: string | number | string[]): this {
    for (const each of Array.isArray(value) ? value : [value]) {
      this.#headers.append(name, String(each));
    }
    return this;
  }

  header = this.set;
  setHeader = this.set;

  get(name: string): string | undefined {
    return this.#headers.get(name) ?? undefined;
  }

  getHeader(name: string): string | undefined {
    return this.get(name);
  }

  removeHeader(name: string): void {
    this.#headers.delete(name);
  }

  writeHead(status: number, headers: Record<string, string> = {}): this {
    return this.status(status).set(headers);
  }

  type(type: string): this {
    const full = TYPES[type] ?? type;
    const isText = full.startsWith("text/") || full === "application/json";
    return this.set("content-type", isText && !full.includes(";") ? full + "; charset=utf-8" : full);
  }

  location(url: string): this {
    return this.set("location", url);
  }

  vary(name: string): this {
    return this.append("vary", name);
  }

  links(links: Record<string, string>): this {
    return this.append("link", Object.entries(links).map(([rel, url]) => `<${url}>; rel="${rel}"`).join(", "));
  }

  attachment(name?: string): this {
    return this.set("content-disposition", name ? `attachment; filename="${name}"` : "attachment");
  }

  /** Calls the first of the handlers, by type, that the client takes. */
  format(handlers: Record<string, () => void>): this {
    const type = this.req.accepts(Object.keys(handlers).filter((each) => each !== "default"));
    if (type) this.type(type);
    this.vary("Accept");
    const handler = type ? handlers[type] : handlers.default;
    if (handler) handler();
    else this.sendStatus(406);
    return this;
  }

  jsonp(value: unknown): this {
    const callback = this.req.query.callback;
    if (typeof callback !== "string") return this.json(value);
    const name = callback.replace(/[^[\]\w$.]/g, "");
    this.set("x-content-type-options", "nosniff").type("text/javascript");
    return this.send(`/**/ typeof ${name} === 'function' && ${name}(${JSON.stringify(value)});`);
  }

  clearCookie(name: string, options: { path?: string } = {}): this {
    return this.append("set-cookie", `${name}=; Path=${options.path ?? "/"}; Expires=Thu, 01 Jan 1970 00:00:00 GMT`);
  }

  cookie(name: string, value: string, options: { maxAge?: number; path?: string; httpOnly?: boolean; secure?: boolean; sameSite?: string } = {}): this {
    let text = `${name}=${encodeURIComponent(value)}; Path=${options.path ?? "/"}`;
    if (options.maxAge !== undefined) text += `; Max-Age=${Math.floor(options.maxAge / 1000)}`;
    if (options.httpOnly) text += "; HttpOnly";
    if (options.secure) text += "; Secure";
    if (options.sameSite) text += `; SameSite=${options.sameSite}`;
    return this.append("set-cookie", text);
  }

  redirect(status: number | string, url?: string): void {
    if (typeof status === "string") [status, url] = [302, status];
    this.status(status).set("location", url!).type("text").send("Redirecting to " + url);
  }

  json(value: unknown): this {
    if (!this.get("content-type")) this.type("json");
    return this.end(JSON.stringify(value));
  }

  send(body?: unknown): this {
    if (typeof body === "string") {
      if (!this.get("content-type")) this.type("html");
      return this.end(body);
    }
    if (body instanceof Uint8Array || body instanceof ArrayBuffer) {
      if (!this.get("content-type")) this.type("application/octet-stream");
      return this.end(body);
    }
    return body === undefined || body === null ? this.end() : this.json(body);
  }

  sendStatus(code: number): this {
    const words: Record<number, string> = {
      200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 400: "Bad Request", 401: "Unauthorized",
      403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 500: "Internal Server Error",
    };
    return this.status(code).type("text").send(words[code] ?? String(code));
  }

  write(chunk: string | Uint8Array): boolean {
    this.headersSent = true;
    this.#chunks.push(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
    return true;
  }

  end(chunk?: string | Uint8Array | ArrayBuffer): this {
    if (chunk !== undefined) this.write(chunk instanceof ArrayBuffer ? new Uint8Array(chunk) : chunk);
    this.headersSent = true;
    this.#finish();
    return this;
  }

  toResponse(): Response {
    const empty = this.statusCode === 204 || this.statusCode === 304;
    return new Response(empty ? null : new Blob(this.#chunks), { status: this.statusCode, headers: this.#headers });
  }
}
