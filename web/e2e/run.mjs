// Browser tests: node web/e2e/run.mjs [FILE.test.mjs …] [words of a test's name]
//
// Starts bin/coldstart on a free port with a data folder of its own, then runs
// every *.test.mjs beside this file in Debian's Chromium: two files at a time,
// because a test mostly waits, then those that measure time by themselves.
//   COLDSTART_URL   test a server that runs already
//   CHROMIUM        another browser binary
//   COLDSTART_FULL  1: the long versions (100 killed tabs instead of 5, a socket cut for 30 s)
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "./_server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const named = process.argv.slice(2).filter((a) => a.endsWith(".test.mjs"));
const files = readdirSync(here).filter((f) => f.endsWith(".test.mjs") && (named.length === 0 || named.includes(f))).sort().map((f) => join(here, f));
const server = process.env.COLDSTART_URL ? { url: process.env.COLDSTART_URL, stop: async () => {} } : await serve();
const words = process.argv.slice(2).filter((a) => !a.endsWith(".test.mjs")).join(" ");
const only = words ? [`--test-name-pattern=${words}`] : [];
const measures = files.filter((f) => /(lab-isolation|speed|stops)\.test\.mjs$/.test(f));

const notes = mkdtempSync(join(tmpdir(), "coldstart-figures-"));
const figures = join(notes, "figures");
const times = [];
let child;
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => child?.kill(signal));
let code = 0;
for (const [part, atOnce] of [[files.filter((f) => !measures.includes(f)), 2], [measures, 1]]) {
  if (part.length === 0) continue;
  times.push(join(notes, `times-${times.length}`));
  child = spawn(process.execPath, [
    "--test", `--test-concurrency=${atOnce}`, "--test-reporter=spec", "--test-reporter-destination=stdout",
    `--test-reporter=${new URL("_times.mjs", import.meta.url)}`, `--test-reporter-destination=${times.at(-1)}`, ...only, ...part,
  ], {
    stdio: "inherit",
    env: { ...process.env, COLDSTART_URL: server.url, COLDSTART_FIGURES: figures },
  });
  const ended = await new Promise((done) => child.once("exit", (c) => done(c ?? 1)));
  code ||= ended;
}
await server.stop();
if (existsSync(figures)) {
  const rows = readFileSync(figures, "utf8").trim().split("\n").map((l) => JSON.parse(l)).sort((a, b) => a.detail - b.detail);
  const width = (key) => Math.max(...rows.map((r) => String(r[key]).length));
  console.log("\nThe details of a lesson page, measured:");
  for (const r of rows) console.log(`${String(r.detail).padStart(3)}  ${r.what.padEnd(width("what"))}  ${String(r.measured).padStart(width("measured"))}  target ${r.target}`);
}
const took = times.filter(existsSync).flatMap((f) => readFileSync(f, "utf8").split("\n").filter(Boolean).map((l) => JSON.parse(l)));
if (took.length > 10) {
  const files = {};
  for (const t of took) files[t.file] = (files[t.file] ?? 0) + t.ms;
  const slowest = (rows) => rows.sort((a, b) => b[0] - a[0]).slice(0, 10).map(([ms, name]) => `${(ms / 1000).toFixed(1).padStart(6)}  ${name}`).join("\n");
  console.log(`\nThe slowest tests, in seconds:\n${slowest(took.map((t) => [t.ms, `${t.file}: ${t.name}`]))}`);
  console.log(`\nThe slowest files:\n${slowest(Object.entries(files).map(([file, ms]) => [ms, file]))}`);
}
rmSync(notes, { recursive: true, force: true });
process.exit(code);
