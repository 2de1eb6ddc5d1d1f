// The manual in the app: reach, search, and pictures that are not stale.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { axe, base, sideways, useBrowser, withPage } from "./_browser.mjs";
import { compare, draw, drawn, manualPages, wordsFile } from "./_pictures.mjs";

useBrowser();

test("16 every page of the manual: nothing for axe to say, no sideways scroll, every link and picture there", withPage({ viewport: { width: 360, height: 740 } }, async (page) => {
  const paths = await manualPages(page);
  assert.ok(paths.length >= 3, String(paths));
  for (const path of paths) {
    await page.goto(base + path);
    assert.deepEqual(await axe(page), [], path);
    assert.ok(await sideways(page) <= 0, path);
    const dead = await page.evaluate(async () => {
      const out = [];
      for (const a of document.querySelectorAll("main a[href]")) {
        const to = new URL(a.href);
        if (to.origin === location.origin && to.pathname === location.pathname && to.hash && !document.getElementById(to.hash.slice(1))) out.push(a.href);
        else if (to.origin === location.origin && to.pathname !== location.pathname && !(await fetch(to, { method: "HEAD" })).ok) out.push(a.href);
      }
      for (const i of document.querySelectorAll("main img")) {
        i.loading = "eager";
        if (!(await i.decode().then(() => true, () => false))) out.push(i.src);
      }
      return out;
    });
    assert.deepEqual(dead, [], path);
  }
}));

test("the search finds a section of the manual and leads to it", withPage({}, async (page) => {
  await page.goto(`${base}/docs`);
  await page.fill("#docs-q", "screen readers");
  await page.keyboard.press("Enter");
  await page.click('.found_row[href="/docs/keys#s-screen-readers"]');
  await page.waitForURL(/keys#s-screen-readers/);
  assert.ok(await page.locator("#s-screen-readers").isVisible());
}));

test("the pictures of the manual show the program as it is", withPage(drawn, async (page, t) => {
  const drawnWords = JSON.parse(readFileSync(wordsFile, "utf8"));
  for (const [name, { data, words }] of Object.entries(await draw(page))) {
    assert.deepEqual(words, drawnWords[name], `${name} has other words than the program; look at it, then make docs-images`);
    const { share, sizes } = await compare(page, readFileSync(new URL(`../../docs/images/${name}`, import.meta.url)), data, { cell: 16, step: 48 });
    t.diagnostic(`${name}: ${(share * 100).toFixed(1)} % of the cells differ (figures and bars do)`);
    assert.deepEqual(sizes[1], sizes[0], `${name} has another size; look at it, then make docs-images`);
    assert.ok(share < 0.08, `${name} is stale: ${(share * 100).toFixed(1)} % of it looks different; look at it, then make docs-images`);
  }
}));
