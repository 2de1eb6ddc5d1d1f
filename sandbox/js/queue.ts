// Queue producers.

import { ArrayBufferIsView, NativeError, NativeTypeError, NativeUint8Array, bytesOf } from "./primordials";
import { backend } from "./backend";
import { binding } from "./bindings";
import { serialize } from "./serialize";

const types = ["json", "text", "bytes", "v8"];

function message(body: unknown, o: any, wait: number): [string, string, number] {
  const said = o?.contentType === undefined ? "json" : `${o.contentType}`, type = said.toLowerCase();
  if (types.indexOf(type) < 0) throw new NativeTypeError(`Unsupported queue message content type: ${said}`);
  const need = (what: string) => new NativeTypeError(`Content Type "${type}" requires a value of type ${what}, but received: ${typeof body}`);
  if (body === undefined) throw new NativeTypeError("Message body cannot be undefined");
  if (type === "text" && typeof body !== "string") throw need("string");
  if (type === "bytes" && !ArrayBufferIsView(body)) throw need("ArrayBufferView");
  let v = body;
  if (type === "bytes") v = new NativeUint8Array(bytesOf(body)!); // whatever view it was, only the bytes travel. The deployed runtime hands them out like this; wrangler dev gives the buffer.
  else if (type === "json") {
    const text = JSON.stringify(body);
    if (text === undefined) throw new NativeTypeError("A queue message of content type \"json\" must be a value that JSON can hold.");
    v = JSON.parse(text);
  }
  const delay = o?.delaySeconds === undefined ? wait : +o.delaySeconds;
  if (delay > 43200 || (delay < 0 && delay !== -1) || Number.isNaN(delay)) throw new NativeError("Queue send failed: delaySeconds must be from 0 to 43200.");
  return [serialize(v), type, delay];
}

/** What a producer is told; nobody counts what waits. */
const sent = () => ({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: undefined } } });

class WorkerQueue {
  #id: string;
  #name: string;
  #wait: number; // seconds, of messages that say nothing else
  constructor(id: string, name: string, wait: number) {
    this.#id = id;
    this.#name = name;
    this.#wait = wait > 0 ? wait : -1;
  }
  async send(body: unknown, options?: any): Promise<unknown> {
    if (arguments.length === 0) throw new NativeTypeError("Failed to execute 'send' on 'WorkerQueue': parameter 1 is not of type 'Value'.");
    await backend("queue", this.#name + ".send", "queue.send", this.#id, ...message(body, options, this.#wait));
    return sent();
  }
  async sendBatch(list: Iterable<any>, options?: any): Promise<unknown> {
    if (list === null || typeof list !== "object" || typeof list[Symbol.iterator] !== "function") throw new NativeTypeError("Failed to execute 'sendBatch' on 'WorkerQueue': parameter 1 is not of type 'Sequence'.");
    const flat: unknown[] = [];
    let n = 0;
    for (const m of list) {
      if (m === null || typeof m !== "object") throw new NativeTypeError("Incorrect type: the provided value is not of type 'MessageSendRequest'.");
      flat.push(...message(m.body, { ...options, ...m }, this.#wait));
      n++;
    }
    if (n === 0) throw new NativeTypeError("sendBatch() requires at least one message");
    if (n > 100) throw new NativeError("Queue sendBatch failed: a batch holds at most 100 messages.");
    await backend("queue", this.#name + ".sendBatch", "queue.sendBatch", this.#id, flat);
    return sent();
  }
  async metrics(): Promise<never> { throw new NativeError("metrics() is not available here: nobody counts what waits in a queue."); }
}
Object.defineProperty(WorkerQueue.prototype, Symbol.toStringTag, { value: "WorkerQueue", configurable: true });
binding("queue", (b) => new WorkerQueue(b.id, b.name, b.period));
