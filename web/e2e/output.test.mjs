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
    const asked = [];
    page.on("dialog", (d) => { bad.push(`dialog ${d.message()}`); return d.dismiss(); });
    await context.addInitScript(() => {
      if (window !== top || origin === "null") return;
      addEventListener("securitypolicyviolation", (e) => globalThis.refused.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
      globalThis.refused = [];
      addEventListener("message", (e) => globalThis.refused.push(`message ${String(e.data).slice(0, 100)}`));
    });
    context.on("request", async (r) => {
      // What a Worker's page asks for by itself: its own address was asked for by the page around it.
      if (r.isNavigationRequest() || r.frame() === page.mainFrame()) return;
      asked.push(r.url());
      if ((await r.allHeaders().catch(() => ({}))).cookie) leaks.push(r.url());
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
    const preview = page.frames().find((f) => f !== page.mainFrame() && f.url().startsWith("http"));
    assert.ok(preview, page.frames().map((f) => f.url()).join(" "));
    const address = preview.url();
    const direct = await context.newPage();
    direct.on("dialog", (d) => { bad.push(`dialog ${d.message()}`); return d.dismiss(); });
    await direct.goto(address);
    // In both it reads nothing of its visitor's, and changes nothing.
    const mine = () => page.evaluate(() => fetch("/api/projects").then((r) => r.text()));
    const before = await mine();
    for (const [where, frame] of [["frame", preview], ["own address", direct.mainFrame()]]) {
      assert.equal(await frame.evaluate(() => origin), "null", where);
      asked.length = 0;
      const got = await frame.evaluate(async () => {
        const said = [];
        for (const [path, init] of [["/api/projects", {}], ["/api/projects", { mode: "no-cors" }], ["/you/erase", { method: "POST", mode: "no-cors", body: new URLSearchParams({ sure: "yes" }) }]]) {
          said.push(await fetch(path, { credentials: "include", ...init }).then((r) => r.text(), () => "refused"));
        }
        const socket = await new Promise((done) => {
          const s = new WebSocket(`ws://${location.host}/api/live`);
          s.onopen = () => done("open");
          s.onerror = () => done("refused");
        });
        return [...said, socket];
      });
      assert.deepEqual(got, ["refused", "refused", "refused", "refused"], where);
      assert.ok(asked.length >= 3, `${where}: ${asked.join(" ")}`);
    }
    assert.ok(before.length > 10);
    assert.equal(await mine(), before);
    assert.deepEqual(bad, []);
    assert.deepEqual(leaks, []);
  } finally {
    await context.close();
  }
});
