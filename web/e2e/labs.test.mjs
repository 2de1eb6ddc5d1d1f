// What holds for every lab: it runs to a result, nothing moves when figures
// come, and each chart can be read with the keyboard, as a table and as CSV.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, sideways, useBrowser, visitor, withPage } from "./_browser.mjs";

useBrowser();

/** Each lab: what to ask for, and how many charts it then has at least. */
const labs = {
  race: { query: "?samples=5&contenders=isolate+goja+docker", charts: 5 },
  density: { query: "?isolates=200&boxes=proc", charts: 1 },
  autoscale: { query: "?shape=rush&peak=40&clock=40", charts: 6, modelled: true },
  rollout: { query: "?seconds=5&rate=60", charts: 3 },
  cost: { live: true, charts: 1 },
  isolation: { query: "?show=limits+neighbour", charts: 1 },
  routing: { query: "", charts: 0 },
  events: { query: "", charts: 1 },
  dialects: { query: "", charts: 0 },
  edge: { query: "", charts: 1, modelled: true },
  snapshot: { query: "", charts: 0 },
  process: { query: "", charts: 0, noCSV: true },
  online: { query: "?curl=https%3A%2F%2Fa.example%2F+0.05+0.3", charts: 3 },
};

/**
 * Notes whatever moves although nobody scrolled, clicked or typed: all that the
 * browser counts as layout shift, but for figures that grow leftwards in
 * their own right-aligned cell.
 */
const watch = (context) => context.addInitScript(() => {
  globalThis.moves = [];
  globalThis.since = Infinity; // the page's own font may still move a letter
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) {
      for (const { node, previousRect: a, currentRect: b } of e.sources) {
        const inPlace = Math.abs(a.top - b.top) < 1 && Math.abs(a.right - b.right) < 24 && (node?.nodeType !== 1 || node.matches(".num, .num *, .n, .n *"));
        if (!inPlace && node && e.startTime > globalThis.since) globalThis.moves.push(`${(node.nodeType === 1 ? node : node.parentElement)?.outerHTML.slice(0, 90)}: ${a.x},${a.y} ${a.width}×${a.height} → ${b.x},${b.y} ${b.width}×${b.height}, ${e.value.toFixed(4)}`);
      }
      if (e.startTime > globalThis.since) globalThis.shift = (globalThis.shift ?? 0) + e.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
});

const ended = (page, lab) => page.waitForFunction((lab) => {
  const section = document.querySelector(`#lab-${lab}`);
  return !section.hasAttribute("data-running") && !["", "Starting."].includes(section.querySelector(".lab_where").textContent);
}, lab, { timeout: 90_000 });

/**
 * The figures, charts and tables of a lab that do not say where they come from:
 * what was done, how many times, when and on which machine at which load; or
 * that they are worked out, from prices with their date. The line that says so
 * stands behind them or behind a part around them; n may be a column there.
 */
const unsaid = (page, lab) => page.evaluate((lab) => {
  const out = document.querySelector(`#lab-${lab} .lab_out`);
  const how = /\b(measured|really (sent|runs)|one real invocation|pages in memory|of the five is a Worker)\b/i;
  const times = /\bn = \d|\bonce\b|\bmedian of \d|\d (requests|visits)\b/i;
  const machine = /\d{1,2} \w+ \d{4}, \d\d:\d\d UTC, on .+, \d+ processors?, load \d/;
  const worked = /\bworked out for .* prices as of \d{4}-\d\d/i;
  return [...out.querySelectorAll("figure, table, svg[data-chart]")].flatMap((e) => {
    let said = "";
    let counted = false;
    for (let part = e; part !== out; part = part.parentElement) {
      for (const line of part.parentElement.children) if (line.matches(".method, .lab_banner")) said += ` ${line.textContent}`;
      if (said) counted ||= [...part.parentElement.querySelectorAll("thead th")].some((h) => h.textContent === "n");
    }
    if (worked.test(said)) return [];
    const missing = [how.test(said) || "method", counted || times.test(said) || "n", machine.test(said) || "machine"].filter((m) => m !== true);
    return missing.length ? [`${e.getAttribute("aria-label") ?? e.querySelector("figcaption, caption")?.textContent ?? e.outerHTML.slice(0, 80)}: no ${missing.join(", no ")} in “${said.trim()}”`] : [];
  });
}, lab);

// The whole page is in view, so whatever moves anywhere is noted.
for (const [lab, o] of Object.entries(labs)) {
  test(`${lab}: nothing moves, and every chart is read by key, table and CSV`, async () => {
    const phone = Object.keys(labs).indexOf(lab) % 2 === 1;
    const context = await visitor({ viewport: phone ? { width: 360, height: 5200 } : { width: 1440, height: 3000 }, colorScheme: phone ? "dark" : "light", reducedMotion: "reduce" });
    try {
      await watch(context);
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      const page = await context.newPage();
      await page.goto(`${base}/labs/${lab}${o.query ?? ""}`);
      await page.waitForSelector("html[data-live=open]", { timeout: 20_000 });
      await page.evaluate(() => document.fonts.ready.then(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))).then(() => { globalThis.since = performance.now(); }));
      const height = () => page.evaluate((lab) => Math.round(document.querySelector(`#lab-${lab} .lab_out`).getBoundingClientRect().height), lab);
      const before = await height();
      if (!o.live) {
        assert.notDeepEqual(await unsaid(page, lab), [], "nothing was measured yet, so nothing can be said of it");
        // Not a click, whose shifts a browser forgives for half a second.
        await page.evaluate((lab) => document.querySelector(`#lab-${lab} form.lab_do > button`).click(), lab);
        await ended(page, lab);
        assert.equal(await page.textContent(`#lab-${lab} .lab_where`), "Done.");
      }
      assert.ok(Math.abs(await height() - before) <= 2, `what stands below moves: ${before} px before, ${await height()} px with the result`);
      assert.equal(await page.evaluate(() => document.getAnimations().filter((a) => a.playState === "running").length), 0, "motion is reduced");
      const seen = await page.evaluate(() => ({ moves: globalThis.moves, shift: globalThis.shift ?? 0 }));
      assert.deepEqual(seen.moves, []);
      assert.ok(seen.shift < 0.005, `layout shift ${seen.shift}`);

      assert.deepEqual(await unsaid(page, lab), [], "figures that do not say where they come from");
      if (o.modelled) assert.match(await page.textContent(`#lab-${lab} .lab_out > * > .method`), /^Modelled.* Measured: /s, "which part is which");

      const charts = page.locator(`#lab-${lab} svg[data-chart]:visible`);
      const n = await charts.count();
      assert.ok(n >= o.charts, `${n} charts`);
      for (let i = 0; i < n; i++) {
        const chart = charts.nth(i);
        assert.ok((await chart.getAttribute("aria-label")).length > 10);
        const beside = await chart.evaluate((c) => { // the table of its own figure, or of the lab
          for (let e = c.parentElement; e && !e.matches(".lab_out"); e = e.parentElement) if (e.querySelector(".numbers:has(table) [data-do=csv]")) return true;
          return false;
        });
        assert.ok(beside, "a table that can be copied stands beside it");
        if (await chart.getAttribute("tabindex") !== "0") continue; // it has no points to read: nothing was measured for it
        await chart.focus();
        await page.keyboard.press("Home");
        const first = await chart.evaluate((c) => ({ role: c.getAttribute("role"), says: c.getAttribute("aria-valuetext"), max: Number(c.getAttribute("aria-valuemax")) }));
        assert.ok(first.role === "slider" && first.says, JSON.stringify(first));
        await page.keyboard.press("End");
        assert.equal(Number(await chart.getAttribute("aria-valuenow")), first.max);
      }
      const tables = page.locator(`#lab-${lab} .lab_out table`);
      assert.ok(await tables.count() > 0, "there is a table");
      if (!o.noCSV) {
        const copy = page.locator(`#lab-${lab} [data-do=csv]:visible`).first();
        if (await copy.count() === 0) await page.locator(`#lab-${lab} .numbers > summary`).first().click();
        const rows = await copy.evaluate((b) => b.closest(".numbers").querySelectorAll("tr").length);
        await copy.click();
        await page.waitForFunction(() => [...document.querySelectorAll("[data-do=csv]")].some((b) => b.textContent === "Copied"));
        const csv = await page.evaluate(() => navigator.clipboard.readText());
        assert.ok(csv.trim().split("\n").length >= rows && csv.includes(","), csv);
      }
      assert.deepEqual(await axe(page), []);
      assert.ok(await sideways(page) <= 0);
      assert.deepEqual(context.complaints, []);
    } finally {
      await context.close();
    }
  });
}

test("every lab there is, is tried", withPage({}, async (page) => {
  await page.goto(`${base}/labs`);
  assert.deepEqual((await page.$$eval(".labs a", (all) => all.map((a) => a.getAttribute("href").split("/").at(-1)))).sort(), Object.keys(labs).sort());
}));

test("a lab's page says that its connection is lost, and goes on once it is back", withPage({ viewport: { width: 360, height: 780 } }, async (page) => {
  let open = true;
  await page.routeWebSocket(/\/api\/live/, (ws) => {
    if (!open) return ws.close({ code: 1001 });
    const server = ws.connectToServer();
    ws.onMessage((m) => open && server.send(m));
    server.onMessage((m) => open && ws.send(m));
  });
  await page.goto(`${base}/labs/routing`);
  await page.waitForSelector("html[data-live=open]", { timeout: 20_000 });
  open = false; // silent: nothing is closed, nothing arrives
  await page.waitForSelector(".banner-live:has-text('Reconnecting.')");
  assert.deepEqual(await axe(page), []);
  assert.ok(await sideways(page) <= 0);
  await page.click("#lab-routing form.lab_do > button"); // refused, not queued
  await page.waitForFunction(() => document.querySelector("#lab-routing .lab_where").textContent === "Not connected. Try again in a moment.");
  open = true;
  await page.evaluate(() => document.querySelector("[data-do=try-now]")?.click()); // unless it has tried by itself
  await page.waitForSelector(".banner-live", { state: "detached" });
  await page.click("#lab-routing form.lab_do > button");
  await ended(page, "routing");
  assert.equal(await page.textContent("#lab-routing .lab_where"), "Done.");
}));
