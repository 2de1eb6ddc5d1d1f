// A lesson that changes under a learner: the draft finishes on the revision it
// began with, in text, checks and solution, until the learner takes the newer one.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { axe, editorText, saved, useBrowser, visitor, write } from "./_browser.mjs";
import { binary, serve } from "./_server.mjs";

useBrowser();

test("a lesson's update waits until the learner takes it, and can be undone", { timeout: 60_000 }, async (t) => {
  if (!existsSync(binary)) return t.skip(`${binary} is not there to make lessons with`);
  const folder = mkdtempSync(join(tmpdir(), "coldstart-update-"));
  const lessons = join(folder, "lessons");
  for (const args of [["track", "event-driven"], ["lesson", "first-event"]]) execFileSync(binary, ["new", ...args, "--dir", lessons]);
  const file = (name) => join(lessons, "10-event-driven", "10-first-event", name);
  const change = (name, from, to) => {
    const text = readFileSync(file(name), "utf8");
    assert.ok(text.includes(from), `${name} holds ${from}`);
    writeFileSync(file(name), text.replace(from, to));
  };
  const data = join(folder, "data");
  let server = await serve({ data, args: ["--lessons", lessons] });
  const context = await visitor({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const tasks = () => page.locator(".lesson .task").count();
  const check = async () => {
    await page.waitForSelector("html[data-live=open]");
    await page.locator("#tab-checks").click();
    await page.locator("[data-do=run-checks]:visible").first().click();
    await page.locator("#tab-checks .readout_value").getByText(/^\d+ of \d+$/).waitFor();
    return page.locator("#tab-checks .readout_value").textContent();
  };
  const open = async () => {
    await page.goto(`${server.url}/learn/event-driven/first-event`);
    await page.waitForSelector("html[data-live=open]");
    await page.waitForSelector(".cm-editor .cm-line");
  };
  try {
    await open();
    const had = await tasks();
    await write(page, "// mine\nexport default { fetch: () => new Response('mine') };\n");
    await saved(page);

    // The server starts again, with a newer revision of the lesson and on another port.
    await server.stop();
    change("lesson.md", "\n## 1. ", "\n## 1. Newly: ");
    writeFileSync(file("lesson.md"), `${readFileSync(file("lesson.md"), "utf8")}\n## 2. Once more\n\nAnd again.\n`);
    writeFileSync(file("checks.js"), 'test.guard("1: of the newer revision", async () => {});\ntest.guard("2: once more", async () => {});\n');
    server = await serve({ data, addr: server.url.replace("http://", ""), args: ["--lessons", lessons] });

    await open();
    const banner = page.locator(".banner:not(.banner-live)");
    await banner.getByText("You go on with the revision that you began with. A newer one changes").waitFor();
    assert.deepEqual(await axe(page), []);
    assert.equal(await tasks(), had, "the tasks are those that the draft began with");
    assert.match(await editorText(page), /^\/\/ mine/);
    assert.match(await check(), / of 1$/, "the checks are those that the draft began with");
    assert.equal(await page.getByText("of the newer revision").count(), 0);

    await banner.getByRole("button", { name: "Keep the one I began with" }).click();
    await page.waitForSelector("html[data-live=open]");
    assert.equal(await banner.count(), 0);
    await page.getByRole("button", { name: "Update, keep my code" }).click();
    await banner.getByText("This is the newer revision.").waitFor();
    await page.waitForSelector(".cm-editor .cm-line");
    assert.equal(await tasks(), had + 1);
    assert.match(await editorText(page), /^\/\/ mine/, "the code is kept");
    assert.equal(await check(), "2 of 2");

    // Also later, when the banner is gone, Undo brings the old revision back.
    await open();
    assert.equal(await banner.count(), 0);
    await page.locator("[data-do=undo]:visible").first().click();
    await banner.getByText("You go on with the revision that you began with.").waitFor();
    await page.waitForSelector(".cm-editor .cm-line");
    assert.equal(await tasks(), had);
    assert.match(await editorText(page), /^\/\/ mine/);
    assert.deepEqual(context.complaints, []);
  } finally {
    await context.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
