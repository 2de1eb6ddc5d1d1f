// The page itself: reach, keys, widths, weight and speed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axeInBoth, base, figure, full, lessons, lowTargets, openLesson, readout, run, saved, sideways, still, tab, useBrowser, withPage, write } from "./_browser.mjs";

useBrowser();

const pages = ["/", ...lessons, "/docs", "/dev/gallery", "/learn/none/such"];

test("16 axe finds nothing on any page, in light and dark", { timeout: 120_000 }, withPage({}, async (page, t) => {
  let found = 0;
  for (const path of full ? pages : pages.filter((p) => !lessons.includes(p))) { // every lesson is looked at in lessons.test.mjs
    await page.goto(base + path);
    const violations = await axeInBoth(page);
    found += violations.length;
    assert.deepEqual(violations, [], path);
  }
  figure(t, 16, "violations on pages, light and dark", found, "0");
}));

test("16 axe finds nothing in any state of a lesson, in light and dark", { timeout: 120_000 }, withPage({}, async (page) => {
  await openLesson(page);
  await run(page);
  for (const name of ["response", "logs", "timeline", "isolate", "checks"]) {
    await tab(page, name);
    assert.deepEqual(await axeInBoth(page), [], name);
  }
  for (const name of ["headers", "body", "history"]) {
    await page.click(`.runbar [data-do=${name}]`);
    assert.deepEqual(await axeInBoth(page), [], name);
  }
  await page.click(".tree summary");
  assert.deepEqual(await axeInBoth(page), [], "tree");
  await page.keyboard.press("Escape");
  await page.click(".files_tools [data-do=solution]");
  assert.deepEqual(await axeInBoth(page), [], "solution");
  await page.click("[data-do=back-to-code]");
  await page.click(".topbar [data-do=keys]");
  await page.waitForSelector("dialog.sheet");
  assert.deepEqual(await axeInBoth(page), [], "keys");
  await page.keyboard.press("Escape");
  await write(page, "export default { fetch() { throw new TypeError('no'); } };\n");
  await run(page);
  await tab(page, "response");
  assert.deepEqual(await axeInBoth(page), [], "fault");
}));

test("15 at 360 px nothing scrolls sideways, and targets are at least 44 px", withPage({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async (page, t) => {
  for (const path of [...pages, "/labs", "/labs/race", "/progress", "/you", "/join"]) {
    await page.goto(base + path);
    assert.ok(await sideways(page) <= 0, path);
    if (path === "/dev/gallery") continue; // its samples stand in boxes, some of them narrower than a phone
    assert.deepEqual(await lowTargets(page), [], `targets on ${path}`);
  }
  await page.goto(base + lessons[0]);
  await page.waitForSelector("html[data-live=open]");
  figure(t, 15, "sideways scroll at 360 px", `${Math.max(0, await sideways(page))} px`, "0 px");
  const small = () => page.evaluate(() => [...document.querySelectorAll("button, select, input:not([type=radio]):not([type=checkbox]), .switch a, summary")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 1)
    .map((e) => [e.getBoundingClientRect(), e.outerHTML.slice(0, 90)])
    .filter(([r]) => Math.round(r.height) < 44 && !(r.height === 0))
    .map(([r, html]) => `${Math.round(r.width)}×${Math.round(r.height)} ${html}`));
  const taps = await page.$$eval(".switch a", (all) => all.map((a) => ({ says: a.firstChild.textContent, top: a.getBoundingClientRect().top, height: a.getBoundingClientRect().height })));
  figure(t, 15, "lowest of the taps between lesson, code and result", `${Math.min(...taps.map((t) => t.height)).toFixed(0)} px`, "≥ 44 px");
  assert.deepEqual(taps.map((t) => t.says), ["Lesson", "Code", "Result"], "one labelled tap apart");
  assert.ok(taps.every((t) => t.top > 600 && t.top < 740), "in sight, at the bottom");
  for (const pane of ["lesson", "code", "result"]) {
    await page.tap(`.switch [data-go=${pane}]`);
    assert.ok(await page.locator(`#${pane}`).isVisible(), pane);
    if (pane === "code") await page.waitForSelector(".cm-editor");
    assert.ok(await sideways(page) <= 0, pane);
    assert.deepEqual(await small(), [], pane);
  }
  await page.click(".switch [data-go=code]");
  await page.click(".runbar [data-do=run]");
  assert.equal(await page.getAttribute(".switch [data-go=result]", "aria-current"), "true", "Run leads to the result");
  for (const name of ["response", "logs", "timeline", "isolate", "checks"]) {
    await tab(page, name);
    await still(page);
    assert.ok(await sideways(page) <= 0, name);
  }
}));

test("at 360 px long words, names of calls and notices stay in their places; a log line that is longer than its row opens", withPage({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async (page) => {
  await page.goto(`${base}/search?q=${"z".repeat(100)}`);
  assert.ok(await sideways(page) <= 0, "search for one long word");
  await page.goto(base + lessons[1]);
  await page.waitForSelector("html[data-live=open]");
  await page.tap(".switch [data-go=code]");
  await page.waitForSelector(".cm-editor .cm-line");
  const said = `begin ${"of a line ".repeat(12)}end`;
  await write(page, `export default {\n  async fetch() {\n    console.log(${JSON.stringify(said)});\n    await Promise.all(["a", "b"].map((k) => caches.default.match("https://x.test/" + k.repeat(80))));\n    return new Response("x".repeat(1500));\n  },\n};\n`);
  const beside = await page.evaluate(() => document.querySelector(".files_tools").getBoundingClientRect().left - document.querySelector(".files_tab[aria-selected=true]").getBoundingClientRect().right);
  assert.ok(beside >= 16, `the open file's name is whole: ${beside} px to the tools, 16 of them fade`);
  await run(page);
  await tab(page, "timeline");
  const off = await page.$$eval(".waterfall tbody :is(.c-cold, .c-warm)", (all) => all.map((e) => {
    const [bar, row] = [e, e.closest("td")].map((x) => x.getBoundingClientRect());
    return (bar.top + bar.bottom - row.top - row.bottom) / 2;
  }));
  assert.ok(off.length > 0 && off.every((px) => Math.abs(px) <= 1), `bars of one run lie in the middle of their rows: ${off}`);
  await page.tap(".switch [data-go=code]");
  await run(page);
  const cut = () => page.$$eval(".readout_value", (all) => all.filter((e) => e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight + 1).map((e) => e.textContent));
  assert.deepEqual(await cut(), [], "what the tabs tell");
  await tab(page, "timeline");
  const outside = await page.$$eval(".waterfall td svg", (all) => all.flatMap((s) => [...s.querySelectorAll("text, foreignObject")]
    .filter((e) => e.getBoundingClientRect().left < s.getBoundingClientRect().left - 1 || e.getBoundingClientRect().right > s.getBoundingClientRect().right + 1)
    .map((e) => e.textContent.slice(0, 30))));
  assert.deepEqual(outside, [], "names of calls");
  assert.equal(await page.locator(".waterfall_name").count(), 2);
  const marks = await page.$$eval(".waterfall thead text", (all) => all.filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect()).map((r) => [r.left, r.right]));
  for (let i = 1; i < marks.length; i++) assert.ok(marks[i][0] > marks[i - 1][1] + 2, "figures of the axis stand apart");

  await tab(page, "logs");
  const row = page.locator(".log_window .log_wraps").last();
  const low = (await row.boundingBox()).height;
  await row.locator("summary").tap();
  await page.waitForFunction((low) => [...document.querySelectorAll(".log_window .log_wraps")].at(-1).getBoundingClientRect().height > 2 * low, low);
  const text = await row.locator("summary").evaluate((e) => ({ text: e.textContent, over: e.scrollWidth - e.clientWidth }));
  assert.deepEqual([text.text, text.over <= 0], [said, true]);

  const strip = () => page.$eval(".readouts", (e) => e.getBoundingClientRect().height);
  const high = await strip();
  await page.tap(".switch [data-go=code]");
  await write(page, "const = 1;\n");
  await run(page);
  assert.equal(await readout(page, "response"), "build error");
  await page.evaluate(() => { document.querySelector("#tab-response .readout_value").textContent = "runner replaced"; }); // the longest one
  assert.deepEqual(await cut(), [], "what the tabs tell of a fault");
  assert.equal(await strip(), high, "and the strip stays as high");
}));

test("4 tabbing through never traps; after typing, Tab indents; Esc then Tab leaves; it is said on screen", withPage({}, async (page, t) => {
  await openLesson(page);
  const inEditor = () => page.evaluate(() => !!document.activeElement.closest(".cm-editor"));
  await page.focus(".files_tools [data-do=reset]");
  let entered = false;
  let presses = 0;
  for (; presses < 8 && !(entered && !(await inEditor())); presses++) {
    await page.keyboard.press("Tab");
    entered ||= await inEditor();
  }
  assert.ok(entered && !(await inEditor()), "Tab goes in and out");
  figure(t, 4, "presses of Tab from the tools through the editor", presses, "≤ 8");
  await page.focus(".cm-content");
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.type("x");
  await page.keyboard.press("Tab");
  assert.ok(await inEditor(), "after typing, Tab indents");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.ok(!(await inEditor()), "Esc then Tab leaves");
  assert.match(await page.textContent(".editor_foot"), /Tab indents\. Esc, then Tab, leaves the editor\./);
}));

test("3 Ctrl+Enter runs from anywhere, ? lists the keys; the browser keeps its own", withPage({}, async (page, t) => {
  await openLesson(page);
  for (const place of [".cm-content", "#path", "#lesson"]) {
    await page.focus(place);
    const before = await page.textContent("#say");
    await page.keyboard.press("ControlOrMeta+Enter");
    await page.waitForFunction((old) => document.querySelector("#say").textContent !== old, before);
    assert.match(await page.textContent("#say"), /^Run \d+/, place);
  }
  await page.focus("#lesson");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog.sheet");
  assert.match(await page.textContent("dialog.sheet"), /Run, from anywhere/);
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.id), "lesson", "the focus comes back");
  const taken = await page.evaluate(() => {
    const out = [];
    const keys = ["F1", "F3", "F5", "F6", "F7", "F11", "F12", "Shift+F5", ...["r", "l", "t", "w", "n", "p", "s", "u", "h", "j", "d", "f", "k", "1", "+", "-", "0", "F5", "Tab", "PageDown"].map((k) => `Control+${k}`), "Alt+ArrowLeft", "Alt+d", " ", "PageDown", "Backspace"];
    for (const place of ["#lesson", "#path", ".readouts [aria-selected=true]", ".cm-content"]) {
      for (const name of keys) {
        const key = name.split("+").slice(name.includes("+") && name !== "+" ? 1 : 0).join("+") || "+";
        if (place === ".cm-content" && /^(Control\+[dfk]|F3|F12|PageDown|Backspace| |Alt\+ArrowLeft)$/.test(name)) continue; // the editor's own, as in every editor; the keys page says so
        const e = new KeyboardEvent("keydown", { key, code: key, ctrlKey: name.startsWith("Control"), altKey: name.startsWith("Alt"), shiftKey: name.startsWith("Shift"), bubbles: true, cancelable: true });
        document.querySelector(place).dispatchEvent(e);
        if (e.defaultPrevented) out.push(`${name} in ${place}`);
      }
    }
    return out;
  });
  assert.deepEqual(taken, [], "keys of the browser that the page takes");
  figure(t, 3, "keys of the browser taken", taken.length, "0");
}));

test("5 after Run the caret stays and the result is announced once", withPage({}, async (page, t) => {
  await openLesson(page);
  await page.click(".cm-line >> nth=0");
  const caret = await page.textContent("#caret");
  await page.evaluate(() => {
    globalThis.said = [];
    new MutationObserver(() => globalThis.said.push(document.querySelector("#say").textContent))
      .observe(document.querySelector("#say"), { childList: true, characterData: true, subtree: true });
  });
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.waitForFunction(() => globalThis.said.length > 0);
  await page.waitForTimeout(500);
  const said = (await page.evaluate(() => globalThis.said)).length;
  figure(t, 5, "announcements of one run", said, "1");
  assert.equal(said, 1);
  assert.equal(await page.textContent("#caret"), caret);
  assert.ok(await page.evaluate(() => !!document.activeElement.closest(".cm-editor")));
  assert.equal(await page.getAttribute("#say", "role"), "status");
}));

test("6 results shift nothing", withPage({}, async (page, t) => {
  await openLesson(page);
  await page.waitForTimeout(500);
  await page.evaluate(() => {
    globalThis.shift = 0;
    globalThis.moved = [];
    new PerformanceObserver((l) => { for (const e of l.getEntries()) {
        globalThis.shift += e.value;
        for (const s of e.sources ?? []) globalThis.moved.push(`${s.node?.className || s.node?.nodeName}: ${Math.round(s.previousRect.y)} to ${Math.round(s.currentRect.y)}`);
      } }).observe({ type: "layout-shift" });
  });
  await run(page);
  for (const name of ["logs", "timeline", "isolate", "checks", "response"]) { await tab(page, name); await still(page); }
  await run(page);
  const shift = await page.evaluate(() => globalThis.shift);
  assert.equal(shift, 0, String(await page.evaluate(() => globalThis.moved)));
  figure(t, 6, "layout shift from results", shift, "0");
}));

test("6 Back restores the scroll", withPage({}, async (page) => {
  await openLesson(page);
  const scrolled = () => page.evaluate(() => Math.round(scrollY));
  await page.evaluate(() => scrollTo(0, 700));
  await page.waitForFunction(() => scrollY === 700);
  await page.evaluate(() => { location.href = "/glossary"; });
  await page.waitForURL(/glossary/);
  await page.goBack();
  await page.waitForFunction(() => Math.abs(scrollY - 700) < 2, null, { timeout: 10_000 }).catch(async () => assert.fail(`at ${await scrolled()}, not 700`));
}));

test("lines of prose hold 60 to 75 letters on a desk", withPage({}, async (page, t) => {
  await openLesson(page, lessons[0]);
  for (const width of [1280, 1440, 1920]) {
    await page.setViewportSize({ width, height: 900 });
    const letters = await page.evaluate(() => {
      const lines = [];
      for (const p of document.querySelectorAll("#lesson > p:not(.lesson_lead)")) {
        const row = new Map(), range = document.createRange(), texts = document.createTreeWalker(p, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
          const { currentNode: text } = texts;
          if (text.parentElement.closest(".term_card")) continue;
          for (let i = 0; i < text.length; i++) {
            range.setStart(text, i);
            range.setEnd(text, i + 1);
            const at = Math.round(range.getBoundingClientRect().bottom / 12);
            row.set(at, (row.get(at) ?? 0) + 1);
          }
        }
        lines.push(...[...row.values()].slice(0, -1)); // the last one ends where the text does
      }
      return lines.sort((a, b) => a - b);
    });
    const half = letters[Math.floor(letters.length / 2)];
    t.diagnostic(`${width} px: ${half} letters a line, ${letters.length} lines`);
    assert.ok(letters.length > 5 && half >= 60 && half <= 75, `${half} letters a line at ${width} px`);
  }
}));

test("tab lists move by arrows, Home and End with one tab stop", withPage({}, async (page) => {
  await openLesson(page);
  await page.focus(".readouts [aria-selected=true]");
  const at = () => page.evaluate(() => [document.activeElement.id, document.querySelectorAll('.readouts [tabindex="0"]').length].join(" "));
  await page.keyboard.press("End");
  assert.equal(await at(), "tab-checks 1");
  await page.keyboard.press("ArrowRight");
  assert.equal(await at(), "tab-response 1");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  assert.equal(await at(), "tab-logs 1");
  assert.ok(await page.isVisible("#panel-logs"));
}));

test("17 first load: at most 60 kB before the editor and 250 kB with it; nothing from another host", withPage({}, async (page, t) => {
  const hosts = new Set();
  page.on("request", (r) => { if (/^https?:/.test(r.url())) hosts.add(new URL(r.url()).host); });
  await openLesson(page, lessons[1]);
  const [before, all] = await page.evaluate(() => {
    const first = new Set([...document.querySelectorAll("script[src], link[rel=stylesheet], link[rel=modulepreload]")].map((e) => e.src || e.href));
    const html = performance.getEntriesByType("navigation")[0].encodedBodySize;
    const files = performance.getEntriesByType("resource").filter((e) => /\/static\/.*\.(js|css)$/.test(e.name) && !/types/.test(e.name));
    const sum = (list) => list.reduce((n, e) => n + e.encodedBodySize, html);
    return [sum(files.filter((e) => first.has(e.name))), sum(files)];
  });
  figure(t, 17, "HTML, CSS and JS before the editor", `${(before / 1000).toFixed(1)} kB`, "≤ 60 kB");
  figure(t, 17, "the same with the editor", `${(all / 1000).toFixed(1)} kB`, "≤ 250 kB");
  assert.ok(before > 5000 && before <= 60_000, `${before} bytes before the editor`);
  assert.ok(all > before && all <= 250_000, `${all} bytes with it`);
  assert.deepEqual([...hosts], [new URL(base).host]);
}));

test("the type service squiggles, completes, and formats", withPage({}, async (page) => {
  await openLesson(page);
  await page.click(".cm-content");
  await page.waitForSelector("html[data-types=ready]", { timeout: 30_000 });
  await write(page, "export default {\n  async fetch(request: Request, env: { KV: KVNamespace }) {\n    const n: number = 'oops';\n    return new Response(String(n));\n  },\n};\n");
  await page.waitForSelector(".cm-lintRange-error", { timeout: 15_000 });
  await page.keyboard.press("ControlOrMeta+Home");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("env.KV.");
  await page.waitForSelector(".cm-tooltip-autocomplete li", { timeout: 15_000 });
  const offers = await page.locator(".cm-tooltip-autocomplete .cm-completionLabel").allTextContents();
  for (const name of ["get", "put", "list", "delete"]) assert.ok(offers.includes(name), `${name} is missing in ${offers}`);
}));

test("who saves data gets the editor without the type service, and completion of what the file has", withPage({}, async (page, _, context) => {
  await context.addInitScript(() => Object.defineProperty(navigator, "connection", { value: { saveData: true } }));
  const fetched = [];
  page.on("request", (r) => fetched.push(...(r.url().match(/types[^/]*\.(?:js|json)$/) ?? [])));
  await openLesson(page);
  await page.click(".cm-content"); // which fetches it for everybody else
  await write(page, "const greeting = 1;\n");
  await saved(page);
  await page.keyboard.type("gree");
  await page.waitForSelector(".cm-tooltip-autocomplete li");
  assert.deepEqual(fetched, []);
}));

test("the type service learns a package of the shelf once it is imported", withPage({}, async (page) => {
  const fetched = [];
  page.on("request", (r) => fetched.push(...(r.url().match(/types-[a-z-]+(?=-[A-Z0-9]{8}\.json)/) ?? [])));
  await openLesson(page);
  await page.click(".cm-content");
  await page.waitForSelector("html[data-types=ready]", { timeout: 30_000 });
  assert.deepEqual(fetched, [], "nothing is fetched that nothing imports");
  await write(page, 'import { Hono } from "hono";\n\nconst app = new Hono();\napp.get("/", (c) => c.text(1));\nexport default app;\n');
  await page.waitForSelector(".cm-lintRange-error", { timeout: 20_000 });
  assert.match(await page.evaluate(() => document.querySelector(".cm-lintRange-error").closest(".cm-line").textContent), /c\.text\(1\)/);
  assert.deepEqual(fetched, ["types-hono"]);
}));

test("13 nothing runs on load", withPage({}, async (page) => {
  await openLesson(page);
  await page.waitForTimeout(500);
  assert.equal((await page.textContent("#tab-response .readout_value")).trim(), "–");
}));

test("who blocks cookies reads so, and not that all is saved", withPage({}, async (page, _, context) => {
  await context.addInitScript(() => Object.defineProperty(Document.prototype, "cookie", { get: () => "", set: () => {} }));
  await page.routeWebSocket(/\/api\/live/, (ws) => ws.close({ code: 1001 })); // as the server does to who sends no cookie
  await page.goto(base + lessons[1]);
  await page.waitForSelector(".banner-live:has-text('This browser blocks cookies')");
  await page.waitForSelector(".cm-editor .cm-line");
  await write(page, "// kept nowhere\n");
  await page.waitForFunction(() => document.querySelector(".files_saved").textContent === "Not saved: this browser blocks cookies.");
  await page.setViewportSize({ width: 360, height: 740 });
  assert.ok(await sideways(page) <= 0);
  await page.goto(`${base}/labs/events`);
  await page.waitForSelector(".banner-live:has-text('This browser blocks cookies')");
}));

test("a refused form says why, keeps what was typed and leads to the field, on a phone too", withPage({ viewport: { width: 360, height: 740 } }, async (page) => {
  for (const [path, fields, says, refused, kept] of [
    ["/join", { "#code": "AAAA-BBBB", "#nickname": "Ada" }, /code/, "#code", "#nickname"],
    ["/resume", { "#phrase": "acorn acorn acorn acorn acorn acorn" }, /phrase/, "#phrase"],
    ["/signin", { "#name": "nobody", "#password": "a sentence nobody guesses" }, /password/, "#password", "#name"],
  ]) {
    await page.goto(base + path);
    for (const [field, text] of Object.entries(fields)) await page.fill(field, text);
    await page.click("main form .button-main");
    assert.match(await page.textContent("#form-error[role=alert]"), says, path);
    await page.waitForSelector(`${refused}:focus[aria-invalid=true][aria-describedby~=form-error]`);
    assert.equal(await page.locator("[aria-invalid]").count(), 1, path);
    if (kept) assert.equal(await page.inputValue(kept), fields[kept], path);
    assert.ok(await sideways(page) <= 0, path);
    assert.deepEqual(await axeInBoth(page), [], path);
  }
}));
