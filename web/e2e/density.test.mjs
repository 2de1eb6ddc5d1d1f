// The density lab: pressed, drawn while it measures, kept, and believed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axeInBoth, base, openLesson, run, sideways, useBrowser, visitor, withPage, write } from "./_browser.mjs";

useBrowser();

const lesson = "/learn/isolates/grid-for-real";
const open = async (page) => {
  await page.goto(base + lesson);
  await page.waitForSelector("html[data-live=open]", { timeout: 20_000 });
};
const fill = async (page, end = /^Done\.$/, containers = false, isolates = 200) => {
  await page.fill("#lab-density input[name=isolates]", String(isolates));
  await page.setChecked("#lab-density input[value=cont]", containers); // most tests are not about them
  await page.click("#lab-density form.lab_do button");
  await page.waitForFunction((re) => new RegExp(re).test(document.querySelector("#lab-density .lab_where").textContent), end.source, { timeout: 60_000 });
};
const bytesOf = (text) => {
  const [n, unit] = text.split(" ");
  return Number(n.replaceAll(",", "")) * { B: 1, kB: 1024, MB: 1 << 20 }[unit];
};
/** The table's figures by kind of box. */
const rows = (page) => page.locator("#lab-density .density > .scroll-x .ledger tbody tr").evaluateAll((trs) =>
  Object.fromEntries(trs.map((tr) => [tr.querySelector("th").textContent.trim(), [...tr.querySelectorAll("td")].map((td) => td.textContent.trim())])));

test("Fill draws the grid and the lines from what it measures", withPage({}, async (page) => {
  await open(page);
  const drawn = page.evaluate(() => new Promise((done) => {
    const dots = [];
    const alive = [];
    const out = document.querySelector("#lab-density .lab_out");
    new MutationObserver(() => {
      const n = out.querySelectorAll(".density_lines .c-ink").length;
      if (n !== dots.at(-1)) dots.push(n);
      const crowd = Number(out.querySelector("[data-alive]")?.dataset.alive ?? 0);
      if (crowd !== alive.at(-1)) alive.push(crowd);
      if (document.querySelector("#lab-density .lab_where").textContent === "Done.") done({ dots, alive });
    }).observe(document.querySelector("#lab-density"), { childList: true, subtree: true, characterData: true });
  }));
  await fill(page, undefined, true, 1000);
  const { dots, alive } = await drawn;
  assert.ok(dots.length >= 4, `dots come as they are measured: ${dots}`);

  const table = await rows(page);
  const isolate = table.isolate;
  assert.equal(isolate.length, 4, String(isolate));
  const [fixed, each] = isolate.map(bytesOf);
  assert.ok(each > 50 * 1024 && each < 3 << 20, `an isolate adds ${isolate[1]}`);
  assert.equal(isolate[2], "200");
  assert.equal(Number(isolate[3].replaceAll(",", "")) > 50, true, isolate[3]);
  const fit = (256 * (1 << 20) - fixed) / each;
  assert.ok(Math.abs(fit / Number(isolate[3].replaceAll(",", "")) - 1) < 0.03, `${isolate[3]} fit, by the line ${fit}`);

  // The crowd gathers before the learner's eyes, and each cell and page of it is drawn.
  assert.ok(alive.length >= 4 && alive.every((n, i) => i === 0 || n >= alive[i - 1]), `isolates come before the learner's eyes: ${alive}`);
  const crowd = await page.locator("#lab-density .alive").evaluate((section) => {
    const cells = (name) => (section.querySelector(name).getAttribute("d").match(/m/g) ?? []).length;
    return {
      n: Number(section.dataset.alive), says: section.textContent,
      field: section.querySelector(".alive_field .af-live").getTotalLength(), // dashed: ten units an isolate
      drawn: cells(".pm-shared") + cells(".pm-some") + cells(".pm-private"), own: cells(".pm-private"),
      rows: [...section.querySelectorAll("tbody tr")].map((tr) => [...tr.cells].map((c) => c.textContent.replaceAll(",", ""))),
    };
  });
  if (crowd.n !== 1000) assert.match(crowd.says, /Not 1,000, because (a lab has|labs may take) /);
  assert.ok(Math.abs(crowd.field / 10 - crowd.n) < 1.5 + crowd.n / 100, `${crowd.field / 10} cells for ${crowd.n} isolates`);
  const [shared, own, untouched] = crowd.rows.map((r) => Number(r[2]));
  assert.equal(crowd.rows.length, 3);
  assert.ok(crowd.own > 3 && shared > 3 * own, JSON.stringify(crowd.rows));
  assert.ok(Math.abs(shared + own - crowd.drawn * crowd.n) < 0.1 * (shared + own), `${crowd.drawn} pages are drawn, ${(shared + own) / crowd.n} of each isolate are in use, ${untouched} untouched`);

  const process = table["Node process"];
  const ours = process.length === 4;
  if (ours) assert.ok(bytesOf(process[1]) > 4 * each, `a process adds ${process[1]}, an isolate ${isolate[1]}`);
  else assert.match(process[0], /not on this host, because/);

  // The lines: a dot at each count, and each dot within a tenth of the chart of its line.
  const geometry = await page.locator(".density_lines").evaluate((svg) => {
    const pc = (e, name) => Number.parseFloat(e.getAttribute(name));
    return {
      lines: [...svg.querySelectorAll("line.c-line")].map((l) => ({ x1: pc(l, "x1"), x2: pc(l, "x2"), y1: pc(l, "y1"), y2: pc(l, "y2") })),
      discs: [...svg.querySelectorAll("circle.c-ink")].map((c) => ({ x: pc(c, "cx"), y: pc(c, "cy") })),
    };
  });
  const there = Object.values(table).filter((cells) => cells.length === 4).length;
  assert.equal(geometry.lines.length, there, "a line for each kind that this host has");
  for (const cells of Object.values(table)) if (cells.length < 4) assert.match(cells[0], /not on this host, because/);
  assert.equal(geometry.discs.length, 4);
  const line = geometry.lines.at(-1);
  for (const d of geometry.discs) {
    const y = line.y1 + (d.x - line.x1) / (line.x2 - line.x1) * (line.y2 - line.y1);
    assert.ok(Math.abs(y - d.y) < 21, `the dot at ${d.x}% is ${Math.abs(y - d.y)} px off its line`);
  }
  const grid = page.locator(".density_grid").last();
  assert.match(await grid.getAttribute("aria-label"), /^isolates: of [\d,]+ cells, [\d,]+ are code and [\d,]+ are overhead\.$/);
  for (const part of ["dg-code", "dg-over", "dg-guess"]) assert.ok((await grid.locator(`.${part}`).getAttribute("d")).length > 10, part);
  assert.match(await page.textContent("#lab-density .density > .method"), /\/proc\/PID\/smaps.* n = \d+ counts .* processors, load/);

  // The prose now says the same, live and after a reload.
  const prose = () => page.locator('[data-measure="iso.each"]').allTextContents();
  assert.deepEqual([...new Set(await prose())], [isolate[1]]);
  await page.reload();
  assert.deepEqual([...new Set(await prose())], [isolate[1]]);
  assert.deepEqual(await rows(page), table);

  // The prediction is graded with it.
  await page.fill('[data-piece="predict"] input[type=number], [data-piece="predict"] input[name=answer]', isolate[3].replaceAll(",", ""));
  await page.click('[data-piece="predict"] button[type=submit]');
  await page.reload();
  assert.doesNotMatch(await page.textContent('[data-piece="predict"]'), /Your own runs will tell/);
}));

test("a tenant with a megabyte gets a line of its own", withPage({}, async (page) => {
  await open(page);
  await page.click('.files_tab[data-path="src/index.js"]');
  await write(page, "const data = new Uint8Array(1 << 20).fill(1);\nexport default { fetch() { return new Response(String(data.length)); } };\n");
  await fill(page);
  const table = await rows(page);
  const more = bytesOf(table["isolate, your code"][1]) - bytesOf(table.isolate[1]);
  assert.ok(more > 0.8 * (1 << 20) && more < 1.6 * (1 << 20), `with a megabyte of data an isolate adds ${table["isolate, your code"][1]}, without ${table.isolate[1]}`);
}));

test("code that throws ends its own line only, and Stop stops", withPage({}, async (page) => {
  await open(page);
  await page.click('.files_tab[data-path="src/index.js"]');
  await write(page, "export default { fetch() { throw new Error('no') } };\n");
  await fill(page);
  const table = await rows(page);
  assert.match(table["isolate, your code"][0], /your code stopped: /);
  assert.equal(table.isolate.length, 4);
  await page.click("#lab-density form.lab_do button");
  await page.waitForFunction(() => document.querySelector("#lab-density form.lab_do button").textContent === "Stop");
  await fill(page, /^Stopped\. What was measured stays\.$/);
  assert.equal(await page.textContent("#lab-density form.lab_do button"), "Fill");
}));

test("without scripts a form fills and the page shows it", async () => {
  const context = await visitor({ javaScriptEnabled: false });
  try {
    const page = await context.newPage();
    await page.goto(base + lesson);
    await page.uncheck("#lab-density input[value=cont]");
    await page.fill("#lab-density input[name=isolates]", "200");
    await page.click("#lab-density form.lab_do button");
    await page.waitForURL(/#lab-density$/);
    assert.equal((await rows(page)).isolate.length, 4);
    assert.match((await page.locator('[data-measure="iso.fixed"]').first().textContent()), /^[\d.]+ MB$/);
  } finally {
    await context.close();
  }
});

test("the lab stands alone, at 360 px, in light and dark", withPage({ viewport: { width: 360, height: 780 } }, async (page) => {
  await page.goto(`${base}/labs/density`);
  await page.waitForSelector("html[data-live=open]", { timeout: 20_000 });
  assert.deepEqual(await axeInBoth(page), []);
  await fill(page);
  const table = await rows(page);
  assert.equal(table.isolate.length, 4);
  assert.deepEqual(await axeInBoth(page), []);
  assert.ok(await sideways(page) <= 0);
  await page.reload();
  assert.deepEqual(await rows(page), table);
}));

test("figures of ×20 reach the text at once, and are the same after a reload", withPage({}, async (page) => {
  await openLesson(page, "/learn/serverless/first-request");
  const text = (name) => page.locator(`.measure[data-measure="${name}"]`).first();
  assert.equal(await text("cold.p50").textContent(), "not measured yet");
  await run(page, "run-cold");
  await page.waitForFunction(() => document.querySelector('[data-measure="cold.p50"]').textContent !== "not measured yet");
  const live = await text("cold.p50").textContent();
  assert.match(live, /^[\d.]+ (µs|ms|s)$/);
  assert.match(await text("cold.p50").getAttribute("class"), /\bcold\b/);
  await page.reload();
  assert.equal(await text("cold.p50").textContent(), live);
}));
