const day = (d) => d.toISOString().slice(0, 10);

// jsonc reads JSON with comments and commas after the last item.
function jsonc(text, fail) {
  const plain = text.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (all, string) => string || "").replace(/,(\s*[}\]])/g, "$1");
  try {
    return JSON.parse(plain);
  } catch (e) {
    return fail("wrangler.jsonc should be one JSON object; comments are allowed", "JSON", text.slice(0, 80));
  }
}

async function config(exportZip, fail) {
  const { files } = await exportZip();
  if (!files["wrangler.jsonc"]) fail("The zip should hold wrangler.jsonc at its top; the tools look for it there", "wrangler.jsonc", Object.keys(files).join(", "));
  return jsonc(files["wrangler.jsonc"], fail);
}

test("1: a name that fits into an address", async ({ exportZip, expect, fail }) => {
  const { name, main } = await config(exportZip, fail);
  expect(main, "\"main\" names the file that the Worker starts with; leave it as it was").toBe("src/index.js");
  expect(typeof name, "wrangler.jsonc needs a \"name\", a text; wrangler deploys under it").toBe("string");
  expect(name, "\"worker\" is everybody's first name; call yours something you will find again").not.toBe("worker");
  if (!/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) fail(`The name becomes part of an address, ${name}.….workers.dev: only small letters, digits and dashes, a letter first, at most 63`, "a name such as small-quotes", name);
});

test("1: a compatibility date", async ({ exportZip, expect, fail }) => {
  const { compatibility_date: date } = await config(exportZip, fail);
  expect(date, "Without a compatibility_date a Worker is run by the rules of 2021; write today's date").toBeDefined();
  const today = day(new Date());
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || day(new Date(date + "T00:00:00Z")) !== date) fail("A date is written year-month-day and must exist", today, date);
  if (date > day(new Date(Date.now() + 86400000))) fail(`${date} is still to come; nobody knows its rules yet`, today, date);
  if (date < "2026-11-01") fail(`${date} asks for rules of the past; a new project takes today's`, today, date);
});

test("1: a route", async ({ exportZip, curl, expect, fail }) => {
  await config(exportZip, fail);
  expect((await curl("quotes.example", "/")).status, "quotes.example/ should lead to your Worker; write routes into wrangler.jsonc").toBe(200);
  expect((await curl("quotes.example", "/anything?x=1")).status, "Every path of quotes.example should lead to your Worker, with and without a query; end the pattern with /*").toBe(200);
  expect((await curl("notquotes.example", "/")).status, "Other people's domains should not; is there a star in front of the host?").toBe(404);
});

test("2: the key comes from outside", async ({ send, exportZip, expect, fail }) => {
  const { files } = await exportZip();
  for (const name of Object.keys(files)) {
    if (name === ".dev.vars") continue;
    if (files[name].includes("moss-and-fern")) fail(`${name} still holds the key; whoever reads your code would have it`, "env.KEY", "moss-and-fern");
  }
  expect(files[".dev.vars"] || "", "Keep the key in a file .dev.vars beside wrangler.jsonc: KEY=moss-and-fern").toMatch(/^\s*KEY\s*=\s*["']?moss-and-fern["']?\s*$/m);
  const r = await send("POST /add", { body: "Test it.", headers: { authorization: "Bearer moss-and-fern" } });
  expect(r.status, "The right key should still open /add; read it from env.KEY").toBe(201);
});

test("2: git never sees it", async ({ exportZip, expect }) => {
  const { files } = await exportZip();
  expect(files[".dev.vars"], "There is no .dev.vars yet").toBeDefined();
  expect(files[".gitignore"], ".gitignore should name .dev.vars; remove yours and the export brings its own").toMatch(/^\.dev\.vars/m);
});

test.hidden("2: a wrong key, no key", async ({ send, files, expect }) => {
  expect(files[".dev.vars"], "First move the key to .dev.vars").toBeDefined();
  for (const authorization of ["Bearer undefined", "Bearer ", "Bearer moss", "moss-and-fern"]) {
    expect((await send("POST /add", { body: "x", headers: { authorization } })).status, `The header "${authorization}" is not the key`).toBe(401);
  }
  expect((await send("POST /add", { body: "x" })).status, "Without a key the answer is 401").toBe(401);
});

test.guard("1: the zip is a project", async ({ exportZip, expect }) => {
  const { files } = await exportZip();
  for (const name of ["package.json", "wrangler.jsonc", "src/index.js"]) expect(name in files, `The zip should hold ${name}`).toBe(true);
  const { scripts } = JSON.parse(files["package.json"]);
  expect(scripts.dev, "npm run dev starts the real runtime").toContain("wrangler dev");
  expect(scripts.deploy, "npm run deploy puts it online").toContain("wrangler deploy");
});

test.guard("2: quotes for everybody", async ({ send, expect }) => {
  const r = await send("/");
  expect(["Measure twice.", "Load later.", "Ship small."].includes(await r.text()), "GET / still answers one of the three quotes").toBe(true);
});
