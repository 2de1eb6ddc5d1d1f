// node:diagnostics_channel.

import { argType } from "./node-errors";

type Message = any;
type Listener = (message: Message, name: string | symbol) => void;
type Store = { run<R>(value: unknown, f: () => R): R };

const channels = new Map<string | symbol, Channel>();

export class Channel {
  _subscribers: Listener[] = [];
  _stores = new Map<Store, ((data: any) => unknown) | undefined>();
  constructor(readonly name: string | symbol) { }
  get hasSubscribers(): boolean { return this._subscribers.length > 0 || this._stores.size > 0; }
  subscribe(f: Listener): void {
    if (typeof f !== "function") throw argType("subscription", "of type function", f);
    this._subscribers = [...this._subscribers, f];
  }
  unsubscribe(f: Listener): boolean {
    const i = this._subscribers.indexOf(f);
    if (i < 0) return false;
    this._subscribers = this._subscribers.toSpliced(i, 1);
    return true;
  }
  /** Each listener hears it; what one throws is reported and stops nobody. */
  publish(message: Message): void {
    for (const f of this._subscribers) {
      try {
        f(message, this.name);
      } catch (e) {
        queueMicrotask(() => { throw e; });
      }
    }
  }
  bindStore(store: Store, transform?: (data: any) => unknown): void { this._stores.set(store, transform); }
  unbindStore(store: Store): boolean { return this._stores.delete(store); }
  runStores<R>(data: Message, f: (...args: any[]) => R, self?: unknown, ...args: any[]): R {
    let run = (): R => {
      this.publish(data);
      return Reflect.apply(f, self, args) as R;
    };
    for (const [store, transform] of this._stores) {
      const next = run;
      run = () => store.run(transform === undefined ? data : transform(data), next);
    }
    return run();
  }
}

export function channel(name: string | symbol): Channel {
  if (typeof name !== "string" && typeof name !== "symbol") throw argType("channel", "of type string or symbol", name);
  let c = channels.get(name);
  if (c === undefined) channels.set(name, c = new Channel(name));
  return c;
}
export function hasSubscribers(name: string | symbol): boolean { return channels.get(name)?.hasSubscribers ?? false; }
export function subscribe(name: string | symbol, f: Listener): void { channel(name).subscribe(f); }
export function unsubscribe(name: string | symbol, f: Listener): boolean { return channel(name).unsubscribe(f); }

const events = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;

/** Five channels about one operation: its start and end, its result later on, and its error. */
export class TracingChannel {
  declare start: Channel;
  declare end: Channel;
  declare asyncStart: Channel;
  declare asyncEnd: Channel;
  declare error: Channel;
  constructor(name: string | Record<(typeof events)[number], Channel>) {
    for (const e of events) this[e] = typeof name === "string" ? channel(`tracing:${name}:${e}`) : name[e];
  }
  get hasSubscribers(): boolean { return events.some((e) => this[e].hasSubscribers); }
  subscribe(list: Partial<Record<(typeof events)[number], Listener>>): void {
    for (const e of events) if (list[e] !== undefined) this[e].subscribe(list[e]);
  }
  unsubscribe(list: Partial<Record<(typeof events)[number], Listener>>): boolean {
    let all = true;
    for (const e of events) if (list[e] !== undefined) all = this[e].unsubscribe(list[e]) && all;
    return all;
  }
  /** Runs f between start and end; what it throws is told and thrown on. */
  _between(context: any, f: () => any): any {
    return this.start.runStores(context, () => {
      try {
        return f();
      } catch (e) {
        context.error = e;
        this.error.publish(context);
        throw e;
      } finally {
        this.end.publish(context);
      }
    });
  }
  traceSync(f: (...args: any[]) => any, context: any = {}, self?: unknown, ...args: any[]): any {
    return this._between(context, () => context.result = Reflect.apply(f, self, args));
  }
  tracePromise(f: (...args: any[]) => any, context: any = {}, self?: unknown, ...args: any[]): Promise<any> {
    const settled = (key: "result" | "error", v: unknown) => {
      context[key] = v;
      if (key === "error") this.error.publish(context);
      this.asyncStart.publish(context);
      this.asyncEnd.publish(context);
    };
    return this._between(context, () => Promise.resolve(Reflect.apply(f, self, args)).then((v) => {
      settled("result", v);
      return v;
    }, (e) => {
      settled("error", e);
      throw e;
    }));
  }
  traceCallback(f: (...args: any[]) => any, position = -1, context: any = {}, self?: unknown, ...args: any[]): any {
    const done = args.at(position);
    if (typeof done !== "function") throw argType("callback", "of type function", done);
    const { asyncStart, asyncEnd, error } = this;
    args.splice(position, 1, function (this: unknown, e: unknown, v: unknown) {
      if (e) {
        context.error = e;
        error.publish(context);
      } else context.result = v;
      return asyncStart.runStores(context, () => {
        try {
          return Reflect.apply(done, this, [e, v]);
        } finally {
          asyncEnd.publish(context);
        }
      });
    });
    return this._between(context, () => Reflect.apply(f, self, args));
  }
}
export function tracingChannel(name: string | Record<(typeof events)[number], Channel>): TracingChannel { return new TracingChannel(name); }

export default { Channel, TracingChannel, channel, hasSubscribers, subscribe, unsubscribe, tracingChannel };
