// The manual's pictures, and how two pictures are compared.
import { base, openLesson, run, tab } from "./_browser.mjs";

/** How the visitor is who draws the pictures. */
export const drawn = { viewport: { width: 1440, height: 1000 }, colorScheme: "light", reducedMotion: "reduce" };

/** The words that stand in each picture, as they were when it was drawn. */
export const wordsFile = new URL("pictures.json", import.meta.url);

/** The words in sight inside of an element, without what was measured: figures, bars and what is said of them. */
const words = (page, selector) => page.evaluate((selector) => {
  const out = [];
  const all = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT);
  for (let node; (node = all.nextNode());) {
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const seen = box.width > 1 && box.height > 1 && box.bottom < innerHeight - 50 && node.parentElement.checkVisibility({ visibilityProperty: true });
    if (!seen || node.parentElement.closest(".readout_value, .panel_say, table, svg, .cm-editor, .files_saved, #caret") || node.parentElement.closest("p")?.querySelector(".cold, .warm, .num")) continue;
    const text = node.textContent.replace(/\s+/g, " ").trim();
    if (/[a-z]/i.test(text)) out.push(text);
  }
  return out;
}, selector);

/**
 * Draws what docs/images holds from the running program, by file name, each with
 * its words: a lesson after cold and warm runs.
 */
export async function draw(page) {
  await openLesson(page, "/learn/serverless/first-request");
  await run(page, "run-cold");
  await run(page, "run-warm");
  await tab(page, "timeline");
  await page.mouse.move(0, 0);
  await page.evaluate(() => Promise.all([document.fonts.ready, ...document.getAnimations().map((a) => a.finished)]));
  return {
    "lesson.png": { data: await page.screenshot(), words: await words(page, "body") },
    "timeline.png": { data: await page.locator(".result").screenshot(), words: await words(page, ".result") },
  };
}

/**
 * Compares two PNGs cell by cell, by the mean colour of each cell: glyph edges
 * and single pixels do not count, moved, missing and recoloured parts do. Gives
 * the share of cells that differ by more than the step (of 255) in a channel,
 * and both sizes. Page is any page; it is left at about:blank.
 */
export async function compare(page, a, b, { cell = 8, step = 24 } = {}) {
  if (page.url() !== "about:blank") await page.goto("about:blank");
  return page.evaluate(async ({ a, b, cell, step }) => {
    const cells = async (data) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(bitmap, 0, 0);
      const { data: pixels } = context.getImageData(0, 0, bitmap.width, bitmap.height);
      const columns = Math.ceil(bitmap.width / cell);
      const rows = Math.ceil(bitmap.height / cell);
      const sums = new Float64Array(columns * rows * 4);
      for (let y = 0; y < bitmap.height; y++) {
        for (let x = 0; x < bitmap.width; x++) {
          const from = (y * bitmap.width + x) * 4;
          const to = (Math.floor(y / cell) * columns + Math.floor(x / cell)) * 4;
          for (let c = 0; c < 3; c++) sums[to + c] += pixels[from + c];
          sums[to + 3]++;
        }
      }
      return { width: bitmap.width, height: bitmap.height, columns, rows, at: (x, y, c) => sums[(y * columns + x) * 4 + c] / sums[(y * columns + x) * 4 + 3] };
    };
    const [one, two] = [await cells(a), await cells(b)];
    const columns = Math.min(one.columns, two.columns);
    const rows = Math.min(one.rows, two.rows);
    let differing = 0;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        if ([0, 1, 2].some((c) => Math.abs(one.at(x, y, c) - two.at(x, y, c)) > step)) differing++;
      }
    }
    return { share: differing / (columns * rows), sizes: [[one.width, one.height], [two.width, two.height]] };
  }, { a: a.toString("base64"), b: b.toString("base64"), cell, step });
}

/** Opens the manual's pages one after the other and gives their addresses. */
export async function manualPages(page) {
  await page.goto(`${base}/docs`);
  return page.$$eval(".docs_menu a[href^='/docs/'], .docs_menu [aria-current]", (all) => all.map((a) => a.getAttribute("href") ?? location.pathname));
}
