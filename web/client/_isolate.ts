// The isolate panel: its life, what it used, and its memory page by page.

import { $, button, el, set, svg } from "./_dom.ts";
import { percent } from "./_chart.ts";
import { duration, roundly, size } from "./_format.ts";
import type { IsolateState } from "./protocol.ts";
import { phaseTime, temperature, wall, type Run, type Runs } from "./_runs.ts";

interface Limits { cpu_us: number; memory_bytes: number; idle_us: number }

/** What the page knows of isolates beyond the events: page maps and when each was heard of. */
export class Isolates {
  maps = new Map<string, { pages: Uint8Array; fresh: Set<number> }>();
  heard = new Map<string, number>();
  /** Grows with every page map. */
  changes = 0;

  /** Takes a page map: a byte a page, 0 untouched, 1 shared with the snapshot, 2 private. */
  take(id: string, pages: Uint8Array): void {
    this.changes++;
    const old = this.maps.get(id)?.pages;
    const fresh = new Set<number>();
    if (old) pages.forEach((p, i) => { if (p === 2 && old[i] !== 2) fresh.add(i); });
    this.maps.set(id, { pages, fresh });
    if (this.maps.size > 8) this.maps.delete(this.maps.keys().next().value as string);
  }
}

/** The isolate shown: the one of the newest run, else the first alive. */
export function current(runs: Runs): IsolateState | null {
  const id = runs.last?.summary?.isolate ?? runs.last?.isolate?.id;
  return runs.isolates.find((i) => i.id === id) ?? runs.isolates.find((i) => i.state !== "evicted" && i.state !== "killed") ?? null;
}

const cell = 10;

function pageMap(m: { pages: Uint8Array; fresh: Set<number> }): HTMLElement[] {
  let last = m.pages.length;
  while (last > 0 && m.pages[last - 1] === 0) last--;
  const columns = last > 2048 ? 128 : 64;
  let shared = "";
  let own = "";
  let fresh = "";
  let blank = "";
  let nShared = 0;
  let nOwn = 0;
  for (let i = 0; i < last; i++) {
    const x = (i % columns) * cell;
    const y = Math.floor(i / columns) * cell;
    if (m.pages[i] === 0) blank += `M${x + 1.5} ${y + 1.5}h7v7h-7z`;
    if (m.pages[i] === 1) { shared += `M${x + 1} ${y + 1}h8v8h-8z`; nShared++; }
    if (m.pages[i] === 2) { own += `M${x + 4} ${y + 1}h2a3 3 0 0 1 3 3v2a3 3 0 0 1-3 3h-2a3 3 0 0 1-3-3v-2a3 3 0 0 1 3-3z`; nOwn++; }
    if (m.fresh.has(i)) fresh += `M${x + 0.5} ${y + 0.5}h9v9h-9z`;
  }
  const untouched = m.pages.length - nShared - nOwn;
  const words = `Page map: ${m.pages.length} pages of 4 kB. ${nShared} are shared with the snapshot, ${nOwn} are private, ` +
    `${m.fresh.size} of those were written by the last request, ${untouched} were never touched.`;
  const swatch = (kind: string, round: boolean) => svg("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" },
    svg("rect", { class: kind, x: 1, y: 1, width: 12, height: 12, ...(round ? { rx: 4 } : {}) }));
  const map = svg("svg", {
    class: "pagemap", viewBox: `0 0 ${columns * cell} ${Math.ceil(last / columns) * cell}`, role: "img", "aria-label": words,
  }, svg("path", { class: "c-void", d: blank }), svg("path", { class: "pm-shared", d: shared }), svg("path", { class: "pm-private", d: own }), svg("path", { class: "pm-new", d: fresh }));
  return [map as unknown as HTMLElement, el("ul", { class: "legend" },
    el("li", null, swatch("pm-shared", false), `shared with the snapshot, ${nShared.toLocaleString("en")}`),
    el("li", null, swatch("pm-private", true), `private, ${nOwn.toLocaleString("en")}`),
    el("li", null, swatch("pm-new", false), `written by the last request, ${m.fresh.size.toLocaleString("en")}`),
    el("li", null, swatch("c-void", false), `never touched, ${untouched.toLocaleString("en")}`))];
}

function meter(part: number): SVGElement {
  return svg("svg", { class: "meter", "aria-hidden": "true" },
    svg("rect", { class: "meter_track", width: "100%", height: 6 }),
    svg("rect", { class: "meter_fill", width: percent(part), height: 6 }));
}

function fact(name: string, value: string, of: string, part?: number): HTMLElement {
  return el("div", null, el("dt", null, name), el("dd", null, `${value} `, el("small", null, of), part !== undefined && meter(part)));
}

function life(i: IsolateState, run: Run | null, heard: number | undefined, idleAfter: number): HTMLElement {
  const order = ["cold", "warm", "idle", "evicted"];
  const state = i.state === "killed" ? "evicted" : i.state;
  const at = order.indexOf(state);
  const since = heard === undefined ? 0 : (performance.now() - heard) * 1000;
  const start = run && temperature(run) === "cold" ? wall(run) : 0;
  const note: Record<string, string> = {
    cold: start ? duration(start) : "",
    warm: at === 1 ? duration((i.age_us ?? 0) + since) : "",
    idle: at === 2 && !i.kept && idleAfter > since ? `evicted in ${duration(idleAfter - since)}` : i.kept && at === 2 ? "kept" : "",
    evicted: i.why ?? "",
  };
  return el("ol", { class: "life", "aria-label": `Life of isolate ${i.id}` }, ...order.map((s, n) =>
    el("li", {
      class: [n <= at && (s === "cold" ? "life-cold" : s === "warm" ? "life-warm" : ""), n < at && "life-past"].filter(Boolean).join(" "),
      ...(n === at ? { "aria-current": "step" } : {}),
    }, s === "evicted" && i.state === "killed" ? "killed" : s, note[s] && el("br"), note[s] && el("span", { class: "num" }, note[s]))));
}

/** Draws the panel. */
export function drawIsolate(panel: HTMLElement, runs: Runs, known: Isolates, limits: Limits): void {
  const i = current(runs);
  const name = $(".panel_name", panel);
  if (!i) {
    if (runs.last) {
      set(panel, name, el("div", { class: "empty" }, el("b", { class: "empty_name" }, "No isolate is alive"),
        el("p", null, "Press Run. The next request starts one from the snapshot.")));
    }
    return;
  }
  const run = runs.last?.summary?.isolate === i.id ? runs.last : null;
  const gone = i.state === "evicted" || i.state === "killed";
  const live = runs.isolates.filter((x) => x.state !== "evicted" && x.state !== "killed").length;
  const map = known.maps.get(i.id);
  const cpu = run?.summary?.cpu_us ?? 0;
  const memory = i.private_bytes ?? run?.summary?.memory_bytes ?? 0;
  const limit = i.limit_bytes ?? limits.memory_bytes;
  const focused = panel.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.do : undefined;
  set(panel, name,
    el("div", { class: "panel_split" },
      el("div", null,
        el("div", { class: "panel_head" }, el("h3", { class: "panel_title" }, "Memory, page by page"),
          el("div", null,
            button("evict", "Evict", gone ? { "aria-disabled": "true" } : {}, "evict"), " ",
            button("keep", i.kept ? "Kept warm" : "Keep warm", { "aria-pressed": String(!!i.kept) }, "pin"))),
        ...(map ? pageMap(map) : [el("p", { class: "panel_say" }, gone ? "This isolate is gone, and its pages with it." : "The page map comes after a run.")])),
      el("div", null,
        life(i, run, known.heard.get(i.id), limits.idle_us),
        el("dl", { class: "facts" },
          fact("Isolate", i.id, [i.engine, live > 1 ? `one of ${live} alive` : ""].filter(Boolean).join(", ")),
          fact("Served", String(i.requests ?? 0), i.requests === 1 ? "request" : "requests"),
          fact("CPU, last run", duration(cpu), `of ${roundly(limits.cpu_us)}`, cpu / limits.cpu_us),
          fact("Private memory", size(memory), `of ${size(limit)}`, memory / limit),
          run && phaseTime(run, "start") !== null && fact("Start", duration(phaseTime(run, "start") ?? 0), "from the snapshot")))));
  if (focused) $(`[data-do=${focused}]`, panel)?.focus();
}
