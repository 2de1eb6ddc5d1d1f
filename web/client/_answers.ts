// Questions that are answered by moving something: a list put in order by drag
// or keys, a point on an axis. Without this they are selects and a field, and
// those stay what the form sends.

import { percent, step } from "./_chart.ts";
import { $, $$, button, el, say, svg } from "./_dom.ts";

/** Gives the page's questions their handles; those that have them already keep them. */
export function movable(): void {
  for (const form of $$<HTMLFormElement>("form[data-kind=order]")) order(form);
  for (const form of $$<HTMLFormElement>("form[data-kind=mark]")) axis(form);
}

/** Rows that move; each takes its select along, so that the form sends them in the order seen. */
function order(form: HTMLFormElement): void {
  const list = $("ol.choices", form);
  const rows = () => $$<HTMLLIElement>("li", list ?? form);
  const selects = $$<HTMLSelectElement>("select", form);
  if (!list || list.classList.contains("choices-order") || !selects[0]) return;
  list.classList.add("choices-order");
  const offered = [...selects[0].options].map((o) => o.value).filter((v) => v !== "");
  const chosen = selects.map((s) => s.value);
  const whole = offered.every((v) => chosen.includes(v));
  selects.forEach((select, i) => {
    if (!whole) select.value = offered[i] ?? "";
    const row = select.closest("li");
    const name = select.selectedOptions[0]?.textContent ?? "";
    const label = $("label", row ?? form);
    select.hidden = true;
    if (label) label.hidden = true;
    const grip = el("span", { class: "choice_grip", "aria-hidden": "true" }, "⠿");
    const keys = el("span", { class: "pair" },
      button("up", "↑", { class: "button-quiet", "aria-label": `Move up: ${name}` }),
      button("down", "↓", { class: "button-quiet", "aria-label": `Move down: ${name}` }));
    row?.prepend(grip, el("span", { class: "choice_place" }), el("span", { class: "choice_text" }, name), keys);
  });
  const number = () => rows().forEach((row, i) => { $(".choice_place", row)!.textContent = `${i + 1}.`; });
  /** Puts a row at a place; what was said of the old order no longer holds. */
  const move = (row: HTMLElement, to: number) => {
    const all = rows();
    const from = all.indexOf(row as HTMLLIElement);
    if (to < 0 || to >= all.length || to === from) return false;
    all[to]?.[to > from ? "after" : "before"](row);
    $$(".choice_result", form).forEach((r) => r.replaceChildren());
    number();
    return true;
  };
  const tell = (row: HTMLElement) => say(`${$(".choice_text", row)?.textContent}: place ${rows().indexOf(row as HTMLLIElement) + 1} of ${rows().length}.`);
  const nudge = (pressed: HTMLElement, by: number) => {
    const row = pressed.closest("li");
    if (!row || !move(row, rows().indexOf(row) + by)) return;
    pressed.focus();
    tell(row);
  };
  list.addEventListener("click", (e) => {
    const pressed = (e.target as Element).closest<HTMLElement>("[data-do=up], [data-do=down]");
    if (pressed) nudge(pressed, pressed.dataset.do === "up" ? -1 : 1);
  });
  list.addEventListener("keydown", (e) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[e.key];
    const pressed = (e.target as Element).closest<HTMLElement>("[data-do]");
    if (!by || !pressed) return;
    e.preventDefault();
    nudge(pressed, by);
  });
  list.addEventListener("pointerdown", (e) => {
    const on = e.target as Element;
    const row = on.closest("li");
    // A finger elsewhere than on the grip scrolls the page.
    if (!row || e.button !== 0 || on.closest("button") || (e.pointerType !== "mouse" && !on.closest(".choice_grip"))) return;
    e.preventDefault();
    row.classList.add("choice-held");
    const follow = (at: PointerEvent) => {
      const to = rows().findIndex((r) => at.clientY < r.getBoundingClientRect().bottom);
      const over = rows()[to < 0 ? rows().length - 1 : to]?.getBoundingClientRect();
      const from = rows().indexOf(row);
      const goal = to < 0 ? rows().length - 1 : to;
      // Past the other row's middle, so that rows of unlike height do not change places back and forth.
      if (over && (goal > from ? at.clientY > over.top + over.height / 2 : at.clientY < over.top + over.height / 2)) move(row, goal);
    };
    const drop = () => {
      row.classList.remove("choice-held");
      for (const [kind, f] of [["pointermove", follow], ["pointerup", drop], ["pointercancel", drop]] as const) removeEventListener(kind, f as EventListener);
      tell(row);
    };
    for (const [kind, f] of [["pointermove", follow], ["pointerup", drop], ["pointercancel", drop]] as const) addEventListener(kind, f as EventListener);
  });
  number();
}

/** An axis with a handle above the field; each follows the other. */
function axis(form: HTMLFormElement): void {
  const field = $<HTMLInputElement>("input[name=answer][data-min]", form);
  if (!field || $(".axis", form)) return;
  const [from, to, log] = [Number(field.dataset.min), Number(field.dataset.max), field.dataset.log !== undefined];
  const share = (v: number) => (log ? Math.log(v / from) / Math.log(to / from) : (v - from) / (to - from));
  const value = (p: number) => (log ? from * (to / from) ** p : from + (to - from) * p);
  const short = (v: number) => v.toLocaleString("en", { notation: "compact" });
  const ticks: number[] = [];
  if (log) for (let v = 10 ** Math.ceil(Math.log10(from)); v <= to * 1.0001; v *= 10) ticks.push(v);
  else for (let v = Math.ceil(from / step(to - from, 5)) * step(to - from, 5); v <= to; v += step(to - from, 5)) ticks.push(v);
  const label = $("label", field.parentElement ?? form)?.textContent ?? "Your figure";
  const handle = el("input", { type: "range", class: "axis_handle", min: 0, max: 1000, "aria-label": `${label}, on an axis` });
  handle.value = "500";
  const read = () => Number(field.value.replace(/[,_\s]/g, ""));
  const show = () => {
    const v = read();
    const set = field.value.trim() !== "" && v >= from && v <= to;
    handle.classList.toggle("axis_handle-unset", !set);
    if (set) handle.value = String(Math.round(share(v) * 1000));
    handle.setAttribute("aria-valuetext", set ? v.toLocaleString("en") : "not marked yet");
  };
  handle.addEventListener("input", () => {
    const v = Math.min(to, Math.max(from, Number(value(Number(handle.value) / 1000).toPrecision(2))));
    field.value = v.toLocaleString("en");
    handle.classList.remove("axis_handle-unset");
    handle.setAttribute("aria-valuetext", field.value);
  });
  field.addEventListener("input", show);
  const want = Number(field.dataset.want ?? Number.NaN);
  const at = (v: number, kind: string, text: string, y: number) => [
    svg("line", { class: kind, x1: percent(share(v)), x2: percent(share(v)), y1: 0, y2: 6 }),
    svg("text", { class: "axis_text", x: percent(share(v)), y, "text-anchor": share(v) < 0.04 ? "start" : share(v) > 0.96 ? "end" : "middle" }, text),
  ];
  const picture = svg("svg", { class: "axis_ticks", "aria-hidden": "true" }, ...ticks.flatMap((v) => at(v, "c-hair", short(v), 18)),
    ...(want >= from && want <= to ? at(want, "axis_want", `▲ ${short(want)}`, 34) : []));
  field.parentElement?.prepend(el("span", { class: "axis" }, handle, picture));
  show();
}
