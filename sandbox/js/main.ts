// The bootstrap: evaluates every API into the global object and returns the entries
// through which the host drives this isolate. An event enters through fetch or
// event; its outcome goes to the host as one operation where it can.

import { handleAsNodeRequest, httpServerHandler } from "./node-handler";
import { call, op } from "./host";
import { JSONParse, JSONStringify, NativeError, NativeTypeError, NativeUint8Array, ObjectGetPrototypeOf, PromiseResolve, PromiseThen, ReflectApply, StringSplit, TypedArrayLength, WeakMapGet, defaults, isError, enumerable, expose, need, tag } from "./primordials";
import "./dom";
import "./proxy";
import { placeAt } from "./errors";
import { pattern, watchErrors } from "./words";
import "./function";
import { heard, scope, setFlags, causes, describe, rejection, setShow, uncaught } from "./global";
import { Event, dispatch, trust } from "./events";
import { begin, current, dropSent, enter, onUnread, unread } from "./run";
import { dropTimers, timer, timerAt } from "./timers";
import { dropPending, hostAsync, pendingAt, settle } from "./async";
import "./encoding";
import { HostBody, passable, pump, use } from "./body";
import { fixedLength, readerCancel } from "./streams";
import { incoming, Request } from "./request";
import { isResponse, partsOf, rawHead } from "./response";
import { fetchTo, network } from "./fetch";
import "./console";
import "./clone";
import "./crypto";
import "./performance";
import { giveToHost, socketClose, socketMessage } from "./websocket";
import { absent, env, exposeEnv, makeEnv } from "./bindings";
import { DurableObject, WorkerEntrypoint, WorkflowEntrypoint, RpcTarget, contextOf, setContext, setLoopback, setOpen, setOwnExports, exported, waitUntil } from "./workers";
import { durable } from "./durable";
import { RpcPromise, RpcProperty, RpcStub, callMethod, callStub, dropStubs, isStubCall, packed, packedError, serviceStub } from "./rpc";
import { namespaceOf } from "./storage";
import { deserialize } from "./serialize";
import { inspect } from "./inspect";
import { fillEnv, nodeModules, removeNode } from "./node-globals";
import { followPromises, withValue } from "./context";
import { asOf, flagsOf } from "./compat";
import { tracing } from "./tracing";
import { wasmImport } from "./wasm";
import "./all";

const RESPOND = op("respond"), WRITE = op("body.write"), PASS = op("body.pass"), CANCEL = op("body.cancel"), END = op("body.end"), DONE = op("done"), FAIL = op("fail"), RESULT = op("result"), LOADED = op("loaded"), NOT_LOADED = op("loaded.failed");

let namespace: any = null;
let classic = false;

/** What the host passes: undefined stands for an empty text. */
type Text = string | undefined;

class Waits {
  declare count: number; // promises of waitUntil that are not settled
  declare open: boolean; // the outcome is still to come
  declare failed: boolean; // work for waitUntil, or a timer, threw
  declare props: unknown; // null until asked for
  declare through: boolean; // an exception lets the request pass
  declare last: ((outcome: string) => void) | null; // tells the outcome, where that waits for all work
  constructor(public run: number, public json: Text) { }
}
defaults(Waits, { count: 0, open: true, failed: false, props: null, through: false, last: null });

let waiting: (c: ExecutionContext) => boolean;
let outcome: (c: ExecutionContext) => void;
let closed: (c: ExecutionContext) => void;
let through: (c: ExecutionContext) => boolean;
let atLast: (c: ExecutionContext, f: (outcome: string) => void) => void;
let broken: (c: ExecutionContext) => void;
/** ctx of one event. Its state is what keeps the run open. */
export class ExecutionContext {
  #w: Waits;
  constructor(run: number, props: Text) {
    this.#w = new Waits(run, props);
  }
  static {
    waiting = (c) => c.#w.count > 0;
    setOpen((c) => c.#w.open || c.#w.count > 0);
    outcome = (c) => {
      c.#w.open = false;
      c.#done();
    };
    atLast = (c, f) => {
      c.#w.last = f;
    };
    broken = (c) => {
      c.#w.failed = true;
    };
    through = (c) => c.#w.through;
    closed = (c) => {
      c.#w.open = false;
    };
  }
  #done(): void {
    const w = this.#w;
    if (w.count > 0 || w.open) return;
    if (w.last !== null) w.last(w.failed ? "exception" : "ok");
    call(DONE, w.run);
  }
  waitUntil(p: unknown): void {
    need(arguments.length, 1, "waitUntil");
    const w = this.#w;
    w.count++;
    const done = () => {
      w.count--;
      this.#done();
    };
    PromiseThen(PromiseResolve(p), done, (e: unknown) => {
      uncaught(e);
      w.failed = true;
      done();
    });
  }
  passThroughOnException(): void { this.#w.through = true; }
  abort(reason?: unknown): void { throw reason ?? new Error("The execution context was aborted."); }
  mapVirtualHost(): never { throw new NativeError("ctx.mapVirtualHost is not available here: reach another Worker through a service binding."); }
  get props() {
    const w = this.#w;
    return (w.props ??= w.json === undefined ? {} : JSONParse(w.json));
  }
  get exports() { return exported(namespace); }
  get tracing() { return tracing; }
}
enumerable(ExecutionContext);
tag(ExecutionContext, "ExecutionContext");

/** Whether a Worker stands behind this one and gets what it fetches. Nothing else does: without it a request cannot pass. */
let outbound = false;

/** Entry: who this isolate is. */
function init(bindings: any[], isClassic: boolean, date: string, node: boolean, seesErrors: boolean, flags: string, hasOutbound: boolean): void {
  outbound = hasOutbound;
  if (seesErrors) watchErrors();
  makeEnv(bindings);
  classic = isClassic;
  current.date = date;
  current.codeAtStart = date === "" || date >= "2025-06-01" || StringSplit(flags, " ").indexOf("allow_eval_during_startup") >= 0;
  setFlags(() => flagsOf(date, flags, node));
  if (!node) removeNode();
  else if (bindings.length > 0) {
    const types: Record<string, string> = {};
    for (let i = 0; i < bindings.length; i += 10) types[bindings[i]] = bindings[i + 1];
    fillEnv(env, types);
  }
  if (date !== "" && date < "2026-08-04") asOf(date, flags, node);
  if (date !== "" && date < "2025-11-17") delete (ExecutionContext.prototype as any).exports;
  if (classic) exposeEnv();
}

/** Entry: called while an isolate is made ahead of time. It only goes deep, so that the engine's stack has grown before the first request. */
function warm(depth = 0): number { return depth < 12 ? ReflectApply(warm, undefined, [depth + 1]) : depth; }

/** Entry: the module's top level is over. */
function loaded(ns: any): void {
  namespace = ns ?? {};
  current.starting = false;
  call(LOADED);
}

/** Entry: the top level failed after an await. */
function failed(e: unknown): void {
  call(NOT_LOADED, ...describe(e), causes(e));
}

let passOn: (e: ExtendableEvent) => void;
class ExtendableEvent extends Event {
  #ctx: ExecutionContext;
  constructor(type: string, ctx: ExecutionContext) {
    super(type);
    trust(this);
    this.#ctx = ctx;
  }
  static {
    passOn = (e) => e.#ctx.passThroughOnException();
  }
  waitUntil(p: unknown) { this.#ctx.waitUntil(p); }
}
let answer: (e: FetchEvent) => [unknown] | null;
class FetchEvent extends ExtendableEvent {
  #request: Request;
  #response: unknown = undefined;
  #responded = false;
  #over = false;
  constructor(ctx: ExecutionContext, request: Request) {
    super("fetch", ctx);
    this.#request = request;
  }
  static {
    answer = (e) => {
      e.#over = true;
      return e.#responded ? [e.#response] : null;
    };
  }
  get request() { return this.#request; }
  respondWith(r: unknown): void {
    if (this.#responded) throw new DOMException("FetchEvent.respondWith() has already been called; it can only be called once.", "InvalidStateError");
    if (this.#over) throw new DOMException("Too late to call FetchEvent.respondWith(). It must be called synchronously in the event handler.", "InvalidStateError");
    this.#responded = true;
    this.#response = r;
    this.stopImmediatePropagation();
  }
  passThroughOnException() { passOn(this); }
}
class ScheduledEvent extends ExtendableEvent {
  #cron: string;
  #time: number;
  constructor(ctx: ExecutionContext, cron: string, time: number) {
    super("scheduled", ctx);
    this.#cron = cron;
    this.#time = time;
  }
  get cron() { return this.#cron; }
  get scheduledTime() { return this.#time; }
  noRetry(): void { }
}
enumerable(ScheduledEvent);
/** What a tail Worker gets elsewhere: none is made here. */
class TailEvent extends ExtendableEvent {
  constructor() {
    super("tail", null as never);
    throw message("Illegal constructor");
  }
  get events(): never { throw message("Illegal invocation"); }
  get traces(): never { throw message("Illegal invocation"); }
}
enumerable(TailEvent);
for (const [n, C] of Object.entries({ ExtendableEvent, FetchEvent, ScheduledEvent, TailEvent })) {
  tag(C, n);
  expose(n, C);
}
Object.defineProperty(globalThis, "TraceEvent", { value: TailEvent, writable: true, enumerable: false, configurable: true });

const message = (what: string) => new NativeTypeError(what);

/** The export whose handlers an event goes to. */
function target(entrypoint: Text): any {
  if (namespace === null) throw message("The module has not finished loading.");
  const x = namespace[entrypoint ?? "default"];
  if (x === undefined) throw fault("handler", entrypoint === undefined ? "The main module has no default export." : `The module has no export named "${entrypoint}".`);
  return x;
}
/** Whether handlers are methods of an object that is made for the event. */
function isClass(x: any): boolean {
  return typeof x === "function" && (isEntrypoint(x) || x.prototype !== undefined && typeof x.prototype.fetch === "function");
}
function isEntrypoint(C: any): boolean {
  for (let p = C; typeof p === "function"; p = ObjectGetPrototypeOf(p)) if (p === WorkerEntrypoint || p === DurableObject || p === WorkflowEntrypoint) return true;
  return false;
}
function fault(kind: string, text: string): Error {
  const e: any = new NativeTypeError(text);
  faults.set(e, kind);
  return e;
}
const faults = new WeakMap<object, string>();
const faultOf = (e: unknown): string => (typeof e === "object" && e !== null ? ((WeakMapGet(faults, e) as string | undefined) ?? "") : "");

/** The handlers of an event: an export, or the object that an exported class makes for it. */
function handlers(ctx: ExecutionContext, entrypoint: Text): [self: any, made: boolean] {
  const x = target(entrypoint);
  if (!isClass(x)) return [x, false];
  if (!isEntrypoint(x)) throw fault("handler", `The ${entrypoint === undefined ? "default export" : `export "${entrypoint}"`} is a class that does not extend WorkerEntrypoint.`);
  return [new x(ctx, env), true];
}

/** Tells the host that the event failed. */
function fail(ctx: ExecutionContext, e: unknown): void {
  const [name, text, stack] = describe(e);
  call(FAIL, current.run, name, text, stack, faultOf(e), causes(e));
  outcome(ctx);
}

/** What becomes of a request whose handler threw: it passes, where that was asked for and can be. */
function thrown(ctx: ExecutionContext, req: Request, e: unknown): void {
  if (!outbound || !through(ctx) || req.bodyUsed) {
    fail(ctx, e);
    return;
  }
  uncaught(e);
  answerWith(ctx, fetchTo(network, req), (e) => fail(ctx, e));
}

/** Answers with what comes of a promise. */
function answerWith(ctx: ExecutionContext, r: unknown, rejected: (e: unknown) => void): void {
  const run = current.run;
  PromiseThen(PromiseResolve(r), (v: unknown) => own(run, () => {
    try {
      respond(ctx, v);
    } catch (e) {
      fail(ctx, e);
    }
  }), (e: unknown) => own(run, () => rejected(e)));
}

/** Entry: a request. */
function fetch(run: number, entrypoint: Text, object: Text, props: Text, method: string, url: string, headers: string, bodyId: number, length: number, bytes: ArrayBuffer | undefined, cf: Text): void {
  begin(run);
  const ctx = new ExecutionContext(run, props);
  setContext(ctx);
  let req: Request | undefined;
  try {
    const body = bodyId === 0 ? null : new HostBody(bodyId, run, length);
    req = incoming(method, url, headers, body, bytes === undefined ? null : new NativeUint8Array(bytes), cf);
    let r: unknown;
    if (object !== undefined) {
      r = durable(namespace, env, entrypoint!, object, props, (o) => {
        if (typeof o.fetch !== "function") throw fault("handler", `The Durable Object class ${entrypoint} has no fetch method.`);
        return o.fetch(req!);
      });
    } else if (classic) {
      const e = new FetchEvent(ctx, req);
      if (!heard("fetch")) throw fault("handler", "No event listener for \"fetch\" was registered.");
      let first: [unknown] | null = null;
      dispatch(scope, e, (x) => (first ??= [x]));
      const a = answer(e);
      if (a === null) {
        if (first !== null) throw (first as [unknown])[0];
        if (!outbound) throw fault("handler", "The fetch listener did not call event.respondWith().");
        r = fetchTo(network, req);
      } else r = a[0];
    } else {
      const [self] = handlers(ctx, entrypoint), f = self?.fetch;
      if (typeof f !== "function") throw fault("handler", "Handler does not export a fetch() function.");
      r = ReflectApply(f, self, [req, env, ctx]);
    }
    if (isResponse(r)) respond(ctx, r);
    else answerWith(ctx, r, (e) => thrown(ctx, req!, e));
  } catch (e) {
    if (req === undefined) fail(ctx, e);
    else thrown(ctx, req, e);
  }
}

/** Does something for a run, whose outcome another's turn may have brought about. */
function own(run: number, f: () => void): void {
  if (current.run === run) f();
  else enter(run, undefined, f);
}

function respond(ctx: ExecutionContext, r: unknown): void {
  if (!isResponse(r)) {
    throw fault("handler", r === undefined ? "The fetch handler returned undefined instead of a Response." : `The fetch handler must return a Response; it returned ${typeof r === "object" ? "an object that is none" : `a ${typeof r}`}.`);
  }
  const p = partsOf(r), run = current.run;
  if (p.status === 0) throw new NativeTypeError("Response.error() cannot be sent.");
  const headers = rawHead(r);
  if (p.socket !== null) {
    const id = giveToHost(p.socket);
    call(RESPOND, run, p.status, p.statusText, headers, null, id, waiting(ctx));
    outcome(ctx);
    return;
  }
  const s = p.body, src = s.source;
  s.run = run; // it may have been made in a turn of another's, who brought it about
  if (s.stream === null && !(src instanceof HostBody)) {
    if (src !== null) use(s);
    const more = waiting(ctx);
    closed(ctx);
    if (more || p.manual) call(RESPOND, run, p.status, p.statusText, headers, src, 0, more, -1, p.manual);
    else call(RESPOND, run, p.status, p.statusText || undefined, headers, src);
    return;
  }
  const stream = r.body!;
  if (r.bodyUsed) throw new NativeTypeError("Body has already been used. It can only be used once. Use tee() first if you need to read it twice.");
  if (stream.locked) throw new NativeTypeError("This ReadableStream is currently locked to a reader.");
  call(RESPOND, run, p.status, p.statusText, headers, null, -1, true, src instanceof HostBody ? src.length : fixedLength.get(stream) ?? s.length, p.manual);
  let open = true;
  const end = () => {
    if (!open) return;
    open = false;
    dropSent(run);
    call(END, run, "", "", "");
    outcome(ctx);
  };
  const whole = passable(s, run);
  const sent = whole !== null ? hostAsync(PASS, whole.id) : pump(s, (b) => (TypedArrayLength(b) > 0 ? enter(run, undefined, () => hostAsync(WRITE, b)) : undefined), (r) => onUnread(run, () => {
    if (open) PromiseThen(readerCancel(r), undefined, () => { });
    end();
  }));
  if (whole !== null) onUnread(run, () => {
    if (open) call(CANCEL, whole.id);
    end();
  });
  PromiseThen(sent, end, (e: unknown) => {
    if (!open) return;
    if (isError(e) && (e as Error).name === "ReaderGone") { // a piece was on its way when its reader went
      unread(run);
      return;
    }
    open = false;
    dropSent(run);
    const [name, text, stack] = describe(e);
    call(END, run, name || "Error", text, stack, causes(e));
    outcome(ctx);
  });
}

/** Entry: an event without a response. payload is JSON. */
function event(run: number, entrypoint: Text, object: Text, props: Text, type: string, payload: string): void {
  begin(run);
  const ctx = new ExecutionContext(run, props);
  setContext(ctx);
  let result: (outcome?: string) => string = (outcome = "ok") => JSONStringify({ outcome });
  try {
    const p = payload === "" ? {} : JSONParse(payload);
    let r: unknown;
    if (object !== undefined) {
      r = durable(namespace, env, entrypoint!, object, props, (o) => {
        if (type === "alarm") {
          if (typeof o.alarm !== "function") throw fault("handler", `The Durable Object class ${entrypoint} has no alarm method.`);
          return o.alarm({ scheduledTime: p.scheduledTime, retryCount: p.retryCount ?? 0, isRetry: (p.retryCount ?? 0) > 0 });
        }
        throw message(`no ${type} events for Durable Objects`);
      });
    } else {
      let arg: any;
      if (type === "scheduled") arg = scheduled(p);
      else if (type === "queue") [arg, result] = queueBatch(p);
      else throw message(`unknown event ${type}`);
      if (classic) {
        if (!heard(type)) throw fault("handler", `No event listener for "${type}" was registered.`);
        let thrown: [unknown] | null = null;
        dispatch(scope, type === "scheduled" ? new ScheduledEvent(ctx, arg.cron, arg.scheduledTime) : Object.assign(new ExtendableEvent(type, ctx), arg), (x) => (thrown ??= [x]));
        if (thrown !== null) throw (thrown as [unknown])[0];
      } else {
        const [self] = handlers(ctx, entrypoint), f = self?.[type];
        if (typeof f !== "function") throw fault("handler", `Handler does not export a ${type}() function.`);
        r = ReflectApply(f, self, [arg, env, ctx]);
      }
    }
    const done = () => own(run, () => {
      atLast(ctx, (outcome) => call(RESULT, run, result(outcome))); // work after the handler may still ack
      outcome(ctx);
    });
    const broke = (e: unknown) => own(run, () => {
      call(RESULT, run, result("exception"));
      fail(ctx, e);
    });
    PromiseThen(PromiseResolve(r), done, broke);
  } catch (e) {
    call(RESULT, run, result("exception"));
    fail(ctx, e);
  }
}

class ScheduledController {
  constructor(readonly cron: string, readonly scheduledTime: number) { }
  noRetry() { }
}
tag(ScheduledController, "ScheduledController");
function scheduled(p: any) {
  return new ScheduledController(p.cron ?? "", p.scheduledTime ?? Date.now());
}

const { warn } = (globalThis as any).console;
/** A MessageBatch and what says which messages were dealt with. */
function queueBatch(p: any): [any, (outcome?: string) => string] {
  let ackAll = false, retryAll: any = null;
  /** Whether a call says something new; what was said first holds. */
  const first = (what: string, before: string): boolean => {
    if (before === "") return true;
    warn(`Received a call to ${what} after ${before} was already called. Calling ${what.split(" ")[0]} after calling ${before} has no effect.`);
    return false;
  };
  const all = (): string => (ackAll ? "ackAll()" : retryAll !== null ? "retryAll()" : "");
  const acks = new Set<string>(), retries = new Map<string, any>();
  class QueueMessage {
    readonly id: string;
    readonly timestamp: Date;
    readonly body: unknown;
    readonly attempts: number;
    constructor(m: any) {
      this.id = m.id;
      this.timestamp = new Date(m.timestamp);
      this.body = m.encoded !== undefined ? decodeBody(m.encoded) : m.body;
      this.attempts = m.attempts ?? 1;
    }
    ack() { if (first(`ack() on message ${this.id}`, all() || (retries.has(this.id) ? "retry()" : ""))) acks.add(this.id); }
    retry(o?: { delaySeconds?: number }) { if (first(`retry() on message ${this.id}`, all() || (acks.has(this.id) ? "ack()" : ""))) retries.set(this.id, o ?? {}); }
  }
  class QueueController {
    readonly metadata = p.metadata ?? { metrics: { backlogCount: 0, backlogBytes: 0 } };
    readonly queue: string = p.queue;
    readonly messages = Object.freeze((p.messages ?? []).map((m: any) => new QueueMessage(m)));
    ackAll() { if (first("ackAll()", retryAll !== null ? "retryAll()" : "")) ackAll = true; }
    retryAll(o?: { delaySeconds?: number }) { if (first("retryAll()", ackAll ? "ackAll()" : "")) retryAll = o ?? {}; }
  }
  tag(QueueMessage, "QueueMessage");
  tag(QueueController, "QueueController");
  return [new QueueController(), (outcome = "ok") => JSONStringify({
    outcome, ackAll, retryBatch: retryAll !== null, explicitAcks: [...acks], retryMessages: [...retries.keys()],
    retryDelay: retryAll?.delaySeconds, retryDelays: [...retries.values()].map((o) => o.delaySeconds ?? null),
  })];
}
function decodeBody(v: string): unknown {
  return deserialize(v);
}

/** Entry: a method call from another Worker. */
function rpc(run: number, entrypoint: Text, object: Text, props: Text, method: string, payload: string): void {
  begin(run);
  const ctx = new ExecutionContext(run, props);
  setContext(ctx);
  const threw = (e: unknown) => own(run, () => {
    // The caller gets the error itself; the run's fault is for those who watch.
    const text = faultOf(e) === "" ? packedError(e) : null;
    if (text !== null) call(RESULT, run, text);
    fail(ctx, e);
  });
  try {
    let r: unknown, on: unknown;
    if (isStubCall(method)) r = callStub(method, payload);
    else if (object !== undefined) r = durable(namespace, env, entrypoint!, object, props, (o) => {
      if (!(o instanceof DurableObject)) throw message("The receiving Durable Object does not support RPC, because its class was not declared with `extends DurableObject`. In order to enable RPC, make sure your class extends the special class `DurableObject`, which can be imported from the module \"cloudflare:workers\".");
      return callMethod(on = o, method, payload);
    });
    else {
      const [self, made] = handlers(ctx, entrypoint);
      on = self;
      if (!made && !(self instanceof RpcTarget)) {
        const f = self?.[method];
        if (typeof f !== "function") throw message(`The RPC receiver does not implement the method "${method}".`);
        r = callMethod(self, method, payload, [env, ctx]);
      } else r = callMethod(self, method, payload);
    }
    PromiseThen(PromiseResolve(r), (v: unknown) => own(run, () => {
      try {
        call(RESULT, run, packed(v, 0));
        outcome(ctx);
      } catch (e) {
        placeAt(e, on, method); // the method is over: nothing of it is on the stack
        threw(e);
      }
    }), threw);
  } catch (e) {
    threw(e);
  }
}

/** Entry: where the program began what a run waits for, as the engine's stack. */
function waitsAt(run: number): string { return pendingAt(run) || timerAt(run); }

/** Entry: a run is over; forget what it left. */
function over(run: number): void {
  dropTimers(run);
  dropPending(run);
  dropStubs(run);
  dropSent(run);
}

setShow((v) => inspect(v));
setOwnExports(() => exported(namespace));
setLoopback((name, v) => {
  for (let p: any = v; typeof p === "function"; p = ObjectGetPrototypeOf(p)) if (p === DurableObject) return namespaceOf(name);
  return serviceStub(["service", "", "", name === "default" ? "" : name, "", "", ""]);
});

/** Entry: a timer is due. What it throws spoils the outcome of an event that is under way. */
function due(id: number): void {
  try {
    timer(id);
  } catch (e) {
    const ctx = contextOf(current.run);
    if (ctx !== null) broken(ctx);
    throw e;
  }
}

export const entries = { init, warm, loaded, failed, fetch, event, rpc, settle, timer: due, waitsAt, over, unread, rejection, socketMessage, socketClose, wasmImport, pattern };

// What a module sees of its own exports and of env, wherever it looks from.
const moduleExports = new Proxy({}, {
  get: (_, k) => (exported(namespace) as any)[k],
  has: (_, k) => k in exported(namespace),
  ownKeys: () => Reflect.ownKeys(exported(namespace)),
  getOwnPropertyDescriptor: (_, k) => {
    const value = (exported(namespace) as any)[k];
    return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
  },
});
const envKey = {};
/** The env that withEnv gave to what runs now, else the isolate's. */
const envNow = (e: object): object => (current.context as any)?.get(envKey) ?? e;
const moduleEnv = new Proxy(env, {
  get: (e, k) => Reflect.get(envNow(e), k),
  has: (e, k) => Reflect.has(envNow(e), k),
  ownKeys: (e) => Reflect.ownKeys(envNow(e)),
  getOwnPropertyDescriptor: (e, k) => {
    const d = Reflect.getOwnPropertyDescriptor(envNow(e), k);
    if (d !== undefined) d.configurable = true;
    return d;
  },
});
/** Calls f, for which and for whose asynchronous work the module's env is another object. */
function withEnv(e: object, f: () => unknown): unknown {
  if (typeof f !== "function") throw new NativeTypeError("Failed to execute 'withEnv' on 'EnvModule': parameter 2 is not of type 'function'.");
  followPromises();
  return enter(current.run, withValue(envKey, e), f);
}

/** Marks methods as ones that may run twice. No call is lost between the isolates of one machine, so none runs again. */
function retryable(...methods: unknown[]): void {
  for (let i = 0; i < methods.length; i++) if (typeof methods[i] !== "function") throw message("retryable() accepts only functions.");
}
const noSockets = (name: string): any => ({ [name]() { throw new NativeError(`${name} is not available here: no TCP connection reaches a Worker. Use httpServerHandler.`); } }[name]);

// What the importable modules take over; the engine deletes the global before learner code runs.
(globalThis as any).__coldstart = {
  ...nodeModules,
  "cloudflare:node": { httpServerHandler, handleAsNodeRequest, connectHandler: noSockets("connectHandler"), handleAsNodeConnection: noSockets("handleAsNodeConnection") },
  "cloudflare:durable-objects": { retryable },
  "cloudflare:workers": {
    WorkerEntrypoint, DurableObject, WorkflowEntrypoint, RpcTarget, RpcStub, env: moduleEnv, waitUntil,
    cache: absent(() => new NativeError("The cache of cloudflare:workers is not available here: use caches.default.")), tracing,
    exports: moduleExports, RpcPromise, RpcProperty, withEnv,
    withExports(_: unknown, f: () => unknown) { return f(); },
    withEnvAndExports(e: object, _: unknown, f: () => unknown) { return withEnv(e, f); },
  },
};
