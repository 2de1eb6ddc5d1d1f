// A real process beside the first lesson: started, asked, killed, refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, openLesson, useBrowser, withPage } from "./_browser.mjs";

useBrowser();

const lesson = "/learn/serverless/process-on-a-port";
const steps = (page) => page.locator("#lab-process tbody tr").evaluateAll((rows) => rows.map((r) => `${r.dataset.do}: ${r.cells[2].textContent.trim()}`));
const pid = async (page) => Number(/PID (\d+)/.exec(await page.textContent("#lab-process .panel_title"))[1]);

test("a learner starts a real process beside the lesson, kills it, and is refused; the next one counts anew", withPage({}, async (page, t) => {
  await openLesson(page, lesson);
  const lab = page.locator("#lab-process");
  await lab.locator(".lab_do button").click();
  await page.waitForFunction(() => document.querySelector("#lab-process tbody tr, #lab-process .off"));
  if (await lab.locator(".off").count()) return t.skip(await lab.locator(".off").textContent());
  const first = await pid(page);
  for (const [name, n] of [["Request", 2], ["Request", 3], ["Kill", 4], ["Request", 5]]) {
    await lab.getByRole("button", { name, exact: true }).click();
    await page.waitForFunction((n) => document.querySelectorAll("#lab-process tbody tr").length === n, n);
  }
  assert.match(await lab.locator(".panel_title").textContent(), /^Nobody listens on port \d+$/);
  assert.deepEqual(await axe(page), []);
  await lab.locator(".lab_do button").click();
  await page.waitForFunction(() => document.querySelectorAll("#lab-process tbody tr").length === 6);
  assert.notEqual(await pid(page), first);
  assert.deepEqual(await steps(page), ["start: listens", "request: visit 1", "request: visit 2", "kill: gone, and its memory with it", "request: connection refused", "start: listens"]);
  await lab.getByRole("button", { name: "Request", exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll("#lab-process tbody tr").length === 7);
  assert.equal((await steps(page)).at(-1), "request: visit 1");
  await lab.getByRole("button", { name: "Kill", exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll("#lab-process tbody tr").length === 8);
}));

test("the process lab works without scripts", withPage({ javaScriptEnabled: false }, async (page, t) => {
  await page.goto(`${base}/labs/process`);
  await page.click("#lab-process .lab_do button");
  if (await page.locator("#lab-process .off").count()) return t.skip(await page.textContent("#lab-process .off"));
  await page.click("#lab-process button[value=request]");
  await page.click("#lab-process button[value=kill]");
  assert.ok(await page.locator("#lab-process tbody tr").last().isVisible(), "the steps are seen");
  assert.deepEqual(await steps(page), ["start: listens", "request: visit 1", "kill: gone, and its memory with it"]);
}));
