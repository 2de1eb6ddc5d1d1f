// wrangler.jsonc without its comments; good enough for the files of this lesson.
const settings = (files, fail) => {
  const text = (files["wrangler.jsonc"] || "").replace(/^\s*\/\/.*$/gm, "").replace(/,(\s*[}\]])/g, "$1");
  try {
    return JSON.parse(text);
  } catch (e) {
    fail("wrangler.jsonc cannot be read; is a comma or a quotation mark missing?", "JSON with comments", String(e.message));
  }
};
const day = 24 * 60 * 60 * 1000;

test("1: a name for an address", async ({ files, fail, expect }) => {
  const { name } = settings(files, fail);
  expect(name, "Give the project a name of its own").not.toBe("untitled");
  expect(name, "A name becomes part of an address: small letters, digits and hyphens, a letter or digit first and last").toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
});

test("1: a date that is neither old nor ahead", async ({ files, fail, expect }) => {
  const date = settings(files, fail).compatibility_date;
  expect(date, "A compatibility date is written YYYY-MM-DD").toMatch(/^\d{4}-\d{2}-\d{2}$/);
  const age = Date.now() - Date.parse(date + "T00:00:00Z");
  expect(age, "The date lies in the future; no runtime knows that day yet").toBeGreaterThan(-day);
  expect(date >= "2026-01-01", `${date} is long ago; a new project takes a recent day, of 2026 or later`).toBe(true);
});

test("1: a route", async ({ curl, expect }) => {
  expect((await curl("shop.example", "/hello/ada")).trace.worker, "shop.example/hello/ada should reach your Worker; add the route \"shop.example/hello/*\"").not.toBe("");
  expect((await curl("shop.example", "/other")).trace.worker, "shop.example/other is not yours; end the pattern with /hello/*").toBe("");
});

test.guard("1: the archive is complete", async ({ exportZip, note, expect }) => {
  const zip = await exportZip();
  if (!zip.available) {
    note(`The archive was not looked at, because ${zip.why}.`);
    return;
  }
  for (const name of ["package.json", "wrangler.jsonc", "src/index.js"]) {
    expect(Object.keys(zip.files).some((path) => path === name || path.endsWith("/" + name)), `The archive should hold ${name}`).toBe(true);
  }
});

test.guard("1: it still answers", async ({ send, expect }) => {
  expect((await (await send("/hello")).json()).path, "The Worker should still answer with the path").toBe("/hello");
});
