// The parts of the workbench, one by one.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { axe, editorText, openLesson, run, saved, tab, useBrowser, withPage, write } from "./_browser.mjs";

useBrowser();

const worker = (body) => `export default {\n  async fetch(request) {\n    ${body}\n  },\n};\n`;

test("files are created, renamed and deleted by keyboard alone", withPage({}, async (page) => {
  await openLesson(page);
  const tabs = () => page.$$eval(".files_tab", (all) => all.map((t) => t.dataset.path));
  const begin = await tabs();
  await page.focus(".tree summary");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".tree_new");
  await page.focus(".tree_new >> nth=0");
  await page.keyboard.press("Enter");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("src/lib/util.ts");
  await page.keyboard.press("Enter");
  assert.deepEqual(await tabs(), [...begin, "src/lib/util.ts"]);
  assert.ok(await page.evaluate(() => document.activeElement.closest(".cm-editor")), "the editor has the focus");
  await saved(page);

  const open = async () => {
    await page.focus(".tree summary");
    await page.keyboard.press("Enter");
    await page.focus('.tree_sheet [data-file="src/lib/util.ts"], .tree_sheet [data-file="src/lib/tools.ts"]');
  };
  await open();
  await page.keyboard.press("F2");
  await page.keyboard.type("tools"); // the name without its ending is selected
  await page.keyboard.press("Enter");
  assert.deepEqual(await tabs(), [...begin, "src/lib/tools.ts"]);
  await open();
  await page.keyboard.press("Delete");
  await page.keyboard.press("Enter");
  assert.deepEqual(await tabs(), begin);
  await page.keyboard.press("Escape");
  await page.click(".files_tools [data-do=undo]");
  await page.waitForSelector('.files_tab[data-path="src/lib/tools.ts"]');
}));

test("a name that cannot be is refused with its reason", withPage({}, async (page) => {
  await openLesson(page);
  await page.click(".tree summary");
  await page.click(".tree_new >> nth=0");
  for (const [name, why] of [["../secret", /no dots alone/], ["a\\b", /Write the path like/], ["src", /is a folder/]]) {
    await page.fill(".tree_form input", name);
    await page.keyboard.press("Enter");
    assert.match(await page.textContent(".tree_why"), why);
  }
}));

test("versions are listed, compared and brought back", withPage({}, async (page) => {
  await openLesson(page);
  for (const text of ["// one\n", "// two\n", "// three\n"]) {
    await write(page, text);
    await page.waitForFunction(() => document.querySelector(".files_saved").textContent !== "Saved").catch(() => {});
    await saved(page);
  }
  await page.click(".tree summary");
  await page.click(".tree_sheet [data-do=versions]");
  await page.waitForSelector("dialog.sheet .versions li");
  assert.ok(await page.locator("dialog.sheet .versions li").count() >= 3);
  await page.click("dialog.sheet .versions summary >> nth=2");
  await page.waitForSelector("dialog.sheet .diff_file .ln-add");
  assert.match(await page.textContent("dialog.sheet .diff_file .ln-add"), /one/);
  await page.click("dialog.sheet [data-do=restore]");
  await page.waitForFunction(() => document.querySelector(".cm-content").textContent.includes("// one"));
  await saved(page);
  assert.equal(await editorText(page), "// one\n");
}));

test("the body as JSON tree, as text, as bytes, as a page in a closed frame, as an image", withPage({}, async (page) => {
  await openLesson(page);
  await page.selectOption("#method", "GET");
  const views = () => page.$$eval("#panel-response input[name=as]", (all) => all.map((i) => i.value));
  await write(page, worker('return Response.json({ a: [1, { b: null }] });'));
  await run(page);
  await tab(page, "response");
  assert.deepEqual(await views(), ["json", "raw", "hex"]);
  assert.match(await page.textContent("#panel-response .bodybox"), /a: \[ 1, \{ b: null \} \]/);

  await write(page, worker('return new Response("<p id=x></p><script>x.textContent = `origin ${origin}`</script>", { headers: { "content-type": "text/html" } });'));
  await run(page);
  assert.deepEqual(await views(), ["page", "raw", "hex"]);
  assert.match(await page.textContent("#panel-response .bodybox"), /<p id=x>/);
  await page.check("#panel-response input[value=page]", { force: true });
  const frame = page.frameLocator("#panel-response iframe");
  await frame.locator("#x", { hasText: "origin null" }).waitFor({ timeout: 10_000 });
  assert.equal(await page.getAttribute("#panel-response iframe", "sandbox"), "allow-scripts allow-forms");

  await write(page, worker('return new Response(Uint8Array.from([0, 255, 65, 128]), { headers: { "content-type": "application/octet-stream" } });'));
  await run(page);
  assert.deepEqual(await views(), ["hex"]);
  assert.match(await page.textContent("#panel-response .bodybox"), /^00000000 {2}00 ff 41 80/);

  const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  await write(page, worker(`return new Response(Uint8Array.from(atob("${png}"), (c) => c.charCodeAt(0)), { headers: { "content-type": "image/png" } });`));
  await run(page);
  assert.deepEqual(await views(), ["image", "hex"]);
  await page.waitForFunction(() => document.querySelector("#panel-response img")?.naturalWidth === 1);
}));

test("headers and body are sent; the request is kept among the earlier ones; curl gets the same answer", withPage({ permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
  await openLesson(page);
  await write(page, worker('return new Response(`${request.method} ${request.headers.get("x-who")} ${await request.text()}`);'));
  await page.selectOption("#method", "POST");
  await page.fill("#path", "/echo");
  await page.click(".runbar [data-do=headers]");
  await page.fill(".runbar_sheet textarea", "x-who: it's Ada\nno colon");
  await page.click(".runbar [data-do=run]");
  await page.waitForFunction(() => /Header line 2/.test(document.querySelector("#say").textContent));
  await page.fill(".runbar_sheet textarea", "x-who: it's Ada");
  await page.click(".runbar [data-do=body]");
  await page.fill(".runbar_sheet textarea", "hello");
  await run(page);
  await tab(page, "response");
  assert.equal(await page.textContent("#panel-response .bodybox"), "POST it's Ada hello");
  await page.click(".runbar [data-do=history]");
  assert.match(await page.textContent(".runbar_sheet .history"), /POST \/echo/);

  await page.click(".runbar [data-do=curl]");
  const command = await page.evaluate(() => navigator.clipboard.readText());
  const answer = execFileSync("sh", ["-c", `${command} -s`], { encoding: "utf8" });
  assert.match(answer, /POST it's Ada hello$/);
}));

test("logs: levels, filter, clear, and it follows only at the bottom", withPage({}, async (page) => {
  await openLesson(page);
  await write(page, worker('for (let i = 0; i < 100; i++) console[["log", "warn", "error", "info", "debug"][i % 5]]("line " + i + " of many");\n    return new Response("ok");'));
  await page.selectOption("#method", "GET");
  await tab(page, "logs");
  await run(page);
  const last = () => page.$$eval(".log_window .log_line .log_text", (all) => all.at(-1)?.textContent);
  assert.match(await last(), /^line 99 /);
  assert.ok(await page.locator(".log_window > *").count() < 80, "only what is in sight exists");
  await page.evaluate(() => { document.querySelector(".panel-logs .log").scrollTop = 0; });
  await page.waitForTimeout(100);
  await run(page);
  assert.equal(await page.evaluate(() => document.querySelector(".panel-logs .log").scrollTop), 0, "it does not jump down");
  await page.fill(".panel-logs input[type=search]", "line 42 ");
  await page.waitForFunction(() => document.querySelectorAll(".log_window .log_line").length === 2);
  await page.fill(".panel-logs input[type=search]", "error");
  await page.waitForFunction(() => document.querySelector(".log_window .log_line .log_level")?.textContent === "error");
  await page.fill(".panel-logs input[type=search]", "");
  await page.click("[data-do=clear-logs]");
  await page.waitForFunction(() => !document.querySelector(".log_window").children.length);
  assert.match(await page.textContent(".log_empty"), /Nothing logged/);
}));

test("evict makes the next request cold, keep warm says so", withPage({}, async (page) => {
  await openLesson(page);
  await run(page);
  assert.match(await run(page), /warm/);
  await tab(page, "isolate");
  await page.click("#panel-isolate [data-do=evict]");
  await page.waitForFunction(() => document.querySelector("#tab-isolate .readout_value").textContent.trim() === "evicted");
  assert.match(await run(page), /cold/);
  await page.click("#panel-isolate [data-do=keep]");
  await page.waitForFunction(() => document.querySelector("#panel-isolate [data-do=keep]").getAttribute("aria-pressed") === "true");
}));

test("14 after a second a run says in words what it is doing, and it can be stopped", withPage({}, async (page) => {
  await openLesson(page);
  await write(page, worker('await new Promise((r) => setTimeout(r, 8000));\n    return new Response("late");'));
  await page.selectOption("#method", "GET");
  await tab(page, "response");
  await page.click(".runbar [data-do=run]");
  await page.waitForFunction(() => /handler is running/i.test(document.querySelector("#panel-response").textContent), null, { timeout: 6000 });
  await page.click(".runbar [data-do=run]"); // it says Stop now
  await page.waitForFunction(() => /^Run \d+: Stopped/.test(document.querySelector("#say").textContent), null, { timeout: 5000 });
}));

test("format tidies the file, F12 goes to a definition in another file, or shows a type", withPage({}, async (page) => {
  await openLesson(page);
  await page.click(".cm-content");
  await page.waitForSelector("html[data-types=ready]", { timeout: 30_000 });
  await page.click(".tree summary");
  await page.click(".tree_new >> nth=0");
  await page.fill(".tree_form input", "src/rooms.ts");
  await page.keyboard.press("Enter");
  await write(page, "export const first = 1;\nexport function room(id: number) { return id + first; }\n");
  await page.click('.files_tab[data-path="src/index.ts"]');
  await write(page, 'import { room } from "./rooms";\nexport default {\nfetch() {\nreturn new Response(String(room( 7 )));\n},\n};\n');
  await page.keyboard.press("Shift+Alt+f");
  await page.waitForFunction(() => document.querySelector("#say").textContent === "Formatted.");
  assert.equal(await editorText(page), 'import { room } from "./rooms";\nexport default {\n  fetch() {\n    return new Response(String(room(7)));\n  },\n};\n');
  await page.evaluate(() => {
    const view = document.querySelector(".cm-content").cmTile.view;
    view.dispatch({ selection: { anchor: view.state.doc.toString().indexOf("room(7)") + 2 } });
    view.focus();
  });
  await page.keyboard.press("F12");
  await page.waitForSelector('.files_tab[data-path="src/rooms.ts"][aria-selected=true]', { timeout: 5000 });
  await page.waitForFunction(() => document.querySelector("#caret").textContent.startsWith("Line 2,"));
  await page.click('.files_tab[data-path="src/index.ts"]');
  await page.evaluate(() => {
    const view = document.querySelector(".cm-content").cmTile.view;
    view.dispatch({ selection: { anchor: view.state.doc.toString().indexOf("Response") + 2 } });
    view.focus();
  });
  await page.keyboard.press("F12"); // what no file of the learner's defines
  await page.waitForFunction(() => /Response/.test(document.querySelector(".cm-tooltip.cm-type")?.textContent));
  await page.keyboard.press("Escape");
  await page.waitForSelector(".cm-tooltip.cm-type", { state: "detached" });
}));

test("find and replace, by keyboard, with a name on every field", withPage({}, async (page) => {
  await openLesson(page);
  await write(page, "const a = 1;\nconst b = a + a;\n");
  for (let i = 0; i < 100 && await page.locator(".cm-search").count() === 0; i++) { // it comes a little after the editor
    await page.keyboard.press("ControlOrMeta+f");
    await page.waitForTimeout(100);
  }
  await page.waitForSelector(".cm-search [name=search]:focus");
  await page.keyboard.type("a");
  await page.check(".cm-search [name=word]");
  await page.focus(".cm-search [name=replace]");
  await page.keyboard.type("first");
  assert.deepEqual(await axe(page), []);
  await page.focus(".cm-search [name=replaceAll]");
  await page.keyboard.press("Enter");
  assert.equal(await editorText(page), "const first = 1;\nconst b = first + first;\n");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".cm-search", { state: "detached" });
  assert.ok(await page.evaluate(() => !!document.activeElement.closest(".cm-editor")), "the caret is back");
}));

test("vim and emacs keys come on demand and do what they say; Escape and Tab lead out of each", withPage({}, async (page) => {
  await openLesson(page);
  const text = "one two\nthree four\nfive\n";
  await write(page, text);
  const inEditor = () => page.evaluate(() => !!document.activeElement.closest(".cm-editor"));
  const choose = async (keys, sign) => {
    await page.click(".topbar [data-do=keys]");
    await page.check(`dialog.sheet input[value=${keys}]`, { force: true });
    await page.waitForSelector(sign, { state: "attached" });
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog.sheet", { state: "detached" });
    await page.click(".cm-line >> nth=1");
    assert.ok(await inEditor());
  };
  const caret = () => page.textContent("#caret").then((t) => t.match(/\d+/g).join(":"));
  /** Presses a key and finds the caret, and the text when it is given. */
  const press = async (key, at, now = text) => {
    await page.keyboard.press(key);
    assert.deepEqual([key, await caret(), await editorText(page)], [key, at, now]);
  };

  await choose("emacs", ".cm-emacsMode");
  await press("Control+a", "2:1");
  await press("Control+e", "2:11");
  await press("Control+p", "1:8");
  await press("ArrowDown", "2:11"); // Ctrl+N is the browser's
  await press("Control+a", "2:1");
  await press("Alt+f", "2:6");
  await press("Control+a", "2:1");
  await press("Control+k", "2:1", "one two\n\nfive\n");
  await press("Control+y", "2:11");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.ok(!(await inEditor()), "Esc, then Tab, leaves with emacs keys");

  await choose("vim", ".cm-vimMode");
  await page.keyboard.press("d");
  await press("d", "2:1", "one two\nfive\n");
  await page.keyboard.press("i");
  await page.keyboard.type("now ");
  await page.keyboard.press("Escape");
  await press("x", "2:4", "one two\nnowfive\n");
  await page.keyboard.type(":w");
  const before = await page.textContent("#say");
  await page.keyboard.press("Enter");
  await page.waitForFunction((old) => document.querySelector("#say").textContent !== old && document.querySelector("#say").textContent === "Saved.", before);
  assert.equal(await page.textContent(".files_saved"), "Saved");
  assert.ok(await inEditor(), "the prompt gives the caret back");
  await press("u", "2:4", "one two\nnow five\n");
  assert.match(await page.textContent(".editor_foot"), /Esc twice, then Tab, leaves/);
  await page.keyboard.press("i");
  await page.keyboard.press("Escape");
  assert.ok(await inEditor(), "Esc ends the insertion only");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.ok(!(await inEditor()), "Esc twice, then Tab, leaves with vim keys");
}));

test("handles between the panels move by keyboard and mouse and are remembered", withPage({}, async (page) => {
  await openLesson(page);
  const width = () => page.evaluate(() => Math.round(document.querySelector(".bench").getBoundingClientRect().width));
  const before = await width();
  await page.focus(".split-vertical");
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
  const after = await width();
  assert.ok(after < before - 50, `${before} then ${after}`);
  await page.reload();
  await openLesson(page);
  assert.equal(await width(), after);
  const handle = await page.locator(".split-vertical").boundingBox();
  const [x, y] = [handle.x + handle.width / 2, handle.y + handle.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x - 120, y, { steps: 6 });
  await page.mouse.up();
  const wide = await width();
  assert.ok(Math.abs(wide - after - 120) < 8, `${after} then ${wide}`);
  await page.reload();
  await openLesson(page);
  assert.equal(await width(), wide);
}));

test("a prediction and a quiz are answered in place; hints open one by one and stay open", withPage({}, async (page) => {
  await openLesson(page);
  const predict = page.locator("form[data-piece=predict]").first();
  const id = await predict.getAttribute("id");
  await predict.locator("[type=submit]").click();
  assert.match(await predict.locator(".piece_says").textContent(), /Choose an answer first/);
  assert.equal(await predict.locator(".choice-right, .choice-wrong").count(), 0, "no result before the answer");
  await predict.locator("input[name=answer]").first().check();
  await predict.locator("[type=submit]").click();
  await page.waitForFunction((id) => /answered/.test(document.getElementById(id)?.querySelector(".piece_name span")?.textContent ?? ""), id);
  assert.equal(await page.evaluate(() => document.activeElement.type), "submit", "the focus stays");

  const quiz = page.locator("form[data-piece=quiz]").first();
  await quiz.locator("input[name=answer]").first().check();
  await quiz.locator("[type=submit]").click();
  await page.waitForFunction(() => /^Quiz: (right|not yet)/.test(document.querySelector("#say").textContent));
  assert.ok(await page.locator("form[data-piece=quiz] .choice_why").count() > 0);

  const hints = page.locator(".hints").first().locator("details.hint");
  assert.ok(await hints.nth(0).isVisible());
  assert.ok(!(await hints.nth(1).isVisible()), "the second waits for the first");
  const noted = page.waitForResponse((r) => r.url().endsWith("/hint") && r.ok());
  await hints.nth(0).locator("summary").click();
  await noted;
  assert.ok(await hints.nth(1).isVisible());
  await page.reload();
  assert.ok(await page.locator(".hints").first().locator("details.hint[open]").count() === 1);
}));

test("5 the next lesson begins at its heading", withPage({}, async (page) => {
  await openLesson(page);
  await page.click(".turn [rel=next]");
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
}));
