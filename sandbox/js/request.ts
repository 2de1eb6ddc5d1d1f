// Request. Specification: Fetch, section 5.4, with Workers' cf, fetcher-less init
// and no mode, credentials, referrer or destination.

import { NativeError, NativeTypeError, RegExpTest, SafeSet, StringToUpperCase, defaults, enumerable, expose, need, tag } from "./primordials";
import { AbortSignal, isAbortSignal, newSignal } from "./abort";
import { Body, BodyState, HostBody, cloneBody, extract, foreign, isForeign, isUsed, hasBody } from "./body";
import { Headers, headerGet, headerSet, headersFrom, headersInit, headersList } from "./headers";
import { hrefOf, normalizeURL } from "./url";
import { JSONParse } from "./primordials";
import { current } from "./run";

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// The methods Workers know; any other is refused.
const methods = new SafeSet<string>();
for (const m of ("GET HEAD POST PUT DELETE PATCH OPTIONS TRACE PURGE QUERY COPY LOCK UNLOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH ACL REPORT MKACTIVITY CHECKOUT " +
  "MERGE MSEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE BAN").split(" ")) methods.add(m);
const none = {};

export let isRequest: (o: unknown) => o is Request;
/** The request of an event: what the host gave, taken apart only when asked for. */
export let incoming: (method: string, url: string, headers: string, body: HostBody | null, bytes: Uint8Array | null, cf: string | undefined) => Request;
/** What fetch sends: method, URL, headers, body, redirect mode, signal, cf. */
export let outgoing: (r: Request) => { method: string; url: string; headers: Headers; state: BodyState; redirect: string; signal: AbortSignal | null; cf: unknown };

function method(v: unknown): string {
  const s = `${v as string}`;
  if (!RegExpTest(token, s)) throw new NativeTypeError(`Invalid HTTP method string: ${s}`);
  const u = StringToUpperCase(s);
  if (!methods.has(u)) throw new NativeTypeError(`Invalid HTTP method string: ${s}`);
  return u;
}

// What a request is made of; see Parts of response.ts.
class Parts {
  declare method: string;
  declare url: string;
  declare headers: Headers | string;
  declare redirect: string;
  declare signal: AbortSignal | null;
  declare cf: unknown;
  declare cfText: string; // JSON of cf until somebody asks for it
  declare cache: string | undefined;
  declare integrity: string;
  declare keepalive: boolean;
  constructor(public body: BodyState) { }
}
defaults(Parts, { method: "GET", url: "", headers: "", redirect: "follow", signal: null, cf: undefined, cfText: "", cache: undefined, integrity: "", keepalive: false });
const nothing = new BodyState(null); // until the body is known

export interface Request extends Body { }
export class Request {
  #p: Parts;

  constructor(input: unknown, init?: any) {
    if (input === none) {
      this.#p = new Parts(init);
      return;
    }
    const p = this.#p = new Parts(nothing);
    need(arguments.length, 1, "Request constructor", "Request or string");
    if (init === null) init = undefined;
    if (init !== undefined && typeof init !== "object" && typeof init !== "function") throw new NativeTypeError("Failed to construct 'Request': constructor parameter 2 is not of type 'RequestInitializerDict or Request'.");
    if (isRequest(init)) {
      const r: Request = init;
      init = { method: r.method, headers: r.headers, body: r.body ?? undefined, redirect: r.redirect, signal: r.signal, cf: r.cf };
    }
    const from = isRequest(input) ? input : null;
    if (from !== null) {
      p.method = from.#p.method;
      p.url = from.#p.url;
      p.redirect = from.#p.redirect;
      p.signal = from.#p.signal;
      p.cf = from.cf;
      p.cache = from.#p.cache;
      p.integrity = from.#p.integrity;
      p.keepalive = from.#p.keepalive;
    } else {
      const text = hrefOf(input) ?? `${input as string}`;
      const url = normalizeURL(text);
      if (url === null) throw new NativeTypeError(`Invalid URL: ${text}`);
      p.url = url;
    }
    if (init !== undefined) {
      if (init.method !== undefined) p.method = method(init.method);
      if (init.redirect !== undefined) {
        const r = `${init.redirect}`;
        if (r !== "follow" && r !== "manual") throw new NativeTypeError(`Invalid redirect value, must be one of "follow" or "manual" ("error" won't be implemented since it does not make sense at the edge; use "manual" and check the response status code).`);
        p.redirect = r;
      }
      if (init.signal !== undefined) {
        if (init.signal !== null && !isAbortSignal(init.signal)) throw new NativeTypeError("Incorrect type for the 'signal' field on 'RequestInitializerDict': the provided value is not of type 'AbortSignal'.");
        p.signal = init.signal;
      }
      if (init.cf !== undefined) {
        if (init.cf === null || typeof init.cf !== "object") throw new NativeTypeError("Incorrect type for the 'cf' field on 'RequestInitializerDict': the provided value is not of type 'Object'.");
        p.cf = init.cf;
      }
      if (init.cache !== undefined) {
        if (current.date !== "" && current.date < "2024-11-11") throw new NativeError("The 'cache' field on 'RequestInitializerDict' is not implemented.");
        const c = `${init.cache}`;
        if (c !== "no-store" && c !== "no-cache") throw new NativeTypeError(`Unsupported cache mode: ${c}`);
        p.cache = c;
      }
      if (init.integrity !== undefined && init.integrity !== null && `${init.integrity}` !== "") throw new NativeTypeError("Subrequest integrity checking is not implemented. The integrity option must be either undefined or an empty string.");
    }
    const h = new Headers(init?.headers !== undefined ? headersInit(init.headers, "RequestInitializerDict") : from !== null ? from.headers : undefined);
    p.headers = h;
    const given = init?.body;
    if (given !== undefined && given !== null) {
      if (p.method === "GET" || p.method === "HEAD") throw new NativeTypeError("Request with a GET or HEAD method cannot have a body.");
      const state = p.body = extract(given), l = headersList(h);
      if (state.type !== null && headerGet(l, "content-type") === null) headerSet(l, "content-type", state.type);
    } else if (from !== null && given === undefined && from.#p.body.source !== null) {
      if (p.method === "GET" || p.method === "HEAD") throw new NativeTypeError("Request with a GET or HEAD method cannot have a body.");
      if (isUsed(from.#p.body)) throw new NativeTypeError("Cannot reconstruct a Request with a used body.");
      // The body moves over; the old request counts as used.
      const old = from.#p.body, s = new BodyState(old.source);
      if (isForeign(old)) throw foreign();
      s.stream = old.stream;
      s.length = old.length;
      s.run = old.run;
      p.body = s;
      from.#p.body = new BodyState(old.source);
      from.#p.body.used = true;
    } else {
      p.body = new BodyState(null);
    }
  }

  static {
    isRequest = (o): o is Request => typeof o === "object" && o !== null && #p in o;
    incoming = (m, url, headers, body, bytes, cf) => {
      const r = new Request(none, new BodyState(body ?? bytes)), p = r.#p;
      if (bytes !== null) p.body.run = current.run;
      p.method = m;
      p.url = url;
      p.headers = headers;
      p.redirect = "manual";
      if (cf !== undefined) p.cfText = cf;
      return r;
    };
    outgoing = (r) => ({ method: r.#p.method, url: r.#p.url, headers: r.headers, state: r.#p.body, redirect: r.#p.redirect, signal: r.#p.signal, cf: r.cf });
    hasBody(Request, (o) => typeof o === "object" && o !== null && #p in o, (o) => o.#p.body, (o) => o.headers);
  }

  get method() { return this.#p.method; }
  get url() { return this.#p.url; }
  get headers(): Headers {
    const h = this.#p.headers;
    return typeof h === "string" ? (this.#p.headers = headersFrom(h, "immutable")) : h;
  }
  get redirect() { return this.#p.redirect; }
  get fetcher() { return null; }
  get signal() { return (this.#p.signal ??= newSignal()); }
  get cf() {
    if (this.#p.cfText !== "") {
      this.#p.cf = JSONParse(this.#p.cfText);
      this.#p.cfText = "";
    }
    return this.#p.cf;
  }
  get integrity() { return this.#p.integrity; }
  get keepalive() { return this.#p.keepalive; }
  get cache() { return this.#p.cache; }
  clone(): Request {
    const r = new Request(none, cloneBody(this.#p.body));
    r.#p.method = this.#p.method;
    r.#p.url = this.#p.url;
    r.#p.headers = new Headers(this.headers);
    r.#p.redirect = this.#p.redirect;
    r.#p.cf = this.cf;
    r.#p.cache = this.#p.cache;
    r.#p.integrity = this.#p.integrity;
    r.#p.keepalive = this.#p.keepalive;
    r.#p.signal = this.#p.signal ?? newSignal(); // one signal for both, as on Workers
    return r;
  }
}

enumerable(Request);
tag(Request, "Request");
expose("Request", Request);
