// fetch: a subrequest through the host. Specification: Fetch, section 5.6. Redirects
// are followed by the host.

import { call, op } from "./host";
import { JSONStringify, NativeTypeError, NativeUint8Array, PromiseReject, PromiseResolve, PromiseThen, StringStartsWith, TypedArrayLength, bytesOf, expose, wrongType } from "./primordials";
import { BodyState, HostBody, passable, pump, use } from "./body";
import { Request, outgoing } from "./request";
import { headersRaw } from "./headers";
import { Response, received } from "./response";
import { current, refuseAtStart } from "./run";
import { hostAsync, hostAsyncAt } from "./async";
import { here } from "./errors";
import { AbortSignal, onAbort } from "./abort";
import { hostSocket } from "./websocket";
import { Source } from "./body";

const FETCH = op("fetch"), WRITE = op("upload.write"), END = op("upload.end"), CANCEL = op("fetch.cancel");

let uploads = 0;

/** Where a fetch goes: [type, binding, worker, entrypoint, class, object, props]; all empty for the network. */
export type Target = string[];
export const network: Target = ["", "", "", "", "", "", ""];

/** Sends a body to the host: whole where it is at hand, by its number where the host holds it, else in pieces under an upload's number. */
function upload(state: BodyState): { body: unknown; id: number; held: number; start: () => void } {
  const src: Source = state.source;
  if (src === null) return { body: null, id: 0, held: 0, start() { } };
  use(state);
  if (state.stream === null && (typeof src === "string" || bytesOf(src) !== undefined)) return { body: src, id: 0, held: 0, start() { } };
  const whole = passable(state, current.run);
  if (whole !== null) return { body: null, id: 0, held: whole.id, start() { } };
  const id = ++uploads;
  return {
    body: null, id, held: 0,
    start() {
      PromiseThen(
        pump(state, (b) => (TypedArrayLength(b) > 0 ? hostAsync(WRITE, id, b) : undefined)),
        () => call(END, id, ""),
        (e: any) => call(END, id, `${e?.message ?? e}`),
      );
    },
  };
}

/** fetch to a target. */
export function fetchTo(target: Target, input: unknown, init?: unknown): Promise<Response> {
  let r: ReturnType<typeof outgoing>, up: ReturnType<typeof upload>;
  try {
    r = outgoing(new Request(input as any, init));
    if (r.signal?.aborted) return PromiseReject(r.signal.reason);
    if (target === network && !StringStartsWith(r.url, "http://") && !StringStartsWith(r.url, "https://")) {
      if (StringStartsWith(r.url, "data:")) return PromiseResolve(dataResponse(r.url));
      throw new NativeTypeError(`Fetch API cannot load: ${r.url}`);
    }
    up = upload(r.state);
  } catch (e) {
    return PromiseReject(e);
  }
  const id = ++fetches;
  const answer = hostAsyncAt(here(), FETCH, id, target, r.method, r.url, headersRaw(r.headers), up.body, up.id, up.id === 0 && up.held === 0 ? 0 : r.state.length, r.redirect, r.cf === undefined ? "" : JSONStringify(r.cf) ?? "", up.held);
  up.start();
  const run = current.run;
  // [status, statusText, headers, body bytes or null, body id, length, url, redirected, socket id]
  const done = PromiseThen(answer, (a: any[]) => received(
    a[0], a[1], a[2],
    a[4] !== 0 ? hostBody(a[4], run, a[5], r.signal) : a[3] === undefined ? null : new NativeUint8Array(a[3]),
    a[6], a[7], a[8] !== 0 ? hostSocket(a[8]) : null,
  ));
  if (r.signal === null) return done;
  const signal = r.signal;
  return new Promise((resolve, reject) => {
    const undo = onAbort(signal, (reason) => {
      call(CANCEL, id);
      reject(reason);
    });
    PromiseThen(done, (v: Response) => (undo(), resolve(v)), (e: unknown) => (undo(), reject(e)));
  });
}
let fetches = 0;
function hostBody(id: number, run: number, length: number, signal: AbortSignal | null): HostBody {
  const b = new HostBody(id, run, length);
  if (signal !== null) b.signal = signal;
  return b;
}

/** What a data: URL holds. Specification: Fetch, section 6. */
function dataResponse(url: string): Response {
  const comma = url.indexOf(",");
  if (comma < 0) throw new NativeTypeError(`Fetch API cannot load: ${url}`);
  let type = url.slice(5, comma).trim(), body = url.slice(comma + 1).split("#")[0];
  let bytes: Uint8Array;
  const base64 = /;\s*base64$/i.test(type);
  if (base64) type = type.replace(/;\s*base64$/i, "");
  const percent: number[] = [];
  for (let i = 0; i < body.length; i++) {
    if (body[i] === "%" && /^[0-9a-f]{2}$/i.test(body.slice(i + 1, i + 3))) {
      percent.push(parseInt(body.slice(i + 1, i + 3), 16));
      i += 2;
    } else percent.push(body.charCodeAt(i));
  }
  bytes = new NativeUint8Array(percent);
  if (base64) bytes = Uint8Array.from(atob(String.fromCharCode(...percent)), (c: string) => c.charCodeAt(0));
  return received(200, "OK", "content-type\n" + (type === "" ? "text/plain;charset=US-ASCII" : type[0] === ";" ? "text/plain" + type : type), bytes, url, false, null);
}

export const fetch = function fetch(input: unknown, init?: unknown): Promise<Response> {
  try {
    refuseAtStart("fetch()");
    if (arguments.length === 0) throw wrongType("fetch", 1, "Request or string");
  } catch (e) {
    return PromiseReject(e);
  }
  return fetchTo(network, input, init);
};
expose("fetch", fetch);
