// A class from end to end: the host makes an instructor, the instructor a
// class; a learner joins, runs and is seen in the grid, raises a hand, reads a
// note, and shares the run. The server is the test's own: it needs its host's link.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axeInBoth, editorText, figure, lowTargets, saved, sideways, useBrowser, visitor, write } from "./_browser.mjs";
import { serve } from "./_server.mjs";

useBrowser();

let server;
before(async () => { server = await serve(); });
after(async () => { await server?.stop(); });

const password = "a sentence nobody guesses";
const nickname = `moss-${"otter".repeat(5)}`; // one long word: no page grows wider for it
const lesson = "/learn/serverless/first-request";

/** Opens a page in a fresh browser context. */
async function browse(options) {
  const context = await visitor(options);
  return { context, page: await context.newPage() };
}

test("7 a class from its making to a shared run; a device that signs in has the text within 5 s", { timeout: 300_000 }, async (t) => {
  const people = [];
  const person = async (options) => { const p = await browse(options); people.push(p); return p.page; };
  const go = (page, path) => page.goto(server.url + path);

  const host = await person();
  const link = /http\S+\/setup\?token=\S+/.exec(server.log())[0];
  await host.goto(link);
  await host.click("main button[type=submit]");
  await host.waitForURL("**/host");
  await host.fill("#name", "ada");
  await host.click("main form button.button-main");
  const offer = await host.textContent(".phrase-link");

  const ada = await person();
  await ada.goto(offer);
  await ada.fill("#password", password);
  await ada.click("main form button.button-main");
  await ada.waitForURL("**/classes");
  await ada.fill("#title", "Donaudampfschifffahrtsgesellschaft, Period 3");
  await ada.click("main form button.button-main");
  await ada.waitForSelector("html[data-live=open]");
  const code = (await ada.textContent(".class_code [aria-hidden]")).trim();
  assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
  const grid = ada.url();

  // The learner has worked before; joining keeps that.
  const moss = await person();
  await go(moss, lesson);
  await moss.waitForSelector("html[data-live=open]");
  await go(moss, `/j/${code.toLowerCase()}`);
  await moss.fill("#nickname", nickname);
  await moss.click("main form button.button-main");
  const phrase = await moss.textContent(".phrase");
  assert.equal(phrase.trim().split(" ").length, 6);
  await ada.waitForFunction((name) => document.querySelector("#rows")?.textContent.includes(name), nickname);

  // Checks fail at first, and the grid shows the try without a reload.
  await go(moss, lesson);
  await moss.waitForSelector("html[data-live=open]");
  await moss.waitForSelector(".cm-editor .cm-line");
  const text = `// by moss-otter\n${await editorText(moss)}`;
  await write(moss, text);
  await saved(moss);
  await moss.click("#tab-checks");
  await moss.click("[data-do=run-checks]");
  await ada.waitForSelector("#rows .cell-try, #rows .cell-pass", { timeout: 30_000 });
  assert.equal(ada.url(), grid);

  await moss.click("form[data-hand] button");
  await moss.waitForSelector("form[data-hand] button[aria-pressed=true]");
  await ada.waitForFunction((name) => document.querySelector("#say")?.textContent.includes(`${name} raised a hand.`), nickname);

  await ada.click("#rows .live_name");
  await ada.waitForSelector("#note");
  await ada.fill("#note", `Look at the first line. ${"w".repeat(60)}`);
  await ada.click("text=Send");
  await ada.waitForSelector(".note_text");
  await moss.waitForSelector(".banner-letter");
  assert.match(await moss.textContent(".banner-letter"), /Look at the first line\./);
  await ada.click("text=Lower hand");
  await moss.waitForSelector("form[data-hand] button[aria-pressed=false]");
  assert.equal(new URL(moss.url()).pathname, lesson, "no reload, no other page");
  await go(moss, lesson);
  assert.match(await moss.textContent(".banner-letter"), /Look at the first line\./);

  // Another device, by the phrase.
  const phone = await person({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await go(phone, "/resume");
  await phone.fill("#phrase", phrase);
  await phone.click("main form button.button-main");
  await phone.waitForURL("**/you");
  assert.match(await phone.textContent("main"), new RegExp(`You are ${nickname} there`));
  const signedIn = Date.now();
  await go(phone, lesson);
  await phone.click(".switch [data-go=code]");
  await phone.waitForSelector(".cm-editor .cm-line");
  assert.equal(await editorText(phone), text);
  const took = Date.now() - signedIn;
  assert.ok(took <= 5000, `the text is on the other device after ${took} ms`);
  figure(t, 7, "text on a device that signed in, after", `${took} ms`, "≤ 5000 ms");

  // Sharing: the link shows the recorded run to a stranger, who runs it again.
  await moss.waitForSelector("html[data-live=open]");
  await moss.click(".files_tools form[action='/share'] button");
  await moss.waitForURL("**/s/*");
  const shared = new URL(moss.url()).pathname;
  const stranger = await person();
  await go(stranger, shared);
  assert.match(await stranger.textContent("#run-t"), /The recorded run/);
  await stranger.click("text=Run it here");
  await stranger.waitForURL("**?run=*");
  assert.match(await stranger.textContent("#run-t"), /Your run/);
  await stranger.click("text=Fork and edit");
  await stranger.waitForSelector("html[data-live=open]");
  await stranger.waitForSelector(".cm-editor .cm-line");
  const fork = new URL(stranger.url()).pathname;

  // Every page of it: axe, and nothing that scrolls sideways on a phone.
  const at = new URL(grid).pathname;
  const member = new URL(ada.url()).pathname;

  // A grid that is open follows a lesson set that changes in another tab.
  await go(ada, at);
  await ada.waitForSelector("html[data-live=open]");
  const heads = () => document.querySelectorAll(".live thead [scope=colgroup]").length;
  const lessons = await ada.evaluate(heads);
  const settings = await ada.context().newPage();
  await settings.goto(`${grid}/settings`);
  await settings.locator("[name=lesson]:checked").last().uncheck();
  await settings.click("text=Keep title and lessons");
  await ada.waitForFunction((n) => document.querySelectorAll(".live thead [scope=colgroup]").length === n, lessons - 1);
  await settings.close();

  const views = [
    [ada, ["/classes", at, `${at}/settings`, `${at}/code`, `${at}/analytics`, `${at}/errors/first-request/1`, member]],
    [moss, ["/you", "/join", "/resume", "/signin", shared]], [host, ["/host"]], [stranger, [fork]],
  ];
  for (const [page, paths] of views) {
    for (const path of paths) {
      await go(page, path);
      assert.deepEqual(await axeInBoth(page), [], path);
      await page.setViewportSize({ width: 360, height: 740 });
      assert.ok(await sideways(page) <= 0, `${path} scrolls sideways at 360 px`);
      assert.deepEqual(await lowTargets(page), [], `targets on ${path}`);
      if (process.env.SHOTS) {
        const name = path.replaceAll("/", "_").replace(at.replaceAll("/", "_"), "_class");
        await page.screenshot({ path: `${process.env.SHOTS}/phone${name}.png` });
        await page.setViewportSize({ width: 1440, height: 1000 });
        await page.emulateMedia({ colorScheme: "dark" });
        await page.screenshot({ path: `${process.env.SHOTS}/dark${name}.png` });
        await page.emulateMedia({ colorScheme: "light" });
        await page.screenshot({ path: `${process.env.SHOTS}/light${name}.png` });
        await page.emulateMedia({ colorScheme: null });
      }
      await page.setViewportSize({ width: 1440, height: 1000 });
    }
  }
  for (const { context } of people) {
    assert.deepEqual(context.complaints, []);
    await context.close();
  }
});
