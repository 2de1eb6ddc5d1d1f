// Draws docs/images/lesson.png, the README's picture, from the running program:
// node web/e2e/screenshot.mjs [folder for more views, to look at]
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./_server.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const more = process.argv[2];
const server = await serve();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A lesson after cold and warm runs, its timeline open. */
async function lesson(options, path = "/learn/serverless/first-request") {
  const page = await browser.newPage(options);
  await page.goto(server.url + path);
  await page.waitForSelector("html[data-live=open]");
  await page.waitForSelector(".cm-editor .cm-line");
  for (const which of ["run-cold", "run-warm"]) {
    const before = await page.textContent("#say");
    await page.evaluate((w) => document.querySelector(`[data-do=${w}]`).click(), which);
    await page.waitForFunction((b) => document.querySelector("#say").textContent !== b, before, { timeout: 30_000 });
    await page.waitForTimeout(1500);
  }
  await page.evaluate(() => document.querySelector("#tab-timeline").click());
  await page.waitForTimeout(800); // bars grow for half a second
  return page;
}

try {
  const page = await lesson({ viewport: { width: 1440, height: 1000 } });
  mkdirSync(join(root, "docs", "images"), { recursive: true });
  await page.screenshot({ path: join(root, "docs", "images", "lesson.png") });
  if (more) {
    mkdirSync(more, { recursive: true });
    for (const [name, options] of Object.entries({
      light: { viewport: { width: 1440, height: 1000 } },
      dark: { viewport: { width: 1440, height: 1000 }, colorScheme: "dark" },
      phone: { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true },
    })) {
      for (const path of ["/", "/learn/serverless/first-request", "/learn/isolates/grid-for-real", "/learn/workers/read-the-request", "/docs", "/nowhere"]) {
        const p = await browser.newPage(options);
        await p.goto(server.url + path);
        await p.waitForTimeout(700);
        await p.screenshot({ path: join(more, `${name}${path.replaceAll("/", "_")}.png`), fullPage: path === "/" });
        await p.close();
      }
    }
  }
} finally {
  await browser.close();
  await server.stop();
}
