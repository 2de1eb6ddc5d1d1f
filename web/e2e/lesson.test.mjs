// One lesson from opening to all green, and what happens when code is wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, editorText, figure, lessons, openLesson, readout, run, saved, skipPredictions, tab, useBrowser, withPage, write } from "./_browser.mjs";

useBrowser();

const hello = `interface Greeting { name: string; visits: number }

let visits = 0;

export default {
  async fetch(request: Request): Promise<Response> {
    const greeting: Greeting = { name: new URL(request.url).pathname, visits: ++visits };
    console.log("greeting", greeting);
    return Response.json(greeting);
  },
} satisfies { fetch(request: Request): Promise<Response> };
`;

test("edits TypeScript, runs it, sees response, log, timeline and isolate", withPage({}, async (page) => {
  await openLesson(page);
  await write(page, hello);
  await page.selectOption("#method", "GET");
  await page.fill("#path", "/ada");
  assert.match(await run(page), /^Run \d+: 200, \d+ bytes, cold, [\d.]+ \w+, 1 log line\.$/);
  assert.match(await run(page), /^Run \d+: 200, \d+ bytes, warm, /);

  await tab(page, "response");
  assert.match(await page.textContent("#panel-response .response_status"), /^200/);
  assert.match(await page.textContent("#panel-response .bodybox"), /name: "\/ada", visits: 2/);
  await page.check("#panel-response input[value=raw]", { force: true });
  assert.equal(await page.textContent("#panel-response .bodybox"), '{"name":"/ada","visits":2}');

  await tab(page, "logs");
  const line = page.locator(".log_window .log_line", { hasText: "greeting" }).last();
  assert.match(await line.locator(".log_at").textContent(), /^index\.ts:8$/);
  await line.locator("summary").click();
  assert.match(await line.locator("dl").textContent(), /name"\/ada"visits2/);
  await line.locator(".log_at a, a.log_at").click();
  await page.waitForFunction(() => document.querySelector("#caret").textContent.startsWith("Line 8,"));

  await tab(page, "timeline");
  const phases = await page.locator(".waterfall tbody tr:not(.waterfall_call) th").allTextContents();
  for (const phase of ["start", "load", "handle"]) assert.ok(phases.includes(phase), `${phase} is missing in ${phases}`);
  assert.match(await page.textContent("#panel-timeline .panel_say"), /times faster/);

  await tab(page, "isolate");
  await page.waitForSelector(".pagemap");
  assert.match(await page.textContent("#panel-isolate .facts"), /Served2 requests/);
  assert.match(await page.getAttribute(".pagemap", "aria-label"), /Page map: \d+ pages/);

  await write(page, "export default { fetch: };\n");
  await run(page);
  await write(page, hello);
  await run(page);
  await tab(page, "timeline");
  const compared = await page.locator(".waterfall thead th").allTextContents();
  assert.ok(compared.length === 4 && !compared.some((name) => /run 3$/.test(name)), `a build error is no run to compare with: ${compared}`);
}));

test("×20 cold and ×20 warm draw clouds with p50 and p99", withPage({}, async (page) => {
  await openLesson(page);
  await write(page, hello);
  await page.selectOption("#method", "GET");
  await run(page, "run-cold");
  assert.match(await run(page, "run-warm"), /^20 warm runs: half within/);
  await tab(page, "timeline");
  const rows = await page.locator("#panel-timeline .ledger tbody tr").allTextContents();
  assert.equal(rows.length, 2, String(rows));
  assert.match(rows[0], /^cold20/);
  assert.match(rows[1], /^warm20/);
  assert.equal(await page.locator("#panel-timeline .chart circle.c-warm").count(), 20);
}));

test("10 an exception lands on the learner's own line, in its own file, and a click jumps there", withPage({}, async (page, t) => {
  await openLesson(page);
  await page.click(".tree summary");
  await page.click(".tree_new");
  await page.fill(".tree_form input", "src/rooms.ts");
  await page.keyboard.press("Enter");
  await write(page, `type Room = { id: number };

const rooms = new Map<number, Room>();

export function room(id: number): Room {
  const found = rooms.get(id);
  return { id: found!.id };
}
`);
  await page.click('.files_tab[data-path="src/index.ts"]');
  await write(page, 'import { room } from "./rooms";\n\nexport default {\n  fetch: (): Response => Response.json(room(7)),\n};\n');
  await page.selectOption("#method", "GET");
  assert.match(await run(page), /TypeError: .*rooms\.ts:7/);
  await tab(page, "response");
  const where = page.locator("#panel-response .stop_where a");
  figure(t, 10, "a TypeScript error in a second file lands on", await where.textContent(), "src/rooms.ts:7");
  assert.match(await where.textContent(), /^src\/rooms\.ts:7:\d+$/);
  assert.ok(await page.locator('.files_tab[data-path="src/rooms.ts"] i').count(), "the tab of the file has its dot");
  await where.click();
  await page.waitForFunction(() => document.querySelector("#caret")?.textContent.startsWith("Line 7,"));
  assert.equal(await page.textContent(".cm-editor .ln-fault"), "  return { id: found!.id };");
  assert.match(await page.textContent(".cm-editor .fault-inline"), /^TypeError/);
}));

test("10 a syntax error lands on its line; nothing ran", withPage({}, async (page) => {
  await openLesson(page);
  await write(page, "export default {\n  fetch() {\n    const = 1;\n  },\n};\n");
  await run(page);
  assert.equal(await page.textContent(".cm-editor .ln-fault"), "    const = 1;");
  assert.equal(await readout(page, "response"), "build error");
  const apart = () => page.evaluate(() => { // the last line's number from the last line, under the note
    const [number, line] = [".cm-lineNumbers .cm-gutterElement:last-child", ".cm-content .cm-line:last-child"].map((s) => document.querySelector(s).getBoundingClientRect());
    return Math.abs(number.top - line.top);
  });
  await page.waitForSelector(".cm-editor .fault-inline");
  assert.ok(await apart() < 1, `numbers stand ${await apart()} px off their lines`);
}));

test("14 a CPU limit is its own sentence, and the page stays responsive", withPage({}, async (page) => {
  await openLesson(page);
  await write(page, "export default {\n  fetch() {\n    for (;;) {}\n  },\n};\n");
  const begin = Date.now();
  await run(page);
  const took = Date.now() - begin;
  await tab(page, "response");
  await page.waitForSelector('#panel-response .stop[data-fault="cpu"], #panel-response .stop[data-fault="runner"]');
  assert.match(await page.textContent("#panel-response .stop h3"), /CPU/);
  assert.ok(took < 3000, `${took} ms until the result`);
}));

for (const path of lessons) {
  test(`9 the solution of ${path} is a diff, changes nothing until “Use this”, and turns every check green`, withPage({}, async (page, t) => {
    await openLesson(page, path);
    const starter = await editorText(page);
    await page.click(".files_tools [data-do=solution]");
    await page.waitForSelector("#view-diff .ln-add");
    await page.click("[data-do=back-to-code]");
    assert.equal(await editorText(page), starter);
    await page.click(".files_tools [data-do=solution]");
    await page.click("[data-do=use-solution]");
    await page.waitForFunction(() => /solution is in place/.test(document.querySelector("#say").textContent));
    await saved(page);
    await tab(page, "checks");
    await page.click("#panel-checks [data-do=run-checks]");
    await page.waitForFunction(() => /checks? pass\./.test(document.querySelector("#say").textContent), null, { timeout: 60_000 });
    const failed = await page.locator("#panel-checks .check:has(.verdict-fail)").allTextContents();
    assert.deepEqual(failed, []);
    assert.match(await page.textContent("#say"), /^All \d+ checks pass\.$/);
    const [green, tasks] = [await page.locator(".task .verdict-pass").count(), await page.locator(".task[data-task]").count()];
    figure(t, 9, `tasks green by the solution of ${path.split("/").at(-1)}`, green, tasks);
    assert.equal(green, tasks);
  }));
}

test("11 a failing check shows request, expected, got and the learner's own log", withPage({}, async (page, t) => {
  await openLesson(page, lessons[2]);
  await write(page, 'export default {\n  fetch() {\n    console.log("my own line");\n    return new Response("wrong");\n  },\n};\n');
  await tab(page, "checks");
  await page.click("#panel-checks [data-do=run-checks]");
  await page.waitForFunction(() => /checks pass\./.test(document.querySelector("#say").textContent), null, { timeout: 60_000 });
  const check = page.locator("#panel-checks .check:has(.verdict-fail)").first();
  const names = await check.locator("dt").allTextContents();
  const parts = ["We sent", "Expected", "Got", "Your log"];
  figure(t, 11, "parts that a failing check shows", parts.filter((p) => names.includes(p)).length, parts.length);
  for (const name of parts) assert.ok(names.includes(name), `${name} is missing in ${names}`);
  assert.match(await check.locator(".check_log").textContent(), /my own line/);
  assert.ok(await page.locator(".task .verdict-fail").count() > 0);
}));

test("two browsers running the same starter get different isolates", withPage({}, async (page, t, context) => {
  const elsewhere = await context.browser().newContext();
  await skipPredictions(elsewhere);
  const other = await elsewhere.newPage();
  const ids = [];
  for (const p of [page, other]) {
    await openLesson(p, lessons[0]);
    await run(p);
    await tab(p, "isolate");
    await p.waitForSelector("#panel-isolate .facts dd");
    ids.push((await p.textContent("#panel-isolate .facts dd")).trim().split(" ")[0]);
  }
  await other.context().close();
  assert.notEqual(ids[0], ids[1]);
  t.diagnostic(`isolates ${ids.join(" and ")}`);
}));

test("2 text, starter code and Run work with scripts off", withPage({ javaScriptEnabled: false }, async (page, t) => {
  await page.goto(base + lessons[0]);
  const letters = (await page.textContent("#lesson")).length;
  assert.ok(letters > 500);
  figure(t, 2, "letters of a lesson without scripts", letters, "> 500");
  const area = page.locator("textarea[name^='file:']").first();
  assert.match(await area.inputValue(), /export default/);
  await area.fill('export default { fetch: () => new Response("without scripts") };\n');
  await page.click(".runbar [type=submit] >> nth=0");
  assert.match(await page.textContent("#panel-response"), /without scripts/);
  assert.match(await page.textContent("#panel-timeline"), /handle/);
}));

test("a result is covered until the prediction is answered; in another lesson it is skipped", withPage({ predictFirst: true }, async (page) => {
  await openLesson(page, lessons[1]);
  assert.equal(await page.locator(".cover").count(), 0, "nothing is covered before there is a result");
  assert.match(await run(page), /^Run 1 ended\. Its result is covered/);
  const response = page.locator("#panel-response");
  assert.equal(await response.isVisible(), false);
  assert.deepEqual(await axe(page), []);
  await tab(page, "checks");
  assert.equal(await page.locator(".cover").isVisible(), false, "checks are never covered");
  await tab(page, "response");
  await page.click(".cover [data-do=predict]");
  const question = page.locator("form[data-piece=predict]");
  assert.equal(await question.locator("input:focus").count(), 1);
  await question.locator("input[type=radio]").first().check({ force: true });
  await question.locator("[type=submit]").click();
  await page.waitForSelector(".cover", { state: "detached" });
  assert.equal(await response.isVisible(), true);
  assert.match(await page.textContent("#panel-response .response_status"), /^200/);
  await page.reload();
  assert.equal(await page.locator(".cover").count(), 0);

  await openLesson(page, lessons[2]);
  await run(page);
  await page.click(".cover [data-do=skip-prediction]");
  assert.equal(await response.isVisible(), true);
  await page.reload();
  await page.waitForSelector("html[data-live=open]");
  assert.equal(await page.locator(".cover").count(), 0, "skipping is remembered");
}));

test("what a lab shows, and figures in the text, are covered until the prediction is answered or skipped", withPage({ predictFirst: true }, async (page) => {
  await openLesson(page, "/learn/serverless/price-of-idle");
  const out = page.locator("#lab-cost .lab_out");
  assert.equal(await out.isVisible(), false);
  assert.deepEqual(await axe(page), []);
  await page.click("#lab-cost .cover [data-do=predict]");
  const question = page.locator("form[data-piece=predict]");
  assert.equal(await question.locator("input:focus").count(), 1);
  await question.locator("input[name=answer]").fill("1000000");
  await question.locator("[type=submit]").click();
  await page.waitForSelector("#lab-cost .cover", { state: "detached" });
  assert.equal(await out.isVisible(), true);

  await openLesson(page, "/learn/workers/near-the-user");
  await page.click("#lab-edge .cover [data-do=skip-prediction]");
  assert.equal(await page.locator("#lab-edge .lab_out").isVisible(), true);
  assert.equal(await page.locator("#lab-edge form :focus").count(), 1, "who skips is left at the lab");

  await openLesson(page, lessons[0]);
  assert.match(await run(page, "run-warm"), /Its result is covered/);
  const figure = page.locator('[data-measure="warm.p50"]').first();
  assert.equal(await figure.textContent(), "covered");
  await page.click("#result .cover [data-do=skip-prediction]");
  assert.match(await figure.textContent(), /^\d/);
  await page.reload();
  await page.waitForSelector("html[data-live=open]");
  assert.match(await figure.textContent(), /^\d/);
}));

test("the open file's tab is in view, however many files stand before it", withPage({ viewport: { width: 1280, height: 900 } }, async (page) => {
  await openLesson(page, "/learn/routing/where-did-express-go");
  const hidden = await page.evaluate(() => {
    const row = document.querySelector(".files_tabs").getBoundingClientRect();
    const tab = document.querySelector(".files_tab[aria-selected=true]").getBoundingClientRect();
    return Math.max(row.left - tab.left, tab.right - row.right);
  });
  assert.ok(hidden <= 1, `${hidden} px of the tab are hidden`);
  await page.waitForFunction(() => /transparent\)$|rgba\(0, 0, 0, 0\)\)$/.test(getComputedStyle(document.querySelector(".files_tabs")).maskImage), null, { timeout: 5000 }); // what went out of sight on the left fades, as on the right
  await page.$eval(".files_tabs", (e) => { e.scrollLeft = 0; });
  await page.waitForFunction(() => /rgb\(0, 0, 0\) \d+px\)$/.test(getComputedStyle(document.querySelector(".files_tabs")).maskImage), null, { timeout: 5000 });
}));
