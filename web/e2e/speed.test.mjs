// How soon the first log line of a run is on the screen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { figure, full, openLesson, percentile, run, saved, tab, useBrowser, withPage, write } from "./_browser.mjs";

useBrowser();

const runs = full ? 20 : 12;

test("1 Run to first log line: p95 at most 150 ms warm, 300 ms cold", withPage({}, async (page, t) => {
  await openLesson(page);
  await write(page, 'export default { fetch() { console.log("first line"); return new Response("ok"); } };\n');
  await saved(page);
  await page.selectOption("#method", "GET");
  await run(page);
  await tab(page, "logs");
  const once = (cold) => page.evaluate(async (cold) => {
    const end = performance.now() + 10_000;
    const until = async (what, done) => {
      while (!done()) {
        if (performance.now() > end) throw new Error(`${what} never came`);
        await new Promise(requestAnimationFrame);
      }
    };
    const rows = () => document.querySelectorAll(".log_window .log_line").length;
    document.querySelector("[data-do=clear-logs]").click();
    await until("an empty log", () => rows() === 0);
    if (cold) {
      document.querySelector("#tab-isolate").click();
      await until("the button", () => document.querySelector("#panel-isolate [data-do=evict]"));
      document.querySelector("#panel-isolate [data-do=evict]").click();
      document.querySelector("#tab-logs").click();
      await until("the eviction", () => document.querySelector("#tab-isolate .readout_value").textContent.trim() === "evicted");
    }
    await new Promise((r) => setTimeout(r, 250)); // a learner may start five runs a second
    const begin = performance.now();
    document.querySelector(".runbar [data-do=run]").click();
    await until("a log line", () => rows() > 0);
    const took = performance.now() - begin;
    await until("the end", () => document.querySelector(".log_request[data-over^=true]"));
    return took;
  }, cold);
  // Other work on the machine only ever adds, so the best of three rounds counts; all are printed.
  for (const [name, cold, limit] of [["warm", false, 150], ["cold", true, 300]]) {
    const rounds = [];
    do {
      const times = [];
      for (let i = 0; i < runs; i++) times.push(await once(cold));
      rounds.push(percentile(times, 0.95));
      t.diagnostic(`${name}: p50 ${percentile(times, 0.5).toFixed(0)} ms, p95 ${percentile(times, 0.95).toFixed(0)} ms of ${limit}`);
    } while (Math.min(...rounds) > limit && rounds.length < 3);
    figure(t, 1, `Run to first log line, ${name}, p95`, `${Math.min(...rounds).toFixed(0)} ms`, `≤ ${limit} ms`);
    assert.ok(Math.min(...rounds) <= limit, `${name}: p95 ${rounds.map((x) => x.toFixed(0))} ms of ${limit}`);
  }
}));
