// Every component of the gallery as it looks: light, dark, and 360 px wide.
//
// gallery/ID.png holds the three side by side, one pixel for each 8 × 8 of the
// screen: small enough to commit, coarse enough that another rasteriser's glyph
// edges are not a difference, fine enough that a moved, missing or recoloured
// part is. UPDATE=1 node web/e2e/run.mjs gallery.test.mjs draws them anew.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { axe, base, sideways, useBrowser, visitor, withPage } from "./_browser.mjs";
import { compare } from "./_pictures.mjs";

useBrowser();

const folder = fileURLToPath(new URL("gallery/", import.meta.url));
const looks = [
  { viewport: { width: 1440, height: 1000 }, colorScheme: "light" },
  { viewport: { width: 1440, height: 1000 }, colorScheme: "dark" },
  { viewport: { width: 360, height: 740 }, colorScheme: "light" },
];

/** Every component in one look: its name, and the screenshot it is in with its place there. */
async function look(options) {
  const context = await visitor({ ...options, reducedMotion: "reduce" });
  try {
    const page = await context.newPage();
    await page.goto(`${base}/dev/gallery`);
    await page.waitForSelector("html[data-drawn=all]");
    await page.evaluate(() => document.fonts.ready);
    assert.ok(await sideways(page) <= 0, "the gallery scrolls sideways");
    const boxes = await page.$$eval(".gallery_sample", (all) => all.map((s) => {
      const r = s.querySelector(".gallery_box").getBoundingClientRect();
      return { id: s.id, x: Math.floor(r.x + scrollX), y: Math.floor(r.y + scrollY), width: Math.ceil(r.width), height: Math.ceil(r.height) };
    }));
    const shot = (await page.screenshot({ fullPage: true, timeout: 120_000 })).toString("base64");
    if (options.viewport.width === 360) assert.deepEqual(await axe(page), []); // wide, page.test.mjs looks at it
    assert.deepEqual(context.complaints, []);
    return { boxes, shot };
  } finally {
    await context.close();
  }
}

/** A picture a component: its looks side by side, an eighth of their size. */
async function reduce(page, seen) {
  await page.goto("about:blank");
  return page.evaluate(async (seen) => {
    const cell = 8;
    const bitmaps = await Promise.all(seen.map(async ({ shot }) => createImageBitmap(await (await fetch(`data:image/png;base64,${shot}`)).blob())));
    const out = {};
    for (const { id } of seen[0].boxes) {
      const boxes = seen.map((s) => s.boxes.find((b) => b.id === id));
      const widths = boxes.map((b) => Math.ceil(b.width / cell));
      const heights = boxes.map((b) => Math.ceil(b.height / cell));
      const canvas = new OffscreenCanvas(widths.reduce((a, b) => a + b), Math.max(...heights));
      const to = canvas.getContext("2d");
      let left = 0;
      boxes.forEach((b, i) => {
        // The mean of each cell, by hand: browsers scale in ways of their own.
        const from = new OffscreenCanvas(b.width, b.height).getContext("2d", { willReadFrequently: true });
        from.drawImage(bitmaps[i], b.x, b.y, b.width, b.height, 0, 0, b.width, b.height);
        const pixels = from.getImageData(0, 0, b.width, b.height).data;
        const small = to.createImageData(widths[i], heights[i]);
        const sums = new Float64Array(widths[i] * heights[i] * 4);
        for (let y = 0; y < b.height; y++) {
          for (let x = 0; x < b.width; x++) {
            const at = (y * b.width + x) * 4;
            const cellAt = (Math.floor(y / cell) * widths[i] + Math.floor(x / cell)) * 4;
            for (let c = 0; c < 3; c++) sums[cellAt + c] += pixels[at + c];
            sums[cellAt + 3]++;
          }
        }
        for (let n = 0; n < sums.length; n += 4) {
          for (let c = 0; c < 3; c++) small.data[n + c] = sums[n + c] / sums[n + 3];
          small.data[n + 3] = 255;
        }
        to.putImageData(small, left, 0);
        left += widths[i];
      });
      const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
      out[id] = btoa(Array.from(bytes, (n) => String.fromCharCode(n)).join(""));
    }
    return out;
  }, seen);
}

test("every component of the gallery looks as it did, in light, dark and at 360 px", { timeout: 240_000 }, withPage({}, async (page, t) => {
  const seen = [];
  for (const options of looks) seen.push(await look(options));
  for (const s of seen) assert.deepEqual(s.boxes.map((b) => b.id), seen[0].boxes.map((b) => b.id));
  const now = await reduce(page, seen);
  if (process.env.UPDATE === "1") {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const [id, data] of Object.entries(now)) writeFileSync(join(folder, `${id}.png`), Buffer.from(data, "base64"));
    return;
  }
  const differing = [];
  for (const [id, data] of Object.entries(now)) {
    const file = join(folder, `${id}.png`);
    if (!existsSync(file)) {
      differing.push(`${id} has no picture yet`);
      continue;
    }
    const { share, sizes } = await compare(page, readFileSync(file), Buffer.from(data, "base64"), { cell: 1, step: 40 });
    const grown = sizes[0].map((n, i) => Math.abs(n - sizes[1][i]));
    if (Math.max(...grown) > 1) differing.push(`${id} is ${sizes[1].join(" × ")} cells, was ${sizes[0].join(" × ")}`);
    else if (share > 0.02) differing.push(`${id}: ${(share * 100).toFixed(1)} % of it looks different`);
  }
  for (const file of readdirSync(folder)) if (!now[file.replace(/\.png$/, "")]) differing.push(`${file} belongs to no component`);
  t.diagnostic(`${Object.keys(now).length} components in ${looks.length} looks`);
  assert.deepEqual(differing, [], "look at /dev/gallery, then UPDATE=1 node web/e2e/run.mjs gallery.test.mjs");
}));
