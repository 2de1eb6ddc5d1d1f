// The log panel: only the rows in sight exist, so 100,000 lines scroll like 30.

import { $, button, el, paint, set } from "./_dom.ts";
import { count, duration } from "./_format.ts";
import { requestLine, temperature, wall, type LogRow, type Runs } from "./_runs.ts";
import { logLine, temp } from "./_values.ts";

const slice = 6; // ms of filtering in one go

export class LogPanel {
  #runs: Runs;
  #panel: HTMLElement;
  #scroller = el("div", { class: "log", role: "log", "aria-label": "Logs", "aria-live": "off", tabindex: "0" });
  #space = el("div", { class: "log_space" });
  #window = el("div", { class: "log_window" });
  #empty = el("p", { class: "log_empty" });
  #filter = el("input", { type: "search", placeholder: "text or level", autocomplete: "off" });
  #follow = button("follow", "Following", { class: "button-quiet", "aria-pressed": "true" });
  #height = 27; // of a row
  #row = Infinity; // characters that a row shows
  #measured = false;
  #view = 0; // height in sight, 0 when the panel is not
  #made = new Map<LogRow, HTMLElement>();
  #open = new Map<LogRow, { element: HTMLElement; extra: number }>();
  #words = "";
  #shown: LogRow[] | null = null; // null: everything
  #read = 0; // rows that went through the filter
  #cleared = 0;
  #following = true;
  #top = 0;
  #sizes: ResizeObserver;

  constructor(panel: HTMLElement, runs: Runs) {
    this.#panel = panel;
    this.#runs = runs;
    panel.classList.add("panel-logs");
    panel.removeAttribute("tabindex");
    this.#space.append(this.#window);
    this.#scroller.append(this.#space);
    set(panel, $(".panel_name", panel),
      el("div", { class: "panel_head" },
        el("label", { class: "field" }, el("span", { class: "eyebrow" }, "Filter"), this.#filter),
        el("div", null, this.#follow, button("clear-logs", "Clear", { class: "button-quiet" }))),
      this.#scroller, this.#empty);
    this.#scroller.addEventListener("scroll", () => {
      // Reaching the end follows; only moving up stops it, because rows also arrive below.
      const s = this.#scroller;
      if (s.scrollTop + s.clientHeight >= s.scrollHeight - 4) this.#followIf(true);
      else if (s.scrollTop < this.#top - 1) this.#followIf(false);
      this.#top = s.scrollTop;
      paint(this.draw);
    }, { passive: true });
    this.#filter.addEventListener("input", () => {
      this.#words = this.#filter.value.trim().toLowerCase();
      this.#restart();
      paint(this.draw);
    });
    this.#follow.addEventListener("click", () => {
      this.#followIf(!this.#following);
      this.#top = 0;
      paint(this.draw);
    });
    this.#sizes = new ResizeObserver((entries) => {
      if (entries.some((e) => e.target === this.#scroller)) {
        this.#view = this.#scroller.clientHeight;
        this.#fit();
        this.#measured = false;
        this.#top = -1; // what was hidden may have moved
      }
      paint(this.draw);
    });
    this.#sizes.observe(this.#scroller);
    this.#window.addEventListener("toggle", (e) => this.#toggled(e.target as Element), true);
  }

  #followIf(on: boolean): void {
    if (on === this.#following) return;
    this.#following = on;
    this.#follow.setAttribute("aria-pressed", String(on));
    this.#follow.textContent = on ? "Following" : "Follow";
  }

  #restart(): void {
    this.#shown = this.#words ? [] : null;
    this.#read = 0;
    this.#forgetOpen();
    this.#made.clear();
    this.#window.replaceChildren();
  }

  #forgetOpen(): void {
    for (const o of this.#open.values()) this.#sizes.unobserve(o.element);
    this.#open.clear();
  }

  // How many characters a row shows, from the width and what stands beside the text.
  #fit(): void {
    const width = this.#scroller.clientWidth;
    const row = Math.max(20, Math.floor((width - (matchMedia("(max-width: 52rem)").matches ? 16 : 290)) / 7.8));
    if (!width || row === this.#row) return;
    this.#row = row;
    this.#made.clear();
    this.#window.replaceChildren();
  }

  // Once after each change of size: asking for a height lays the page out.
  #measure(): void {
    if (this.#measured) return;
    const row = [...this.#made].find(([r]) => r.log && !this.#open.has(r))?.[1];
    const h = row?.offsetHeight;
    if (!h) return;
    this.#measured = true;
    if (h === this.#height) return;
    this.#height = h;
    paint(this.draw);
  }

  // A row with an open tree keeps its element and its height until it is closed.
  #toggled(target: Element): void {
    const element = target.closest<HTMLElement>(".log_window > *");
    const row = element && [...this.#made].find(([, e]) => e === element)?.[0];
    if (!row || !element) return;
    if (element.querySelector("details[open]")) {
      if (!this.#open.has(row)) {
        this.#open.set(row, { element, extra: 0 });
        this.#sizes.observe(element);
      }
    } else {
      this.#open.delete(row);
      this.#sizes.unobserve(element);
    }
    this.#followIf(false);
    paint(this.draw);
  }

  #matches(row: LogRow): boolean {
    return !!row.log && (row.log.level === this.#words || row.log.text.toLowerCase().includes(this.#words));
  }

  // Takes what is new through the filter, a slice at a time.
  #catchUp(): LogRow[] {
    const rows = this.#runs.rows;
    if (this.#cleared !== this.#runs.cleared) {
      this.#cleared = this.#runs.cleared;
      this.#restart();
    }
    if (!this.#shown) return rows;
    const until = performance.now() + slice;
    while (this.#read < rows.length) {
      const row = rows[this.#read++];
      if (row && this.#matches(row)) this.#shown.push(row);
      if (this.#read % 512 === 0 && performance.now() > until) {
        paint(this.draw);
        break;
      }
    }
    return this.#shown;
  }

  draw = (): void => {
    if (this.#panel.hidden) return;
    this.#view ||= this.#scroller.clientHeight;
    if (!this.#view) return;
    const rows = this.#catchUp();
    const h = this.#height;
    const extras: [number, number][] = [];
    for (const [row, o] of this.#open) {
      o.extra = Math.max(0, o.element.offsetHeight - h) || o.extra;
      const i = rows.indexOf(row);
      if (i >= 0) extras.push([i, o.extra]);
    }
    extras.sort((a, b) => a[0] - b[0]);
    const top = (i: number) => extras.reduce((y, [at, extra]) => (at < i ? y + extra : y), i * h);
    const s = this.#scroller;
    const view = this.#view;
    const total = top(rows.length);
    const end = Math.max(0, total - view);
    const from = this.#following ? end : s.scrollTop;
    let first = Math.max(0, Math.floor(from / h) - 4);
    for (const [at, extra] of extras) if (at < first) first = Math.max(at, first - Math.ceil(extra / h));
    const last = Math.min(rows.length, first + Math.ceil(view / h) + 8);
    this.#window.style.transform = `translateY(${top(first)}px)`;
    this.#space.style.height = `${total}px`;
    this.#place(rows, first, last);
    if (this.#following && this.#top !== end) s.scrollTop = this.#top = end; // last, because it lays the rows out
    this.#measure();
    this.#empty.hidden = rows.length > 0;
    if (!rows.length) {
      if (this.#words) set(this.#empty, `No line holds “${this.#words}”.`);
      else set(this.#empty, "Nothing logged. Write ", el("code", null, "console.log(request.url)"), " and run again.");
    }
  };

  #place(rows: readonly LogRow[], first: number, last: number): void {
    const next = new Map<LogRow, HTMLElement>();
    let cursor = this.#window.firstChild;
    for (let i = first; i < last; i++) {
      const row = rows[i];
      if (!row) continue;
      let e = this.#open.get(row)?.element ?? this.#made.get(row);
      // The head of a run changes until the run is over.
      if (!e || (!row.log && e.dataset.over !== String(row.run.over) + row.run.logs)) e = this.#make(row);
      next.set(row, e);
    }
    for (const [row, e] of this.#made) if (next.get(row) !== e && e.parentNode) {
      if (e === cursor) cursor = e.nextSibling;
      e.remove();
    }
    for (const e of next.values()) {
      if (e === cursor) cursor = e.nextSibling;
      else this.#window.insertBefore(e, cursor);
    }
    this.#made = next;
  }

  #make(row: LogRow): HTMLElement {
    if (row.log) return logLine(row.log, row.at, this.#row);
    const r = row.run;
    const t = temperature(r), own = /^w-(\w+)\./.exec(r.id)?.[1]; // the platform's own event
    return el("p", { class: "log_request", "data-over": String(r.over) + r.logs },
      el("span", null, r.n ? `run ${r.n}` : own ?? "visit"), el("span", null, own ? "from the platform" : requestLine(r.request)),
      r.over && temp(t, `${duration(wall(r))}${t ? ` ${t}` : ""}`),
      r.summary?.status && el("span", null, r.summary.status),
      r.over && !r.logs && !r.errors && el("span", { class: "c" }, "nothing logged"),
      r.summary?.logs_dropped && el("span", null, `${count(r.summary.logs_dropped, "line")} over the limit left out`));
  }
}
