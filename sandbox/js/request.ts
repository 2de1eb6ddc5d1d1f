// Request. Specification: Fetch, section 5.4, with Workers' cf, fetcher-less init
// and no mode, credentials, referrer or destination.

import { NativeTypeError, RegExpTest, SafeSet, StringToUpperCase, enumerable, expose, need, tag } from "./primordials";
import { AbortSignal, isAbortSignal, newSignal, onAbort, abortSignal } from "./abort";
import { Body, BodyState, HostBody, cloneBody, extract, isUsed, mixBody } from "./body";
import { Headers, headerGet, headerSet, headersFrom, headersList } from "./headers";
import { hrefOf, normalizeURL } from "./url";
import { JSONParse } from "./primordials";

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// The methods Workers know; any other is refused.
const methods = new SafeSet<string>();
for (const m of ("GET HEAD POST PUT DELETE PATCH OPTIONS TRACE PURGE QUERY COPY LOCK UNLOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH ACL REPORT MKACTIVITY CHECKOUT " +
  "MERGE MSEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE BAN").split(" ")) methods.add(m);
const none = {};

export let isRequest: (o: unknown) => o is Request;
/** The request of an event: what the host gave, taken apart only when asked for. */
export let incoming: (method: string, url: string, headers: string, body: HostBody | null, bytes: Uint8Array | null, cf: string) => Request;
/** What fetch sends: method, URL, headers, body, redirect mode, signal, cf. */
export let outgoing: (r: Request) => { method: string; url: string; headers: Headers; state: BodyState; redirect: string; signal: AbortSignal | null; cf: unknown };

function method(v: unknown): string {
  const s = `${v as string}`;
  if (!RegExpTest(token, s)) throw new NativeTypeError(`Invalid HTTP method string: ${s}`);
  const u = StringToUpperCase(s);
  if (!methods.has(u)) throw new NativeTypeError(`Invalid HTTP method string: ${s}`);
  return u;
}

export interface Request extends Body { }
export class Request {
  #method = "GET";
  #url = "";
  #headers: Headers | string = "";
  #state: BodyState;
  #redirect = "follow";
  #signal: AbortSignal | null = null;
  #cf: unknown = undefined;
  #cfText = "";
  #cache: string | undefined = undefined;
  #integrity = "";
  #keepalive = false;

  constructor(input: unknown, init?: any) {
    if (input === none) {
      this.#state = init;
      return;
    }
    need(arguments.length, 1, "Request constructor");
    if (init === null) init = undefined;
    if (init !== undefined && typeof init !== "object" && typeof init !== "function") throw new NativeTypeError("Failed to construct 'Request': constructor parameter 2 is not of type 'RequestInitializerDict or Request'.");
    if (isRequest(init)) {
      const r: Request = init;
      init = { method: r.method, headers: r.headers, body: r.body ?? undefined, redirect: r.redirect, signal: r.signal, cf: r.cf };
    }
    const from = isRequest(input) ? input : null;
    if (from !== null) {
      this.#method = from.#method;
      this.#url = from.#url;
      this.#redirect = from.#redirect;
      this.#signal = from.#signal;
      this.#cf = from.cf;
      this.#cache = from.#cache;
      this.#integrity = from.#integrity;
      this.#keepalive = from.#keepalive;
    } else {
      const text = hrefOf(input) ?? `${input as string}`;
      const url = normalizeURL(text);
      if (url === null) throw new NativeTypeError(`Invalid URL: ${text}`);
      this.#url = url;
    }
    if (init !== undefined) {
      if (init.method !== undefined) this.#method = method(init.method);
      if (init.redirect !== undefined) {
        const r = `${init.redirect}`;
        if (r !== "follow" && r !== "manual") throw new NativeTypeError(`Invalid redirect value, must be one of "follow" or "manual" ("error" won't be implemented since it does not make sense at the edge; use "manual" and check the response status code).`);
        this.#redirect = r;
      }
      if (init.signal !== undefined) {
        if (init.signal !== null && !isAbortSignal(init.signal)) throw new NativeTypeError("Incorrect type for the 'signal' field on 'RequestInitializerDict': the provided value is not of type 'AbortSignal'.");
        this.#signal = init.signal;
      }
      if (init.cf !== undefined) {
        if (init.cf === null || typeof init.cf !== "object") throw new NativeTypeError("Request: cf is not an object.");
        this.#cf = init.cf;
      }
      if (init.cache !== undefined) {
        const c = `${init.cache}`;
        if (c !== "no-store" && c !== "no-cache") throw new NativeTypeError(`Unsupported cache mode: ${c}`);
        this.#cache = c;
      }
      if (init.integrity !== undefined && init.integrity !== null && `${init.integrity}` !== "") throw new NativeTypeError("Subrequest integrity checking is not available here: leave out integrity.");
    }
    const h = new Headers(init?.headers !== undefined ? init.headers : from !== null ? from.headers : undefined);
    this.#headers = h;
    const given = init?.body;
    if (given !== undefined && given !== null) {
      if (this.#method === "GET" || this.#method === "HEAD") throw new NativeTypeError("Request with a GET or HEAD method cannot have a body.");
      const { state, type } = extract(given);
      this.#state = state;
      const l = headersList(h);
      if (type !== null && headerGet(l, "content-type") === null) headerSet(l, "content-type", type);
    } else if (from !== null && given === undefined && from.#state.source !== null) {
      if (this.#method === "GET" || this.#method === "HEAD") throw new NativeTypeError("Request with a GET or HEAD method cannot have a body.");
      if (isUsed(from.#state)) throw new NativeTypeError("Cannot reconstruct a Request with a used body.");
      // The body moves over; the old request counts as used.
      const old = from.#state, s = new BodyState(old.source);
      s.stream = old.stream;
      s.length = old.length;
      this.#state = s;
      from.#state = new BodyState(old.source);
      from.#state.used = true;
    } else {
      this.#state = new BodyState(null);
    }
  }

  static {
    isRequest = (o): o is Request => typeof o === "object" && o !== null && #method in o;
    incoming = (m, url, headers, body, bytes, cf) => {
      const r = new Request(none, new BodyState(body ?? bytes));
      r.#method = m;
      r.#url = url;
      r.#headers = headers;
      r.#redirect = "manual";
      r.#cfText = cf;
      return r;
    };
    outgoing = (r) => ({ method: r.#method, url: r.#url, headers: r.headers, state: r.#state, redirect: r.#redirect, signal: r.#signal, cf: r.cf });
    mixBody(Request, (o) => o.#state, (o) => o.headers);
  }

  get method() { return this.#method; }
  get url() { return this.#url; }
  get headers(): Headers {
    const h = this.#headers;
    return typeof h === "string" ? (this.#headers = headersFrom(h, "immutable")) : h;
  }
  get redirect() { return this.#redirect; }
  get fetcher() { return null; }
  get signal() { return (this.#signal ??= newSignal()); }
  get cf() {
    if (this.#cfText !== "") {
      this.#cf = JSONParse(this.#cfText);
      this.#cfText = "";
    }
    return this.#cf;
  }
  get integrity() { return this.#integrity; }
  get keepalive() { return this.#keepalive; }
  get cache() { return this.#cache; }
  clone(): Request {
    const r = new Request(none, cloneBody(this.#state));
    r.#method = this.#method;
    r.#url = this.#url;
    r.#headers = new Headers(this.headers);
    r.#redirect = this.#redirect;
    r.#cf = this.cf;
    r.#cache = this.#cache;
    r.#integrity = this.#integrity;
    r.#keepalive = this.#keepalive;
    const own = newSignal();
    if (this.#signal !== null) onAbort(this.#signal, (reason) => abortSignal(own, reason));
    r.#signal = own;
    return r;
  }
}

enumerable(Request);
tag(Request, "Request");
expose("Request", Request);
