// Line differences, and how the solution is shown beside the learner's files.

import { el } from "./_dom.ts";
import { count } from "./_format.ts";
import type { Files } from "./_save.ts";

export interface DiffLine { op: " " | "+" | "-"; n: number; text: string }

/** The shortest edit from a to b by lines (Myers), with line numbers of the side each line is in. */
export function diffLines(a: string[], b: string[]): DiffLine[] {
  const max = a.length + b.length;
  const trace: Int32Array[] = [];
  let v = new Int32Array(2 * max + 2);
  search: for (let d = 0; d <= max; d++) {
    trace.push(v.slice());
    for (let k = -d; k <= d; k += 2) {
      const at = k + max;
      let x = k === -d || (k !== d && (v[at - 1] ?? 0) < (v[at + 1] ?? 0)) ? (v[at + 1] ?? 0) : (v[at - 1] ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      v[at] = x;
      if (x >= a.length && x - k >= b.length) break search;
    }
    v = v.slice();
  }
  const out: DiffLine[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0 && (x > 0 || y > 0); d--) {
    const w = trace[d] as Int32Array;
    const k = x - y;
    const down = k === -d || (k !== d && (w[k - 1 + max] ?? 0) < (w[k + 1 + max] ?? 0));
    const from = down ? k + 1 : k - 1;
    const px = d === 0 ? 0 : (w[from + max] ?? 0);
    const py = d === 0 ? 0 : px - from;
    while (x > px && y > py && x > 0 && y > 0 && a[x - 1] === b[y - 1]) {
      out.push({ op: " ", n: y, text: a[x - 1] ?? "" });
      x--; y--;
    }
    if (d === 0) break;
    if (down) { out.push({ op: "+", n: y, text: b[y - 1] ?? "" }); y--; }
    else { out.push({ op: "-", n: x, text: a[x - 1] ?? "" }); x--; }
  }
  return out.reverse();
}

const lines = (text: string): string[] => text.replace(/\n$/, "").split("\n");

/** The files that differ, as views of their lines. */
export function diffViews(from: Readonly<Files>, to: Files): HTMLElement[] {
  const changed = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((p) => from[p] !== to[p]).sort();
  return changed.map((path) => {
    const a = from[path];
    const b = to[path];
    const all = diffLines(a === undefined ? [] : lines(a), b === undefined ? [] : lines(b));
    const removed = all.filter((l) => l.op === "-").length;
    const added = all.filter((l) => l.op === "+").length;
    const kind = { "+": "ln ln-add", "-": "ln ln-del", " ": "ln" };
    return el("section", { class: "diff_file" },
      el("h3", { class: "diff_name" }, path, el("span", null, a === undefined ? " new file" : b === undefined ? " deleted" : "")),
      el("pre", {
        class: "editor", tabindex: "0", role: "group",
        "aria-label": `${path}: ${count(removed, "line")} removed, ${added} added`,
      }, el("code", null, ...all.map((l) => el("span", { class: kind[l.op], "data-n": l.n }, l.text)))));
  });
}
