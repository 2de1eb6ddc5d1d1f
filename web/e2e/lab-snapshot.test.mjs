// The snapshot lab: an isolate frozen, forked and rewound, by its drawn answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, sideways, useBrowser, withPage } from "./_browser.mjs";

useBrowser();

/** Rows of the table of steps: [what, to whom, answer, written since]. */
const steps = (page) => page.$$eval("#lab-snapshot .ledger tbody tr", (rows) => rows.map((r) => {
  const c = [...r.cells].map((c) => c.textContent.trim());
  return { do: c[0], isolate: c[1], answer: c[2], kept: Number(c[4]) || 0, written: Number(c[5]) };
}));

/** Cells drawn as written since freezing, in the map of an isolate. */
const written = (page, name) => page.$eval(`#lab-snapshot section[aria-label="Isolate ${name}"] .pm-new`, (p) => (p.getAttribute("d").match(/m/g) ?? []).length);

async function press(page, name, what) {
  const before = (await steps(page)).length;
  await page.click(`section[aria-label="Isolate ${name}"] button[value=${what}]`);
  await page.waitForFunction((n) => document.querySelectorAll("#lab-snapshot .ledger tbody tr").length > n, before, { timeout: 20_000 });
  return (await steps(page)).at(-1);
}

test("an isolate goes back to before its last request", withPage({ colorScheme: "dark", viewport: { width: 360, height: 780 } }, async (page) => {
  await page.goto(`${base}/labs/snapshot`);
  await page.waitForSelector("html[data-live=open]");
  await page.click("#lab-snapshot form.lab_do > button");
  await page.waitForFunction(() => { // before the run the table has its nine rows, empty
    const answers = [...document.querySelectorAll("#lab-snapshot .ledger tbody tr")].map((r) => r.cells[2]?.textContent.trim() ?? "");
    return answers.length === 9 && answers.every((a) => a !== "") && answers[8] === "visit 3";
  }, null, { timeout: 30_000 });
  const tour = await steps(page);
  assert.deepEqual(tour.map((s) => s.answer), ["visit 1", "visit 2", "–", "visit 3", "–", "visit 3", "visit 4", "–", "visit 3"]);
  assert.ok(tour[2].kept > 0 && tour[2].written === 0, "freezing keeps pages and none differs yet");
  assert.ok(tour[3].written > 0, "the request after it wrote pages");
  assert.equal(await written(page, "original"), tour[8].written, "the map shows as many cells");

  assert.equal((await press(page, "fork 1", "request")).answer, "visit 4");
  const back = await press(page, "fork 1", "rewind");
  assert.ok(back.written <= 2 && await written(page, "fork 1") === back.written, "rewinding takes back what was written");
  assert.equal((await press(page, "fork 1", "request")).answer, "visit 3");
  assert.deepEqual(await axe(page), []);
  assert.ok(await sideways(page) <= 0);
}));
