// Draws the pictures of the manual and the README from the running program:
//
//   make docs-images
//   node web/e2e/screenshot.mjs FOLDER   more views, to look at
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./_server.mjs";

const images = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "docs", "images");
const more = process.argv[2];
const server = await serve();
process.env.COLDSTART_URL = server.url;
const { flags, skipPredictions } = await import("./_browser.mjs");
const { draw, drawn, wordsFile } = await import("./_pictures.mjs");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: flags });

try {
  mkdirSync(images, { recursive: true });
  const context = await browser.newContext(drawn);
  await skipPredictions(context); // a result that waits for its prediction is covered
  const all = Object.entries(await draw(await context.newPage()));
  for (const [name, { data }] of all) writeFileSync(join(images, name), data);
  writeFileSync(wordsFile, `${JSON.stringify(Object.fromEntries(all.map(([name, { words }]) => [name, words])), null, 1)}\n`);
  if (more) {
    mkdirSync(more, { recursive: true });
    for (const [name, options] of Object.entries({
      light: { viewport: { width: 1440, height: 1000 } },
      dark: { viewport: { width: 1440, height: 1000 }, colorScheme: "dark" },
      phone: { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true },
    })) {
      for (const path of ["/", "/learn/serverless/first-request", "/learn/isolates/grid-for-real", "/learn/workers/read-the-request", "/docs/learning", "/docs/authoring", "/dev/gallery", "/nowhere"]) {
        const page = await browser.newPage(options);
        await page.goto(server.url + path);
        await page.waitForTimeout(700);
        await page.screenshot({ path: join(more, `${name}${path.replaceAll("/", "_")}.png`), fullPage: path === "/" || path === "/dev/gallery" });
        await page.close();
      }
    }
  }
} finally {
  await browser.close();
  await server.stop();
}
