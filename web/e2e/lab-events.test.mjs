// The events lab: one handler for each trigger, and nothing when all is quiet.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, openLesson, sideways, useBrowser, withPage } from "./_browser.mjs";

useBrowser();

async function wake(page) {
  await page.click("#form-events > button");
  await page.waitForSelector("#lab-events .method", { timeout: 60_000 });
  return page.$$eval("#lab-events tbody tr", (rows) => rows.map((r) => ({
    trigger: r.dataset.trigger, end: r.dataset.end, handler: r.cells[1].textContent, said: r.cells[3].textContent, attempt: r.cells[4].textContent.trim(),
  })));
}

const quiet = "0 invocations, 0 isolates";

test("each trigger wakes its handler, a failing message comes again, and quiet is empty", withPage({ viewport: { width: 360, height: 780 }, colorScheme: "dark" }, async (page) => {
  await page.goto(`${base}/labs/events`);
  await page.waitForSelector("html[data-live=open]");
  const items = await wake(page);
  const of = (trigger) => items.filter((i) => i.trigger === trigger);
  assert.deepEqual(of("upload").map((i) => i.handler), ["queue"]);
  assert.equal(of("upload, again").length, 1);
  assert.deepEqual(of("message").map((i) => `${i.attempt} ${i.end}`), ["1 retry", "2 retry", "3 ok"]);
  assert.equal(of("cron").length, 12, "every second hour of a day");
  assert.match(of("HTTP").at(-1).said, /^200 \d+ records$/);
  assert.equal(await page.textContent("#lab-events [data-before]"), quiet);
  assert.equal(await page.textContent("#lab-events [data-after]"), quiet);
  assert.equal(await page.locator("#lab-events .chart svg[data-end]").count(), items.length, "the chart has a mark for each row");
  assert.ok(await page.locator("#lab-events .events_alive").count() > 0, "isolates were alive meanwhile");
  assert.deepEqual(await axe(page), []);
  assert.ok(await sideways(page) <= 0);
}));

test("in its lesson the learner's handlers are woken", withPage({}, async (page) => {
  await openLesson(page, "/learn/serverless/wake-on-events");
  for (const t of ["http", "odd", "cron"]) await page.uncheck(`#form-events [value=${t}]`);
  const items = await wake(page);
  assert.deepEqual(items.map((i) => `${i.trigger} ${i.end}`), ["upload ok", "upload, again ok", "row change retry", "row change retry", "row change retry", "row change failed"], "the starter knows no rows");
}));
