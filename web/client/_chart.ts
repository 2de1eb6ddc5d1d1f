// Scales and marks for charts: x in percent, y in pixels, so that text never
// scales and no style attribute is needed.

import { svg } from "./_dom.ts";

/** A round step that divides a span into about n parts. */
export function step(span: number, n: number): number {
  const raw = span / n || 1;
  const ten = 10 ** Math.floor(Math.log10(raw));
  const f = raw / ten;
  return (f > 5 ? 10 : f > 2 ? 5 : f > 1 ? 2 : 1) * ten;
}

export const percent = (part: number): string => `${Math.round(Math.min(1, Math.max(0, part)) * 1e4) / 100}%`;

/** A vertical hairline at a share of the width. */
export const line = (x: number, kind = "c-hair", y1: number | string = 0, y2: number | string = "100%"): SVGElement =>
  svg("line", { class: kind, x1: percent(x), x2: percent(x), y1, y2 });

/** A run's mark: an outlined diamond for cold, a filled circle for warm, a dashed diamond for before. */
export function mark(kind: "cold" | "warm" | "ghost", x: number, y: number): SVGElement {
  return kind === "warm"
    ? svg("circle", { class: "c-warm", cx: percent(x), cy: y, r: 2.9 })
    : svg("svg", { x: percent(x), y, overflow: "visible" },
      svg("path", { d: "M0-4.2 4.2 0 0 4.2-4.2 0z", class: kind === "cold" ? "c-cold" : "c-ghost" }));
}
