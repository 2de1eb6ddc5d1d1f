// Queue producers.

import { NativeError, NativeTypeError } from "./primordials";
import { backend } from "./backend";
import { binding } from "./bindings";
import { serialize } from "./serialize";
import { bytesOf } from "./primordials";

const types = ["json", "text", "bytes", "v8"];

function message(body: unknown, o: any): [string, string, number] {
  const type = o?.contentType === undefined ? "json" : `${o.contentType}`;
  if (types.indexOf(type) < 0) throw new NativeTypeError(`Unsupported queue message content type: ${type}`);
  if (type === "text" && typeof body !== "string") throw new NativeTypeError("A queue message of content type \"text\" must be a string.");
  if (type === "bytes" && bytesOf(body) === undefined) throw new NativeTypeError("A queue message of content type \"bytes\" must be a buffer.");
  let v = body;
  if (type === "json") {
    const text = JSON.stringify(body);
    if (text === undefined) throw new NativeTypeError("A queue message of content type \"json\" must be a value that JSON can hold.");
    v = JSON.parse(text);
  }
  const delay = o?.delaySeconds === undefined ? -1 : +o.delaySeconds;
  if (delay > 43200 || (delay < 0 && delay !== -1) || Number.isNaN(delay)) throw new NativeError("Queue send failed: delaySeconds must be from 0 to 43200.");
  return [serialize(v), type, delay];
}

class WorkerQueue {
  #id: string;
  #name: string;
  constructor(id: string, name: string) {
    this.#id = id;
    this.#name = name;
  }
  async send(body: unknown, options?: any): Promise<unknown> {
    await backend("queue", this.#name + ".send", "queue.send", this.#id, ...message(body, options));
    return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
  }
  async sendBatch(list: Iterable<any>, options?: any): Promise<unknown> {
    const flat: unknown[] = [];
    let n = 0;
    for (const m of list) {
      flat.push(...message(m.body, { ...options, ...m }));
      n++;
    }
    if (n === 0) throw new NativeTypeError("sendBatch() requires at least one message.");
    if (n > 100) throw new NativeError("Queue sendBatch failed: a batch holds at most 100 messages.");
    await backend("queue", this.#name + ".sendBatch", "queue.sendBatch", this.#id, flat);
    return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
  }
}
Object.defineProperty(WorkerQueue.prototype, Symbol.toStringTag, { value: "WorkerQueue", configurable: true });
binding("queue", (b) => new WorkerQueue(b.id, b.name));
