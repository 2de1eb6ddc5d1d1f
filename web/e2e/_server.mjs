// A coldstart of the test's own: free port, temporary data folder.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const binary = process.env.COLDSTART ?? join(root, "bin", "coldstart");

/**
 * Starts a server and waits until it answers. Data is made and removed when
 * not given. stop ends it kindly; kill takes it away without a word.
 */
export async function serve({ data, addr = "127.0.0.1:0", args = [] } = {}) {
  if (!existsSync(binary)) throw new Error(`${binary} is not there; run make build first`);
  const own = data === undefined;
  data ??= mkdtempSync(join(tmpdir(), "coldstart-e2e-"));
  const child = spawn(binary, ["serve", "--addr", addr, "--data", data, ...args], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
  let text = "";
  const url = await new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(`no address after 20 s:\n${text}`)), 20_000);
    const read = (chunk) => {
      text += chunk;
      const found = /https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+/.exec(text);
      if (!found) return;
      clearTimeout(late);
      done(found[0]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => { clearTimeout(late); fail(new Error(`coldstart ended with ${code}:\n${text}`)); });
  });
  for (const end = Date.now() + 10_000; ;) {
    if (await fetch(url).then((r) => r.ok, () => false)) break;
    if (Date.now() > end) throw new Error(`${url} does not answer:\n${text}`);
    await new Promise((r) => setTimeout(r, 50));
  }
  const gone = new Promise((r) => child.once("exit", r));
  return {
    url, data, pid: child.pid, log: () => text,
    async stop() {
      child.kill("SIGTERM");
      await gone;
      if (own) rmSync(data, { recursive: true, force: true });
    },
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
