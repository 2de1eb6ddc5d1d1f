// The dialects lab: one request, five handlers, by what each was given and gave back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axe, base, openLesson, sideways, useBrowser, withPage } from "./_browser.mjs";

useBrowser();

const answers = (page, which) => page.$$eval(`#lab-dialects table.dialects [${which}]`, (cells) => cells.map((c) => c.textContent.trim()));

async function send(page) {
  await page.evaluate(() => document.querySelector("#lab-dialects .method")?.remove());
  await page.click("#form-dialects > button");
  await page.waitForSelector("#lab-dialects .method", { timeout: 30_000 });
}

test("five accents give one answer, and are given different things", withPage({ viewport: { width: 360, height: 780 }, colorScheme: "dark" }, async (page) => {
  await page.goto(`${base}/labs/dialects`);
  await page.waitForSelector("html[data-live=open]");
  await send(page);
  assert.deepEqual(await answers(page, "data-answer"), Array(5).fill("200 User logged in"));
  const given = async (name) => JSON.parse(await page.textContent(`[data-given=${name}]`));
  assert.equal((await given("lambda")).event.requestContext.http.method, "POST");
  assert.equal((await given("lambda")).event.body, '{"pass":"tea","user":"ada"}', "Lambda gets the body as text");
  assert.equal((await given("express")).req.body.user, "ada", "Express gets it parsed");
  assert.match((await given("azure")).request.url, /\/api\/login$/);
  assert.deepEqual(JSON.parse(await page.textContent("[data-back=lambda]")), { statusCode: 200, body: "User logged in" });
  assert.match(await page.textContent("[data-back=worker]"), /^new Response\("User logged in", \{ status: 200 \}\)$/);

  await page.fill("#form-dialects [name=pass]", "coffee");
  await send(page);
  assert.deepEqual(await answers(page, "data-answer"), Array(5).fill("401 Wrong user or password"));
  assert.deepEqual(await axe(page), []);
  assert.ok(await sideways(page) <= 0);
}));

test("in its lesson the learner's five are asked, too", withPage({}, async (page) => {
  await openLesson(page, "/learn/serverless/five-dialects");
  await send(page);
  assert.deepEqual(await answers(page, "data-answer"), Array(5).fill("200 User logged in"));
  assert.deepEqual(await answers(page, "data-own"), Array(5).fill("200 User logged in"), "the starters always say so");
  await page.fill("#form-dialects [name=pass]", "coffee");
  await send(page);
  assert.deepEqual(await answers(page, "data-own"), Array(5).fill("200 User logged in"));
  assert.deepEqual(await answers(page, "data-answer"), Array(5).fill("401 Wrong user or password"));
}));
