// One learner goes through the whole curriculum: every lesson page opens
// without a violation, and is completed from its starter to all green.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { axe, axeInBoth, base, full, lessons, openLesson, saved, sideways, tab, useBrowser, visitor, withPage, write } from "./_browser.mjs";

useBrowser();

const atOnce = 2;

const said = (page, pattern, timeout) => page.waitForFunction((p) => new RegExp(p).test(document.querySelector("#say").textContent), pattern.source, { timeout });

/** What a solution cannot hold, because it is the learner's own: given by lesson, as the learner would paste it. */
const own = {
  "/learn/ship-it/ship-it": async (page) => {
    await tab(page, "checks");
    await check(page);
    await page.waitForFunction(() => /Expected"\w+"/.test(document.querySelector("#panel-checks").textContent), null, { timeout: 20_000 });
    const nonce = /Expected"(\w+)"/.exec(await page.textContent("#panel-checks"))[1];
    const answer = JSON.stringify({ project: "proof", nonce, proof: createHash("sha256").update(`${nonce}:proof`).digest("hex") });
    await page.click(".tree summary");
    await page.click('.tree [data-file="proof.txt"]');
    await write(page, `${answer}\nhttps://proof.example.workers.dev/proof?nonce=${nonce} 0.05 0.3\n`.repeat(3));
    await saved(page);
  },
};

async function check(page) {
  await page.evaluate(() => { document.querySelector("#say").textContent = ""; });
  await page.click("#panel-checks [data-do=run-checks]");
  await said(page, /checks? pass\./, 60_000);
}

/** Takes the solution, runs the checks, and says what is not green. */
async function complete(page, path) {
  await openLesson(page, path);
  const found = full || lessons.includes(path) ? await axeInBoth(page) : await axe(page);
  assert.deepEqual(found, [], `axe on ${path}`);
  assert.ok(await sideways(page) <= 0, `${path} scrolls sideways`);
  await page.click(".files_tools [data-do=solution]");
  await page.waitForSelector("#view-diff .ln-add, #view-diff .ln-del");
  await page.click("[data-do=use-solution]");
  await said(page, /solution is in place/, 10_000);
  await saved(page);
  await own[path]?.(page);
  await tab(page, "checks");
  await check(page);
  const failed = await page.locator("#panel-checks .check:has(.verdict-fail)").allTextContents();
  assert.deepEqual(failed, [], path);
  assert.match(await page.textContent("#say"), /^(All \d+ checks pass|The check passes)/, path);
  await page.waitForFunction(() => [...document.querySelector("#note").textContent.matchAll(/(\d+) of (\d+) (?:task|point)/g)].every(([, got, want]) => got === want), null, { timeout: 15_000 }).catch(() => {});
  const note = await page.textContent("#note");
  for (const [, got, want] of note.matchAll(/(\d+) of (\d+) (?:task|point)/g)) assert.equal(got, want, `${path}: ${note}`);
  assert.equal(await page.locator(".task .verdict-pass").count(), await page.locator(".task[data-task]").count(), path);
}

test("every lesson opens without a violation and is completed by one learner; progress tells so", { timeout: 480_000 }, async (t) => {
  const context = await visitor({ viewport: { width: 1280, height: 900 } });
  try {
    const home = await context.newPage();
    await home.goto(base);
    const paths = await home.locator(".stop-row[href]").evaluateAll((list) => list.map((a) => a.getAttribute("href")));
    assert.ok(paths.length >= 25, `${paths.length} lessons`);
    const queue = [...paths];
    const problems = [];
    await Promise.all(Array.from({ length: atOnce }, async () => {
      const page = await context.newPage();
      for (let path; (path = queue.shift());) {
        const begin = Date.now();
        await complete(page, path).catch((e) => problems.push(`${path}: ${e.message}`));
        t.diagnostic(`${path} ${((Date.now() - begin) / 1000).toFixed(1)} s`);
      }
      await page.close();
    }));
    assert.deepEqual(problems, []);
    const progress = await (await home.request.get(`${base}/progress.json`)).json();
    assert.equal(progress.done, paths.length);
    assert.equal(progress.points, progress.points_possible);
    assert.deepEqual(context.complaints, []);
  } finally {
    await context.close();
  }
});

test("16 the pages around the lessons: nothing for axe to say in light and dark, no sideways scroll at 360 px", withPage({ viewport: { width: 1280, height: 800 } }, async (page) => {
  for (const path of ["/glossary", "/search?q=cold", "/search?q=isolatte", "/progress", "/learn/serverless/first-request/print"]) {
    await page.goto(base + path);
    assert.deepEqual(await axeInBoth(page), [], path);
    await page.setViewportSize({ width: 360, height: 800 });
    assert.ok(await sideways(page) <= 0, path);
    if (full) assert.deepEqual(await axeInBoth(page), [], `${path} at 360 px`);
    await page.setViewportSize({ width: 1280, height: 800 });
  }
}));

test("/ searches from anywhere, by keyboard alone; a slip of the finger is understood", withPage({}, async (page) => {
  await page.goto(base);
  await page.keyboard.press("/");
  await page.waitForSelector(".sheet-search");
  await page.keyboard.type("isolatte");
  await page.waitForFunction(() => document.querySelector(".sheet_says").textContent === "No lesson matches “isolatte”. Did you mean isolate?");
  await page.click(".sheet_says button");
  await page.waitForSelector(".sheet-search [role=option]");
  assert.deepEqual(await axe(page), []);
  await page.fill(".sheet-search input", "cold start");
  // What was found for the word before names it too, but not first.
  await page.waitForFunction(() => /cold start/i.test(document.querySelector(".sheet-search [role=option][aria-selected=true] b")?.textContent));
  const first = await page.textContent(".sheet-search [role=option][aria-selected=true] b");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  assert.equal(await page.textContent(".sheet-search [role=option][aria-selected=true] b"), first);
  await page.keyboard.press("Enter");
  await page.waitForURL(/first-request|glossary#cold-start/);
  await page.keyboard.press("/");
  await page.waitForSelector(".sheet-search");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".sheet-search", { state: "detached" });
}));

test("the search answers without scripts, too", withPage({ javaScriptEnabled: false }, async (page) => {
  await page.goto(base);
  await page.click("[data-do=search]");
  await page.fill("#q", "isolatte");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=isolatte/);
  assert.match(await page.textContent(".page_head"), /No lesson matches “isolatte”\.\s*Did you mean\s*isolate\s*\?/);
  await page.click(".page_head a");
  await page.waitForURL(/q=isolate$/);
  assert.ok(await page.locator(".found_row").count() > 3);
}));

test("a word of the glossary opens its card on focus and on hover, and Escape shuts it", withPage({}, async (page) => {
  await openLesson(page, "/learn/serverless/keep-servers-alive");
  const term = page.locator(".term").first();
  const card = term.locator(".term_card");
  assert.equal(await card.isVisible(), false);
  await term.locator("a").focus();
  assert.equal(await card.isVisible(), true);
  await page.keyboard.press("Escape");
  assert.equal(await card.isVisible(), false);
  await page.locator("h1").focus();
  await term.locator("a").hover();
  assert.equal(await card.isVisible(), true);
  await term.locator("a").click();
  await page.waitForURL(/\/glossary#/);
  assert.equal(await page.locator(":target").count(), 1);
}));

test("a finger's first touch of a word opens its card, the second follows it", withPage({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async (page) => {
  await page.goto(`${base}/learn/serverless/keep-servers-alive`);
  await page.waitForSelector("html[data-live=open]");
  const term = page.locator(".term").first();
  const card = term.locator(".term_card");
  await term.locator("a").tap();
  assert.equal(await card.isVisible(), true);
  assert.doesNotMatch(page.url(), /glossary/);
  assert.ok(await sideways(page) <= 0);
  await page.locator("h1").tap();
  await card.waitFor({ state: "hidden" });
  await term.locator("a").tap();
  await term.locator("a").tap();
  await page.waitForURL(/\/glossary#/);
}));

test("an order is made by keys, by drag and by touch of a button; what was seen is what is sent", withPage({}, async (page) => {
  await openLesson(page, "/learn/isolates/same-code-five-boxes");
  const form = page.locator("form[data-kind=order]");
  await form.locator("ol.choices-order").waitFor();
  assert.deepEqual(await axe(page), []);
  const seen = () => form.locator(".choice_text").allTextContents();
  const begun = await seen();
  await form.locator("[data-do=down]").first().focus();
  await page.keyboard.press("ArrowDown");
  assert.deepEqual(await seen(), [begun[1], begun[0], ...begun.slice(2)]);
  const last = begun.length - 1;
  assert.ok((await page.textContent("#say")).endsWith(`: place 2 of ${begun.length}.`));
  await page.keyboard.press("Enter"); // the button itself, which kept the focus
  assert.deepEqual(await seen(), [begun[1], begun[2], begun[0], ...begun.slice(3)]);
  await form.scrollIntoViewIfNeeded();
  const grip = await form.locator(".choice_grip").nth(last).boundingBox();
  const top = await form.locator("li").first().boundingBox();
  await page.mouse.move(grip.x + 4, grip.y + grip.height / 2);
  await page.mouse.down();
  await page.mouse.move(grip.x + 4, top.y + top.height / 2, { steps: 6 });
  await page.mouse.move(grip.x + 4, top.y + 2, { steps: 2 });
  await page.mouse.up();
  const made = [begun[last], begun[1], begun[2], begun[0], ...begun.slice(3, last)];
  assert.deepEqual(await seen(), made);
  await form.locator("[type=submit]").click();
  await page.waitForSelector("form[data-kind=order][data-answered] ol.choices-order");
  assert.deepEqual(await seen(), made);
  await page.reload();
  await page.waitForSelector("form[data-kind=order][data-answered] ol.choices-order");
  assert.deepEqual(await seen(), made);
}));

test("a point is marked on an axis; field and handle follow each other", withPage({}, async (page) => {
  await openLesson(page, "/learn/serverless/price-of-idle");
  const form = page.locator("form[data-kind=mark]");
  const handle = form.locator(".axis_handle");
  const field = form.locator("input[name=answer]");
  await handle.waitFor();
  assert.equal(await handle.getAttribute("aria-valuetext"), "not marked yet");
  await field.fill("1e7");
  assert.equal(await handle.inputValue(), "500", "ten million is the middle of an axis from 100,000 to a billion");
  await handle.focus();
  await page.keyboard.press("PageUp");
  assert.match(await field.inputValue(), /^[1-9][\d,]+$/);
  assert.equal(await handle.getAttribute("aria-valuetext"), await field.inputValue());
  assert.deepEqual(await axe(page), []);
  await form.locator("[type=submit]").click();
  await form.locator(".axis_want").waitFor({ state: "attached" });
}));
