// Charts that can be read point by point. A chart is an svg with the attribute
// data-chart; each element in it with data-say is a point, and says in words
// what stands there. The arrow keys, Home and End move through the points from
// the left, a pointer finds the nearest one. To a screen reader the chart is a
// slider whose value is what the point says.

import { $$, el } from "./_dom.ts";

const at = new WeakMap<SVGElement, number>(); // the point that is being read
const known = new WeakSet<SVGElement>();

/** Makes the charts below an element readable; called again after each drawing. */
export function readable(from: ParentNode = document): void {
  for (const chart of $$<SVGElement>("svg[data-chart]", from)) {
    const n = chart.querySelectorAll("[data-say]").length;
    if (n === 0) continue;
    chart.setAttribute("tabindex", "0");
    chart.setAttribute("role", "slider");
    chart.setAttribute("aria-roledescription", "chart, arrow keys read its points");
    chart.setAttribute("aria-valuemin", "1");
    chart.setAttribute("aria-valuemax", String(n));
    if (chart === document.activeElement) show(chart, at.get(chart) ?? 0);
    else chart.setAttribute("aria-valuenow", String((at.get(chart) ?? 0) + 1)); // what it says is measured when it is asked for
    if (known.has(chart)) continue;
    known.add(chart);
    chart.addEventListener("focus", () => (chart.matches(":focus-visible") ? show : name)(chart, at.get(chart) ?? 0));
    chart.addEventListener("blur", hide);
    chart.addEventListener("keydown", (e) => key(chart, e));
    chart.addEventListener("pointermove", (e) => { if (e.pointerType === "mouse") point(chart, e.clientX, e.clientY); });
    chart.addEventListener("pointerleave", () => { if (chart !== document.activeElement) hide(); });
  }
}

/** The points with their middles, from the left; those at the same place from the top. */
function points(chart: SVGElement): { says: string; x: number; y: number }[] {
  return $$<SVGGraphicsElement>("[data-say]", chart)
    .map((e) => {
      const box = e.getBoundingClientRect();
      return { says: e.dataset.say ?? "", x: box.x + box.width / 2, y: box.y + box.height / 2 };
    })
    .sort((a, b) => a.x - b.x || a.y - b.y);
}

/** Tells which point it is, and gives it. */
function name(chart: SVGElement, i: number): { says: string; x: number } | undefined {
  const all = points(chart);
  const now = Math.min(Math.max(i, 0), all.length - 1);
  at.set(chart, now);
  chart.setAttribute("aria-valuenow", String(now + 1));
  chart.setAttribute("aria-valuetext", all[now]?.says ?? "");
  return all[now];
}

function key(chart: SVGElement, e: KeyboardEvent): void {
  const i = at.get(chart) ?? 0;
  const last = Number(chart.getAttribute("aria-valuemax")) - 1;
  const far = Math.max(1, Math.round(last / 10));
  const to = ({
    ArrowRight: i + 1, ArrowUp: i + 1, ArrowLeft: i - 1, ArrowDown: i - 1, PageUp: i + far, PageDown: i - far, Home: 0, End: last,
  } as Record<string, number>)[e.key];
  if (e.key === "Escape") hide();
  if (to === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
  e.preventDefault();
  show(chart, to);
}

function point(chart: SVGElement, x: number, y: number): void {
  let best = 0;
  let near = Infinity;
  points(chart).forEach((p, i) => {
    const d = Math.abs(p.x - x) * 4 + Math.abs(p.y - y); // across counts more: the marks of a plot are as high as it is
    if (d < near) [near, best] = [d, i];
  });
  show(chart, best);
}

let cursor: HTMLElement | undefined;
let words: HTMLElement;

/** Puts the cursor on a point, with what it says. */
function show(chart: SVGElement, i: number): void {
  const now = name(chart, i);
  if (!now) return hide();
  if (!cursor) {
    words = el("span", { class: "chart_says" });
    cursor = el("div", { class: "chart_cursor", "aria-hidden": "true" }, words);
    document.body.append(cursor);
  }
  const box = chart.getBoundingClientRect();
  cursor.hidden = false;
  cursor.style.left = `${now.x + scrollX}px`;
  cursor.style.top = `${box.y + scrollY}px`;
  cursor.style.height = `${box.height}px`;
  words.textContent = now.says;
  // What it says stays inside the window.
  words.style.left = "0";
  const wide = words.offsetWidth;
  words.style.left = `${Math.min(Math.max(now.x - wide / 2, 8), document.documentElement.clientWidth - wide - 8) - now.x}px`;
}

function hide(): void {
  if (cursor) cursor.hidden = true;
}
