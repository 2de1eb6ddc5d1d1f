// Tab lists, the phone's three panes, the theme, and what else every page does.

import { $, $$ } from "./_dom.ts";

/** Moves among the tabs of a list with arrows, Home and End; one tab stop. */
export function tablist(list: HTMLElement, show: (tab: HTMLElement) => void): (tab: HTMLElement, focus?: boolean) => void {
  const tabs = () => $$("[role=tab]", list);
  const select = (tab: HTMLElement, focus = false) => {
    for (const t of tabs()) {
      t.setAttribute("aria-selected", String(t === tab));
      t.tabIndex = t === tab ? 0 : -1;
    }
    show(tab);
    if (focus) tab.focus();
  };
  list.addEventListener("click", (e) => {
    const tab = (e.target as Element).closest<HTMLElement>("[role=tab]");
    if (tab && list.contains(tab)) select(tab);
  });
  list.addEventListener("keydown", (e) => {
    const all = tabs();
    const i = all.indexOf((e.target as Element).closest("[role=tab]") as HTMLElement);
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1 + all.length, Home: 0, End: all.length - 1 }[e.key];
    if (i < 0 || to === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
    const tab = all[to % all.length];
    if (!tab) return;
    e.preventDefault();
    select(tab, true);
  });
  return select;
}

/** The readouts and their panels. Gives a function that opens one by name. */
export function readouts(shown: (name: string) => void): (name: string) => void {
  const list = $(".readouts");
  if (!list) return () => {};
  const panelOf = (tab: Element) => document.getElementById(tab.getAttribute("aria-controls") ?? "");
  const nameOf = (tab: Element) => tab.id.replace("tab-", "");
  const select = tablist(list, (tab) => {
    for (const t of $$("[role=tab]", list)) {
      const panel = panelOf(t);
      if (panel) panel.hidden = t !== tab;
    }
    shown(nameOf(tab));
  });
  const first = $("[role=tab][aria-selected=true]", list) ?? $("[role=tab]", list);
  if (first) select(first);
  return (name) => {
    const tab = document.getElementById(`tab-${name}`);
    if (tab && tab.getAttribute("aria-selected") !== "true") select(tab);
  };
}

/** Lesson, code and result, one labelled tap apart on a phone. */
export function panes(shown: (pane: string) => void): (pane: string) => void {
  const body = document.body;
  const links = $$(".switch [data-go]");
  const scrolls: Record<string, number> = {};
  const go = (pane: string) => {
    const before = body.dataset.pane ?? "lesson";
    if (before !== pane) scrolls[before] = scrollY;
    body.dataset.pane = pane;
    for (const a of links) {
      if (a.dataset.go === pane) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    }
    if (before !== pane && links[0]?.offsetParent) scrollTo(0, scrolls[pane] ?? 0);
    shown(pane);
  };
  for (const a of links) {
    a.addEventListener("click", (e) => {
      e.preventDefault();
      go(a.dataset.go ?? "lesson");
    });
  }
  return go;
}

/** Light or dark, kept in the cookie that the server reads; the system decides until asked. */
export function theme(): void {
  const root = document.documentElement;
  for (const b of $$("[data-do=theme]")) {
    b.addEventListener("click", () => {
      const dark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    });
  }
}

// A finger has no hover: its first touch of a term opens the card, the second follows the link.
function touches(): void {
  let finger = false;
  document.addEventListener("pointerdown", (e) => { finger = e.pointerType === "touch"; });
  document.addEventListener("click", (e) => {
    const term = (e.target as Element).closest?.(".term");
    for (const open of $$(".term-open")) if (open !== term) open.classList.remove("term-open");
    if (!term || !finger || term.classList.contains("term-open")) return;
    e.preventDefault();
    term.classList.remove("term-shut");
    term.classList.add("term-open");
  });
}

/** What every page does: the theme, / for the search, Escape to shut a term's card. */
export function everywhere(): void {
  theme();
  touches();
  if (document.body.dataset.author !== undefined) void import("./_author.ts").then((m) => m.author());
  const search = () => void import("./_search.ts").then((m) => m.openSearch());
  for (const a of $$("a[data-do=search]")) {
    a.addEventListener("click", (e) => {
      if (e.ctrlKey || e.metaKey || e.shiftKey || location.pathname === "/search") return;
      e.preventDefault();
      search();
    });
  }
  document.addEventListener("keydown", (e) => {
    const typing = (e.target as Element | null)?.closest?.("input, textarea, select, [contenteditable=true], dialog");
    if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
      e.preventDefault();
      const box = $<HTMLInputElement>("#q");
      if (box) box.focus();
      else search();
    }
    if (e.key === "Escape") for (const t of $$(".term:is(:hover, :focus-within, .term-open)")) {
      t.classList.remove("term-open");
      t.classList.add("term-shut");
    }
  });
  for (const how of ["pointerout", "focusout"]) {
    document.addEventListener(how, (e) => (e.target as Element).closest?.(".term-shut")?.classList.remove("term-shut"));
  }
}
