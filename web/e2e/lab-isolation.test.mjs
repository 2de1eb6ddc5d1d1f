// The isolation lab: what was tried, which wall held, and what the neighbour felt.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, openLesson, sideways, useBrowser, withPage } from "./_browser.mjs";

useBrowser();

async function attempt(page) {
  await page.evaluate(() => document.querySelector("#lab-isolation .method")?.remove());
  await page.click("#form-isolation > button");
  await page.waitForSelector("#lab-isolation .method", { timeout: 90_000 });
  await page.waitForFunction(() => document.querySelector("#form-isolation > button").textContent === "Try", null, { timeout: 90_000 });
  return page.$$eval("#lab-isolation [data-attempt]", (rows) => Object.fromEntries(rows.map((r) => [r.dataset.attempt, { verdict: r.dataset.verdict, got: r.cells[1].textContent, wall: r.cells[2].textContent.trim() }])));
}

test("every wall holds, and a loud tenant is heard less with limits", withPage({ viewport: { width: 360, height: 780 }, colorScheme: "dark" }, async (page) => {
  await page.goto(`${base}/labs/isolation`);
  await page.waitForSelector("html[data-live=open]");
  await page.uncheck("#form-isolation [value=fences]");
  const slider = (name) => page.getByRole("slider", { name });
  await page.fill("#form-isolation [name=cpu]", "70");
  assert.equal(await slider("CPU limit").inputValue(), "70", "the slider follows the number");
  await slider("Memory limit").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.inputValue("#form-isolation [name=memory]"), "25", "the number follows the slider");
  await page.fill("#form-isolation [name=wall]", "400");
  const got = await attempt(page);
  assert.deepEqual(Object.values(got).map((a) => a.verdict), Array(5).fill("held"), JSON.stringify(got));
  assert.match(got["an endless loop"].got, /stopped after 70 ms/);
  assert.match(got["an endless wait"].got, /no answer within 400 ms/);
  assert.match(got["a memory bomb"].got, /B's isolate lives on/);
  assert.match(got["the same bomb in goja"].got, /B's isolate died with it/);
  // A stall of the whole machine may fall into the phase with limits, but not three times.
  for (let turn = 1; ; turn++) {
    const p99 = await page.$$eval("#lab-isolation [data-p99]", (cells) => cells.map((c) => Number(c.dataset.p99)));
    assert.equal(p99.length, 3);
    if (p99[2] > p99[1]) break;
    assert.ok(turn < 3, `p99 with limits ${p99[1]} µs, without ${p99[2]} µs`);
    await page.setChecked("#form-isolation [value=limits]", false);
    await attempt(page);
  }
  assert.equal(await page.locator("#lab-isolation .isolation_neighbour circle.c-warm").count(), 300, "a dot for each visitor");
  assert.deepEqual(await axe(page), []);
  assert.ok(await sideways(page) <= 0);
}));

test("in its lesson the lab tries the fences", withPage({}, async (page) => {
  await openLesson(page, "/learn/isolates/good-fences");
  const got = await attempt(page);
  assert.equal(Object.keys(got).length, 8);
  for (const [name, a] of Object.entries(got)) {
    assert.equal(a.verdict, "held", `${name}: ${a.got}`);
    assert.ok(a.wall, name);
  }
  assert.match(await page.getAttribute("#lab-isolation [data-process]", "data-process"), /^\d+$/);
  assert.equal(await page.locator("#lab-isolation .process_isolate").count(), 2);
}));
