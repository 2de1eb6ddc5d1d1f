// Every hand and eye: keyboard alone, the accessibility tree, zoom, less
// motion, forced colours, paper.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, full, lessons, openLesson, run, saved, sideways, tab, useBrowser, withPage } from "./_browser.mjs";

useBrowser();

/** Presses Tab (or Shift+Tab) until the focus is on what the selector names; every stop on the way must be visible. */
async function tabTo(page, selector, key = "Tab") {
  const blind = [];
  for (let i = 0; i < 250; i++) {
    await page.keyboard.press(key);
    const [there, ring, what] = await page.evaluate((s) => {
      const e = document.activeElement;
      if (e === document.body) return [false, true, "body"];
      const seen = (x) => {
        const c = getComputedStyle(x);
        return (c.outlineStyle !== "none" && parseFloat(c.outlineWidth) > 0) || c.boxShadow !== "none";
      };
      // A control that is hidden behind its label shows the ring there; the editor shows a caret.
      const ring = seen(e) || (e.closest("label") && seen(e.closest("label"))) || (e.nextElementSibling && seen(e.nextElementSibling)) || !!e.closest(".cm-editor, .request, .field");
      return [e.matches(s), ring, e.outerHTML.slice(0, 100)];
    }, selector);
    if (!ring) blind.push(what);
    if (there) {
      assert.deepEqual(blind, [], "stops without a visible focus");
      return;
    }
    if (await page.evaluate(() => !!document.activeElement.closest(".cm-editor"))) await page.keyboard.press("Escape"); // then Tab leaves
  }
  assert.fail(`Tab never comes to ${selector}`);
}

const said = (page, pattern, timeout = 30_000) => page.waitForFunction((p) => new RegExp(p).test(document.querySelector("#say").textContent), pattern.source, { timeout });

/** The first lesson of each track; in the short run one lesson stands for them. */
const firsts = full
  ? ["/learn/serverless/process-on-a-port", "/learn/workers/hello-worker", "/learn/routing/where-did-express-go", "/learn/isolates/same-code-five-boxes", "/learn/ship-it/pack-it"]
  : [lessons[1]];

for (const path of firsts) {
  test(`${path} by keyboard alone: predict, edit, run, read, check, quiz, next`, { timeout: 90_000 }, withPage({}, async (page) => {
    await openLesson(page, path);
    await page.evaluate(() => document.body.focus());
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement.matches(".skip")), "the first stop skips");
    for (const kind of ["predict", "quiz"]) { // in the order of the page
      const answers = `form[data-piece=${kind}] input:is([type=radio], [type=checkbox])`;
      if (await page.locator(answers).count() === 0) continue;
      await tabTo(page, answers);
      await page.keyboard.press("Space");
      await tabTo(page, `form[data-piece=${kind}] [type=submit]`);
      await page.keyboard.press("Enter");
      await page.waitForFunction((k) => /answered|right|not yet/.test(document.querySelector(`form[data-piece=${k}] .piece_name span`)?.textContent ?? ""), kind);
    }
    await tabTo(page, ".files_tools [data-do=solution]");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#view-diff .ln-add, #view-diff .ln-del");
    await tabTo(page, "[data-do=use-solution]");
    await page.keyboard.press("Enter");
    await said(page, /solution is in place/);
    await saved(page);
    if (!/\.json/.test(await page.getAttribute(".files_tab[aria-selected=true]", "data-path"))) { // a comment would break a strict file
      await tabTo(page, ".cm-content");
      await page.keyboard.press("ControlOrMeta+End");
      await page.keyboard.type("// by keyboard");
      await saved(page);
      await page.keyboard.press("ControlOrMeta+Enter");
      await said(page, /^Run \d+: /);
      assert.ok(await page.evaluate(() => !!document.activeElement.closest(".cm-editor")), "the caret stays");
      await page.keyboard.press("Escape");
    }
    await tabTo(page, ".readouts [role=tab]");
    for (let i = 0; i < 5 && !(await page.evaluate(() => document.activeElement.id === "tab-checks")); i++) await page.keyboard.press("ArrowRight");
    await tabTo(page, "#panel-checks [data-do=run-checks]");
    await page.keyboard.press("Enter");
    await said(page, /checks? pass/, 60_000);
    assert.match(await page.textContent("#say"), /^(All \d+ checks pass|The check passes)/);
    await tabTo(page, ".turn [rel=next]", "Shift+Tab");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  }));

  test(`${path} on a phone, by touch alone: read, predict, quiz, edit, run, check, next`, { timeout: 90_000 }, withPage({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async (page) => {
    await page.goto(base + path);
    await page.waitForSelector("html[data-live=open]");
    const go = (pane) => page.tap(`.switch [data-go=${pane}]`);
    for (const kind of ["predict", "quiz"]) {
      const answer = page.locator(`form[data-piece=${kind}]:has(input:is([type=radio], [type=checkbox]))`).first();
      if (await answer.count() === 0) continue;
      await answer.locator("label").first().tap();
      await answer.locator("[type=submit]").tap();
      await page.waitForFunction((k) => /answered|right|not yet/.test(document.querySelector(`form[data-piece=${k}]:has(input:is([type=radio], [type=checkbox])) .piece_name span`)?.textContent ?? ""), kind);
    }
    await go("code");
    await page.waitForSelector(".cm-editor .cm-line");
    await page.tap(".files_tools [data-do=solution]");
    await page.waitForSelector("#view-diff .ln-add, #view-diff .ln-del");
    await page.tap("[data-do=use-solution]");
    await said(page, /solution is in place/);
    await saved(page);
    if (!/\.json/.test(await page.getAttribute(".files_tab[aria-selected=true]", "data-path"))) {
      await page.locator(".cm-line").last().tap();
      await page.keyboard.insertText("// by touch"); // what a phone's keyboard does
      await page.waitForFunction(() => document.querySelector(".cm-content").textContent.includes("// by touch"));
      await saved(page);
    }
    await go("result"); // before the first run it says what to do, and does it
    await page.tap("#panel-response [data-do=run-first]");
    await said(page, /^Run \d+: /);
    await go("code");
    await page.tap(".runbar [data-do=run]");
    await said(page, /^Run \d+: /);
    assert.equal(await page.getAttribute(".switch [data-go=result]", "aria-current"), "true");
    await page.tap("#tab-checks");
    await page.tap("#panel-checks [data-do=run-checks]");
    await said(page, /checks? pass/, 60_000);
    assert.match(await page.textContent("#say"), /^(All \d+ checks pass|The check passes)/);
    assert.ok(await sideways(page) <= 0);
    await go("lesson");
    await page.tap(".turn [rel=next]");
    await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  }));
}

/** What a screen reader does: it finds things by role and name in the accessibility tree, and acts on what it found. */
async function reader(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("DOM.enable");
  const all = async () => (await session.send("Accessibility.getFullAXTree")).nodes.filter((n) => !n.ignored);
  const find = async (role, name) => {
    const nodes = await all();
    const found = nodes.find((n) => n.role?.value === role && name.test(n.name?.value ?? ""));
    if (!found) assert.fail(`no ${role} ${name} among ${JSON.stringify(nodes.filter((n) => n.role?.value === role).map((n) => n.name?.value))}`);
    return found;
  };
  return {
    find,
    /** Whether there is something of this role and name. */
    has: async (role, name) => (await all()).some((n) => n.role?.value === role && name.test(n.name?.value ?? "")),
    /** Puts the focus on it and presses a key there. */
    press: async (role, name, key = "Enter") => {
      const { backendDOMNodeId } = await find(role, name);
      await session.send("DOM.focus", { backendNodeId: backendDOMNodeId });
      await page.keyboard.press(key);
    },
    /** What the live region has said last. */
    heard: async (pattern, timeout = 30_000) => {
      for (const end = Date.now() + timeout; ;) {
        const nodes = await all();
        const region = nodes.find((n) => n.role?.value === "status" && n.backendDOMNodeId && nodes.some((c) => c.parentId === n.nodeId && pattern.test(c.name?.value ?? "")));
        if (region) return;
        if (Date.now() > end) assert.fail(`never said: ${pattern}; said: ${await page.textContent("#say")}`);
        await page.waitForTimeout(100);
      }
    },
  };
}

for (const path of firsts) {
  test(`${path} through the accessibility tree alone: predict, solve, run, check, next`, { timeout: 90_000 }, withPage({}, async (page) => {
    await openLesson(page, path);
    const sr = await reader(page);
    await sr.find("heading", new RegExp((await page.title()).split(" · ")[0]));
    for (const role of ["radio", "checkbox"]) {
      if (!await page.locator(`form[data-piece=predict] input[type=${role}]`).count()) continue;
      await sr.press(role, /./, "Space");
      await sr.press("button", /^(Predict|Answer)/);
      await sr.heard(/^Prediction kept/);
      break;
    }
    await sr.press(await sr.has("link", /^Solution as a diff/) ? "link" : "button", /^Solution as a diff/);
    await sr.press("button", /^Use this/);
    await sr.heard(/solution is in place/);
    await saved(page);
    await sr.press("button", /^Run\b/);
    await sr.heard(/^Run \d+: /);
    await sr.press("tab", /^Checks/);
    await sr.press("button", /^Run checks/);
    await sr.heard(/checks? pass/, 60_000);
    assert.match(await page.textContent("#say"), /^(All \d+ checks pass|The check passes)/);
    await sr.find("tab", /^Checks/).then((t) => assert.match(t.name.value, /(\d+) of \1/, "the tab tells the news"));
    await sr.press("link", /^Next/);
    await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  }));
}

/** The accessibility tree as rows of role, name and states. */
async function tree(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes.filter((n) => !n.ignored).map((n) => ({
    role: n.role?.value, name: n.name?.value ?? "",
    ...Object.fromEntries((n.properties ?? []).map((p) => [p.name, p.value.value])),
  }));
}

test("the accessibility tree: regions, names, live regions, values", withPage({}, async (page) => {
  await openLesson(page, lessons[1]);
  await run(page);
  await tab(page, "logs");
  const nodes = await tree(page);
  const having = (role, name) => nodes.filter((n) => n.role === role && name.test(n.name));
  const one = (role, name) => {
    assert.equal(having(role, name).length, 1, `${role} ${name}: ${JSON.stringify(nodes.filter((n) => n.role === role))}`);
    return having(role, name)[0];
  };
  const needNames = ["button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "tab", "tablist", "tabpanel", "splitter", "image", "img", "navigation", "region", "log", "dialog", "table"];
  assert.deepEqual(nodes.filter((n) => needNames.includes(n.role) && !n.name.trim()), [], "without a name");
  assert.equal(await page.locator("fieldset:not(:has(> legend))").count(), 0, "field sets without a legend");
  one("RootWebArea", /Coldstart/);
  assert.ok(nodes.some((n) => n.role === "banner"), "banner");
  assert.ok(nodes.some((n) => n.role === "main"), "main");
  assert.equal(nodes.filter((n) => n.role === "heading" && n.level === 1).length, 1, "one first heading");
  const levels = nodes.filter((n) => n.role === "heading").map((n) => n.level);
  levels.reduce((a, b) => { assert.ok(b <= a + 1, `heading ${b} after ${a}`); return b; });
  one("tablist", /files/i);
  assert.equal(having("tab", /^(Response|Logs|Timeline|Isolate|Checks)/).length, 5);
  assert.equal(having("tab", /^Logs/)[0].selected, true);
  one("tabpanel", /Logs/);
  one("form", /Request/);
  assert.ok(!["polite", "assertive"].includes(one("log", /Logs/).live), "a log that streams is not read aloud");
  const editor = nodes.filter((n) => n.role === "textbox" && n.multiline && /index\.ts/.test(n.name));
  assert.equal(editor.length, 1, "the editor is a text box named after its file");
  for (const s of nodes.filter((n) => n.role === "splitter")) assert.ok(s.valuemin < s.valuemax, JSON.stringify(s));
  const say = await page.evaluate(() => { const e = document.querySelector("#say"); return [e.getAttribute("role"), e.textContent]; });
  assert.equal(say[0], "status");
  assert.match(say[1], /^Run \d+: \d+/);
  // Charts are a picture with a sentence, or a table.
  await tab(page, "timeline");
  const chart = await tree(page);
  assert.ok(chart.some((n) => n.role === "table" && /phase by phase/.test(n.name)), "the waterfall is a table");
  await tab(page, "isolate");
  await page.waitForSelector(".pagemap");
  assert.ok((await tree(page)).some((n) => /^ima?ge?$/.test(n.role) && /Page map: \d+ pages/.test(n.name)), "the page map says its counts");
}));

test("200 % zoom: nothing scrolls sideways, everything is reached", withPage({ viewport: { width: 720, height: 500 }, deviceScaleFactor: 2 }, async (page) => {
  for (const path of ["/", lessons[0], "/docs", "/glossary", "/progress", "/search?q=cold", "/learn/none/such"]) {
    await page.goto(base + path);
    assert.ok(await sideways(page) <= 0, path);
  }
  await page.goto(base + lessons[1]);
  await page.waitForSelector("html[data-live=open]");
  await page.click(".switch [data-go=code]");
  await page.waitForSelector(".cm-editor .cm-line");
  const hidden = await page.$$eval(".page-lesson .code button, .page-lesson .code select, .page-lesson .code input", (all) => all
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest("details:not([open])"))
    .filter((e) => {
      e.scrollIntoView({ block: "center" });
      const r = e.getBoundingClientRect();
      const top = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
      return !(top && (e.contains(top) || top.contains(e) || top.closest("label")?.control === e));
    }).map((e) => e.outerHTML.slice(0, 100)));
  assert.deepEqual(hidden, [], "covered or out of reach");
  await run(page);
  for (const name of ["response", "logs", "timeline", "isolate", "checks"]) {
    await tab(page, name);
    assert.ok(await sideways(page) <= 0, name);
  }
}));

test("who asks for less motion gets none", withPage({ reducedMotion: "reduce" }, async (page) => {
  await openLesson(page);
  await page.evaluate(() => {
    globalThis.moving = [];
    const look = () => {
      for (const a of document.getAnimations()) {
        const { duration } = a.effect.getComputedTiming();
        if (duration > 1 && !a.effect.target?.closest(".cm-editor")) globalThis.moving.push(`${a.effect.target?.className?.baseVal ?? a.effect.target?.className}: ${duration} ms`);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await tab(page, "timeline");
  await run(page);
  await run(page, "run-warm");
  await page.click(".tree summary");
  await page.keyboard.press("Escape");
  await page.locator("details.hint summary").first().click();
  await page.evaluate(() => new Promise((r) => setTimeout(r, 100)));
  assert.deepEqual([...new Set(await page.evaluate(() => globalThis.moving))], []);
}));

test("forced colours: cold and warm keep their shapes, tabs and focus are seen, axe is silent", withPage({ forcedColors: "active", colorScheme: "dark" }, async (page) => {
  await openLesson(page);
  await run(page, "run-cold");
  await run(page, "run-warm");
  await tab(page, "timeline");
  await page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished)));
  const seen = await page.evaluate(() => {
    const style = (s) => getComputedStyle(document.querySelector(s));
    const drawn = (s) => { const c = style(s); return (c.fill !== "none" && c.fill !== "rgba(0, 0, 0, 0)") || (c.stroke !== "none" && c.strokeWidth !== "0px"); };
    const button = style(".runbar [data-do=run]");
    const chosen = getComputedStyle(document.querySelector(".readouts [aria-selected=true]"), "::before");
    return {
      cold: drawn("#panel-timeline svg .c-cold"), warm: drawn("#panel-timeline svg .c-warm"),
      button: button.borderStyle !== "none" && parseFloat(button.borderWidth) > 0,
      tab: chosen.content !== "none" && chosen.backgroundColor !== "rgba(0, 0, 0, 0)",
    };
  });
  assert.deepEqual(seen, { cold: true, warm: true, button: true, tab: true });
  assert.ok(await page.locator("#panel-timeline .chart circle.c-warm").count() > 0 && await page.locator("#panel-timeline .chart path.c-cold").count() > 0, "circles are warm, diamonds cold");
  await tabTo(page, ".runbar [data-do=run]", "Shift+Tab");
  // The system chooses the colours here; axe would judge those of the style sheet.
  assert.deepEqual((await axe(page)).filter((v) => !v.startsWith("color-contrast")), []);
}));

test("on paper: the lesson, opened hints and the code; no bars, buttons or panels", withPage({}, async (page) => {
  await openLesson(page, lessons[0]);
  await page.locator("details.hint summary").first().click();
  await page.emulateMedia({ media: "print" });
  const shown = (s) => page.locator(s).evaluateAll((all) => all.filter((e) => e.checkVisibility() && e.getBoundingClientRect().height > 1).length);
  for (const s of [".lesson h1", ".lesson details.hint[open]", ".cm-line"]) assert.ok(await shown(s) > 0, `${s} is missing`);
  for (const s of [".topbar", ".runbar", ".readouts", ".panel", ".switch", ".split", "button", "details.hint:not([open])"]) assert.equal(await shown(s), 0, `${s} is printed`);
}));
