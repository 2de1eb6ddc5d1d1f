// Log lines and the trees of the values in them.

import { el, icon, put, sr, type Child } from "./_dom.ts";
import { at, duration } from "./_format.ts";
import type { Frame, Log, Value } from "./protocol.ts";

const quoted = (s: string): string => JSON.stringify(s);
const isTree = (v: Value): boolean => !!v.e?.length || !!v.more;

/** A value on one line, at most about max characters. */
export function preview(v: Value, max = 72, depth = 0): string {
  if (v.t === "string") return depth ? quoted(v.s ?? "") : (v.s ?? "");
  if (!v.e) return v.s ?? v.t;
  const list = v.t === "array" || v.t === "set";
  const name = v.s && v.s !== "Object" && v.s !== "Array" ? `${v.s} ` : "";
  const parts: string[] = [];
  let left = max - name.length - 4;
  for (const { k, v: inner } of v.e) {
    const text = (list ? "" : `${k}${v.t === "map" ? " => " : ": "}`) + (depth > 1 && isTree(inner) ? "…" : preview(inner, left, depth + 1));
    if (text.length > left) { parts.push("…"); left = -1; break; }
    parts.push(text);
    left -= text.length + 2;
  }
  if (v.more && left >= 0) parts.push(`… ${v.more} more`);
  if (!parts.length) return name + (list ? "[]" : "{}");
  return name + (list ? `[ ${parts.join(", ")} ]` : `{ ${parts.join(", ")} }`);
}

/** A value as text, or as a tree that opens. Branches are made when opened. */
export function tree(v: Value): Node {
  if (!isTree(v)) return document.createTextNode(v.t === "string" ? quoted(v.s ?? "") : preview(v));
  const open = el("details", null, el("summary", null, preview(v)));
  open.addEventListener("toggle", () => {
    if (!open.open || open.children.length > 1) return;
    const dl = el("dl");
    for (const { k, v: inner } of v.e ?? []) put(dl, el("dt", null, k), el("dd", null, tree(inner)));
    if (v.more) put(dl, el("dt", null, "…"), el("dd", null, `${v.more} more`));
    open.append(dl);
  });
  return open;
}

/** A link to a place in the learner's code. */
export function place(f: Frame | undefined, whole = false): HTMLElement | null {
  if (!f?.file || !f.line) return null;
  return el("a", {
    class: "log_at", href: "#code", "data-file": f.file, "data-line": f.line, "data-column": f.column ?? 0,
    title: at(f, true),
  }, at(f, whole));
}

function textOf(log: Log, row: number): Child[] {
  const args = log.args;
  if (args?.some(isTree)) {
    return args.flatMap((a, i) => [i > 0 && " ", a.t === "string" ? (a.s ?? "") : tree(a)]);
  }
  if (log.text.length > 200 || log.text.includes("\n")) {
    const begin = log.text.slice(0, 200);
    // What an object is shown as belongs on one line; of a text, the first is enough.
    const first = args?.some((a) => a.t === "object") ? begin.replace(/\s*\n\s*/g, " ") : begin.split("\n", 1)[0] ?? "";
    return [el("details", { class: "log_long" }, el("summary", null, first), el("div", { class: "log_whole" }, log.text))];
  }
  if (log.text.length > row) return [el("details", { class: "log_wraps" }, el("summary", null, log.text))];
  return [log.text];
}

/**
 * One console call. At is in microseconds since the run began, undefined when
 * unknown. Row is how many characters a row shows that does not wrap: what is
 * longer opens.
 */
export function logLine(log: Log, at?: number, row = Infinity): HTMLElement {
  const level = log.level;
  const mark = level === "error" ? "cross" : level === "warn" ? "warn" : "";
  return el("div", { class: `log_line${level === "error" || level === "warn" ? ` log_line-${level}` : ""}` },
    el("span", { class: "log_time" }, at === undefined ? "" : `+${duration(at)}`),
    el("span", { class: "log_level" }, mark && icon(mark), level),
    el("div", { class: "log_text" }, ...textOf(log, row)),
    place(log.frame) ?? el("span", { class: "log_at" }));
}

/** A temperature with its mark. */
export const temp = (t: string | null, text: string): HTMLElement =>
  el("span", { class: t === "cold" || t === "warm" ? t : "num" }, text);

/** A verdict's round or square mark. */
export function verdict(state: "pass" | "fail" | "none", number?: number): HTMLElement {
  if (state === "none") return el("span", { class: "verdict" }, number ?? "");
  const pass = state === "pass";
  return el("span", { class: `verdict verdict-${state}` }, icon(pass ? "check" : "cross", false), sr(pass ? "passed: " : "not yet: "));
}
