// The corpus' programs that attack whoever looks at what they say: each is run
// as a learner runs it, and everything that the page shows of it is opened.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { openLesson, run, tab, useBrowser, visitor, write } from "./_browser.mjs";

useBrowser();

const folder = new URL("../../sandbox/hostile/testdata/", import.meta.url);
const cases = readdirSync(folder).filter((f) => /^(out-|pro-security).*\.json$/.test(f)).map((f) => JSON.parse(readFileSync(new URL(f, folder))))
  .filter((c) => c.parse === "ok" && c.files["worker.js"].length < 60_000 && c.name !== "out-filename-traversal"); // which is refused before there is anything to see

test("what hostile programs say does nothing to the page that shows it", { timeout: 180_000 }, async (t) => {
  assert.ok(cases.length >= 5, `${cases.length} cases`);
  const context = await visitor();
  try {
    const page = await context.newPage();
    const bad = [];
    const leaks = [];
    page.on("dialog", (d) => { bad.push(`dialog ${d.message()}`); return d.dismiss(); });
    await context.addInitScript(() => {
      if (window !== top || origin === "null") return;
      addEventListener("securitypolicyviolation", (e) => globalThis.refused.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
      globalThis.refused = [];
      addEventListener("message", (e) => globalThis.refused.push(`message ${String(e.data).slice(0, 100)}`));
    });
    context.on("request", async (r) => {
      const headers = await r.allHeaders().catch(() => ({}));
      if (/\/api\/admin\//.test(r.url()) && headers.cookie) leaks.push(r.url());
    });
    await openLesson(page);
    await page.selectOption("#method", "GET");
    for (const c of cases) {
      const before = { url: page.url(), title: await page.title(), cookies: JSON.stringify(await context.cookies()), stored: await page.evaluate(() => localStorage.x) };
      await write(page, c.files["worker.js"]);
      await run(page);
      for (const name of ["logs", "timeline", "response"]) if (await page.$(`#tab-${name}`)) await tab(page, name);
      const views = await page.$$eval("#panel-response input[name=as]", (all) => all.map((i) => i.value));
      for (const v of views) {
        await page.check(`#panel-response input[value=${v}]`, { force: true });
        if (v === "page") await page.frameLocator("#panel-response iframe").locator("body").waitFor();
      }
      const after = { url: page.url(), title: await page.title(), cookies: JSON.stringify(await context.cookies()), stored: await page.evaluate(() => localStorage.x) };
      assert.deepEqual(after, before, c.name);
      const markup = await page.evaluate(() => [...document.querySelectorAll("img[src=x], svg[onload], [onerror], a[href^='javascript:']")].map((e) => e.outerHTML));
      assert.deepEqual(markup, [], c.name);
      assert.deepEqual(await page.evaluate(() => globalThis.refused.filter((r) => !r.startsWith("message "))), [], `${c.name}: the page's policy had to refuse something`);
      const said = await page.evaluate(() => globalThis.refused.filter((r) => r.startsWith("message ") && /secret|token|admin/i.test(r)));
      assert.deepEqual(said, [], c.name);
      t.diagnostic(`${c.name}: ${views.join(" ") || "no answer"}`);
    }
    // Opened by its own address, such a page is as opaque.
    await write(page, cases.find((c) => c.name === "out-body-html-script").files["worker.js"].replace("<form", "<p>here</p><form"));
    await run(page);
    await tab(page, "response");
    await page.check("#panel-response input[value=page]", { force: true });
    await page.frameLocator("#panel-response iframe").locator("p", { hasText: "here" }).waitFor();
    const address = page.frames().find((f) => f !== page.mainFrame() && f.url().startsWith("http"))?.url();
    assert.ok(address, page.frames().map((f) => f.url()).join(" "));
    const direct = await context.newPage();
    direct.on("dialog", (d) => { bad.push(`dialog ${d.message()}`); return d.dismiss(); });
    await direct.goto(address);
    assert.equal(await direct.evaluate(() => origin), "null");
    assert.deepEqual(bad, []);
    assert.deepEqual(leaks, []);
  } finally {
    await context.close();
  }
});
