// Durable Objects: namespaces and stubs on the calling side, ctx and its storage on
// the receiving side. Storage lives outside; sql is synchronous, so its calls go
// through one host operation that answers at once.

import { call, op } from "./host";
import { ArrayIsArray, NativeError, NativePromise, NativeTypeError, NativeUint8Array, PromiseReject, PromiseResolve, PromiseThen, TypedArrayLength, bytesOf, enumerable, need, tag } from "./primordials";
import { backend } from "./backend";
import { absent, binding, Binding } from "./bindings";
import { Fetcher, stub } from "./rpc";
import { setMakeState } from "./durable";
import { deserialize, serialize } from "./serialize";
import { WebSocket, hibernate, isAccepted, isSocket, tagsOf } from "./websocket";
import { current, enter, refuseAtStart } from "./run";
import { ownExports, waitUntil } from "./workers";
import { uncaught } from "./global";
import { encodeUTF8 } from "./encoding";

const SYNC = op("call.sync"), RANDOM = op("random"), NAME = op("durable.name"), ID = op("durable.id");

// 64 hex digits. The second half shows to which namespace the first belongs.
class DurableObjectId {
  #hex: string;
  readonly name?: string;
  constructor(hex: string, name?: string) {
    this.#hex = hex;
    if (name !== undefined) this.name = name;
  }
  toString() { return this.#hex; }
  equals(o: unknown) {
    if (!(o instanceof DurableObjectId)) throw new NativeTypeError("Failed to execute 'equals' on 'DurableObjectId': parameter 1 is not of type 'DurableObjectId'.");
    return o.#hex === this.#hex;
  }
}
const half = 32; // digits
const hex = (b: Uint8Array) => {
  let s = "";
  for (let i = 0; i < b.length; i++) s += (b[i] < 16 ? "0" : "") + b[i].toString(16);
  return s;
};

class DurableObjectStub extends Fetcher {
  readonly id: DurableObjectId;
  readonly name: string | undefined;
  constructor(target: string[], id: DurableObjectId) {
    super(target);
    this.id = id;
    this.name = id.name;
  }
}
Object.defineProperty(DurableObjectId.prototype, Symbol.toStringTag, { value: "DurableObjectId", configurable: true });
Object.defineProperty(DurableObjectStub, "name", { value: "DurableObject", configurable: true });
Object.defineProperty(DurableObjectStub.prototype, Symbol.toStringTag, { value: "DurableObject", configurable: true });

Object.defineProperty(DurableObjectId, "name", { value: "DurableObjectId", configurable: true });

class DurableObjectNamespace {
  #b: Binding;
  constructor(b: Binding) {
    this.#b = b;
  }
  newUniqueId(_options?: unknown): DurableObjectId {
    refuseAtStart("newUniqueId()");
    return new DurableObjectId(call(ID, this.#b.service, this.#b.class, hex(new NativeUint8Array(call(RANDOM, half / 2)))));
  }
  idFromName(name: string): DurableObjectId {
    if (arguments.length === 0) throw new NativeTypeError("Failed to execute 'idFromName' on 'DurableObjectNamespace': parameter 1 is not of type 'string'.");
    return new DurableObjectId(call(NAME, this.#b.service, this.#b.class, `${name}`), `${name}`);
  }
  idFromString(s: string): DurableObjectId {
    const t = `${s}`.toLowerCase(), { service, class: C } = this.#b;
    if (!/^[0-9a-f]{64}$/.test(t)) throw new NativeTypeError("Invalid Durable Object ID: must be 64 hex digits");
    const first = t.slice(0, half), id: string = call(ID, service, C, first);
    // Ids of before they told their namespace are known by what was stored for them.
    if (id !== t && !call(SYNC, "storage.known", [service, C, t])) throw new NativeTypeError("Durable Object ID is not valid for this namespace.");
    return new DurableObjectId(id);
  }
  get(id: DurableObjectId, _options?: unknown): any {
    if (!(id instanceof DurableObjectId)) throw new NativeTypeError("Failed to execute 'get' on 'DurableObjectNamespace': parameter 1 is not of type 'DurableObjectId'.");
    const b = this.#b, t = ["durable", b.name, b.service, "", b.class, id.toString(), id.name === undefined ? "" : "=" + id.name];
    return stub(t, new DurableObjectStub(t, id));
  }
  getByName(name: string): any {
    if (arguments.length === 0) throw new NativeTypeError("Failed to execute 'getByName' on 'DurableObjectNamespace': parameter 1 is not of type 'string'.");
    return this.get(this.idFromName(name));
  }
  jurisdiction(_j: string): DurableObjectNamespace { return this; }
}
Object.defineProperty(DurableObjectNamespace.prototype, Symbol.toStringTag, { value: "DurableObjectNamespace", configurable: true });
const namespaces = new Map<string, DurableObjectNamespace>();
/** The namespace that binds a class of this Worker, if one does. */
export function namespaceOf(className: string): unknown { return namespaces.get(className); }
binding("durable", (b) => {
  const n = new DurableObjectNamespace(b);
  namespaces.set(b.class, n);
  return n;
});

/** Refuses a first argument that is neither a key nor keys. */
function checkArgument(what: string, v: unknown, or: string): void {
  if (v === undefined) throw new NativeTypeError(`Failed to execute '${what}' on 'DurableObjectStorage': parameter 1 is not of type 'string or ${or}'.`);
}
function checkKeys(keys: unknown[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < keys.length; i++) out[i] = checkKey(keys[i]);
  return out;
}
function checkKey(k: unknown): string {
  return `${k as string}`;
}

// The objects of this isolate, once they are made.
const made = new Map<string, () => any>();
/** Whether an object's class has no alarm() to call. */
const ringless = (object: string): boolean => {
  const o = made.get(object)?.();
  return o !== undefined && o !== null && typeof o.alarm !== "function";
};
let objectOf: (t: DurableObjectTransaction) => string;
/** The key-value half of storage, also what a transaction gives. */
class DurableObjectTransaction {
  #object: string;
  constructor(object: string) {
    this.#object = object;
  }
  static { objectOf = (t) => t.#object; }
  async get(key: string | string[], _options?: unknown): Promise<any> {
    checkArgument("get", key, "Array");
    const many = ArrayIsArray(key), keys = checkKeys(many ? key : [key]);
    const r: (string | undefined)[] = await backend("durable", "storage.get", "storage.get", this.#object, keys);
    if (!many) return r[0] === undefined ? undefined : deserialize(r[0]);
    const out = new Map<string, unknown>();
    for (const i of keys.map((k, i) => [k, i] as [string, number]).sort((a, b) => (a[0] < b[0] ? -1 : 1))) if (r[i[1]] !== undefined) out.set(i[0], deserialize(r[i[1]]!));
    return out;
  }
  async put(key: string | Record<string, unknown>, value?: unknown, _options?: unknown): Promise<void> {
    const flat: string[] = [];
    checkArgument("put", key, "object");
    if (typeof key === "object" && key !== null) {
      for (const k of checkKeys(Object.keys(key))) if (key[k] !== undefined) flat.push(k, serialize(key[k]));
      if (flat.length === 0) return;
    } else {
      if (value === undefined) throw new NativeTypeError("put() called with undefined value.");
      flat.push(checkKey(key), serialize(value));
    }
    await backend("durable", "storage.put", "storage.put", this.#object, flat);
  }
  async delete(key: string | string[], _options?: unknown): Promise<any> {
    checkArgument("delete", key, "Array");
    const many = ArrayIsArray(key);
    const n: number = await backend("durable", "storage.delete", "storage.delete", this.#object, checkKeys(many ? key : [key]));
    return many ? n : n > 0;
  }
  async list(o: any = {}): Promise<Map<string, unknown>> {
    o ??= {};
    if (typeof o !== "object") throw new NativeTypeError("Failed to execute 'list' on 'DurableObjectStorage': parameter 1 is not of type 'ListOptions'.");
    if (o.limit !== undefined && !(+o.limit > 0)) throw new NativeTypeError("List limit must be positive.");
    if (o.start !== undefined && o.startAfter !== undefined) throw new NativeTypeError("list() cannot be called with both start and startAfter values.");
    const r: string[] = await backend("durable", "storage.list", "storage.list", this.#object, o.start ?? "", o.startAfter ?? "", o.end ?? "", o.prefix ?? "", !!o.reverse, o.limit === undefined ? 0 : Math.trunc(+o.limit));
    const out = new Map<string, unknown>();
    for (let i = 0; i < r.length; i += 2) out.set(r[i], deserialize(r[i + 1]));
    return out;
  }
  async getAlarm(_options?: unknown): Promise<number | null> {
    const t = await backend("durable", "storage.getAlarm", "storage.getAlarm", this.#object);
    return t === undefined || t === 0 ? null : t;
  }
  async setAlarm(at: number | Date, _options?: unknown): Promise<void> {
    if (typeof at !== "number" && !(at instanceof Date)) throw new NativeTypeError("Failed to execute 'setAlarm' on 'DurableObjectStorage': parameter 1 is not of type 'date'.");
    const t = +at;
    if (t !== t) throw new NativeTypeError("The value cannot be converted because it is not a valid Date.");
    if (ringless(this.#object)) throw new NativeTypeError("Your Durable Object class must have an alarm() handler in order to call setAlarm()");
    if (!(t > 0)) throw new NativeTypeError("setAlarm() cannot be called with an alarm time <= 0");
    await backend("durable", "storage.setAlarm", "storage.setAlarm", this.#object, t);
  }
  async deleteAlarm(_options?: unknown): Promise<void> {
    await backend("durable", "storage.deleteAlarm", "storage.setAlarm", this.#object, 0);
  }
}

let rolledBack: (t: Transaction) => boolean, close: (t: Transaction) => void;
/** What a transaction's function gets: storage, until it is rolled back or over. */
class Transaction extends DurableObjectTransaction {
  #rolled = false;
  #over = false;
  #check(what: string): void {
    if (this.#over) throw new NativeError(`Cannot call ${what}() on transaction that has already committed: did you move \`txn\` outside of the closure?`);
    if (this.#rolled) throw new NativeError(`Cannot ${what}() on rolled back transaction`);
  }
  async get(key: string | string[], o?: unknown): Promise<any> {
    this.#check("get");
    return super.get(key, o);
  }
  async put(key: string | Record<string, unknown>, value?: unknown, o?: unknown): Promise<void> {
    this.#check("put");
    return super.put(key, value, o);
  }
  async delete(key: string | string[], o?: unknown): Promise<any> {
    this.#check("delete");
    return super.delete(key, o);
  }
  async list(o?: any): Promise<Map<string, unknown>> {
    this.#check("list");
    return super.list(o);
  }
  deleteAll(_options?: unknown): Promise<void> { throw new NativeError("Cannot call deleteAll() within a transaction"); }
  rollback(): void {
    if (this.#rolled) return;
    this.#check("rollback");
    this.#rolled = true;
  }
  static {
    rolledBack = (t) => t.#rolled;
    close = (t) => {
      t.#over = true;
    };
  }
}

type Row = unknown[];
/** A result of sql.exec: rows are there already, and read once. */
class Cursor {
  #columns: string[];
  #rows: Row[];
  #at = 0;
  #read: number;
  #written: number;
  constructor(columns: string[], rows: Row[], read: number, written: number) {
    this.#columns = columns;
    this.#rows = rows;
    this.#read = read;
    this.#written = written;
  }
  get columnNames(): string[] { return this.#columns; }
  /** The row after those that were taken is read already. */
  get rowsRead(): number { return this.#rows.length === 0 ? this.#read : Math.min(this.#read, this.#at + 1); }
  get rowsWritten(): number { return this.#written; }
  #object(r: Row): Record<string, unknown> {
    const o: Record<string, unknown> = {};
    for (let i = 0; i < r.length; i++) o[this.#columns[i]] = r[i];
    return o;
  }
  next(): IteratorResult<Record<string, unknown>> {
    return this.#at < this.#rows.length ? { done: false, value: this.#object(this.#rows[this.#at++]) } : ({ done: true, value: undefined } as any);
  }
  toArray(): Record<string, unknown>[] {
    const out = [];
    for (let r = this.next(); !r.done; r = this.next()) out.push(r.value);
    return out;
  }
  one(): Record<string, unknown> {
    const left = this.#rows.length - this.#at;
    if (left === 0) throw new NativeError("Expected exactly one result from SQL query, but got no results.");
    if (left > 1) throw new NativeError("Expected exactly one result from SQL query, but got multiple results.");
    return this.next().value;
  }
  raw(): IterableIterator<Row> & { toArray(): Row[] } {
    const self = this;
    const it = (function* () { while (self.#at < self.#rows.length) yield self.#rows[self.#at++]; })() as any;
    Object.defineProperty(it, "toArray", { value: () => [...it] });
    return it;
  }
  [Symbol.iterator]() {
    const self = this;
    return { next: () => self.next(), [Symbol.iterator]() { return this; } };
  }
}

function bindValue(v: unknown): unknown {
  if (v === null || v === undefined) return undefined;
  if (typeof v === "string" || typeof v === "number") return v;
  if (typeof v === "bigint") throw new NativeTypeError("Cannot convert a BigInt value to a number");
  return bytesOf(v) ?? `${v as string}`;
}

class SqlStorage {
  #object: string;
  constructor(object: string) {
    this.#object = object;
  }
  exec(query: string, ...bindings: unknown[]): Cursor {
    if (arguments.length === 0) throw new NativeTypeError("Failed to execute 'exec' on 'SqlStorage': parameter 1 is not of type 'String'.");
    // [columns, rows read, rows written, value, value, …]
    const r = call(SYNC, "sql.exec", [this.#object, `${query}`, bindings.map(bindValue)]);
    const columns: string[] = r[0], rows: Row[] = [], n = columns.length;
    for (let i = 3; n > 0 && i < r.length; i += n) rows.push(r.slice(i, i + n).map((v: unknown) => v === undefined ? null : v));
    return new Cursor(columns, rows, r[1], r[2]);
  }
  get databaseSize(): number { return call(SYNC, "sql.size", [this.#object]); }
}

class DurableObjectStorage extends DurableObjectTransaction {
  readonly sql: SqlStorage;
  readonly kv: SyncKv;
  constructor(object: string) {
    super(object);
    this.sql = new SqlStorage(object);
    this.kv = new SyncKv(object);
  }
  #last: Promise<unknown> | null = null; // the end of the run's that are under way or wait
  #open: { over: Promise<unknown> }[] = []; // the run's whose functions run, each begun within the one before
  #run = 0; // whose those are: what another left is over
  transaction<T>(f: (t: DurableObjectTransaction) => Promise<T>): Promise<T> {
    // One that is begun while another's function runs is part of that one; those that are begun together take turns.
    if (typeof f !== "function") return PromiseReject(new NativeTypeError("Failed to execute 'transaction' on 'DurableObjectStorage': parameter 1 is not of type 'function'."));
    if (this.#run !== current.run) {
      this.#run = current.run;
      this.#last = null;
      this.#open = [];
    }
    const within = this.#open.length > 0, before = within ? null : this.#last;
    const p: Promise<T> = before === null ? this.#transact(f) : PromiseThen(before, () => this.#transact(f));
    if (within) return p;
    const over = PromiseThen(p, () => { }, () => { });
    this.#last = over;
    PromiseThen(over, () => {
      if (this.#last === over) this.#last = null;
    });
    return p;
  }
  async #transact<T>(f: (t: DurableObjectTransaction) => Promise<T>): Promise<T> {
    const o = objectOf(this), t = new Transaction(o), open = this.#open;
    await backend("durable", "storage.transaction", "storage.begin", o);
    let ended!: () => void;
    const me = { over: new NativePromise<void>((resolve) => { ended = resolve; }) };
    open.push(me);
    try {
      let v!: T, failed: [unknown] | null = null;
      try {
        v = await f(t);
      } catch (e) {
        failed = [e];
      }
      while (open.at(-1) !== me) await open.at(-1)!.over; // nobody waited for what was begun within
      close(t);
      await backend("durable", failed === null ? "storage.commit" : "storage.rollback", "storage.end", o, failed === null && !rolledBack(t));
      if (failed !== null) throw failed[0];
      return v;
    } finally {
      open.splice(open.indexOf(me), 1);
      ended();
    }
  }
  transactionSync<T>(f: () => T): T {
    if (typeof f !== "function") throw new NativeTypeError("Failed to execute 'transactionSync' on 'DurableObjectStorage': parameter 1 is not of type 'function'.");
    const o = objectOf(this);
    call(SYNC, "storage.begin", [o]);
    let v: T;
    try {
      v = f();
    } catch (e) {
      call(SYNC, "storage.end", [o, false]);
      throw e;
    }
    call(SYNC, "storage.end", [o, true]);
    return v;
  }
  async deleteAll(_options?: unknown): Promise<void> {
    await backend("durable", "storage.deleteAll", "storage.deleteAll", objectOf(this));
    if (current.date >= "2026-02-24") await this.deleteAlarm(); // delete_all_deletes_alarm
  }
  async sync(): Promise<void> { }
  async getCurrentBookmark(): Promise<string> { throw noRecovery(); }
  async getBookmarkForTime(_at: unknown): Promise<string> { throw noRecovery(); }
  async onNextSessionRestoreBookmark(_bookmark: string): Promise<string> { throw noRecovery(); }
}
const noRecovery = () => new NativeError("Point-in-time recovery is not available here.");
/** A class that programs see but cannot make objects of. */
const illegal = (C: Function, name: string): object => {
  const f = { [name]: function () { throw new NativeTypeError("Illegal constructor"); } }[name];
  Object.defineProperty(f, "prototype", { value: C.prototype, writable: false });
  return f;
};
Object.defineProperty(SqlStorage.prototype, "Cursor", { value: illegal(Cursor, "Cursor"), enumerable: true, configurable: true });
Object.defineProperty(SqlStorage.prototype, "Statement", { value: illegal(class {}, "Statement"), enumerable: true, configurable: true });
Object.defineProperty(Cursor.prototype, Symbol.toStringTag, { value: "Cursor", configurable: true });
Object.defineProperty(SqlStorage.prototype, Symbol.toStringTag, { value: "SqlStorage", configurable: true });
Object.defineProperty(DurableObjectStorage.prototype, Symbol.toStringTag, { value: "DurableObjectStorage", configurable: true });

/** storage.kv: the same keys, synchronously. */
class SyncKv {
  #o: string;
  constructor(object: string) {
    this.#o = object;
  }
  get(key: string): unknown {
    need(arguments.length, 1, "SyncKvStorage.get", "string");
    const r = call(SYNC, "storage.get", [this.#o, [checkKey(key)]]);
    return r[0] === undefined ? undefined : deserialize(r[0]);
  }
  put(key: string, value: unknown): void {
    need(arguments.length, 2, "SyncKvStorage.put", "string,Value");
    call(SYNC, "storage.put", [this.#o, [checkKey(key), serialize(value)]]);
  }
  delete(key: string): boolean {
    need(arguments.length, 1, "SyncKvStorage.delete", "string");
    return call(SYNC, "storage.delete", [this.#o, [checkKey(key)]]) > 0;
  }
  list(o: any = {}): Iterable<[string, unknown]> {
    if (typeof o !== "object" && typeof o !== "function" || o === null) throw new NativeTypeError("Failed to execute 'list' on 'SyncKvStorage': parameter 1 is not of type 'ListOptions'.");
    if (o.limit !== undefined && !(+o.limit > 0)) throw new NativeTypeError("List limit must be positive.");
    if (o.start !== undefined && o.startAfter !== undefined) throw new NativeTypeError("list() cannot be called with both start and startAfter values.");
    const r: string[] = call(SYNC, "storage.list", [this.#o, o.start ?? "", o.startAfter ?? "", o.end ?? "", o.prefix ?? "", !!o.reverse, o.limit === undefined ? 0 : +o.limit]);
    const out: [string, unknown][] = [];
    for (let i = 0; i < r.length; i += 2) out.push([r[i], deserialize(r[i + 1])]);
    return out[Symbol.iterator]() as any;
  }
}

Object.defineProperty(SyncKv.prototype, Symbol.toStringTag, { value: "SyncKvStorage", configurable: true });
Object.defineProperty(SyncKv, "name", { value: "SyncKvStorage", configurable: true });

/** Keeps the run open for work that an object does beside its answer. */
function hold(p: unknown): void {
  try {
    waitUntil(p);
  } catch {
    PromiseThen(PromiseResolve(p), undefined, uncaught);
  }
}

const noContainer = absent(() => new NativeError("ctx.container is not available here: containers run on Cloudflare only."));
const noFacets = absent(() => new NativeError("ctx.facets is not available here: give each part an object of its own."));
class DurableObjectState {
  readonly id: DurableObjectId;
  readonly storage: DurableObjectStorage;
  readonly props = {};
  #block: (p: Promise<unknown>) => void;
  #sockets: WebSocket[] = [];
  #instance: () => any;
  #reset: () => void;
  #auto: WebSocketRequestResponsePair | null = null;
  #answered = new WeakMap<WebSocket, Date>(); // when the pair answered last
  #eventTimeout: number | null = null;
  #blocked: Promise<any> | null = null;
  constructor(id: string, name: string | undefined, block: (p: Promise<unknown>) => void, instance: () => any, reset: () => void) {
    this.id = new DurableObjectId(id, name);
    this.storage = new DurableObjectStorage(id);
    Object.defineProperty(this, "exports", { get: () => ownExports(), enumerable: true, configurable: true });
    Object.defineProperty(this, "container", { value: noContainer, configurable: true });
    Object.defineProperty(this, "facets", { value: noFacets, configurable: true });
    this.#block = block;
    this.#instance = instance;
    made.set(id, instance);
    this.#reset = reset;
  }
  waitUntil(p: unknown): void { hold(p); }
  blockConcurrencyWhile<T>(f: () => Promise<T>): Promise<T> {
    const { run, context } = current;
    const start = () => enter(run, context, () => {
      try {
        return PromiseResolve(f());
      } catch (e) {
        return PromiseReject(e);
      }
    });
    const p: Promise<T> = this.#blocked === null ? start() : PromiseThen(this.#blocked, start, start);
    this.#blocked = p;
    PromiseThen(p, () => {
      if (this.#blocked === p) this.#blocked = null;
    }, () => { });
    this.#block(p);
    hold(PromiseThen(p, undefined, () => { }));
    return p;
  }
  acceptWebSocket(ws: WebSocket, tags?: string[]): void {
    if (!isSocket(ws)) throw new NativeTypeError("Failed to execute 'acceptWebSocket' on 'DurableObjectState': parameter 1 is not of type 'WebSocket'.");
    if (tags !== undefined && !ArrayIsArray(tags)) throw new NativeTypeError("Failed to execute 'acceptWebSocket' on 'DurableObjectState': parameter 2 is not of type 'Array'.");
    if (isAccepted(ws)) throw new NativeError("Cannot call `acceptWebSocket()` if the WebSocket was already accepted via `accept()`");
    const names = [...new Set(Array.from(tags ?? [], (t) => `${t}`))];
    if (names.length > 10) throw new NativeError("a Hibernatable WebSocket cannot have more than 10 tags");
    for (const t of names) if (TypedArrayLength(encodeUTF8(t)) > 256) throw new NativeError(`"${t}" is longer than the max tag length (256 characters).`);
    this.#sockets.push(ws);
    const report = (f: () => unknown) => {
      try {
        PromiseThen(PromiseResolve(f()), undefined, uncaught);
      } catch (e) {
        uncaught(e);
      }
    };
    hibernate(ws, {
      tags: names,
      message: (s, data) => {
        const auto = this.#auto;
        if (auto !== null && data === auto.request) {
          this.#answered.set(s, new Date());
          s.send(auto.response);
          return;
        }
        report(() => this.#instance().webSocketMessage?.(s, data));
      },
      close: (s, code, reason, clean) => {
        report(() => {
          try {
            return this.#instance().webSocketClose?.(s, code, reason, clean);
          } finally {
            const i = this.#sockets.indexOf(s); // while the handler begins, it is still one of them
            if (i >= 0) this.#sockets.splice(i, 1);
          }
        });
      },
    });
  }
  /** All sockets, the last accepted first, or those with a tag in the order in which they were accepted. */
  getWebSockets(t?: string): WebSocket[] { return t === undefined ? this.#sockets.toReversed() : this.#sockets.filter((s) => tagsOf(s)!.includes(`${t}`)); }
  getTags(ws: WebSocket): string[] {
    if (!isSocket(ws)) throw new NativeTypeError("Failed to execute 'getTags' on 'DurableObjectState': parameter 1 is not of type 'WebSocket'.");
    const t = tagsOf(ws);
    if (t === null) throw new NativeError("you must call 'acceptWebSocket()' before attempting to access the tags of a WebSocket.");
    return [...t];
  }
  setWebSocketAutoResponse(pair?: unknown): void {
    if (pair !== undefined && pair !== null && !(pair instanceof WebSocketRequestResponsePair)) throw new NativeTypeError("Failed to execute 'setWebSocketAutoResponse' on 'DurableObjectState': parameter 1 is not of type 'WebSocketRequestResponsePair'.");
    const p = pair as WebSocketRequestResponsePair | null | undefined ?? null;
    if (p !== null) {
      for (const [what, text] of [["Request", p.request], ["Response", p.response]]) {
        const n = TypedArrayLength(encodeUTF8(text));
        if (n > 2048) throw new RangeError(`${what} cannot be larger than 2048 bytes. A ${what.toLowerCase()} of size ${n} was provided.`);
      }
    }
    this.#auto = p;
  }
  getWebSocketAutoResponse(): unknown { return this.#auto; }
  getWebSocketAutoResponseTimestamp(ws: WebSocket): Date | null { return this.#answered.get(ws) ?? null; }
  setHibernatableWebSocketEventTimeout(ms?: number): void {
    const n = ms === undefined || ms === null ? null : Math.trunc(+ms) || 0;
    if (n !== null && n < 0) throw new NativeTypeError("The value cannot be converted because it is negative and this API expects a positive number.");
    if (n !== null && n > 604800000) throw new NativeError("Event timeout should not exceed 604800000 ms.");
    this.#eventTimeout = n;
  }
  getHibernatableWebSocketEventTimeout(): number | null { return this.#eventTimeout; }
  /** The next call of the object makes it anew. */
  abort(reason?: string): void {
    this.#reset();
    const e: any = new NativeError(reason ?? "Application called abort() to reset Durable Object.");
    e.durableObjectReset = true; // its callers see that it was no error of a method
    throw e;
  }
}
Object.defineProperty(DurableObjectState.prototype, Symbol.toStringTag, { value: "DurableObjectState", configurable: true });
setMakeState((id, name, block, instance, reset) => new DurableObjectState(id, name, block, instance, reset));

class WebSocketRequestResponsePair {
  #request: string;
  #response: string;
  constructor(request: string, response: string) {
    for (let i = 0; i < 2; i++) if (arguments.length <= i) throw new NativeTypeError(`Failed to construct 'WebSocketRequestResponsePair': constructor parameter ${i + 1} is not of type 'string'.`);
    this.#request = `${request}`;
    this.#response = `${response}`;
  }
  get request(): string { return this.#request; }
  get response(): string { return this.#response; }
}
enumerable(WebSocketRequestResponsePair);
tag(WebSocketRequestResponsePair, "WebSocketRequestResponsePair");
Object.defineProperty(globalThis, "WebSocketRequestResponsePair", { value: WebSocketRequestResponsePair, writable: true, configurable: true });
