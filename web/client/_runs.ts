// The runs this page knows, built from the events of the live stream.

import { bytes, type Call, type CheckEvent, type Fault, type IsolateState, type Log, type Phase, type Request,
  type ResponseHead, type RunEvent, type Span, type Summary, type Temperature } from "./protocol.ts";

/** One press of Run, ×20 or Run checks. */
export interface Ask {
  id: string; request: Request; times: number; cold: boolean; begun: number; runs: Run[]; over: boolean;
  /** Why it ended without running. */
  refused?: string;
  /** The learner asked to stop it. */
  stopped?: boolean;
}

export interface Run {
  id: string;
  /** Counts the learner's own runs, 0 for a visit to the Worker's public address. */
  n: number;
  ask: Ask | null; request: Request | null;
  spans: Span[]; calls: Call[]; head: ResponseHead | null; body: Uint8Array[]; bodyBytes: number; truncated: boolean;
  fault: Fault | null; summary: Summary | null; isolate: IsolateState | null;
  queued: { place: number; wait_us?: number } | null; logs: number; errors: number; warnings: number; over: boolean;
}

/** One row of the log: a console call, or the line that begins a run. */
export type LogRow = { run: Run; at: number; log: Log } | { run: Run; log: null };

const mostRuns = 200;
const mostRows = 120_000;
const mostBody = 4 << 20; // bytes shown; the rest is counted

/** How long a run took in all, in microseconds. */
export const wall = (r: Run): number => r.summary?.wall_us ?? Math.max(0, ...r.spans.map((s) => s.end_us));

/** Whether a run met a running isolate; unknown until the first sign of either. */
export function temperature(r: Run): Temperature | null {
  if (r.summary?.temperature) return r.summary.temperature;
  if (r.spans.some((s) => s.phase === "start" || s.phase === "load")) return "cold";
  return r.spans.some((s) => s.phase === "handle") ? "warm" : null;
}

/** The time a run spent in a phase in microseconds, null when it skipped it. */
export function phaseTime(r: Run, p: Phase): number | null {
  const spans = (r.summary?.spans ?? r.spans).filter((s) => s.phase === p);
  return spans.length ? spans.reduce((sum, s) => sum + s.end_us - s.start_us, 0) : null;
}

/** A request in short. */
export const requestLine = (r: Request | null): string => (r ? `${r.method} ${r.path}` : "from elsewhere");

export class Runs {
  /** The learner's own runs, oldest first, also those of other tabs. */
  readonly list: Run[] = [];
  readonly asks = new Map<string, Ask>();
  readonly rows: LogRow[] = [];
  /** Grows when rows were removed, so that a view begins again. */
  cleared = 0;
  /** Grows with everything that is heard except log lines and parts of bodies, of which there can be thousands a second. */
  changes = 0;
  isolates: IsolateState[] = [];
  #byId = new Map<string, Run>();
  #n = 0;
  #prefix = Math.random().toString(36).slice(2, 8);
  #asks = 0;

  get last(): Run | null {
    return this.list.at(-1) ?? null;
  }

  /** The newest ask that has not ended. */
  get pending(): Ask | null {
    let found: Ask | null = null;
    for (const a of this.asks.values()) if (!a.over) found = a;
    return found;
  }

  /** Counts on from the newest run that the server drew. */
  begin(n: number): void {
    this.#n = n;
  }

  /** A new id for a run or a set of checks. */
  id(): string {
    return `${this.#prefix}-${++this.#asks}`;
  }

  ask(request: Request, times: number, cold: boolean): Ask {
    const id = this.id();
    const ask: Ask = { id, request, times, cold, begun: performance.now(), runs: [], over: false };
    this.changes++;
    this.asks.set(id, ask);
    if (this.asks.size > mostRuns) this.asks.delete(this.asks.keys().next().value as string);
    return ask;
  }

  /** Ends an ask that did not run. */
  refuse(ask: Ask, why: string): void {
    this.changes++;
    ask.over = true;
    ask.refused = why;
  }

  /** Ends every ask that the server no longer knows. */
  forget(why: string, running: readonly string[] = []): void {
    for (const a of this.asks.values()) if (!a.over && !running.includes(a.id)) this.refuse(a, why);
  }

  clearLogs(): void {
    this.rows.length = 0;
    this.cleared++;
  }

  /** Takes one event and gives the run it belongs to, null for an event outside any run. */
  take(e: RunEvent): Run | null {
    if (e.kind !== "log" && e.kind !== "body") this.changes++;
    if (e.isolate) this.#state(e.isolate);
    if (!e.run) return null;
    const run = this.#run(e.run);
    switch (e.kind) {
      case "queued": run.queued = e.queued ?? null; break;
      case "phase": if (e.span) { run.spans.push(e.span); run.queued = null; } break;
      case "log": if (e.log) this.#log(run, e.at_us, e.log); break;
      case "call": if (e.call) run.calls.push(e.call); break;
      case "isolate": run.isolate = e.isolate ?? null; break;
      case "response": run.head = e.response ?? null; break;
      case "body": this.#body(run, e); break;
      case "fault": if (e.fault) this.#fault(run, e.at_us, e.fault); break;
      case "done": if (e.summary) this.#done(run, e.summary); break;
    }
    return run;
  }

  #run(id: string): Run {
    const known = this.#byId.get(id);
    if (known) return known;
    const ask = this.asks.get(id) ?? this.asks.get(id.replace(/\.\d+$/, "")) ?? null;
    const visit = id.startsWith("w-"); // somebody asked the Worker's public address, or the platform itself gave it an event
    const run: Run = {
      id, n: visit ? 0 : ++this.#n, ask, request: ask?.request ?? null, spans: [], calls: [], head: null, body: [], bodyBytes: 0,
      truncated: false, fault: null, summary: null, isolate: null, queued: null, logs: 0, errors: 0, warnings: 0, over: false,
    };
    ask?.runs.push(run);
    if (!visit) this.list.push(run);
    if (this.list.length > mostRuns) this.list.shift();
    this.#byId.set(id, run);
    if (this.#byId.size > mostRuns) this.#byId.delete(this.#byId.keys().next().value as string);
    this.#row({ run, log: null });
    return run;
  }

  #row(row: LogRow): void {
    this.rows.push(row);
    if (this.rows.length > mostRows) {
      this.rows.splice(0, mostRows / 6);
      this.cleared++;
    }
  }

  #log(run: Run, at: number, log: Log): void {
    run.logs++;
    if (log.level === "error") run.errors++;
    if (log.level === "warn") run.warnings++;
    this.#row({ run, at, log });
  }

  #fault(run: Run, at: number, said: Fault): void {
    const fault = said.kind === "canceled" && run.ask?.stopped ? { ...said, message: "Stopped, as you asked." } : said;
    run.fault ??= fault;
    run.errors++;
    const frame = fault.frames?.[0];
    const text = (fault.name && !fault.message.startsWith(fault.name) ? `${fault.name}: ` : "") + fault.message;
    this.#row({ run, at, log: { level: "error", text, ...(frame ? { frame } : {}) } });
  }

  #body(run: Run, e: RunEvent): void {
    if (e.body?.truncated) run.truncated = true;
    if (!e.body?.data) return;
    const part = bytes(e.body.data);
    if (run.bodyBytes < mostBody) run.body.push(part);
    else run.truncated = true;
    run.bodyBytes += part.length;
  }

  #done(run: Run, s: Summary): void {
    run.summary = s;
    run.over = true;
    run.queued = null;
    if (s.fault && !run.fault) this.#fault(run, s.wall_us, s.fault);
    const ask = run.ask;
    if (ask && ask.runs.filter((r) => r.over).length >= ask.times) ask.over = true;
    if (ask && (ask.id === run.id || s.outcome === "canceled")) ask.over = true;
  }

  /** Takes the list of live isolates; the others are gone. */
  live(list: readonly IsolateState[]): void {
    this.changes++;
    for (const i of this.isolates) {
      if (!list.some((x) => x.id === i.id) && i.state !== "killed") i.state = "evicted";
    }
    for (const s of list) this.#state({ kept: false, ...s });
  }

  #state(s: IsolateState): void {
    const i = this.isolates.findIndex((x) => x.id === s.id);
    const next = { ...this.isolates[i], ...s };
    if (i < 0) this.isolates.push(next);
    else this.isolates[i] = next;
    if (this.isolates.length > 16) this.isolates.shift();
  }
}

/** The results of a run of the checks, the newest word on each. */
export class Checks {
  id = "";
  list: CheckEvent[] = [];
  /** Grows with everything that is heard. */
  changes = 0;
  over = true;
  passed = 0;
  total = 0;
  /** Why they did not run, "" when they did. */
  refused = "";
  /** What stopped the checks themselves. */
  fault: Fault | null = null;

  begin(id: string): void {
    this.changes++;
    this.id = id;
    this.list = [];
    this.over = false;
    this.passed = this.total = 0;
    this.refused = "";
    this.fault = null;
  }

  /** Ends a run of the checks that did not begin. */
  refuse(why: string): void {
    this.changes++;
    this.over = true;
    this.refused = why;
  }

  take(c: CheckEvent): void {
    this.changes++;
    if (c.run !== this.id) this.begin(c.run);
    if (c.done) {
      this.over = true;
      this.passed = c.passed ?? 0;
      this.total = c.total ?? 0;
      this.fault = c.fault ?? null;
      return;
    }
    const i = this.list.findIndex((x) => x.name === c.name && x.task === c.task);
    if (i < 0) this.list.push(c);
    else this.list[i] = { ...this.list[i], ...c };
  }
}
