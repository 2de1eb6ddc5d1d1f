// The live protocol as the browser sees it. web/live/protocol.go and
// sandbox/trace define the words; both sides test against
// web/live/testdata/*.json. Times are microseconds since the run began.

export type Phase = "build" | "route" | "queue" | "start" | "load" | "handle" | "stream";

/** Every phase, in the order in which a run passes through them. */
export const phases: readonly Phase[] = ["build", "route", "queue", "start", "load", "handle", "stream"];

export type Temperature = "cold" | "warm";

export interface Span { phase: Phase; start_us: number; end_us: number }
export interface Frame { func?: string; file: string; line: number; column?: number }
export interface Value { t: string; s?: string; e?: Entry[]; more?: number }
export interface Entry { k: string; v: Value }
export interface Log { level: string; text: string; args?: Value[]; frame?: Frame }
export interface Call {
  kind: string; name: string; start_us: number; end_us: number;
  status?: number; error?: string; worker?: string;
}
export interface IsolateState {
  id: string; state: string; why?: string; engine?: string; age_us?: number; requests?: number;
  cpu_us?: number; private_bytes?: number; limit_bytes?: number; kept?: boolean; runner?: number;
}
export interface Fault {
  kind: string; name?: string; message: string; hint?: string; frames?: Frame[]; code?: string;
}
export interface ResponseHead { status: number; status_text?: string; headers: [string, string][] | null }
export interface BodyChunk { data?: string; truncated?: boolean }
export interface Summary {
  run: string; worker?: string; route?: string; isolate?: string; engine?: string;
  temperature?: Temperature; outcome: string; status?: number; spans: Span[] | null; calls?: Call[];
  cpu_us: number; memory_bytes: number; wall_us: number; body_bytes: number;
  logs: number; logs_dropped?: number; calls_refused?: number; load_cpu_us?: number; fault?: Fault; isolates?: number;
}
export interface RunEvent {
  seq: number; run?: string; at_us: number; kind: string; worker?: string;
  queued?: { place: number; wait_us?: number };
  span?: Span; log?: Log; fault?: Fault; call?: Call; isolate?: IsolateState;
  response?: ResponseHead; body?: BodyChunk; summary?: Summary;
}

/** What the request builder holds. Path may be an absolute URL. */
export interface Request { method: string; path: string; headers?: [string, string][]; body?: string }

/** The WebSocket subprotocol that both sides name. */
export const subprotocol = "coldstart.live.1";

export type ClientMessage =
  | { type: "hello"; project: string; stream?: string; after?: number }
  | { type: "run"; id: string; revision?: number; request: Request; cold?: boolean; times?: number }
  | { type: "check"; id: string; revision?: number }
  | { type: "lab"; id: string; lab: string; revision?: number; values?: Record<string, string> }
  | { type: "act"; id: string; lab: string; action: string; values?: Record<string, string> }
  | { type: "cancel"; id: string }
  | { type: "evict" }
  | { type: "keep"; on?: boolean }
  | { type: "pages"; isolate: string }
  | { type: "ping" };

export interface CheckEvent {
  run: string; task?: number; name?: string; state?: string; message?: string;
  expected?: string; got?: string; request?: string; frame?: Frame; logs?: Log[]; fault?: Fault;
  done?: boolean; passed?: number; total?: number;
}

/**
 * How far a lab is: html draws everything measured so far, figures fill the text's placeholders.
 * action and data are for the lab's own script; what answers an act beside any run names its action.
 */
export interface LabEvent {
  run: string; lab: string; say?: string; html?: string; figures?: Record<string, string>;
  action?: string; data?: unknown; done?: boolean;
}

/** What a learner's class says to them now: the newest unread note, and whether their hand is up. */
export interface ClassNews { note?: string; hand: boolean }

export interface ServerMessage {
  type: string; id?: string; seq?: number; stream?: string; missed?: boolean; revision?: number;
  event?: RunEvent; check?: CheckEvent; lab?: LabEvent; class?: ClassNews; isolates?: IsolateState[]; running?: string[];
  isolate?: string; pages?: string; message?: string; retry_ms?: number;
}

/** The WebSocket text of a message. */
export function encode(m: ClientMessage): string {
  return JSON.stringify(m);
}

// What a message of each type cannot do without.
const needs: Record<string, keyof ServerMessage> = {
  welcome: "stream", event: "event", check: "check", lab: "lab", class: "class", isolates: "type", pages: "isolate",
  saved: "revision", error: "message", pong: "type",
};

/** Reads a frame, one message a line; throws a TypeError for one that is not in the protocol. */
export function decode(frame: string): ServerMessage[] {
  return frame.split("\n").filter(Boolean).map((line) => {
    const m = JSON.parse(line) as ServerMessage;
    const field = needs[m?.type];
    if (!field) throw new TypeError(`unknown message type ${JSON.stringify(m?.type)}`);
    if (m[field] === undefined) throw new TypeError(`${m.type} message without ${field}`);
    return m;
  });
}

/** The number by which a resumable message is ordered, 0 for the others. */
export function seqOf(m: ServerMessage): number {
  return m.type === "event" ? (m.event?.seq ?? 0) || (m.seq ?? 0) : m.type === "check" || m.type === "lab" ? (m.seq ?? 0) : 0;
}

/** Bytes of a base64 field. */
export function bytes(base64: string): Uint8Array {
  const text = atob(base64);
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}
