// An instructor brings lessons: a zip with a solution that fails is refused with
// the place of the mistake, the mended one is kept, a class gets it, and a
// learner of the class solves it. Children, linter and store are the real ones.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { axeInBoth, lowTargets, saved, sideways, useBrowser, visitor, write } from "./_browser.mjs";
import { binary, serve } from "./_server.mjs";

useBrowser();

let server, folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "coldstart-teach-"));
  server = await serve();
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function crc32(data) {
  let c = ~0;
  for (const byte of data) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = c & 1 ? c >>> 1 ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
}

/** A zip of a folder's files below a name, stored as they are. */
function zip(dir, around) {
  const parts = [], directory = [];
  let at = 0;
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = Buffer.from(`${around}/${path.slice(dir.length + 1)}`), data = readFileSync(path);
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt32LE(crc32(data), 10);
    head.writeUInt32LE(data.length, 14);
    head.writeUInt32LE(data.length, 18);
    head.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), head, name, data]);
    const more = Buffer.alloc(14);
    more.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), head, more, name]));
    parts.push(local);
    at += local.length;
  }
  const listed = Buffer.concat(directory), end = Buffer.alloc(18);
  end.writeUInt16LE(parts.length, 4);
  end.writeUInt16LE(parts.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(at, 12);
  return { name: `${around}.zip`, mimeType: "application/zip", buffer: Buffer.concat([...parts, listed, Buffer.from("PK\x05\x06"), end]) };
}

test("an instructor's own lessons: refused with the place, mended, kept, set for a class and solved", { timeout: 240_000 }, async () => {
  const people = [];
  const person = async () => { const context = await visitor(); people.push(context); return context.newPage(); };
  const host = await person();
  await host.goto(/http\S+\/setup\?token=\S+/.exec(server.log())[0]);
  await host.click("main button[type=submit]");
  await host.waitForURL("**/host");
  await host.fill("#name", "ada");
  await host.click("main form button.button-main");
  const ada = await person();
  await ada.goto(await host.textContent(".phrase-link"));
  await ada.fill("#password", "a sentence nobody guesses");
  await ada.click("main form button.button-main");
  await ada.waitForURL("**/classes");

  // Two lessons as the program makes them; the second one's solution is spoilt.
  const tracks = join(folder, "repository");
  for (const name of ["edge", "edge/near", "edge/far"]) execFileSync(binary, ["new", name.includes("/") ? "lesson" : "track", name, "--dir", tracks]);
  const track = join(tracks, "10-edge"), solution = join(track, "20-far", "_solution", "src", "index.ts");
  const good = readFileSync(solution, "utf8");
  writeFileSync(solution, good.replace("Hello, ${name}", "Hi, ${name}"));

  await ada.click("text=Lessons of your own");
  await ada.waitForSelector("#zip");
  const ended = () => ada.waitForSelector("#upload:not([data-going])", { timeout: 60_000 });
  await ada.setInputFiles("#zip", zip(tracks, `lessons-${"0123456789abcdef".repeat(4)}`)); // one long name: the page grows no wider
  await ada.click("text=Upload and try");
  await ada.waitForSelector("#upload-state");
  await ended();
  assert.match(await ada.textContent(".problem-error"), /10-edge\/20-far\/_solution\/src\/index\.ts:\d+(:\d+)? E013 fails check 1: expected "Hello, Ada", got "Hi, Ada"/);
  assert.equal(await ada.locator("text=Remove Edge").count(), 0, "nothing is kept");
  await ada.setViewportSize({ width: 360, height: 740 });
  assert.ok(await sideways(ada) <= 0, "the name of the zip makes the page scroll sideways");
  await ada.setViewportSize({ width: 1440, height: 1000 });
  assert.deepEqual(await axeInBoth(ada), []);

  writeFileSync(solution, good);
  await ada.setInputFiles("#zip", zip(track, "edge-main"));
  await ada.click("text=Upload and try");
  await ada.waitForSelector("text=Edge is kept as revision 1: 2 lessons, 2 checks passed by the solutions.", { timeout: 60_000 });
  assert.deepEqual(await axeInBoth(ada), []);
  await ada.setViewportSize({ width: 360, height: 740 });
  assert.ok(await sideways(ada) <= 0, "the page scrolls sideways at 360 px");
  assert.deepEqual(await lowTargets(ada), []);
  await ada.setViewportSize({ width: 1280, height: 800 });
  if (process.env.SHOTS) await ada.screenshot({ path: `${process.env.SHOTS}/teach.png`, fullPage: true });

  await ada.goto(`${server.url}/classes`);
  await ada.fill("#title", "Period 3");
  await ada.click("main form button.button-main");
  await ada.waitForSelector("html[data-live=open]");
  const code = (await ada.textContent(".class_code [aria-hidden]")).trim(), grid = ada.url();
  await ada.goto(`${grid}/settings`);
  await ada.check(".set_track:has(legend:text-is('Edge')) .set_row:has-text('Near') input[type=checkbox]");
  await ada.click("text=Keep title and lessons");
  await ada.waitForSelector("html[data-live=open]");

  const moss = await person();
  await moss.goto(`${server.url}/j/${code.toLowerCase()}`);
  await moss.fill("#nickname", "moss-otter");
  await moss.click("main form button.button-main");
  await moss.goto(`${server.url}/you`);
  await moss.click("main a:text-is('Near')");
  await moss.waitForSelector("html[data-live=open]");
  await moss.waitForSelector(".cm-editor .cm-line");
  const lesson = new URL(moss.url()).pathname;
  assert.match(lesson, /^\/learn\/edge-t[0-9a-z]{7}\/near$/);
  await write(moss, good);
  await saved(moss);
  await moss.click("#tab-checks");
  await moss.click("[data-do=run-checks]");
  await ada.waitForSelector("#rows .cell-pass", { timeout: 60_000 });

  const stranger = await person();
  assert.equal((await stranger.goto(server.url + lesson)).status(), 404, "who is not in the class finds nothing there");
  await host.goto(`${server.url}/host/audit`);
  assert.match(await host.textContent("main"), /uploaded lessons/);
  for (const context of people) await context.close();
});
