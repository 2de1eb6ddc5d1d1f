// The gallery: draws the components that scripts draw, with the modules that draw them elsewhere.

import { $, $$ } from "./_dom.ts";
import { cover } from "./_cover.ts";
import { openSearch } from "./_search.ts";
import { closeSheet, conflictSheet, keysSheet, versionsSheet } from "./_sheets.ts";
import { everywhere } from "./_tabs.ts";

const mine = { "src/index.js": "export default {\n  fetch: () => new Response(\"mine\"),\n};\n" };
const theirs = { "src/index.js": "export default {\n  fetch: () => new Response(\"theirs\"),\n};\n" };
const saved = Date.UTC(2026, 10, 21, 9, 30);

const sheets: Record<string, () => void> = {
  keys: () => keysSheet("default", () => {}),
  versions: () => versionsSheet([{ revision: 7, saved, why: "edit" }, { revision: 6, saved: saved - 60_000, why: "reset" }], mine, () => Promise.resolve({ files: theirs }), () => {}),
  conflict: () => conflictSheet(mine, theirs, () => {}),
  search: openSearch,
};

everywhere();
for (const place of $$("[data-drawn]")) {
  const what = place.dataset.drawn ?? "";
  if (what === "cover") {
    place.append(cover("The run has its result. It stays covered until you have said what you expect.", "h3"));
    continue;
  }
  sheets[what]?.();
  // A picture of the sheet stays; the sheet itself lies over the page, and only one is open at a time.
  const sheet = $("body > dialog.sheet");
  if (sheet) {
    const picture = sheet.cloneNode(true) as HTMLElement;
    for (const e of $$("[id]", picture)) e.removeAttribute("id");
    for (const e of $$("[aria-controls]", picture)) e.removeAttribute("aria-controls");
    for (const e of $$<HTMLInputElement>("input[type=radio]", picture)) e.name += "-shown";
    place.append(picture);
    if (what === "search") $<HTMLButtonElement>("button", sheet)?.click();
    else closeSheet();
  }
}
// A component in two states has its regions twice: the sample's title tells them apart.
const named = new Set<string>();
for (const region of $$("[role=region][aria-label]")) {
  const name = region.getAttribute("aria-label") ?? "";
  if (named.has(name)) region.setAttribute("aria-label", `${name}: ${$("h2", region.closest(".gallery_sample") ?? region)?.textContent ?? ""}`);
  named.add(name);
}
(document.activeElement as HTMLElement | null)?.blur();
document.documentElement.dataset.drawn = "all";
