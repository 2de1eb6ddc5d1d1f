// The search: / opens a sheet over the page that answers while one types. Without
// it the link in the bar leads to the page that does the same.

import { $, el, set } from "./_dom.ts";

interface Hit { kind: string; title: string; href: string; where: string; text: string }
interface Found { query: string; hits: Hit[]; all: number; near: string }

/** Opens the sheet, with the focus in its box. */
export function openSearch(): void {
  if ($(".sheet-search")) return;
  const back = document.activeElement as HTMLElement | null;
  const says = el("p", { class: "sheet_says", role: "status" }, "Titles, texts, tasks, the glossary, and the docs.");
  const list = el("ul", { class: "found", id: "found", role: "listbox", "aria-label": "Found" });
  const box = el("input", {
    class: "search_box", type: "search", role: "combobox", "aria-label": "Words to look for", "aria-controls": "found", "aria-expanded": "false", "aria-autocomplete": "list",
    autocomplete: "off", spellcheck: "false", maxlength: 100,
  });
  const dialog = el("dialog", { class: "sheet sheet-search", "aria-label": "Search" },
    el("form", { class: "search", role: "search", action: "/search", submit: (e: SubmitEvent) => { e.preventDefault(); go(); } }, box,
      el("button", { class: "button", type: "button", click: () => close() }, "Close")),
    says, list);
  let hits: Hit[] = [];
  let chosen = -1;
  let asking: AbortController | null = null;

  const close = () => {
    asking?.abort();
    dialog.close();
    dialog.remove();
    back?.focus();
  };
  const go = () => {
    const hit = hits[Math.max(chosen, 0)];
    location.href = hit ? hit.href : `/search?q=${encodeURIComponent(box.value)}`;
    if (hit) close();
  };
  const choose = (n: number) => {
    chosen = n;
    [...list.children].forEach((li, i) => {
      li.setAttribute("aria-selected", String(i === n));
      if (i === n) li.scrollIntoView({ block: "nearest" });
    });
    if (n >= 0) box.setAttribute("aria-activedescendant", `found-${n}`);
    else box.removeAttribute("aria-activedescendant");
  };
  const show = (f: Found) => {
    hits = f.hits;
    set(list, ...hits.map((h, i) => el("li", { id: `found-${i}`, role: "option", "aria-selected": "false", click: () => { choose(i); go(); } },
      el("span", { class: "found_row" }, el("span", { class: "eyebrow" }, h.kind === "term" || h.kind === "manual" ? h.where : `${h.where} · ${h.kind}`), el("b", null, h.title), el("span", { class: "found_text" }, h.text)))));
    box.setAttribute("aria-expanded", String(hits.length > 0));
    choose(hits.length ? 0 : -1);
    if (!f.query.trim()) set(says, "Titles, texts, tasks, the glossary, and the docs.");
    else if (hits.length) set(says, `${f.all} found. Enter opens, ↑ ↓ choose.`);
    else set(says, `No lesson matches “${f.query}”.`, f.near && " Did you mean ", f.near && el("button", { class: "button-quiet", type: "button", click: () => { box.value = f.near; box.focus(); void ask(); } }, f.near), f.near && "?");
  };
  const ask = async () => {
    asking?.abort();
    const mine = (asking = new AbortController());
    try {
      const r = await fetch(`/api/search?q=${encodeURIComponent(box.value)}`, { signal: mine.signal, headers: { accept: "application/json" } });
      if (!r.ok) throw new Error((await r.json()).error);
      const found = await r.json() as Found;
      if (!mine.signal.aborted) show(found);
    } catch (e) {
      if (!mine.signal.aborted) set(says, e instanceof TypeError ? "The server does not answer. Enter tries the search page." : (e as Error).message);
    }
  };
  box.addEventListener("input", () => void ask());
  dialog.addEventListener("keydown", (e) => {
    if (e.key === "Escape") close();
    else if (e.key === "ArrowDown" && hits.length) choose((chosen + 1) % hits.length);
    else if (e.key === "ArrowUp" && hits.length) choose((chosen - 1 + hits.length) % hits.length);
    else return;
    e.preventDefault();
    e.stopPropagation();
  });
  document.body.append(dialog);
  dialog.showModal();
  box.focus();
}
