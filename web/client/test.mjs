// Lets Node's test runner read the client's TypeScript:
// node --import ./web/client/test.mjs --test web/client/*.test.ts
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";

if (!import.meta.url.includes("hooks")) register(new URL("./test.mjs?hooks", import.meta.url));

let ts;

export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  ts ??= (await import("typescript")).default;
  const text = await readFile(fileURLToPath(url), "utf8");
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: "ES2022", module: "ESNext", verbatimModuleSyntax: true, inlineSourceMap: true },
    fileName: fileURLToPath(url),
  });
  return { format: "module", shortCircuit: true, source: outputText };
}
