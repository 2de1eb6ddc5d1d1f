// The labs that compare costs and scale: run to a result, and what they drew is believed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, sideways, useBrowser, withPage } from "./_browser.mjs";

useBrowser();

const open = async (page, path) => {
  await page.goto(base + path);
  await page.waitForSelector("html[data-live=open]", { timeout: 20_000 });
};
const ended = (page, lab) => page.waitForFunction((lab) => {
  const section = document.querySelector(`#lab-${lab}`);
  return !section.hasAttribute("data-running") && section.querySelector(".lab_where").textContent !== "" && section.querySelector(".lab_where").textContent !== "Starting.";
}, lab, { timeout: 60_000 });
const where = (page, lab) => page.textContent(`#lab-${lab} .lab_where`);
/** A table's rows: the first cell names the others. */
const rows = (table) => table.evaluate((t) => Object.fromEntries([...t.tBodies[0].rows].map((r) => [r.cells[0].textContent.trim(), [...r.cells].slice(1).map((c) => c.textContent.trim())])));
/** The points of a line of a plot, in the plot's own coordinates. */
const points = (page, name) => page.locator(`path[data-line="${name}"]`).first().evaluate((p) => {
  const out = [];
  let x = 0;
  for (const [, op, args] of p.getAttribute("d").matchAll(/([MLHV])([^MLHV]*)/g)) {
    const n = args.trim().split(" ").map(Number);
    if (op === "H") x = n[0];
    else { x = n[0]; out.push({ x, y: n[1] }); }
  }
  return out;
});

test("autoscale: isolates from none to some to none beside a modelled pool, with a machine killed", withPage({}, async (page) => {
  await open(page, "/labs/autoscale?shape=rush&peak=60&clock=60");
  const place = () => page.locator("#lab-autoscale .plots").evaluate((e) => [e.offsetTop, e.offsetHeight]);
  const before = await place();
  await page.click("#lab-autoscale form.lab_do > button");
  await page.waitForFunction(() => /isolates? is there/.test(document.querySelector(".lab_events").textContent), null, { timeout: 40_000 });
  await page.click("text=Kill a machine");
  await ended(page, "autoscale");
  assert.equal(await where(page, "autoscale"), "Measured.");
  assert.deepEqual(await place(), before, "the charts stay where they were");

  const table = await rows(page.locator("#lab-autoscale .ledger").first());
  const number = (text) => Number(text.split(" ")[0].replaceAll(",", ""));
  for (const side of [0, 1]) {
    assert.equal(number(table.visitors[side]), number(table.answered[side]) + number(table.lost[side]), JSON.stringify(table));
    assert.ok(number(table.answered[side]) > 0, JSON.stringify(table));
  }
  assert.equal(table.visitors[0], table.visitors[1], "both sides meet the same visitors");
  const events = await page.textContent(".lab_events");
  for (const event of [/first isolate/, /kill -9/, /last isolate is gone/, /server 1 dies/, /fails probe 1 of 2/, /leaves the rotation/, /boots, for 0\.7 s/]) assert.match(events, event);

  // The line of isolates begins and ends on the ground, and leaves it between.
  const copies = await page.locator('.plot:has(.plot_name:text-is("Copies")) path[data-line="isolates"]').evaluate((p) => [...p.getAttribute("d").matchAll(/[ML][\d.]+ ([\d.]+)/g)].map((m) => Number(m[1])));
  assert.ok(copies.length > 20, `${copies.length} points`);
  assert.equal(copies[0], copies.at(-1), `${copies}`);
  assert.ok(Math.min(...copies) < copies[0] - 5, `${copies}`);
  assert.ok(await page.locator('g[data-line="cold starts"] use').count() >= 2, "a cold start before the kill and one after it");
  const answered = await points(page, "answered by isolates");
  assert.ok(Math.max(...answered.map((p) => p.y)) - Math.min(...answered.map((p) => p.y)) > 20, "the rate rises");
  assert.match(await page.textContent(".autoscale .method"), /modelled|Modelled/);
  await page.locator(".autoscale .numbers summary").first().click();
  assert.ok(await page.locator(".autoscale .numbers").first().locator("tbody tr").count() > 10);
  assert.deepEqual(await axe(page), []);

  await page.reload();
  assert.deepEqual(await rows(page.locator("#lab-autoscale .ledger").first()), table, "it is kept");
}));

test("autoscale: a wrong pool.json gets its line, at 360 px in the dark", withPage({ colorScheme: "dark", viewport: { width: 360, height: 780 } }, async (page) => {
  await open(page, "/labs/autoscale");
  assert.ok(await sideways(page) <= 0);
  await page.fill("#lab-autoscale textarea", '{\n  "min": 3,\n  "max": 2,\n  "target": 0.6\n}');
  await page.click("#lab-autoscale form.lab_do > button");
  await ended(page, "autoscale");
  assert.equal(await where(page, "autoscale"), "pool.json:3: max is 2 and min is 3; max must not be smaller than min.");
  await page.click("text=Kill a machine");
  await page.waitForFunction(() => /Nothing runs yet/.test(document.querySelector("#lab-autoscale .lab_where").textContent));
}));
