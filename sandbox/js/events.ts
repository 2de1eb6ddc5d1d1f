// Event, EventTarget, CustomEvent and the event classes of Workers.
// Specification: DOM, section 2. There is no tree: propagation is the target alone.

import {
  ArrayPush, ArraySlice, NativeTypeError, ReflectApply, enumerable, expose, need, tag, wrongType,
} from "./primordials";
import { domError } from "./dom";

let setTarget: (e: Event, t: EventTarget, phase: number) => void;
let stopped: (e: Event) => boolean;
let passive: (e: Event, on: boolean) => void;
let isEvent: (o: unknown) => o is Event;
let flag: (e: Event, dispatching: boolean) => void;
let dispatching: (e: Event) => boolean;
// Workers answer dispatchEvent with false after preventDefault even for events that cannot be canceled.
let canceled: (e: Event) => boolean;
/** Marks an event as one that the platform brings about. */
export let trust: (e: Event) => void;

export class Event {
  #type: string;
  #bubbles: boolean;
  #cancelable: boolean;
  #composed: boolean;
  #canceled = false;
  #stop = false;
  #passive = false;
  #dispatching = false;
  #target: EventTarget | undefined = undefined;
  #current: EventTarget | undefined = undefined;
  #trusted = false;
  #phase = 0;

  constructor(type: string, init?: { bubbles?: boolean; cancelable?: boolean; composed?: boolean }) {
    need(arguments.length, 1, "Event constructor");
    if (init !== undefined && init !== null && typeof init !== "object" && typeof init !== "function") throw wrongType("Event constructor", 2, "Init");
    this.#type = `${type}`;
    this.#bubbles = !!init?.bubbles;
    this.#cancelable = !!init?.cancelable;
    this.#composed = !!init?.composed;
  }

  static {
    setTarget = (e, t, phase) => {
      e.#target = e.#current = t; // and stays so afterwards, as in Workers' runtime
      e.#phase = phase;
    };
    stopped = (e) => e.#stop;
    passive = (e, on) => {
      e.#passive = on;
    };
    isEvent = (o): o is Event => typeof o === "object" && o !== null && #type in o;
    flag = (e, on) => {
      e.#dispatching = on;
      if (on) e.#canceled = false;
      else e.#stop = false;
    };
    canceled = (e) => e.#canceled;
    dispatching = (e) => e.#dispatching;
    trust = (e) => {
      e.#trusted = true;
    };
  }

  get type() { return this.#type; }
  get bubbles() { return this.#bubbles; }
  get cancelable() { return this.#cancelable; }
  get composed() { return this.#composed; }
  get defaultPrevented() { return this.#canceled && this.#cancelable; }
  get returnValue() { return !(this.#canceled && this.#cancelable); }
  get cancelBubble() { return this.#stop; }
  set cancelBubble(v: boolean) { if (v) this.#stop = true; }
  get target() { return seen(this.#target); }
  get srcElement() { return seen(this.#target); }
  get currentTarget() { return seen(this.#current); }
  get eventPhase() { return this.#phase; }
  get timeStamp() { return 0; }
  get isTrusted() { return this.#trusted; }
  composedPath() { return this.#dispatching ? [seen(this.#current)] : []; }
  preventDefault() { if (!this.#passive) this.#canceled = true; }
  stopPropagation() { }
  stopImmediatePropagation() { this.#stop = true; }
}
for (const [i, n] of ["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"].entries()) {
  for (const o of [Event, Event.prototype]) Object.defineProperty(o, n, { value: i, enumerable: true, configurable: true }); // members.ts moves them
}

type Listener = { type: string; f: any; capture: boolean; once: boolean; passive: boolean; gone: boolean; handler?: boolean };

let global: EventTarget | undefined;
/** A target as scripts know it: the global object's stand-in is nobody's business. */
const seen = (t: EventTarget | undefined): EventTarget | undefined => (t !== undefined && t === global ? globalThis as unknown as EventTarget : t);
/** Says which target stands for the global object. */
export function setGlobal(t: EventTarget): void {
  global = t;
}

/** How an exception in a listener is reported; set by the global scope. */
export let report: (error: unknown) => void = () => { };
export function onListenerError(f: (error: unknown) => void): void {
  report = f;
}

export let listenerCount: (t: EventTarget, type: string) => number;
/** What listens to a type, in the order of its calls. */
export let listenersOf: (t: EventTarget, type: string) => unknown[];
export let setHandler: (t: EventTarget, type: string, f: unknown) => void;
export let getHandler: (t: EventTarget, type: string) => unknown;
/** Dispatches an event; listener errors go to the reporter, or to onError when given. */
export let dispatch: (t: EventTarget, e: Event, onError?: (error: unknown) => void) => boolean;

export class EventTarget {
  #listeners: Listener[] | undefined = undefined;

  constructor() { }

  static {
    listenerCount = (t, type) => {
      let n = 0;
      const l = t.#listeners ?? [];
      for (let i = 0; i < l.length; i++) if (l[i].type === type) n++;
      return n;
    };
    listenersOf = (t, type) => {
      const out: unknown[] = [], l = t.#listeners ?? [];
      for (let i = 0; i < l.length; i++) if (l[i].type === type) out[out.length] = l[i].f;
      return out;
    };
    getHandler = (t, type) => {
      const l = t.#listeners ?? [];
      for (let i = 0; i < l.length; i++) if (l[i].type === type && l[i].handler) return l[i].f;
      return null;
    };
    setHandler = (t, type, f) => {
      const l = (t.#listeners ??= []);
      const ok = typeof f === "function" || (typeof f === "object" && f !== null);
      for (let i = 0; i < l.length; i++) {
        if (l[i].type === type && l[i].handler) {
          if (ok) l[i].f = f;
          else {
            l[i].gone = true;
            l.splice(i, 1);
          }
          return;
        }
      }
      if (ok) ArrayPush(l, { type, f, capture: false, once: false, passive: false, gone: false, handler: true });
    };
    dispatch = (t, e, onError) => {
      const l = t.#listeners;
      flag(e, true);
      setTarget(e, t, 2);
      // Workers call a method on<type> of any target, before the listeners.
      const method: unknown = (t as any)["on" + e.type] ?? (t === global ? (globalThis as any)["on" + e.type] : undefined);
      if (typeof method === "function" && getHandler(t, e.type) === null) {
        try {
          ReflectApply(method, undefined, [e]);
        } catch (err) {
          if (onError) onError(err);
          else report(err);
        }
      }
      if (l !== undefined && !stopped(e)) {
        const now = ArraySlice(l) as Listener[];
        for (let i = 0; i < now.length; i++) {
          const x = now[i];
          if (x.gone || x.type !== e.type) continue;
          if (x.once) remove(l, x);
          passive(e, x.passive);
          try {
            if (typeof x.f === "function") ReflectApply(x.f, t, [e]);
            else {
              const h = x.f.handleEvent;
              if (typeof h !== "function") throw new NativeTypeError("The event listener has no handleEvent method.");
              ReflectApply(h, x.f, [e]);
            }
          } catch (err) {
            if (onError) onError(err);
            else report(err);
          }
          passive(e, false);
          if (stopped(e)) break;
        }
      }
      setTarget(e, t, 0);
      flag(e, false);
      return !canceled(e);
    };
  }

  addEventListener(type: string, f: any, options?: any): void {
    need(arguments.length, 2, "EventTarget.addEventListener", "string,function or HandlerObject");
    if (f === null || f === undefined) return;
    if (typeof f === "object" && typeof f.handleEvent !== "function") throw new NativeTypeError("Incorrect type for the 'handleEvent' field on 'HandlerObject': the provided value is not of type 'function'.");
    if (typeof f !== "function" && typeof f !== "object") throw new NativeTypeError("Failed to execute 'addEventListener' on 'EventTarget': parameter 2 is not of type 'function or HandlerObject'.");
    const t = `${type}`;
    const o = typeof options === "object" && options !== null ? options : { capture: !!options };
    if (o.capture) throw new NativeTypeError(typeof options === "object" ? "addEventListener(): options.capture must be false." : "addEventListener(): useCapture must be false.");
    const signal = o.signal;
    if (signal !== undefined) {
      if (signal === null || typeof signal.aborted !== "boolean") throw new NativeTypeError("Incorrect type for the 'signal' field on 'AddEventListenerOptions': the provided value is not of type 'AbortSignal'.");
      if (signal.aborted) return;
    }
    const l = (this.#listeners ??= []), capture = !!o.capture;
    for (let i = 0; i < l.length; i++) if (l[i].type === t && l[i].f === f && l[i].capture === capture && !l[i].handler) return;
    const x: Listener = { type: t, f, capture, once: !!o.once, passive: !!o.passive, gone: false };
    ArrayPush(l, x);
    if (signal) signal.addEventListener("abort", () => remove(l, x), { once: true });
    added?.(this, t);
  }
  removeEventListener(type: string, f: any, options?: any): void {
    need(arguments.length, 2, "EventTarget.removeEventListener", "string,Object");
    if (typeof options === "object" && options !== null ? options.capture : options) throw new NativeTypeError(typeof options === "object" ? "removeEventListener(): options.capture must be false." : "removeEventListener(): useCapture must be false.");
    const l = this.#listeners, t = `${type}`, capture = typeof options === "object" && options !== null ? !!options.capture : !!options;
    if (l === undefined) return;
    for (let i = 0; i < l.length; i++) {
      if (l[i].type === t && l[i].f === f && l[i].capture === capture && !l[i].handler) {
        remove(l, l[i]);
        return;
      }
    }
  }
  dispatchEvent(event: Event): boolean {
    need(arguments.length, 1, "EventTarget.dispatchEvent", "Event");
    if (!isEvent(event)) throw new NativeTypeError("Failed to execute 'dispatchEvent' on 'EventTarget': parameter 1 is not of type 'Event'.");
    if (dispatching(event)) throw domError("InvalidStateError", "The event is already being dispatched.");
    return dispatch(this, event);
  }
}

/** Told of each listener added, for targets that start work with their first listener. */
let added: ((t: EventTarget, type: string) => void) | undefined;
export function onListenerAdded(f: (t: EventTarget, type: string) => void): void {
  const before = added;
  added = before ? (t, type) => (before(t, type), f(t, type)) : f;
}

function remove(l: Listener[], x: Listener): void {
  x.gone = true;
  for (let i = 0; i < l.length; i++) {
    if (l[i] === x) {
      for (let j = i; j + 1 < l.length; j++) l[j] = l[j + 1];
      l.length--;
      return;
    }
  }
}

/** Gives a class the on<type> attributes for its events. */
export function handlers(C: { prototype: EventTarget }, types: string[]): void {
  for (const type of types) {
    Object.defineProperty(C.prototype, "on" + type, {
      get(this: EventTarget) { return getHandler(this, type); },
      set(this: EventTarget, f) { setHandler(this, type, f); },
      enumerable: true, configurable: true,
    });
  }
}

export class CustomEvent extends Event {
  #detail: unknown;
  constructor(type: string, init?: { detail?: unknown; bubbles?: boolean; cancelable?: boolean; composed?: boolean }) {
    need(arguments.length, 1, "CustomEvent constructor");
    super(type, init);
    this.#detail = init?.detail;
  }
  get detail() { return this.#detail; }
}

export class ErrorEvent extends Event {
  #init: any;
  constructor(type: string, init?: any) {
    need(arguments.length, 1, "ErrorEvent constructor");
    super(type, init);
    this.#init = init ?? {};
  }
  get message(): string { return this.#init.message === undefined ? "" : `${this.#init.message}`; }
  get filename(): string { return this.#init.filename === undefined ? "" : `${this.#init.filename}`; }
  get lineno(): number { return +(this.#init.lineno ?? 0); }
  get colno(): number { return +(this.#init.colno ?? 0); }
  get error(): unknown { return this.#init.error; }
}

const key = {};
/** The event of a promise that was rejected, or handled after all. */
export const rejectionEvent = (type: string, promise: unknown, reason: unknown): PromiseRejectionEvent => new PromiseRejectionEvent(type, { promise, reason, cancelable: true }, key);

export class PromiseRejectionEvent extends Event {
  #promise: unknown;
  #reason: unknown;
  constructor(type: string, init: { promise: unknown; reason?: unknown; cancelable?: boolean }, k?: unknown) {
    if (k !== key) throw new NativeTypeError("Illegal constructor");
    super(type, init);
    this.#promise = init.promise;
    this.#reason = init.reason;
  }
  get promise() { return this.#promise; }
  get reason() { return this.#reason; }
}

export class MessageEvent extends Event {
  #init: any;
  constructor(type: string, init?: any) {
    need(arguments.length, 1, "MessageEvent constructor");
    super(type, init);
    this.#init = init ?? {};
  }
  get data(): unknown { return "data" in this.#init ? this.#init.data : null; }
  get origin(): string | null { return this.#init.origin === undefined ? "" : this.#init.origin; }
  get lastEventId(): string { return this.#init.lastEventId ?? ""; }
  get source(): unknown { return this.#init.source ?? null; }
  get ports(): unknown[] { return this.#init.ports ?? []; }
}

export class CloseEvent extends Event {
  #init: any;
  constructor(type: string, init?: any) {
    need(arguments.length, 1, "CloseEvent constructor");
    super(type, init);
    this.#init = init ?? {};
  }
  get code(): number { return +(this.#init.code ?? 0); }
  get reason(): string { return `${this.#init.reason ?? ""}`; }
  get wasClean(): boolean { return !!this.#init.wasClean; }
}

for (const [name, C] of Object.entries({ Event, EventTarget, CustomEvent, ErrorEvent, PromiseRejectionEvent, MessageEvent, CloseEvent })) {
  enumerable(C as any);
  tag(C as any, name);
  expose(name, C);
}
