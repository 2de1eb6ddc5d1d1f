// The routing lab: who answers, why the others lost, and one Worker broken.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, openLesson, saved, sideways, useBrowser, withPage, write } from "./_browser.mjs";

useBrowser();

/** The rows as drawn: address → {worker, alive, marks}. */
const rows = (page) => page.$$eval("#lab-routing table.routing tbody tr", (list) => Object.fromEntries(list.map((r) => [r.dataset.url, {
  worker: r.dataset.worker ?? "", alive: "alive" in r.dataset,
  marks: [...r.querySelectorAll(".routing_cell")].map((c) => c.dataset.value),
}])));

async function send(page, act = () => page.click("#form-routing > button")) {
  await page.evaluate(() => document.querySelector("#lab-routing .method")?.remove());
  await act();
  await page.waitForSelector("#lab-routing .method", { timeout: 20_000 });
  return rows(page);
}

test("the route table explains each loser, and a broken Worker breaks only what needs it", withPage({ viewport: { width: 360, height: 780 } }, async (page) => {
  await page.goto(`${base}/labs/routing`);
  await page.waitForSelector("html[data-live=open]");
  const first = await send(page);
  assert.equal(first["https://example.com/api"].worker, "api");
  assert.equal(first["https://example.com/API/users"].worker, "site");
  assert.equal(first["https://example.com/img/logo.png"].worker, "");
  assert.equal(first["https://example.com/docs/start"].worker, "help");
  for (const [url, r] of Object.entries(first)) {
    assert.equal(r.marks.filter((m) => m === "wins").length, 1, `${url}: one pattern wins`);
    assert.equal(r.alive, r.worker !== "", url);
  }
  const why = page.locator(".routing_why", { hasText: /API\/users/ });
  await why.locator("summary").click();
  assert.match(await why.textContent(), /upper and lower case differ in the path/);

  const broken = await send(page, () => page.click("#lab-routing button[value='break:auth']"));
  assert.equal(await page.getAttribute("#lab-routing button[value='break:']", "aria-pressed"), "true");
  assert.equal(broken["https://example.com/api"].alive, false, "the API asks auth and falls with it");
  assert.equal(broken["https://example.com/"].alive, true);
  assert.equal(broken["https://example.com/img/logo.png?v=2"].alive, true);

  await page.check("#form-routing [name=documented]");
  assert.equal((await send(page))["https://example.com/docs/start"].worker, "docs");
  assert.deepEqual(await axe(page), []);
  assert.ok(await sideways(page) <= 0);
}));

test("in its lesson the lab routes to the learner's own Workers", withPage({ colorScheme: "dark" }, async (page) => {
  await openLesson(page, "/learn/routing/many-workers-one-domain");
  assert.equal((await send(page))["https://example.com/img/logo.png"].worker, "site", "pictures have no route yet");
  await page.click('.files_tab[data-path="img/wrangler.jsonc"]');
  await write(page, '{ "name": "img", "main": "src/index.js", "compatibility_date": "2026-11-01", "routes": ["example.com/img/*"] }');
  await saved(page);
  assert.equal((await send(page))["https://example.com/img/logo.png"].worker, "img");
  assert.deepEqual(await axe(page), []);
}));
