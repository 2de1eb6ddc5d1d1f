// Response. Specification: Fetch, section 5.5, with Workers' webSocket, encodeBody and cf.

import { stringifyJSON } from "./json";
import { NativeRangeError, NativeTypeError, defaults, enumerable, expose, need, tag } from "./primordials";
import { Body, BodyState, HostBody, cloneBody, extract, hasBody } from "./body";
import { Headers, headerGet, headerSet, headersFrom, headersInit, headersList, headersRaw } from "./headers";
import { refuseAtStart } from "./run";
import { hrefOf, normalizeURL } from "./url";

const none = {};
const nothing = new BodyState(null); // until the body is known
const nullBody = (s: number) => s === 101 || s === 204 || s === 205 || s === 304;

export let isResponse: (o: unknown) => o is Response;
/** What a response is made of. */
export let partsOf: (r: Response) => Parts;
/** Its headers as the host takes them. */
export let rawHead: (r: Response) => string;
/** A response that came from the host. */
export let received: (status: number, statusText: string, headers: string, body: HostBody | Uint8Array | null, url: string, redirected: boolean, socket: unknown) => Response;

/** Told what counts as a WebSocket; websocket.ts sets it. */
export const sockets = { is: (_: unknown): boolean => false };

// One object with few fields of its own: making a private field takes the
// engine as long as calling a function.
class Parts {
  declare status: number;
  declare statusText: string;
  declare headers: Headers | string;
  declare type: string | null; // Content-Type to add once headers are made
  declare url: string;
  declare redirected: boolean;
  declare kind: string;
  declare socket: any;
  declare manual: boolean;
  declare cf: unknown;
  constructor(public body: BodyState) { }
}
defaults(Parts, { status: 200, statusText: "", headers: "", type: null, url: "", redirected: false, kind: "default", socket: null, manual: false, cf: undefined });

export interface Response extends Body { }
export class Response {
  #p: Parts;

  constructor(body?: unknown, init?: any) {
    if (body === none) {
      this.#p = new Parts(init);
      return;
    }
    if (init === undefined || init === null) {
      const p = this.#p = new Parts(extract(body));
      if (p.body.type !== null) p.type = p.body.type;
      return;
    }
    if (typeof init !== "object" && typeof init !== "function") throw new NativeTypeError("Failed to construct 'Response': constructor parameter 2 is not of type 'InitializerDict or Response'.");
    const p = this.#p = new Parts(nothing);
    let headers: unknown = init.headers;
    const st = init.status;
    if (isResponse(init)) {
      const r: Parts = init.#p;
      p.cf = r.cf;
      headers = (init as Response).headers;
      p.socket = r.socket;
      p.manual = r.manual;
    } else {
      const ws = init.webSocket;
      if (ws !== undefined && ws !== null) {
        if (!sockets.is(ws)) throw new NativeTypeError("Incorrect type for the 'webSocket' field on 'InitializerDict': the provided value is not of type 'WebSocket'.");
        p.socket = ws;
      }
      if (init.encodeBody !== undefined) {
        const e = `${init.encodeBody}`;
        if (e !== "automatic" && e !== "manual") throw new NativeTypeError(`encodeBody: unexpected value: ${e}`);
        p.manual = e === "manual";
      }
      if (init.cf !== undefined && (typeof init.cf !== "object" || init.cf === null)) throw new NativeTypeError("Incorrect type for the 'cf' field on 'InitializerDict': the provided value is not of type 'Object'.");
      if (init.cf !== undefined) p.cf = init.cf;
    }
    if (st !== undefined) {
      const n = Math.trunc(+st) & 0xffff;
      if (n === 101) {
        if (p.socket === null) throw new NativeRangeError("Responses may only be constructed with status codes in the range 200 to 599, inclusive.");
      } else if (!(n >= 200 && n <= 599)) throw new NativeRangeError("Responses may only be constructed with status codes in the range 200 to 599, inclusive.");
      p.status = n;
    }
    if (p.socket !== null && p.status !== 101) throw new NativeRangeError("Responses with a WebSocket must have status code 101.");
    if (init.statusText !== undefined) {
      const t = `${init.statusText}`;
      if (/[\0-\x08\x0a-\x1f\x7f]/.test(t)) throw new NativeTypeError("Invalid statusText");
      p.statusText = t;
    }
    const state = extract(body);
    if (state.source !== null && nullBody(p.status)) {
      // An empty body is let pass, as Workers do.
      if (state.source === "" || (state.source as any).byteLength === 0) {
        state.source = null;
      } else throw new NativeTypeError("Response with null body status (101, 204, 205, or 304) cannot have a body.");
    }
    p.body = state;
    if (headers !== undefined) p.headers = new Headers(headersInit(headers, "InitializerDict"));
    p.type = state.type;
  }

  static {
    isResponse = (o): o is Response => typeof o === "object" && o !== null && #p in o;
    partsOf = (r) => r.#p;
    rawHead = (r) => {
      const h = r.#p.headers, type = r.#p.type;
      if (type === null) return typeof h === "string" ? h : headersRaw(h);
      if (typeof h !== "string") return headersRaw(r.headers);
      return h === "" ? "content-type\n" + type : h + "\ncontent-type\n" + type;
    };
    received = (status, statusText, headers, body, url, redirected, socket) => {
      const r = new Response(none, new BodyState(body)), p = r.#p;
      p.status = status;
      p.statusText = statusText;
      p.headers = headersFrom(headers, "immutable");
      p.url = url;
      p.redirected = redirected;
      p.socket = socket;
      return r;
    };
    hasBody(Response, (o) => typeof o === "object" && o !== null && #p in o, (o) => o.#p.body, (o) => o.headers);
  }

  static json(data: unknown, init?: any): Response {
    need(arguments.length, 1, "Response.json", "Value");
    const text = stringifyJSON(data) as string | undefined;
    const r = new Response(text === undefined ? "undefined" : text, init);
    r.#p.type = "application/json";
    return r;
  }
  static redirect(url: string, status: number = 302): Response {
    refuseAtStart("Response.redirect()");
    need(arguments.length, 1, "Response.redirect");
    const href = normalizeURL(hrefOf(url) ?? `${url}`);
    if (href === null) throw new NativeTypeError(`Unable to parse URL: ${url}`);
    const s = Math.trunc(+status);
    if (s !== 301 && s !== 302 && s !== 303 && s !== 307 && s !== 308) throw new NativeRangeError(`${status} is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308.`);
    const r = new Response(none, new BodyState(null));
    r.#p.status = s;
    r.#p.headers = headersFrom("location\n" + href, "immutable");
    return r;
  }
  static error(): Response {
    const r = new Response(none, new BodyState(null));
    r.#p.status = 0;
    r.#p.kind = "error";
    return r;
  }

  get status() { return this.#p.status; }
  get statusText() { return this.#p.statusText; }
  get ok() { return this.#p.status >= 200 && this.#p.status <= 299; }
  get headers(): Headers {
    let h = this.#p.headers;
    if (typeof h === "string") h = this.#p.headers = headersFrom(h, "none");
    if (this.#p.type !== null) {
      const l = headersList(h);
      if (headerGet(l, "content-type") === null) headerSet(l, "content-type", this.#p.type);
      this.#p.type = null;
    }
    return h;
  }
  get redirected() { return this.#p.redirected; }
  get url() { return this.#p.url; }
  get type() { return this.#p.kind; }
  get webSocket() { return this.#p.socket; }
  get cf() { return this.#p.cf; }
  clone(): Response {
    if (this.#p.socket !== null) throw new NativeTypeError("Cannot clone a response to a WebSocket handshake.");
    const r = new Response(none, cloneBody(this.#p.body));
    r.#p.status = this.#p.status;
    r.#p.statusText = this.#p.statusText;
    r.#p.headers = new Headers(this.headers);
    r.#p.url = this.#p.url;
    r.#p.redirected = this.#p.redirected;
    r.#p.kind = this.#p.kind;
    r.#p.cf = this.#p.cf;
    return r;
  }
}

enumerable(Response);
tag(Response, "Response");
expose("Response", Response);
