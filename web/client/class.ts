// The live view of a class: rows come as the server draws them, and those that
// are there become like them.

import { connection } from "./_banner.ts";
import { $, $$, say } from "./_dom.ts";
import { morph } from "./_morph.ts";
import { everywhere } from "./_tabs.ts";

interface Message {
  heading: string;
  rows: { id: string; html: string }[];
  order?: string[];
  sum?: string;
  say?: string;
}

everywhere();
const main = $("main[data-live]");
const body = $("#rows");
let wanted: string[] = []; // ids of the rows, as the server orders them
if (main?.dataset.live) follow(main.dataset.live);

/** Takes what the server sends, and connects again whenever it was cut or refused. */
function follow(address: string): void {
  const source = new EventSource(address);
  const state = (s: "open" | "lost"): void => connection(s, { safe: "The page shows what was known last.", whose: "class" });
  source.onopen = () => state("open");
  source.onerror = () => {
    state("lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(address), 5000); // refused: the browser does not try again
  };
  source.onmessage = (e) => take(JSON.parse(e.data as string) as Message);
}

/** What the server drew, as an element. The server escapes what learners wrote. */
function drawn(html: string): Element | null {
  const t = document.createElement("template");
  t.innerHTML = html;
  return t.content.firstElementChild;
}

/** Loads the page again when its code, title or columns are not the class's any more; once for each change. */
function outdated(heading: string): boolean {
  if (heading === main?.dataset.heading || sessionStorage.getItem("class-heading") === heading) return false;
  sessionStorage.setItem("class-heading", heading);
  location.reload();
  return true;
}

function take(m: Message): void {
  if (outdated(m.heading)) return;
  const sum = m.sum && drawn(m.sum);
  if (sum) $("#sum")?.replaceWith(sum);
  if (m.say) say(m.say);
  if (!body) return;
  const known = new Map($$<HTMLTableRowElement>("tr[data-row]", body).map((row) => [row.dataset.row ?? "", row]));
  for (const { id, html } of m.rows) {
    const row = drawn(html) as HTMLTableRowElement | null;
    if (!row) continue;
    const old = known.get(id);
    if (old) {
      morph(old, row);
      continue;
    }
    body.append(row);
    known.set(id, row);
  }
  if (known.size > 0) $("#nobody")?.remove();
  if (m.order) {
    wanted = m.order;
    for (const [id, row] of known) if (!wanted.includes(id)) row.remove();
  }
  arrange(wanted, known);
}

/** Puts the rows in order, unless somebody is working in them: nothing jumps away from under a hand. */
function arrange(order: string[], rows: Map<string, HTMLTableRowElement>): void {
  if (!body || body.contains(document.activeElement) || body.matches(":hover")) return;
  let at = body.firstElementChild;
  for (const id of order) {
    const row = rows.get(id);
    if (!row) continue;
    if (row === at) at = at.nextElementSibling;
    else body.insertBefore(row, at);
  }
}
