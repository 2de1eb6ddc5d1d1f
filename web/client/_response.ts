// The response panel: status, headers, and the body as text, JSON tree,
// rendered page, image or hex. What stopped the run stands above it.

import { $, button, el, icon, set, svg, type Child } from "./_dom.ts";
import { percent } from "./_chart.ts";
import { duration, faultTitle, isOwn, ordinal, roundly, size } from "./_format.ts";
import type { Fault, Value } from "./protocol.ts";
import { temperature, wall, type Ask, type Run, type Runs } from "./_runs.ts";
import { place, temp, tree } from "./_values.ts";

type View = "raw" | "json" | "page" | "image" | "hex";

const mostText = 200_000; // characters drawn of a body
const mostHex = 4096; // bytes drawn as hex
const mostEntries = 200;

let chosen: View | null = null;
let framed = ""; // what the frame shows, so that it loads once
let frame: HTMLIFrameElement | null = null;

const header = (r: Run, name: string): string =>
  r.head?.headers?.find(([k]) => k.toLowerCase() === name)?.[1] ?? "";

function join(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) { all.set(p, at); at += p.length; }
  return all;
}

/** A parsed JSON value in the shape that the log's trees take. */
export function toValue(x: unknown, depth = 0): Value {
  if (x === null) return { t: "null", s: "null" };
  if (typeof x !== "object") return { t: typeof x, s: String(x) };
  const all = Object.entries(x);
  const shown = depth > 40 ? [] : all.slice(0, mostEntries);
  return {
    t: Array.isArray(x) ? "array" : "object",
    e: shown.map(([k, v]) => ({ k, v: toValue(v, depth + 1) })),
    ...(all.length > shown.length ? { more: all.length - shown.length } : {}),
  };
}

/** A dump: offset, sixteen bytes, what they are as ASCII. */
export function hex(data: Uint8Array): string {
  const rows: string[] = [];
  for (let i = 0; i < Math.min(data.length, mostHex); i += 16) {
    const row = [...data.subarray(i, i + 16)];
    const digits = row.map((b) => b.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    rows.push(`${i.toString(16).padStart(8, "0")}  ${digits}  ${row.map((b) => (b > 31 && b < 127 ? String.fromCharCode(b) : ".")).join("")}`);
  }
  if (data.length > mostHex) rows.push(`… ${size(data.length - mostHex)} more`);
  return rows.join("\n");
}

// A page can only be asked for by GET, so only a GET's answer is shown as one.
function views(type: string, text: boolean, method: string, over: boolean): View[] {
  const list: View[] = [];
  if (/\bjson\b/.test(type)) list.push("json");
  if (/\bhtml\b/.test(type) && method === "GET" && over) list.push("page");
  if (/^image\//.test(type)) list.push("image");
  if (text) list.push("raw");
  list.push("hex");
  return list;
}

// An address with the image itself in it, as the page's policy allows.
function picture(data: Uint8Array, type: string): string {
  let text = "";
  for (let i = 0; i < data.length; i += 0x8000) text += String.fromCharCode(...data.subarray(i, i + 0x8000));
  return `data:${type};base64,${btoa(text)}`;
}

const names: Record<View, string> = { raw: "Raw", json: "JSON", page: "Page", image: "Image", hex: "Hex" };

function shown(view: View, run: Run, data: Uint8Array, text: string, preview: (r: Run) => string): Child {
  if (view === "hex") return el("pre", { class: "bodybox", tabindex: "0", role: "group", "aria-label": "Body as hex" }, hex(data));
  if (view === "image") {
    return el("img", { class: "bodybox bodybox-image", src: picture(data, header(run, "content-type")), alt: `The response: an image of ${size(run.bodyBytes)}` });
  }
  if (view === "page") {
    const address = preview(run);
    if (!frame || framed !== run.id) {
      frame = el("iframe", { class: "bodybox bodybox-page", sandbox: "allow-scripts allow-forms", title: "The response, rendered in a closed frame", src: address });
      framed = run.id;
    }
    return frame;
  }
  if (view === "json") {
    try {
      const t = tree(toValue(JSON.parse(text)));
      if (t instanceof HTMLDetailsElement) t.open = true;
      return el("div", { class: "bodybox log", tabindex: "0", role: "group", "aria-label": "Body as a JSON tree" }, t);
    } catch (e) {
      return el("div", null, el("p", { class: "panel_say" }, `This is not JSON: ${(e as Error).message}.`),
        el("pre", { class: "bodybox", tabindex: "0", role: "group", "aria-label": "Body" }, text.slice(0, mostText)));
    }
  }
  return el("pre", { class: "bodybox", tabindex: "0", role: "group", "aria-label": "Body" },
    text.slice(0, mostText), text.length > mostText && `\n… ${size(text.length - mostText)} more`);
}

/** What stopped a run: what, where, what to do. */
export function stopped(f: Fault, run?: Run, limits?: { cpu_us: number; memory_bytes: number }): HTMLElement {
  const at = f.frames?.[0];
  const where = place(at, true);
  const gauge = limits && run?.summary && (f.kind === "cpu" || f.kind === "memory")
    ? f.kind === "cpu"
      ? bar(run.summary.cpu_us, limits.cpu_us, `stopped at ${duration(run.summary.cpu_us)} of CPU`, `limit ${roundly(limits.cpu_us)}`)
      : bar(run.summary.memory_bytes, limits.memory_bytes, `held ${size(run.summary.memory_bytes)}; the next did not fit`, `limit ${size(limits.memory_bytes)}`)
    : null;
  return el("article", { class: isOwn(f) ? "stop stop-fault" : "stop", "data-fault": f.kind },
    el("h3", null, faultTitle(f)),
    where && el("p", { class: "stop_where" }, where, at?.func && ` in ${at.func}`),
    f.hint && el("p", null, f.hint),
    gauge,
    el("div", { class: "stop_do" },
      where && at && el("a", { class: "button", href: "#code", "data-file": at.file, "data-line": at.line, "data-column": at.column ?? 0 }, `Go to line ${at.line}`),
      !isOwn(f) && button("run", "Run again", {}, "run")));
}

function bar(value: number, limit: number, left: string, right: string): SVGElement {
  const max = Math.max(value, limit) || 1;
  return svg("svg", { class: "gauge", role: "img", "aria-label": `${left}; ${right}` },
    svg("rect", { class: "meter_track", y: 4, width: "100%", height: 8 }),
    svg("rect", { class: "c-ink", y: 4, width: percent(value / max), height: 8 }),
    svg("line", { class: "c-median", x1: percent(limit / max), x2: percent(limit / max), y1: 0, y2: 16 }),
    svg("text", { class: "c-text", x: 0, y: 33 }, left),
    svg("text", { class: "c-text", x: "100%", y: 33, "text-anchor": "end" }, right));
}

const doing: Record<string, string> = {
  build: "Building your code", route: "Finding the Worker", queue: "Waiting for a free place", start: "Starting your isolate",
  load: "Loading your module", handle: "Your handler is running", stream: "Sending the body",
};

/** What a run that is not over is doing, in words: the phase after the last one that ended. */
function progress(run: Run | null, ask: Ask | null): string {
  const since = ask ? performance.now() - ask.begun : 0;
  if (run?.queued && run.queued.place > 0) return `Busy: you are ${ordinal(run.queued.place)} in line`;
  const order = Object.keys(doing);
  const last = run?.spans.at(-1)?.phase;
  const next = last ? (last === "queue" || last === "route" ? "start" : order[order.indexOf(last) + 1]) : "build";
  const phase = (since > 1000 ? doing[next ?? "handle"] : "Running") ?? "Running";
  return since > 3000 ? `${phase}, ${Math.round(since / 1000)} s so far` : phase;
}

function waiting(run: Run | null, ask: Ask | null): HTMLElement {
  const words = progress(run, ask);
  if (run?.queued && run.queued.place > 0) {
    const { wait_us } = run.queued;
    return el("article", { class: "stop", "data-fault": "queued" }, el("h3", null, words),
      wait_us ? el("p", null, `About ${duration(wait_us)}.`) : null,
      el("div", { class: "stop_do" }, button("cancel", "Leave the line")));
  }
  return el("div", { class: "wait" }, el("span", null, words), button("cancel", "Stop it", { class: "button-quiet" }));
}

/** Draws the panel. Preview gives the address of a run's body as a page. */
export function drawResponse(
  panel: HTMLElement, runs: Runs, limits: { cpu_us: number; memory_bytes: number }, preview: (r: Run) => string,
): void {
  const run = runs.last;
  const ask = runs.pending;
  const name = $(".panel_name", panel);
  if (!run || (ask && !ask.runs.length)) {
    const words = ask ? progress(null, ask) : "";
    if (ask && panel.dataset.shows !== words) {
      set(panel, name, waiting(null, ask));
      panel.dataset.shows = words;
    }
    return;
  }
  const data = join(run.body);
  const type = header(run, "content-type").toLowerCase();
  const text = new TextDecoder().decode(data);
  const isText = !text.includes("\ufffd") || /^text\/|json|xml|javascript/.test(type);
  const list = views(type, isText, run.request?.method ?? "", run.over);
  // Showing a page asks the Worker again, so that waits until somebody wants it.
  const view = chosen && list.includes(chosen) ? chosen : (list.find((v) => v !== "page") ?? "hex");
  // A frame that is put in again loads again, and a button that is exchanged under the pointer is not pressed: what stays the same is left alone.
  const key = [run.id, run.over || progress(run, ask), run.queued?.wait_us, run.head?.status, run.fault?.kind, run.bodyBytes, view].join(" ");
  if (panel.dataset.shows === key) return;
  panel.dataset.shows = key;
  const t = temperature(run);
  const focused = (document.activeElement as HTMLInputElement | null)?.name === "as";
  const head = run.head;
  set(panel, name,
    run.fault && stopped(run.fault, run, limits),
    !run.over && waiting(run, ask),
    head && el("div", { class: "panel_head" },
      el("p", { class: "response_status" }, el("b", null, `${head.status} ${head.status_text ?? ""}`.trim()),
        run.over && temp(t, `${duration(wall(run))}${t ? ` ${t}` : ""}`), el("span", null, size(run.bodyBytes)),
        run.truncated && el("span", null, "cut at the limit")),
      run.bodyBytes > 0 && el("fieldset", { class: "segment" }, el("legend", { class: "sr" }, "Show the body as"),
        ...list.map((v) => el("label", null, el("input", {
          type: "radio", name: "as", value: v, checked: v === view,
          change: () => { chosen = v; drawResponse(panel, runs, limits, preview); },
        }), names[v])))),
    head && el("div", { class: view === "page" ? "" : "panel_split panel_split-even" },
      run.bodyBytes > 0 ? shown(view, run, data, text, preview)
        : el("p", { class: "panel_say" }, run.over ? "The body is empty." : "The body is on its way."),
      el("table", { class: "pairs" }, el("caption", { class: "sr" }, "Response headers"),
        el("tbody", null, ...(head.headers ?? []).map(([k, v]) => el("tr", null, el("th", { scope: "row" }, k), el("td", null, v)))))),
    !head && run.over && !run.fault && el("div", { class: "empty" }, icon("run"), el("b", { class: "empty_name" }, "No response"),
      el("p", null, "The run ended before there was one.")));
  if (focused) $<HTMLInputElement>("input[name=as]:checked", panel)?.focus();
}
