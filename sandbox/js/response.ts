// Response. Specification: Fetch, section 5.5, with Workers' webSocket, encodeBody and cf.

import { stringifyJSON } from "./json";
import { NativeRangeError, NativeTypeError, enumerable, expose, need, tag } from "./primordials";
import { Body, BodyState, HostBody, cloneBody, extract, mixBody } from "./body";
import { Headers, headerGet, headerSet, headersFrom, headersList, headersRaw } from "./headers";
import { hrefOf, normalizeURL } from "./url";

const none = {};
const nullBody = (s: number) => s === 101 || s === 204 || s === 205 || s === 304;

export let isResponse: (o: unknown) => o is Response;
/** What the runtime sends of a response. */
export let responseParts: (r: Response) => { status: number; statusText: string; headers: string; state: BodyState; socket: any; manual: boolean };
/** A response that came from the host. */
export let received: (status: number, statusText: string, headers: string, body: HostBody | Uint8Array | null, url: string, redirected: boolean, socket: unknown) => Response;

let rawHead: (r: Response) => string;

/** Told what counts as a WebSocket; websocket.ts sets it. */
export const sockets = { is: (_: unknown): boolean => false };

export interface Response extends Body { }
export class Response {
  #status = 200;
  #statusText = "";
  #headers: Headers | string = "";
  #type: string | null = null; // Content-Type to add once headers are made
  #state: BodyState;
  #url = "";
  #redirected = false;
  #kind = "default";
  #socket: unknown = null;
  #manual = false;
  #cf: unknown = undefined;

  constructor(body?: unknown, init?: any) {
    if (body === none) {
      this.#state = init;
      return;
    }
    if (init === undefined || init === null) {
      const { state, type } = extract(body);
      this.#state = state;
      this.#type = type;
      return;
    }
    if (typeof init !== "object" && typeof init !== "function") throw new NativeTypeError("Failed to construct 'Response': constructor parameter 2 is not of type 'InitializerDict or Response'.");
    let headers: unknown = init.headers;
    const st = init.status;
    if (isResponse(init)) {
      const r: Response = init;
      this.#cf = r.#cf;
      headers = r.headers;
      this.#socket = r.#socket;
      this.#manual = r.#manual;
    } else {
      const ws = init.webSocket;
      if (ws !== undefined && ws !== null) {
        if (!sockets.is(ws)) throw new NativeTypeError("Response: webSocket is not a WebSocket.");
        this.#socket = ws;
      }
      if (init.encodeBody !== undefined) {
        const e = `${init.encodeBody}`;
        if (e !== "automatic" && e !== "manual") throw new NativeTypeError(`encodeBody: unexpected value: ${e}`);
        this.#manual = e === "manual";
      }
      if (init.cf !== undefined && (typeof init.cf !== "object" || init.cf === null)) throw new NativeTypeError("Incorrect type for the 'cf' field on 'InitializerDict': the provided value is not of type 'Object'.");
      if (init.cf !== undefined) this.#cf = init.cf;
    }
    if (st !== undefined) {
      const n = Math.trunc(+st) & 0xffff;
      if (n === 101) {
        if (this.#socket === null) throw new NativeRangeError("Responses may only be constructed with status codes in the range 200 to 599, inclusive.");
      } else if (!(n >= 200 && n <= 599)) throw new NativeRangeError("Responses may only be constructed with status codes in the range 200 to 599, inclusive.");
      this.#status = n;
    }
    if (this.#socket !== null && this.#status !== 101) throw new NativeRangeError("Responses with a WebSocket must have status code 101.");
    if (init.statusText !== undefined) {
      const t = `${init.statusText}`;
      if (/[\0-\x08\x0a-\x1f\x7f]/.test(t)) throw new NativeTypeError("Invalid statusText");
      this.#statusText = t;
    }
    const { state, type } = extract(body);
    if (state.source !== null && nullBody(this.#status)) {
      // An empty body is let pass, as Workers do.
      if (state.source === "" || (state.source as any).byteLength === 0) {
        state.source = null;
      } else throw new NativeTypeError("Response with null body status (101, 204, 205, or 304) cannot have a body.");
    }
    this.#state = state;
    if (headers !== undefined) this.#headers = new Headers(headers);
    this.#type = type;
  }

  static {
    isResponse = (o): o is Response => typeof o === "object" && o !== null && #status in o;
    responseParts = (r) => ({
      status: r.#status, statusText: r.#statusText, headers: rawHead(r), state: r.#state, socket: r.#socket, manual: r.#manual,
    });
    rawHead = (r) => {
      const h = r.#headers, type = r.#type;
      if (type === null) return typeof h === "string" ? h : headersRaw(h);
      if (typeof h !== "string") return headersRaw(r.headers);
      return h === "" ? "content-type\n" + type : h + "\ncontent-type\n" + type;
    };
    received = (status, statusText, headers, body, url, redirected, socket) => {
      const r = new Response(none, new BodyState(body));
      r.#status = status;
      r.#statusText = statusText;
      r.#headers = headersFrom(headers, "immutable");
      r.#url = url;
      r.#redirected = redirected;
      r.#socket = socket;
      return r;
    };
    mixBody(Response, (o) => o.#state, (o) => o.headers);
  }

  static json(data: unknown, init?: any): Response {
    need(arguments.length, 1, "Response.json");
    const text = stringifyJSON(data) as string | undefined;
    const r = new Response(text === undefined ? "undefined" : text, init);
    r.#type = "application/json";
    return r;
  }
  static redirect(url: string, status: number = 302): Response {
    need(arguments.length, 1, "Response.redirect");
    const href = normalizeURL(hrefOf(url) ?? `${url}`);
    if (href === null) throw new NativeTypeError(`Unable to parse URL: ${url}`);
    const s = Math.trunc(+status);
    if (s !== 301 && s !== 302 && s !== 303 && s !== 307 && s !== 308) throw new NativeRangeError(`${status} is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308.`);
    const r = new Response(none, new BodyState(null));
    r.#status = s;
    r.#headers = headersFrom("location\n" + href, "immutable");
    return r;
  }
  static error(): Response {
    const r = new Response(none, new BodyState(null));
    r.#status = 0;
    r.#kind = "error";
    return r;
  }

  get status() { return this.#status; }
  get statusText() { return this.#statusText; }
  get ok() { return this.#status >= 200 && this.#status <= 299; }
  get headers(): Headers {
    let h = this.#headers;
    if (typeof h === "string") h = this.#headers = headersFrom(h, "none");
    if (this.#type !== null) {
      const l = headersList(h);
      if (headerGet(l, "content-type") === null) headerSet(l, "content-type", this.#type);
      this.#type = null;
    }
    return h;
  }
  get redirected() { return this.#redirected; }
  get url() { return this.#url; }
  get type() { return this.#kind; }
  get webSocket() { return this.#socket; }
  get cf() { return this.#cf; }
  clone(): Response {
    if (this.#socket !== null) throw new NativeTypeError("Cannot clone a response to a WebSocket handshake.");
    const r = new Response(none, cloneBody(this.#state));
    r.#status = this.#status;
    r.#statusText = this.#statusText;
    r.#headers = new Headers(this.headers);
    r.#url = this.#url;
    r.#redirected = this.#redirected;
    r.#kind = this.#kind;
    r.#manual = this.#manual;
    r.#cf = this.#cf;
    return r;
  }
}

enumerable(Response);
tag(Response, "Response");
expose("Response", Response);
