// EventSource. Specification: HTML, section 9.2, with Workers' EventSource.from for a
// stream that is at hand. A connection is not opened again when it ends.

import { NativeTypeError, PromiseThen, StringIndexOf, StringSlice, enumerable, expose, need, tag, wrongType } from "./primordials";
import { EventTarget, Event, MessageEvent, dispatch, handlers } from "./events";
import { ReadableStream, getReader, isReadableStream, readerCancel, readerRead } from "./streams";
import { TextDecoder } from "./encoding";
import { domError } from "./dom";
import { fetch } from "./fetch";
import { normalizeURL } from "./url";

const key = {};

class EventSource extends EventTarget {
  #url = "";
  #state = 0;
  #reader: any = null;
  #id = "";

  constructor(url: unknown, init?: { fetcher?: any }) {
    super();
    if (url === key) return;
    need(arguments.length, 1, "EventSource constructor");
    const href = normalizeURL(`${url as string}`);
    if (href === null) throw domError("SyntaxError", `Cannot open an EventSource to '${url}'. The URL is invalid.`);
    this.#url = href;
    const ask = { headers: { accept: "text/event-stream", "cache-control": "no-cache" } };
    PromiseThen(init?.fetcher !== undefined ? init.fetcher.fetch(href, ask) : fetch(href, ask), (r: any) => {
      if (this.#state === 2) return;
      const type = `${r.headers.get("content-type")}`.split(";")[0].trim().toLowerCase();
      if (r.status !== 200 || type !== "text/event-stream" || r.body === null) {
        this.#fail();
        return;
      }
      this.#read(r.body);
    }, () => this.#fail());
  }
  static from(stream: ReadableStream): EventSource {
    if (!isReadableStream(stream)) throw wrongType("EventSource.from", 1, "JsReadableStream");
    const s = new EventSource(key);
    s.#read(stream);
    return s;
  }
  #fail(): void {
    if (this.#state === 2) return;
    this.#state = 2;
    dispatch(this, new Event("error"));
  }
  async #read(stream: ReadableStream): Promise<void> {
    const r = this.#reader = getReader(stream), d = new TextDecoder();
    this.#state = 1;
    let opened = false, text = "", data = "", type = "", any = false;
    const line = (l: string) => {
      if (l === "") {
        if (data !== "") dispatch(this, new MessageEvent(type === "" ? "message" : type, { data, lastEventId: this.#id, origin: null }));
        data = type = "";
        any = false;
        return;
      }
      const colon = StringIndexOf(l, ":");
      if (colon === 0) return;
      const name = colon < 0 ? l : StringSlice(l, 0, colon);
      let value = colon < 0 ? "" : StringSlice(l, colon + 1);
      if (value[0] === " ") value = StringSlice(value, 1);
      if (name === "data") {
        data = any ? `${data}\n${value}` : value;
        any = true;
      } else if (name === "event") type = value;
      else if (name === "id" && StringIndexOf(value, "\0") < 0) this.#id = value;
    };
    try {
      for (;;) {
        const { done, value } = await readerRead(r);
        if (!opened) {
          opened = true;
          if (this.#url !== "") dispatch(this, new Event("open"));
        }
        if (done || this.#state as number === 2) break;
        text += d.decode(value, { stream: true });
        for (;;) {
          const m = /\r\n|\n|\r(?=.|\n)/s.exec(text);
          if (m === null) break;
          line(StringSlice(text, 0, m.index));
          text = StringSlice(text, m.index + m[0].length);
        }
      }
    } catch { /* the stream broke: the error event says so */ }
    this.#fail();
  }
  get url() { return this.#url; }
  get withCredentials() { return false; }
  get readyState() { return this.#state; }
  close(): void {
    if (this.#state === 2) return;
    this.#state = 2;
    if (this.#reader !== null) PromiseThen(readerCancel(this.#reader), undefined, () => { });
  }
}
handlers(EventSource, ["open", "message", "error"]);
for (const [i, n] of ["CONNECTING", "OPEN", "CLOSED"].entries()) {
  for (const o of [EventSource, EventSource.prototype]) Object.defineProperty(o, n, { value: i, enumerable: true });
}
enumerable(EventSource);
tag(EventSource, "EventSource");
expose("EventSource", EventSource);
