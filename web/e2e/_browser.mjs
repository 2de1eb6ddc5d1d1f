// The browser and what tests do with a lesson page.
import assert from "node:assert/strict";
import { appendFileSync, readFileSync } from "node:fs";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

const axeSource = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
export const base = process.env.COLDSTART_URL;
export const full = process.env.COLDSTART_FULL === "1";

/** The lessons that are complete, by their address. */
export const lessons = [
  "/learn/serverless/first-request",
  "/learn/workers/read-the-request",
  "/learn/routing/one-worker-many-pages",
  "/learn/isolates/grid-for-real",
];

/** What Chromium is started with: no sandbox in containers, and no traffic of its own. */
export const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let browser;
let chromiums = 0;

/** Opens the browser once for a test file. */
export function useBrowser() {
  before(async () => {
    chromiums++;
    browser ??= await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: flags,
    });
  });
  after(async () => {
    if (--chromiums === 0) {
      await browser?.close();
      browser = undefined;
    }
  });
}

/**
 * A fresh visitor. Errors of the page and refusals of its policy are collected
 * in `complaints`, which every test ends by finding empty. Predictions are
 * skipped, unless the visitor is to predict first.
 */
export async function visitor({ predictFirst = false, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options });
  if (!predictFirst) await skipPredictions(context);
  context.complaints = [];
  context.on("page", (page) => {
    page.on("pageerror", (e) => context.complaints.push(`error: ${e.message}`));
    page.on("console", (m) => {
      // A cut network and refused answers are part of some tests; the browser reports each.
      if (m.type() === "error" && !/Failed to load resource|WebSocket connection|net::ERR/.test(m.text())) context.complaints.push(`console: ${m.text()}`);
    });
  });
  return context;
}

/** Runs a test with a fresh page and finds no complaint afterwards. */
export const withPage = (options, fn) => async (t) => {
  const context = await visitor(options);
  try {
    await fn(await context.newPage(), t, context);
    assert.deepEqual(context.complaints, []);
  } finally {
    await context.close();
  }
};

/** Skips the prediction of each lesson that is opened, so that its results are not covered. */
export const skipPredictions = (context) => context.addInitScript(() => {
  if (location.protocol.startsWith("http") && origin !== "null") localStorage.setItem("predictions-skipped", JSON.stringify([location.pathname.split("/").at(-1)]));
});

/** Opens a lesson and waits until it is live and the editor is there. */
export async function openLesson(page, path = lessons[1], at = base) {
  await page.goto(at + path);
  await page.waitForSelector("html[data-live=open]");
  await page.waitForSelector(".cm-editor .cm-line");
}

/** The whole text of the file shown in the editor. */
export const editorText = (page) =>
  page.evaluate(() => document.querySelector(".cm-content").cmTile.view.state.doc.toString());

/** Replaces the text of the file shown, as a paste does. */
export async function write(page, text) {
  await page.click(".cm-content");
  await page.keyboard.press("ControlOrMeta+a");
  await page.evaluate((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

export const saved = (page) => page.waitForFunction(() => document.querySelector(".files_saved")?.textContent === "Saved");

/** Presses Run and waits for the sentence that announces the result. */
export async function run(page, how = "run") {
  const before = await page.textContent("#say");
  await page.click(`.runbar [data-do=${how}]`);
  await page.waitForFunction((old) => {
    const now = document.querySelector("#say").textContent;
    return now !== old && /^(Run \d|\d+ (cold|warm) runs)/.test(now);
  }, before, { timeout: 20_000 });
  await painted(page);
  return page.textContent("#say");
}

/** Waits until what is known is drawn. */
const painted = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

export const tab = (page, name) => page.click(`#tab-${name}`);
export const readout = (page, name) => page.textContent(`#tab-${name} .readout_value`).then((t) => t.trim());

/** What axe finds, as lines, or what some of its rules find. */
export async function axe(page, rules) {
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(axeSource);
  return page.evaluate(async (rules) => {
    const { violations } = await globalThis.axe.run(rules ? { runOnly: { type: "rule", values: rules } } : {});
    return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.html.slice(0, 120)}`));
  }, rules);
}

/**
 * What axe finds in light and in dark. Roles, names and order are the same in
 * both, so the short run judges only the colours of the second.
 */
export async function axeInBoth(page) {
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await still(page);
    const rules = colorScheme === "dark" && !full ? ["color-contrast", "link-in-text-block"] : undefined;
    found.push(...(await axe(page, rules)).map((v) => `${colorScheme}: ${v}`));
  }
  await page.emulateMedia({ colorScheme: null });
  return found;
}

/** Waits until nothing moves or fades any more. */
export const still = (page) => page.evaluate(async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await Promise.allSettled(document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime < 5000).map((a) => a.finished));
});

/** How far the page scrolls sideways, in pixels. */
export const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

/** What a finger is to hit that is less than 44 px high. Links in running text are as high as their line. */
export const lowTargets = (page) => page.$$eval("a, button, select, summary, label:has(input), input:not([type=radio], [type=checkbox], [type=hidden], label input)", (all) => all
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest("p, dd, li p, figcaption, .sources, .cm-editor, .skip, .lesson :is(td, li)") && e.getBoundingClientRect().width > 1)
  .filter((e) => e.getBoundingClientRect().height > 0 && Math.round(e.getBoundingClientRect().height) < 44)
  .map((e) => `${Math.round(e.getBoundingClientRect().height)} px: ${e.outerHTML.slice(0, 90)}`));

/**
 * Notes a figure of EXPERIENCE, section 2, for the table that run.mjs prints at
 * the end: the number of the detail, what was measured, and its target.
 */
export function figure(t, detail, what, measured, target) {
  t.diagnostic(`${what}: ${measured}, target ${target}`);
  if (process.env.COLDSTART_FIGURES) appendFileSync(process.env.COLDSTART_FIGURES, `${JSON.stringify({ detail, what, measured, target })}\n`);
}

/** The value at a share of a sorted copy, by nearest rank. */
export const percentile = (list, p) => [...list].sort((a, b) => a - b)[Math.max(0, Math.ceil(p * list.length) - 1)];
