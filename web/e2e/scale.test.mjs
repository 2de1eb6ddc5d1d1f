// The labs that compare costs and scale: run to a result, and what they drew is believed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, sideways, useBrowser, withPage, write } from "./_browser.mjs";

useBrowser();

const open = async (page, path) => {
  await page.goto(base + path);
  await page.waitForSelector("html[data-live=open]", { timeout: 20_000 });
};
const ended = (page, lab) => page.waitForFunction((lab) => {
  const section = document.querySelector(`#lab-${lab}`);
  return !section.hasAttribute("data-running") && section.querySelector(".lab_where").textContent !== "" && section.querySelector(".lab_where").textContent !== "Starting.";
}, lab, { timeout: 60_000 });
const where = (page, lab) => page.textContent(`#lab-${lab} .lab_where`);
/** A table's rows: the first cell names the others. */
const rows = (table) => table.evaluate((t) => Object.fromEntries([...t.tBodies[0].rows].map((r) => [r.cells[0].textContent.trim(), [...r.cells].slice(1).map((c) => c.textContent.trim())])));
/** The points of a line of a plot, in the plot's own coordinates. */
const points = (page, name) => page.locator(`path[data-line="${name}"]`).first().evaluate((p) => {
  const out = [];
  let x = 0;
  for (const [, op, args] of p.getAttribute("d").matchAll(/([MLHV])([^MLHV]*)/g)) {
    const n = args.trim().split(" ").map(Number);
    if (op === "H") x = n[0];
    else { x = n[0]; out.push({ x, y: n[1] }); }
  }
  return out;
});

test("autoscale: isolates from none to some to none beside a modelled pool, with a machine killed", withPage({}, async (page) => {
  await open(page, "/labs/autoscale?shape=rush&peak=60&clock=40");
  const place = () => page.locator("#lab-autoscale .plots").evaluate((e) => [e.offsetTop, e.offsetHeight]);
  const before = await place();
  await page.click("#lab-autoscale form.lab_do > button");
  await page.waitForFunction(() => /isolates? is there/.test(document.querySelector(".lab_events").textContent), null, { timeout: 40_000 });
  await page.click("text=Kill a machine");
  await ended(page, "autoscale");
  assert.equal(await where(page, "autoscale"), "Done.");
  assert.deepEqual(await place(), before, "the charts stay where they were");

  const table = await rows(page.locator("#lab-autoscale .ledger").first());
  const number = (text) => Number(text.split(" ")[0].replaceAll(",", ""));
  for (const side of [0, 1]) {
    assert.equal(number(table.visitors[side]), number(table.answered[side]) + number(table.lost[side]), JSON.stringify(table));
    assert.ok(number(table.answered[side]) > 0, JSON.stringify(table));
  }
  assert.equal(table.visitors[0], table.visitors[1], "both sides meet the same visitors");
  const events = await page.textContent(".lab_events");
  for (const event of [/first isolate/, /kill -9/, /last isolate is gone/, /server 1 dies/, /fails probe 1 of 2/, /leaves the rotation/, /boots, for 1 s/]) assert.match(events, event);

  // The line of isolates begins and ends on the ground, and leaves it between.
  const copies = await page.locator('.plot:has(.plot_name:text-is("Copies")) path[data-line="isolates"]').evaluate((p) => [...p.getAttribute("d").matchAll(/[ML][\d.]+ ([\d.]+)/g)].map((m) => Number(m[1])));
  assert.ok(copies.length > 20, `${copies.length} points`);
  assert.equal(copies[0], copies.at(-1), `${copies}`);
  assert.ok(Math.min(...copies) < copies[0] - 5, `${copies}`);
  assert.ok(await page.locator('g[data-line="cold starts"] use').count() >= 2, "a cold start before the kill and one after it");
  const answered = await points(page, "answered by isolates");
  assert.ok(Math.max(...answered.map((p) => p.y)) - Math.min(...answered.map((p) => p.y)) > 20, "the rate rises");
  assert.match(await page.textContent(".autoscale .method"), /modelled|Modelled/);
  await page.locator(".autoscale .numbers summary").first().click();
  assert.ok(await page.locator(".autoscale .numbers").first().locator("tbody tr").count() > 10);
  assert.deepEqual(await axe(page), []);

  await page.reload();
  assert.deepEqual(await rows(page.locator("#lab-autoscale .ledger").first()), table, "it is kept");
}));

test("autoscale: a wrong pool.json gets its line, at 360 px in the dark", withPage({ colorScheme: "dark", viewport: { width: 360, height: 780 } }, async (page) => {
  await open(page, "/labs/autoscale");
  assert.ok(await sideways(page) <= 0);
  await page.fill("#lab-autoscale textarea", '{\n  "min": 3,\n  "max": 2,\n  "target": 0.6\n}');
  await page.click("#lab-autoscale form.lab_do > button");
  await ended(page, "autoscale");
  assert.equal(await where(page, "autoscale"), "pool.json:3: max is 2 and min is 3; max must not be smaller than min.");
  await page.click("text=Kill a machine");
  await page.waitForFunction(() => /Nothing runs yet/.test(document.querySelector("#lab-autoscale .lab_where").textContent));
}));

test("rollout: a guard takes back the version that fails; by hand the buttons set the share", withPage({}, async (page) => {
  await open(page, "/labs/rollout?seconds=6&rate=100");
  const section = page.locator("#lab-rollout");
  await section.getByRole("button", { name: "Roll back" }).click();
  await page.waitForFunction(() => /Nobody is in the shop yet/.test(document.querySelector("#lab-rollout .lab_where").textContent));
  await page.click("#lab-rollout form.lab_do > button");
  await ended(page, "rollout");
  assert.equal(await where(page, "rollout"), "Done.");
  const events = await section.locator(".lab_events").textContent();
  for (const event of [/5 % of the visits/, /new version failed within/, /back to the old version/]) assert.match(events, event);
  const table = await rows(section.locator(".ledger").first());
  const number = (text) => Number(text.split(" ")[0].replaceAll(",", ""));
  for (const side of [0, 1]) assert.equal(number(table.visits[side]), number(table.answered[side]) + number(table.failed[side]), JSON.stringify(table));
  assert.ok(number(table.failed[1]) >= 2, JSON.stringify(table));
  assert.match(await section.locator(".rollout_people").textContent(), /visitors? got an error of the new version/);
  assert.deepEqual(await axe(page), []);

  await page.selectOption("#lab-rollout select[name=plan]", "hand");
  await page.fill("#lab-rollout textarea[name=new]", await page.inputValue("#lab-rollout textarea[name=old]"));
  await page.click("#lab-rollout form.lab_do > button");
  await page.waitForFunction(() => / of 6: /.test(document.querySelector("#lab-rollout .lab_where").textContent), null, { timeout: 40_000 });
  await section.getByRole("button", { name: "50 %" }).click();
  await page.waitForFunction(() => /50 % of the visits/.test(document.querySelector("#lab-rollout .lab_events").textContent), null, { timeout: 20_000 });
  await ended(page, "rollout");
  assert.equal(await where(page, "rollout"), "Done.");
  assert.ok(number((await rows(section.locator(".ledger").first())).visits[1]) > 0);
}));

const bill = (page, plan) => page.locator(`#lab-cost tr[data-plan=${plan}] td`).allTextContents();
const changed = (page, lab, selector, want) => page.waitForFunction(([lab, selector, want]) => new RegExp(want).test(document.querySelector(`#lab-${lab} ${selector}`)?.textContent ?? ""), [lab, selector, want.source], { timeout: 20_000 });

test("cost: curves and crossings follow what is typed, and prices with a mistake get its line", withPage({ viewport: { width: 360, height: 780 } }, async (page) => {
  await open(page, "/labs/cost");
  assert.deepEqual(await axe(page), []);
  assert.deepEqual((await bill(page, "workers")).slice(0, 4), ["$5.00", "$5.00", "$45.40", "65,836,364 (B)"]);
  assert.deepEqual((await bill(page, "vm")).slice(0, 3), ["$30.37", "$30.37", "$30.37"]);
  // On logarithmic axes the VM's line is level and the Worker's rises once its allowance is used.
  const vm = await points(page, "VM with 2 cores, 4 GB (t3.medium)");
  const workers = await points(page, "Cloudflare Workers, paid plan");
  assert.equal(new Set(vm.map((p) => p.y)).size, 1);
  assert.equal(workers[0].y, workers[10].y);
  assert.ok(workers.at(-1).y < workers[0].y - 50, `${workers[0].y} to ${workers.at(-1).y}`);
  // The solved crossing lies where the two lines meet.
  const mark = await page.locator("#lab-cost svg.chart:has(text.c-label)").evaluate((svg) => {
    const texts = [...svg.querySelectorAll("text.c-label")];
    return Number.parseFloat(texts.find((t) => t.textContent === "B").getAttribute("x")) * 10;
  });
  const meet = workers.find((p) => p.y <= vm[0].y).x;
  assert.ok(Math.abs(mark - meet) < 12, `marked at ${mark}, the lines meet at ${meet}`);

  await page.fill("#lab-cost input[name=ms]", "2000");
  await changed(page, "cost", "tr[data-plan=lambda]", /\(C\)/);
  await page.waitForFunction(() => !/122,415,302/.test(document.querySelector("#lab-cost tr[data-plan=lambda]").textContent));
  assert.equal((await bill(page, "workers"))[3], "65,836,364 (B)", "waiting is not billed there");
  await page.click("#lab-cost summary:text-is('prices.json')");
  const text = await page.inputValue("#lab-cost textarea");
  await page.fill("#lab-cost textarea", text.replace('"per_hour": 0.0416', '"per_hour": "0.0416"'));
  await changed(page, "cost", ".lab_where", /^prices\.json:9: plans\[0\]\.per_hour must be a number/);
  await page.fill("#lab-cost textarea", text.replace('"per_hour": 0.0416', '"per_hour": 0.0832'));
  await changed(page, "cost", "tr[data-plan=vm]", /\$60\.74/);
  await page.reload();
  assert.equal((await bill(page, "vm"))[0], "$60.74", "it is kept");
  assert.equal(await page.inputValue("#lab-cost input[name=ms]"), "2000");
  assert.ok(await sideways(page) <= 0);
}));

test("cost: the learner's own monthly is drawn beside ours", withPage({}, async (page) => {
  await open(page, "/learn/serverless/price-of-idle");
  await page.click("#lab-cost form.lab_do > button");
  await changed(page, "cost", "tr[data-plan=lambda] td:last-child", /\d+ of 26 the same/);
  assert.equal(await page.locator('g[data-line="yours: vm"] circle').count(), 0, "nothing yet: it answers 0");
  await page.click('.files_tab[data-path="src/cost.js"]');
  await write(page, 'export const monthly = (plan) => { if (plan !== "vm") throw new Error("not yet"); return 730 * 0.0416; };\nexport const breakEven = () => 0;\n');
  await page.click("#lab-cost form.lab_do > button");
  await changed(page, "cost", "tr[data-plan=vm] td:last-child", /^the same$/);
  assert.equal(await page.locator('g[data-line="yours: vm"] circle').count(), 25);
  assert.equal((await bill(page, "lambda")).at(-1), "–");
  await write(page, "export const monthly = 3;\n");
  await page.click("#lab-cost form.lab_do > button");
  await changed(page, "cost", ".lab_trouble", /src\/cost\.js exports no function monthly|breakEven/);
}));

test("edge: the map and the bars follow the calls, and the handler is measured", withPage({ colorScheme: "dark" }, async (page) => {
  await open(page, "/labs/edge");
  assert.match(await page.textContent("#lab-edge .plot_name"), /The edge is faster for 0 of 8 cities/);
  await page.fill("#lab-edge input[name=cached]", "100");
  await changed(page, "edge", ".plot_name", /The edge is faster for 7 of 8 cities, the centre for 1\./);
  await page.click("#lab-edge form.lab_do > button");
  await ended(page, "edge");
  assert.equal(await where(page, "edge"), "Done.");
  assert.match(await page.textContent("#lab-edge .lab_banner"), /Modelled: the network\. Measured here: the handler, [\d.]+ (µs|ms) in a warm isolate/);
  assert.match(await page.textContent("#lab-edge .method"), /median of 40 warm requests/);
  // Seven arcs reach Amsterdam; each bar is as long as its figure.
  assert.equal(await page.locator("#lab-edge .map path[data-line]").count(), 7);
  await page.fill("#lab-edge input[name=cached]", "0");
  await changed(page, "edge", ".plot_name", /faster for 0 of 8/);
  const table = await rows(page.locator("#lab-edge .ledger"));
  const bars = await page.locator("#lab-edge .edge_bars li").evaluateAll((all) => all.map((li) => [...li.querySelectorAll("rect.c-void")].map((r) => Number.parseFloat(r.getAttribute("width")))));
  const ms = (text) => Number(text.replace(" ms", "").replaceAll(",", ""));
  const sydney = table.Sydney.slice(1, 3).map(ms);
  assert.ok(Math.abs(bars[7][0] / bars[7][1] - sydney[0] / sydney[1]) < 0.1, `${bars[7]} for ${sydney}`);
  assert.ok(Math.abs(sydney[1] - 259.7) < 20 && table.Sydney[3] === "central", String(table.Sydney));
  assert.deepEqual(await axe(page), []);
  await page.selectOption("#lab-edge select[name=data]", "Sydney");
  await page.waitForFunction(() => /^0$/.test([...document.querySelectorAll("#lab-edge .ledger tbody tr")].at(-1).cells[1].textContent));
}));
