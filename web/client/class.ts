// The live view of a class: rows come as the server draws them, and those that
// are there become like them.

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
if (main?.dataset.live) {
  const source = new EventSource(main.dataset.live);
  source.onopen = () => state("open");
  source.onerror = () => state("lost");
  source.onmessage = (e) => take(JSON.parse(e.data as string) as Message);
}

function state(s: string): void {
  if (document.documentElement.dataset.live === s) return;
  if (s === "lost") say("The connection is lost. Trying again.");
  document.documentElement.dataset.live = s;
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
