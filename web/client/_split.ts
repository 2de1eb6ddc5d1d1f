// Panels that can be resized by mouse and keyboard, and are remembered.

import { $, el, keep, recall } from "./_dom.ts";

interface Split { key: string; label: string; vertical: boolean; begin: number; least: number; most: number; apply: (share: number) => void }

function handle(s: Split, box: HTMLElement): HTMLElement {
  let share = s.begin;
  const bar = el("div", {
    class: s.vertical ? "split split-vertical" : "split", role: "separator", tabindex: "0", "aria-label": s.label,
    "aria-orientation": s.vertical ? "vertical" : "horizontal", "aria-valuemin": s.least, "aria-valuemax": s.most,
  });
  const move = (to: number, remember = true) => {
    share = Math.round(Math.min(s.most, Math.max(s.least, to)) * 10) / 10;
    bar.setAttribute("aria-valuenow", String(Math.round(share)));
    s.apply(share);
    if (remember) keep(s.key, share);
  };
  const kept = recall<number | null>(s.key, null);
  if (kept !== null) move(kept, false);
  else bar.setAttribute("aria-valuenow", String(Math.round(share))); // the style sheet's own
  bar.addEventListener("keydown", (e) => {
    const step = { [s.vertical ? "ArrowLeft" : "ArrowUp"]: -2, [s.vertical ? "ArrowRight" : "ArrowDown"]: 2 }[e.key];
    const to = step !== undefined ? share + step : { Home: s.least, End: s.most, Enter: s.begin }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    move(to);
  });
  bar.addEventListener("dblclick", () => move(s.begin));
  bar.addEventListener("pointerdown", (e) => {
    bar.setPointerCapture(e.pointerId);
    const drag = (m: PointerEvent) => {
      const r = box.getBoundingClientRect();
      move(s.vertical ? ((m.clientX - r.left) / r.width) * 100 : ((m.clientY - r.top) / r.height) * 100);
    };
    bar.addEventListener("pointermove", drag);
    bar.addEventListener("lostpointercapture", () => bar.removeEventListener("pointermove", drag), { once: true });
  });
  return bar;
}

/** Puts the two handles into the lesson page. */
export function splits(): void {
  const layout = $(".layout");
  const bench = $(".bench");
  if (!layout || !bench) return;
  const wide = matchMedia("(min-width: 52.01rem)");
  let across = 0; // shares in percent once they were moved
  let down = 0;
  const apply = () => {
    layout.style.gridTemplateColumns = wide.matches && across ? `minmax(18rem, ${across}fr) minmax(24rem, ${100 - across}fr)` : "";
    bench.style.gridTemplateRows = wide.matches && down ? `minmax(8rem, ${down}fr) minmax(9rem, ${100 - down}fr)` : "";
  };
  const begin = wide.matches ? Math.round(1000 * (1 - bench.clientWidth / layout.clientWidth)) / 10 : 39;
  bench.prepend(handle({
    key: "split:across", label: "Width of the lesson", vertical: true, begin, least: 25, most: 65,
    apply: (n) => { across = n; apply(); },
  }, layout));
  $(".result")?.prepend(handle({
    key: "split:down", label: "Height of the code", vertical: false, begin: 59, least: 25, most: 80,
    apply: (n) => { down = n; apply(); },
  }, bench));
  wide.addEventListener("change", apply);
}
