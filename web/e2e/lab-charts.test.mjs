// Charts of the labs read with the keyboard, and labs without scripts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, sideways, useBrowser, visitor, withPage } from "./_browser.mjs";

useBrowser();

/** What the focused chart tells a screen reader, and where its cursor stands. */
const reading = (page) => page.evaluate(() => {
  const chart = document.activeElement;
  const cursor = document.querySelector(".chart_cursor");
  const box = chart.getBoundingClientRect();
  return {
    chart: chart.matches("svg[data-chart]"), role: chart.getAttribute("role"), name: chart.getAttribute("aria-label") ?? "",
    text: chart.getAttribute("aria-valuetext"), now: Number(chart.getAttribute("aria-valuenow")), max: Number(chart.getAttribute("aria-valuemax")),
    shown: cursor !== null && !cursor.hidden ? document.querySelector(".chart_says").textContent : "",
    inside: cursor !== null && !cursor.hidden && cursor.getBoundingClientRect().x >= box.x - 1 && cursor.getBoundingClientRect().x <= box.right + 1,
    outline: getComputedStyle(chart).outlineStyle,
  };
});

for (const options of [{}, { colorScheme: "dark", viewport: { width: 360, height: 780 }, reducedMotion: "reduce" }]) {
  test(`the arrow keys read the charts, ${JSON.stringify(options)}`, withPage(options, async (page) => {
    await page.goto(`${base}/labs/cost`);
    await page.waitForSelector("html[data-live=open]", { timeout: 20_000 });
    assert.deepEqual(await axe(page), []);
    const chart = page.locator("#lab-cost .plot svg[data-chart]").first();
    const rows = await page.locator("#lab-cost .plot .numbers").first().locator("tbody tr").evaluateAll((all) => all.map((tr) => [...tr.cells].map((c) => c.textContent)));
    await chart.focus();
    await page.keyboard.press("Home");
    const first = await reading(page);
    assert.ok(first.chart && first.role === "slider" && first.name.length > 10 && first.max > 3, JSON.stringify(first));
    assert.equal(first.max, rows.length, "as many points as the table has rows");
    assert.notEqual(first.outline, "none", "the focus is seen");
    const said = [first];
    for (let i = 1; i < first.max; i++) {
      await page.keyboard.press("ArrowRight");
      said.push(await reading(page));
    }
    said.forEach((s, i) => {
      assert.equal(s.now, i + 1);
      assert.ok(s.inside && s.shown === s.text, JSON.stringify(s));
      const [x, ...cells] = rows[i];
      assert.ok(s.text.startsWith(x) && cells.every((c) => s.text.includes(c)), `${s.text} is the row ${rows[i]}`);
    });
    await page.keyboard.press("ArrowRight");
    assert.equal((await reading(page)).now, first.max, "behind the last there is none");
    await page.keyboard.press("ArrowLeft");
    assert.equal((await reading(page)).now, first.max - 1);
    await page.keyboard.press("End");
    assert.equal((await reading(page)).now, first.max);
    assert.ok(await sideways(page) <= 0);
    assert.deepEqual(await axe(page), []);

    // A new drawing leaves the focus and the place where they are.
    const before = await page.locator("#lab-cost .lab_out").innerHTML();
    await page.evaluate(() => {
      const field = document.querySelector("#lab-cost form.lab_do input[type=number]");
      field.value = String(Number(field.value) * 2 || 2);
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await page.waitForFunction((old) => document.querySelector("#lab-cost .lab_out").innerHTML.replaceAll(/ aria-value\w+="[^"]*"/g, "") !== old.replaceAll(/ aria-value\w+="[^"]*"/g, ""), before, { timeout: 20_000 });
    const after = await reading(page);
    assert.ok(after.chart && after.now === first.max && after.role === "slider" && after.shown === after.text, JSON.stringify(after));
    await page.keyboard.press("Tab");
    assert.equal(await page.locator(".chart_cursor").isHidden(), true, "it goes with the focus");
  }));
}

test("every start of a race can be read", withPage({}, async (page) => {
  await page.goto(`${base}/labs/race?samples=5&contenders=isolate`);
  await page.waitForSelector("html[data-live=open]", { timeout: 20_000 });
  await page.click("#lab-race form.lab_do > button");
  await page.waitForFunction(() => document.querySelector("#lab-race .lab_where").textContent === "Done.", undefined, { timeout: 60_000 });
  const row = page.locator("#lab-race [data-contender] svg[data-chart]");
  await row.focus();
  const said = new Set();
  for (const key of ["Home", ...Array(9).fill("ArrowRight")]) {
    await page.keyboard.press(key);
    said.add((await reading(page)).text);
  }
  for (const [kind, n] of [["cold start", 5], ["warm request", 5]]) {
    for (let i = 1; i <= n; i++) assert.ok([...said].some((s) => s.startsWith(`${kind} ${i}: `)), `${kind} ${i} in ${[...said]}`);
  }
  const lane = page.locator("#lab-race .lanes-race svg[data-chart]").first();
  await lane.focus();
  await page.keyboard.press("Home");
  assert.match((await reading(page)).text, /^make the box: /);
}));

test("without scripts each lab says what that means, and one shows its table", async () => {
  const context = await visitor({ javaScriptEnabled: false, viewport: { width: 360, height: 780 } });
  try {
    const page = await context.newPage();
    await page.goto(`${base}/labs`);
    const labs = await page.$$eval(".labs a", (all) => all.map((a) => a.getAttribute("href")));
    assert.ok(labs.length >= 10, String(labs));
    for (const lab of labs) {
      await page.goto(base + lab);
      const shown = await page.evaluate(() => ({
        note: document.querySelector(".lab_do noscript")?.innerText ?? "", lead: document.querySelector(".page_head")?.innerText ?? "",
        dead: [...document.querySelectorAll("main button")].filter((b) => b.type === "button" && b.offsetParent !== null).map((b) => b.textContent),
      }));
      assert.match(shown.note, /^Without scripts this page loads until the result is there/i, lab);
      assert.ok(shown.lead.length > 60, lab);
      assert.deepEqual(shown.dead, [], `${lab} shows no button that does nothing`);
      assert.ok(await sideways(page) <= 0, lab);
    }
    await page.goto(`${base}/labs/routing`);
    await page.click("#lab-routing form.lab_do > button");
    await page.waitForSelector("#lab-routing .lab_out table tbody tr", { timeout: 30_000 });
    assert.match(await page.textContent("#lab-routing .method"), /processors, load/);
  } finally {
    await context.close();
  }
});
