// Nothing a learner wrote is ever lost.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { editorText, figure, full, lessons, openLesson, saved, tab, useBrowser, visitor, withPage, write } from "./_browser.mjs";
import { binary, serve } from "./_server.mjs";

useBrowser();

async function crash(page) {
  const session = await page.context().newCDPSession(page);
  session.send("Page.crash").catch(() => {}); // the answer never comes
  await page.waitForEvent("crash", { timeout: 5000 }).catch(() => {});
  await page.close().catch(() => {});
}

test("7 a tab killed one second after a keystroke comes back identical", withPage({}, async (first, t, context) => {
  await first.close();
  const times = full ? 100 : 3;
  for (let i = 0; i < times; i++) {
    const page = await context.newPage();
    await openLesson(page);
    await page.click(".cm-content");
    await page.keyboard.press("ControlOrMeta+End");
    await page.keyboard.type(`// kept ${i}`);
    const wanted = await editorText(page);
    await page.waitForTimeout(1000);
    await crash(page);
    const again = await context.newPage();
    await openLesson(again);
    assert.equal(await editorText(again), wanted, `round ${i}`);
    await again.close();
  }
  figure(t, 7, "killed tabs that came back identical", `${times} of ${times}`, full ? "100 of 100" : "all (100 in make test-full)");
}));

test("7 what was typed offline survives a killed tab, and is saved when the server is back", withPage({}, async (page, t, context) => {
  await openLesson(page);
  await page.route("**/api/projects/**", (route) => route.abort());
  await write(page, "// typed offline\nexport default { fetch: () => new Response('kept') };\n");
  await page.waitForFunction(() => document.querySelector(".files_saved").textContent.startsWith("Offline"));
  await crash(page);
  const again = await context.newPage();
  await openLesson(again);
  assert.match(await editorText(again), /^\/\/ typed offline/);
  await saved(again);
  await again.evaluate(() => localStorage.clear());
  await again.reload();
  await openLesson(again);
  assert.match(await editorText(again), /^\/\/ typed offline/);
}));

test("edits survive SIGKILL of the server", async (t) => {
  if (!existsSync(binary)) return t.skip(`${binary} is not there to be killed`);
  const data = mkdtempSync(join(tmpdir(), "coldstart-kill-"));
  const context = await visitor();
  try {
    const one = await serve({ data });
    const page = await context.newPage();
    await page.goto(one.url + lessons[1]);
    await page.waitForSelector(".cm-editor .cm-line");
    await write(page, "// before the kill\nexport default { fetch: () => new Response('x') };\n");
    await saved(page);
    await one.kill();
    const two = await serve({ data, addr: new URL(one.url).host });
    await page.evaluate(() => localStorage.clear());
    await page.goto(two.url + lessons[1]);
    await page.waitForSelector(".cm-editor .cm-line");
    assert.match(await editorText(page), /^\/\/ before the kill/);
    await two.stop();
  } finally {
    await context.close();
    rmSync(data, { recursive: true, force: true });
  }
});

const rooms = "/learn/routing/where-did-express-go"; // a lesson of several files
const kept = (page) => page.evaluate(async () => (await (await fetch(`/api/projects/${JSON.parse(document.querySelector("#page-data").textContent).project}`)).json()).files);

for (const [name, change, changed] of [
  ["reset", (page) => page.click(".files_tools [data-do=reset]"), /^Reset\./],
  ["the solution", async (page) => {
    await page.click(".files_tools [data-do=solution]");
    await page.click("[data-do=use-solution]");
  }, /solution is in place/],
]) {
  test(`8 ${name} is one step over all files; one Undo restores every byte, also after reload`, withPage({}, async (page) => {
    await openLesson(page, rooms);
    const paths = await page.$$eval(".files_tab", (all) => all.map((t) => t.dataset.path));
    assert.ok(paths.length > 1, String(paths));
    for (const path of paths) {
      await page.click(`.files_tab[data-path="${path}"]`);
      await write(page, `// mine, in ${path}\n`);
      await saved(page);
    }
    const before = await kept(page);
    assert.deepEqual(Object.values(before).filter((text) => text.startsWith("// mine")).length, paths.length);
    await change(page);
    await page.waitForFunction((p) => new RegExp(p).test(document.querySelector("#say").textContent), changed.source);
    await saved(page);
    for (const [path, text] of Object.entries(await kept(page))) assert.ok(!text.startsWith("// mine"), `${path} was left`);
    await page.reload();
    await openLesson(page, rooms);
    await page.click(".files_tools [data-do=undo]");
    await page.waitForFunction(() => document.querySelector(".cm-content").textContent.includes("// mine"));
    await saved(page);
    assert.deepEqual(await kept(page), before);
  }));
}

test("8 20 versions are kept, the newest among them", withPage({}, async (page, t) => {
  await openLesson(page);
  const kept = await page.evaluate(async () => {
    const project = `/api/projects/${JSON.parse(document.querySelector("#page-data").textContent).project}`;
    let { revision, files } = await fetch(project).then((r) => (r.ok ? r.json() : JSON.parse(document.querySelector("#page-data").textContent)));
    for (let i = 1; i <= 25; i++) {
      const r = await fetch(project, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ base: revision, files: { ...files, "note.txt": `version ${i}` }, why: "restore" }) });
      ({ revision } = await r.json());
    }
    const versions = await (await fetch(`${project}/versions`)).json();
    const oldest = await (await fetch(`${project}/versions/${versions.at(-1).revision}`)).json();
    return { count: versions.length, newest: revision - versions[0].revision, oldest: oldest.files["note.txt"] };
  });
  assert.equal(kept.count, 20);
  assert.ok(kept.newest <= 1, `the newest is ${kept.newest} revisions old`);
  assert.match(kept.oldest, /^version \d+$/, "what is listed can be read");
  figure(t, 8, "versions kept", kept.count, "20");
}));

test("7 another device of the same learner has the text within 5 s of the save", withPage({}, async (page, t, context) => {
  await openLesson(page);
  await write(page, "// from the first device\n");
  await saved(page);
  const begin = Date.now();
  const device = await visitor({ storageState: { cookies: await context.cookies(), origins: [] } });
  try {
    const other = await device.newPage();
    await openLesson(other);
    assert.equal(await editorText(other), "// from the first device\n");
    const took = Date.now() - begin;
    figure(t, 7, "text on another device after", `${took} ms`, "≤ 5000 ms");
    assert.ok(took <= 5000, `${took} ms`);
  } finally {
    await device.close();
  }
}));

test("another tab sees a save at once; two devices are never overwritten silently", withPage({}, async (page, t, context) => {
  await openLesson(page);
  const other = await context.newPage();
  await openLesson(other);
  await write(page, "// from the first tab\n");
  await other.waitForFunction(() => document.querySelector(".cm-content").textContent.includes("from the first tab"), null, { timeout: 5000 });

  await other.route("**/api/projects/**", (route) => route.abort());
  await write(other, "// written offline\n");
  await other.waitForFunction(() => document.querySelector(".files_saved").textContent.startsWith("Offline"));
  await write(page, "// written meanwhile\n");
  await saved(page);
  await other.unroute("**/api/projects/**");
  await other.waitForSelector("dialog.sheet", { timeout: 20_000 });
  assert.match(await other.textContent("dialog.sheet"), /Both are kept; which one goes on/);
  await other.click("dialog.sheet [data-do=mine]");
  await saved(other);
  assert.match(await editorText(other), /written offline/);
  await page.waitForFunction(() => document.querySelector(".cm-content").textContent.includes("written offline"));
}));

const stream = `const wait = (ms: number) => new Promise((r) => setTimeout(r, ms));
export default {
  async fetch(): Promise<Response> {
    for (let i = 0; i < 60; i++) { console.log("tick " + i); await wait(100); }
    return new Response("done");
  },
};
`;

test("12 a cut socket: banner within 2 s, missed lines in order, none twice, nothing runs again", withPage({}, async (page, t) => {
  let open = true;
  const wires = new Set();
  await page.routeWebSocket(/\/api\/live/, (ws) => {
    if (!open) return ws.close({ code: 1001 });
    const server = ws.connectToServer();
    wires.add(server);
    ws.onMessage((m) => open && server.send(m));
    server.onMessage((m) => open && ws.send(m));
  });
  await openLesson(page);
  await write(page, stream);
  await saved(page);
  await page.selectOption("#method", "GET");
  await tab(page, "logs");
  await page.click(".runbar [data-do=run]");
  await page.waitForFunction(() => document.querySelector(".log_window")?.textContent.includes("tick 5"));
  const shown = page.evaluate(() => new Promise((done) => { // by the page's clock: how soon this process hears of it is not the page's doing
    const look = () => document.querySelector(".banner-live") && done(Date.now());
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    setTimeout(() => done(Infinity), 10_000);
  }));
  const cut = Date.now();
  open = false; // silent: nothing is closed, nothing arrives
  const noticed = (await shown) - cut;
  await page.click(".runbar [data-do=run]"); // refused, not queued
  await page.waitForTimeout(full ? 30_000 : 2500);
  open = true;
  await page.waitForSelector(".banner-live", { state: "detached", timeout: 10_000 });
  await page.waitForFunction(() => /^Run \d+: 200/.test(document.querySelector("#say").textContent), null, { timeout: 20_000 });
  await page.waitForFunction(() => { // until it is drawn at its top: a last row may still pull it down
    document.querySelector(".panel-logs .log").scrollTop = 0;
    return /tick 0(?!\d)/.test(document.querySelector(".log_window").textContent);
  });
  const seen = [];
  for (let i = 0; i < 40; i++) {
    for (const text of await page.locator(".log_window .log_line .log_text").allTextContents()) {
      const n = Number(/tick (\d+)/.exec(text)?.[1] ?? -1);
      if (n >= 0 && !seen.includes(n)) seen.push(n);
    }
    await page.evaluate(() => { document.querySelector(".panel-logs .log").scrollTop += 150; });
    await page.waitForTimeout(30);
  }
  assert.deepEqual(seen, Array.from({ length: 60 }, (_, i) => i));
  assert.equal(await page.textContent("#tab-logs .readout_value"), "60 lines");
  assert.equal(await page.locator(".log_window .log_request").count() <= 1, true, "one run only");
  assert.ok(noticed <= 2000, `noticed after ${noticed} ms`);
  figure(t, 12, "cut socket noticed after", `${noticed} ms`, "≤ 2000 ms");
}));
