// The race lab: run to its result, and what is drawn is what was measured.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, sideways, useBrowser, visitor, withPage } from "./_browser.mjs";

useBrowser();

const open = async (page, query = "?samples=6&contenders=isolate+goja+wasm+node+container+docker") => {
  await page.goto(`${base}/labs/race${query}`);
  await page.waitForSelector("html[data-live=open]", { timeout: 20_000 });
};
const race = async (page, end = /^Done\.$/) => {
  await page.click("#lab-race form.lab_do > button");
  await page.waitForFunction((re) => new RegExp(re).test(document.querySelector("#lab-race .lab_where").textContent), end.source, { timeout: 90_000 });
};
const us = (text) => {
  const [n, unit] = text.split(" ");
  return Number(n.replaceAll(",", "")) * { "µs": 1, ms: 1e3, s: 1e6 }[unit];
};
/** What is drawn of each contender: its dots, its median mark and its row of the table. */
const drawn = (page) => page.locator("#lab-race").evaluate((lab) => {
  const rows = Object.fromEntries([...lab.querySelectorAll(".numbers:not(.walls) tbody tr")].map((tr) => [tr.cells[0].textContent, [...tr.cells].slice(1).map((c) => c.textContent)]));
  const pc = (e, name) => Number.parseFloat(e.getAttribute(name));
  return [...lab.querySelectorAll("[data-contender]")].map((li) => ({
    name: li.dataset.contender, off: li.querySelector(".race_off")?.textContent ?? "",
    cold: [...li.querySelectorAll("use")].map((u) => pc(u, "x")), warm: [...li.querySelectorAll("circle")].map((c) => pc(c, "cx")),
    medians: [...li.querySelectorAll(".c-median")].map((l) => pc(l, "x1")), row: rows[li.dataset.contender],
  }));
});

test("a race draws every start where its figure belongs", withPage({}, async (page) => {
  await open(page);
  assert.deepEqual(await axe(page), []);
  const height = () => page.evaluate(() => document.querySelector("#lab-race .race").getBoundingClientRect().height);
  const before = await height();
  await race(page);
  assert.equal(await height(), before, "the rows of the clouds stand where they stood");
  const all = await drawn(page);
  const by = Object.fromEntries(all.map((c) => [c.name, c]));
  const raced = all.filter((c) => !c.off);
  assert.ok(by["Snapshot isolate"] && !by["Snapshot isolate"].off && !by["goja isolate"].off, JSON.stringify(all));
  for (const c of all) if (c.off) assert.match(c.off, /^No figure: not on this host, because ./, c.name);
  const points = [];
  for (const c of raced) {
    assert.equal(c.cold.length, 6, c.name);
    assert.equal(c.warm.length, 6, c.name);
    assert.equal(c.row.at(-1), "6 + 6");
    const [p50, , warm50, , make, load, answer] = c.row.map((t) => us(t));
    assert.ok(warm50 < p50, `${c.name} is quicker awake: ${c.row}`);
    assert.ok(Math.abs(make + load + (c.row[6] === "in load" ? 0 : answer) - p50) < 0.03 * p50 + 20, `${c.name}: the phases make the whole: ${c.row}`);
    assert.ok(Math.abs([...c.cold].sort((a, b) => a - b)[2] - c.medians[0]) < 0.02, `${c.name}: the mark is the middle dot`);
    points.push([Math.log10(p50), c.medians[0]], [Math.log10(warm50), c.medians[1]]);
  }
  // All marks lie on one logarithmic axis.
  points.sort((a, b) => a[0] - b[0]);
  const [first, last] = [points[0], points.at(-1)];
  for (const [x, at] of points) {
    const want = first[1] + (x - first[0]) / (last[0] - first[0]) * (last[1] - first[1]);
    assert.ok(Math.abs(want - at) < 0.8, `10^${x} µs is drawn at ${at}%, on the axis it is at ${want}%`);
  }
  if (by["Node process"] && !by["Node process"].off) assert.ok(us(by["Node process"].row[0]) > 3 * us(by["Snapshot isolate"].row[0]), "a process starts later than an isolate");
  const lanes = await page.locator("#lab-race .lanes-race").first().locator("li").count();
  assert.equal(lanes, all.length + 1, "a timeline for each, also for one that is off: its place stays");
  const walls = await page.$$eval("#lab-race .walls tbody tr", (rows) => rows.map((r) => [...r.cells].map((c) => c.textContent)));
  assert.deepEqual([...new Set(walls.map((w) => w[0]))].sort(), raced.map((c) => c.name).sort(), "each says what holds it");
  for (const [box, , stands, text] of walls) if (stands === "no" && box === "Linux container") assert.match(text, /not on this host, because ./);
  assert.match(await page.textContent("#lab-race .method"), /in turns.* processors, load .*; when it began, load/);
  assert.deepEqual(await axe(page), []);

  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.click("#lab-race [data-do=csv]");
  await page.waitForFunction(() => document.querySelector("#lab-race [data-do=csv]").textContent === "Copied");
  const csv = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(csv.trim().split("\n").length, all.length + 1, csv);
  await page.reload();
  assert.deepEqual((await drawn(page)).map((c) => c.row), all.map((c) => c.row), "it is kept");
}));

test("a race stops, and on a phone without scripts a form races", async () => {
  const context = await visitor({ javaScriptEnabled: false, colorScheme: "dark", viewport: { width: 360, height: 780 } });
  try {
    const page = await context.newPage();
    await page.goto(`${base}/labs/race?samples=5&contenders=isolate`);
    await page.click("#lab-race form.lab_do > button");
    await page.waitForURL(/contenders=isolate/);
    const [c] = await drawn(page);
    assert.equal(c.cold.length, 5);
    assert.ok(await sideways(page) <= 0);
  } finally {
    await context.close();
  }
  await withPage({}, async (page) => {
    await open(page, "?samples=100");
    await page.click("#lab-race form.lab_do > button");
    await page.waitForFunction(() => /^Round [2-9]/.test(document.querySelector("#lab-race .lab_where").textContent), undefined, { timeout: 60_000 });
    await race(page, /^Stopped\. What was measured stays\.$/);
    assert.ok((await drawn(page))[0].cold.length >= 2);
  })();
});
