// A page of a Worker that never stops: the page around it stays usable.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { openLesson, run, tab, useBrowser, visitor, write } from "./_browser.mjs";

useBrowser();

const program = JSON.parse(readFileSync(new URL("../../sandbox/hostile/testdata/own/preview-hammers-the-page.json", import.meta.url))).files["worker.js"];

test("a preview that loops, allocates and asks for dialogs does not take the page around it", { timeout: 120_000 }, async (t) => {
  const context = await visitor();
  const page = await context.newPage();
  const dialogs = [];
  page.on("dialog", (d) => { dialogs.push(d.message()); return d.dismiss().catch(() => {}); });
  await openLesson(page);
  const address = page.url();
  await page.selectOption("#method", "GET");
  await write(page, program);
  await run(page);
  await tab(page, "response");
  await page.check("#panel-response input[value=page]", { force: true });
  for (const end = Date.now() + 20_000; page.frames().length < 4;) { // it runs: the frames in it are its last step before the loop
    assert.ok(Date.now() < end, "the page of the Worker does not run");
    await page.waitForTimeout(100);
  }
  await page.waitForTimeout(3000);
  const begin = Date.now();
  await tab(page, "logs");
  await tab(page, "response");
  const took = Date.now() - begin;
  t.diagnostic(`${took} ms, ${context.pages().length} pages`);
  assert.ok(took < 5000, `the page answered after ${took} ms`);
  assert.equal(page.url(), address);
  assert.deepEqual(dialogs, []);
  assert.equal(context.pages().length, 1, "a window was opened");
  await Promise.race([context.close(), new Promise((done) => setTimeout(done, 5000))]);
});
