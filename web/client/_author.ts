// For who writes lessons (serve --author): the open page follows each save and
// shows what lint says. The lesson's text is changed in place, so that scroll
// position, editor, results and answers stay; other pages load again.

import { $, $$, el, say, set } from "./_dom.ts";

interface Problem { file: string; line: number; column?: number; code: string; message: string }
interface News { version: number; load: number; linting: boolean; problems: Problem[] }

/** The newly drawn page, as an event on document for the parts that hold some of the old one. */
export interface Redrawn { page: Document }

const later = (ms: number) => new Promise((r) => setTimeout(r, ms));

export async function author(): Promise<void> {
  const box = el("details", null, el("summary", null, "Lint"), el("ul"));
  document.body.append(el("aside", { class: "author", "aria-label": "Lint" }, box));
  let load = 0;
  let version = 0;
  let shown = "";
  for (;;) {
    const lesson = lessonID();
    const news = await fetch(`/api/author?after=${version}&lesson=${encodeURIComponent(lesson)}`)
      .then((r) => (r.ok ? (r.json() as Promise<News>) : null)).catch(() => null);
    if (!news) {
      await later(500); // the server is being started again
      continue;
    }
    if (load && news.load !== load) await refresh();
    load = news.load;
    version = news.version;
    const now = JSON.stringify([news.linting, news.problems]);
    if (now !== shown) show(box, news);
    shown = now;
  }
}

const lessonID = (): string => {
  const text = $("#page-data")?.textContent;
  return text ? (JSON.parse(text) as { lesson: string }).lesson : "";
};

/** One problem as the terminal prints it. */
const place = (p: Problem): string => `${p.file}:${p.line}${p.column ? `:${p.column}` : ""}`;

function show(box: HTMLDetailsElement, news: News): void {
  const n = news.problems.length;
  const count = n === 0 ? (news.linting ? "running the checks" : "no problems") : `${n} problem${n === 1 ? "" : "s"}${news.linting ? ", running the checks" : ""}`;
  set($("summary", box), `Lint: ${count}`);
  set($("ul", box), ...news.problems.map((p) => el("li", null, el("b", null, place(p)), ` ${p.code} ${p.message}`)));
  const before = Number(box.dataset.problems ?? 0);
  if (n > before) box.open = true;
  if (n === 0) box.open = false;
  box.dataset.problems = String(n);
  if (n !== before) say(`Lint: ${count}.`);
}

/** Draws the lesson's text anew; a page that is no lesson loads again, and the browser keeps its place. */
async function refresh(): Promise<void> {
  const old = $("#lesson");
  if (!old) {
    location.reload();
    return;
  }
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return; // it cannot be read as it is; lint says why
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.getElementById("lesson");
  if (!next) return;
  const held = hold(old);
  const fresh = document.importNode(next, true);
  carry(old, fresh);
  old.replaceChildren(...fresh.childNodes);
  held();
  document.title = page.title;
  for (const id of ["note", "view-diff"]) {
    const from = page.getElementById(id);
    const to = document.getElementById(id);
    if (from && to) to.replaceChildren(...[...from.childNodes].map((c) => document.importNode(c, true)));
  }
  document.dispatchEvent(new CustomEvent<Redrawn>("coldstart:redrawn", { detail: { page } }));
  const data = $("#page-data");
  if (data) data.textContent = page.getElementById("page-data")?.textContent ?? data.textContent;
  say("The lesson was saved and is shown anew.");
}

const blocks = (article: HTMLElement): HTMLElement[] => $$("h1, h2, h3, p, li, pre, table, form, summary", article);

/** Remembers what is at the top of the window, and gives a function that brings its successor there. */
function hold(article: HTMLElement): () => void {
  const before = blocks(article);
  const at = before.findIndex((c) => c.getBoundingClientRect().bottom > 0);
  const kept = before[at];
  const top = kept?.getBoundingClientRect().top ?? 0;
  const words = kept?.textContent;
  const focused = article.contains(document.activeElement) ? document.activeElement?.id : "";
  return () => {
    const now = blocks(article);
    const far = (i: number) => Math.min(Math.abs(i - at), Math.abs(now.length - i - (before.length - at)));
    let best = -1;
    now.forEach((c, i) => {
      if (c.textContent === words && (best < 0 || far(i) < far(best))) best = i;
    });
    const same = now[best] ?? now[at];
    if (same && kept) scrollBy({ top: same.getBoundingClientRect().top - top, behavior: "instant" });
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
}

/** Takes what the reader did into the new text: answers begun, open hints, labs that run. */
function carry(old: HTMLElement, fresh: HTMLElement): void {
  for (const lab of $$(".lab[id]", old)) {
    const next = $(`#${CSS.escape(lab.id)}`, fresh);
    if (next && next.dataset.config === lab.dataset.config) next.replaceWith(lab);
  }
  for (const form of $$<HTMLFormElement>("form[data-piece]", old)) {
    const next = form.id && $<HTMLFormElement>(`#${CSS.escape(form.id)}`, fresh);
    if (!next) continue;
    for (const input of $$<HTMLInputElement | HTMLSelectElement>("input[name=answer], select[name=answer]", form)) {
      const i = $$("[name=answer]", form).indexOf(input);
      const twin = $$<HTMLInputElement | HTMLSelectElement>("[name=answer]", next)[i];
      if (!twin || twin.type !== input.type) continue;
      if (input instanceof HTMLInputElement && twin instanceof HTMLInputElement && /^(radio|checkbox)$/.test(input.type)) twin.checked = input.checked;
      else twin.value = input.value;
    }
  }
  $$<HTMLDetailsElement>("details", old).forEach((d, i) => {
    const next = $$<HTMLDetailsElement>("details", fresh)[i];
    if (next && d.open) next.open = true;
  });
}
