// The timeline panel: phases as a waterfall beside an earlier run, clouds of
// dots after ×20, and the last runs on one scale. All of it sits on tables.

import { $, el, put, set, sr, svg, type Child } from "./_dom.ts";
import { line, mark, percent, step } from "./_chart.ts";
import { count, duration, percentile, roundly } from "./_format.ts";
import { phases, type Call } from "./protocol.ts";
import { phaseTime, requestLine, temperature, wall, type Ask, type Run, type Runs } from "./_runs.ts";
import { temp } from "./_values.ts";

const sameRequest = (a: Run, b: Run): boolean => requestLine(a.request) === requestLine(b.request);

/** The run to compare with: the newest of the other temperature for the same request, else the newest before. One that met no isolate, as after a build error, has nothing to compare. */
function before(runs: Runs, run: Run): Run | null {
  const older = runs.list.filter((r) => r.n < run.n && r.over && r.summary && wall(r) > 0 && temperature(r)).reverse();
  const t = temperature(run);
  return older.find((r) => sameRequest(r, run) && temperature(r) !== t) ?? older.find((r) => sameRequest(r, run)) ?? older[0] ?? null;
}

// A row's bars lie around its middle: a run alone on it, the first of two over it, the second under it.
function bar(from: number, to: number, scale: number, warm: boolean, middle: number): SVGElement {
  const x = percent(from / scale);
  const width = percent(Math.max((to - from) / scale, 0.0035));
  return warm
    ? svg("rect", { class: "c-warm", x, y: middle - 4, width, height: 8, rx: 4 })
    : svg("rect", { class: "c-cold", x, y: middle - 5.5, width, height: 11 });
}

function sentence(run: Run, old: Run | null): Child[] {
  const now = wall(run);
  const t = temperature(run);
  if (run.fault && !run.spans.length) return [el("b", null, "Nothing ran. "), "The response panel says why."];
  if (old && temperature(old) === "cold" && t === "warm" && sameRequest(run, old)) {
    const times = wall(old) / Math.max(1, now);
    return [el("b", null, `Same request, ${times.toFixed(times < 10 ? 1 : 0)} times faster. `),
      el("code", null, "start"), " and ", el("code", null, "load"), " are gone: the isolate was already running."];
  }
  if (t === "cold") return [el("b", null, `Cold: ${duration(now)}. `), "Start and load came first. Run again to meet the same isolate."];
  if (t === "warm") return [el("b", null, `Warm: ${duration(now)}. `), "The isolate was already running."];
  return [el("b", null, duration(now))];
}

function waterfall(run: Run, old: Run | null, fresh: boolean): HTMLElement {
  const shown = old ? [old, run] : [run];
  const max = Math.max(1, ...shown.map(wall), ...shown.flatMap((r) => r.spans.map((s) => s.end_us)));
  const gap = step(max, 4);
  const scale = max * 1.04;
  const ticks: number[] = [];
  for (let t = 0; t <= max; t += gap) ticks.push(t);
  const grid = () => ticks.map((t) => line(t / scale));
  const spansOf = (r: Run) => r.summary?.spans ?? r.spans;
  const rows: HTMLElement[] = [];
  const calls = run.summary?.calls ?? run.calls;
  for (const phase of phases) {
    if (!shown.some((r) => phaseTime(r, phase) !== null)) continue;
    const chart = svg("svg", { "aria-hidden": "true" }, ...grid());
    shown.forEach((r, i) => {
      for (const s of spansOf(r)) {
        if (s.phase === phase) put(chart, bar(s.start_us, s.end_us, scale, temperature(r) === "warm", shown.length === 1 ? 15 : i === 0 ? 9 : 21));
      }
    });
    rows.push(el("tr", null, el("th", { scope: "row" }, phase), el("td", null, chart), ...shown.map((r) => {
      const t = phaseTime(r, phase);
      return t === null
        ? el("td", { class: "gone" }, el("span", { "aria-hidden": "true" }, "–"), sr("skipped"))
        : el("td", null, duration(t));
    })));
    if (phase === "handle") rows.push(...calls.slice(0, mostCalls).map((c) => callRow(c, scale, grid(), shown.length)));
  }
  const head = svg("svg", { "aria-hidden": "true" }, ...ticks.map((t, i) =>
    svg("text", { class: "c-text", x: percent(t / scale), y: 17, ...(i ? { "text-anchor": "middle" } : {}) }, roundly(t))));
  return el("table", { class: fresh ? "waterfall is-fresh" : "waterfall" },
    el("caption", { class: "sr" }, shown.map((r) => `Run ${r.n}, ${temperature(r) ?? "temperature unknown"}`).join(", and ") + ", phase by phase"),
    el("thead", null, el("tr", null, el("th", { scope: "col" }, sr("Phase")),
      el("th", { scope: "col" }, head, sr("Drawn to scale")),
      ...shown.map((r) => el("th", { scope: "col" }, temp(temperature(r), `run ${r.n}`))))),
    el("tbody", null, ...rows),
    el("tfoot", null, el("tr", null, el("th", { scope: "row" }, "total"), el("td"),
      ...shown.map((r) => el("td", null, duration(wall(r)))))));
}

// A call's bar has its name beside it, on the side with more room, and as much of it as fits.
function callRow(c: Call, scale: number, grid: SVGElement[], columns: number): HTMLElement {
  const from = c.start_us / scale;
  const to = Math.max(c.end_us / scale, from + 0.004);
  const note = c.error ?? (c.status ? String(c.status) : "");
  const right = to < 0.5;
  const chart = svg("svg", { "aria-hidden": "true" }, ...grid,
    svg("rect", { class: "c-call", x: percent(from), y: 12, width: percent(to - from), height: 6 }),
    svg("foreignObject", { x: percent(right ? to : 0), width: percent(right ? 1 - to : from), height: 30 },
      el("div", { class: right ? "waterfall_name" : "waterfall_name waterfall_name-before" }, `${c.name}${note ? ` ${note}` : ""}`)));
  return el("tr", { class: "waterfall_call" },
    el("th", { scope: "row", title: c.worker ? `${c.name}, answered by ${c.worker}` : c.name },
      el("span", { "aria-hidden": "true" }, c.kind), sr(`${c.kind} call inside handle: ${c.name} ${note}`)),
    el("td", null, chart), columns > 1 && el("td"), el("td", null, duration(c.end_us - c.start_us)));
}

const mostCalls = 20;

interface Cloud { name: string; kind: "cold" | "warm" | "ghost"; words: string; values: number[] }

/** The newest cloud of each temperature for the newest repeated request, with the one before it. */
function clouds(runs: Runs, request: string): Cloud[] {
  const done = [...runs.asks.values()].filter((a) => a.times > 1 && requestLine(a.request) === request && a.runs.some((r) => r.summary));
  const out: Cloud[] = [];
  for (const cold of [true, false]) {
    const [now, old] = done.filter((a) => a.cold === cold).reverse();
    const words = cold ? "cold" : "warm";
    const values = (a: Ask) => a.runs.filter((r) => r.summary && !r.fault && (temperature(r) === "cold") === cold).map(wall);
    if (old) out.push({ name: "before", kind: cold ? "ghost" : "warm", words, values: values(old) });
    if (now) out.push({ name: old ? "now" : "", kind: words, words, values: values(now) });
  }
  return out.filter((c) => c.values.length > 0);
}

const label = (c: Cloud): string => (c.name ? `${c.name}, ${c.words}` : c.words);

function cloudChart(list: Cloud[], title: string): Child[] {
  const all = list.flatMap((c) => c.values);
  const low = Math.log10(Math.max(1, Math.min(...all))) - 0.15;
  const high = Math.log10(Math.max(...all, 2)) + 0.15;
  const x = (v: number) => 0.02 + 0.96 * ((Math.log10(Math.max(1, v)) - low) / Math.max(0.1, high - low));
  const height = list.length * 50 + 24;
  const median = (c: Cloud) => percentile([...c.values].sort((a, b) => a - b), 0.5);
  const say = `Dot clouds on a logarithmic axis: ${list.map((c) => `${label(c)} around ${duration(median(c))}, ${count(c.values.length, "run")}`).join("; ")}.`;
  const chart = svg("svg", { class: "chart", height, role: "img", "aria-label": say });
  for (let e = Math.ceil(low); e <= high; e++) {
    put(chart, line(x(10 ** e), "c-hair", 0, height - 22),
      svg("text", { class: "c-text", x: percent(x(10 ** e)), y: height - 6, "text-anchor": "middle" }, roundly(10 ** e)));
  }
  list.forEach((c, row) => {
    const y = row * 50;
    put(chart, svg("text", { class: `c-text-${c.words}`, x: 0, y: y + 12 }, `${label(c)}: ${duration(median(c))}`),
      svg("line", { class: "c-hair", x1: 0, x2: "100%", y1: y + 31, y2: y + 31 }),
      ...c.values.map((v, i) => mark(c.kind, x(v), y + 20.5 + ((i * 14.7) % 21))),
      line(x(median(c)), "c-median", y + 19, y + 43));
  });
  const table = el("table", { class: "ledger" },
    el("thead", null, el("tr", null, el("th", { scope: "col" }, "runs"), ...["n", "p50", "p99"].map((h) => el("th", { scope: "col", class: "n" }, h)))),
    el("tbody", null, ...list.map((c) => {
      const sorted = [...c.values].sort((a, b) => a - b);
      return el("tr", null, el("th", { scope: "row" }, label(c)),
        ...[String(sorted.length), duration(percentile(sorted, 0.5)), duration(percentile(sorted, 0.99))].map((v) => el("td", { class: "n" }, v)));
    })));
  return [el("div", { class: "panel_head" }, el("h3", { class: "panel_title" }, title)), chart,
    el("details", { class: "numbers" }, el("summary", null, "Numbers as a table"), table)];
}

function lanes(runs: Run[]): HTMLElement {
  const max = Math.max(1, ...runs.map(wall));
  return el("ol", { class: "lanes", "aria-label": "Earlier runs on one scale" }, ...runs.map((r) => {
    const t = temperature(r);
    const width = percent(Math.max(0.006, wall(r) / max));
    return el("li", null, el("span", { class: "lanes_n" }, `#${r.n}`), el("span", null, requestLine(r.request)),
      svg("svg", { "aria-hidden": "true" }, t === "warm"
        ? svg("rect", { class: "c-warm", x: 0, y: 1.5, width, height: 7, rx: 3.5 })
        : svg("rect", { class: "c-cold", x: 0, y: 1.5, width, height: 9 })),
      temp(t, duration(wall(r))));
  }));
}

let drawn: Run | null = null;

/** Draws the panel for the newest run. */
export function drawTimeline(panel: HTMLElement, runs: Runs): void {
  const run = runs.last;
  if (!run) return;
  const open = !!$("details.numbers[open]", panel);
  const old = before(runs, run);
  const fresh = run.over && drawn !== run;
  if (run.over) drawn = run;
  const batch = [...runs.asks.values()].filter((a) => a.times > 1).at(-1);
  const dots = batch ? clouds(runs, requestLine(batch.request)) : [];
  const scroll = panel.scrollTop;
  set(panel, $(".panel_name", panel),
    el("div", { class: dots.length ? "panel_split" : "" },
      el("div", null,
        el("div", { class: "panel_head" }, el("p", { class: "panel_say" }, ...(run.over ? sentence(run, old) : ["Running"]))),
        waterfall(run, old, fresh)),
      dots.length > 0 && el("div", null, ...cloudChart(dots, batch ? `${requestLine(batch.request)}, up to ${batch.times} runs each` : "Repeated runs"))),
    runs.list.length > 1 && el("div", { class: "panel_more" },
      el("h3", { class: "panel_title" }, "Earlier runs, one scale"),
      lanes(runs.list.filter((r) => r.over).slice(-12).reverse())));
  const numbers = $<HTMLDetailsElement>("details.numbers", panel);
  if (numbers) numbers.open = open;
  panel.scrollTop = scroll;
}
