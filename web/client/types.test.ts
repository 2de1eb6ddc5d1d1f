import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { imported } from "./_imports.ts";
import type { TypeDiagnostic } from "./types.worker.ts";

type Message = { value?: unknown; error?: string };
const scope = globalThis as unknown as { postMessage: (m: Message) => void; onmessage: (e: { data: object }) => void };
let last: Message = {};
scope.postMessage = (m) => { last = m; };
await import("./types.worker.ts");

function call(method: string, ...args: unknown[]): unknown {
  scope.onmessage({ data: { id: 1, method, args } });
  if (last.error) throw new Error(last.error);
  return last.value;
}

/** What cmd/assets packed. */
function packed(name: string): Uint8Array {
  const folder = new URL("../../static/dist/web/", import.meta.url);
  const file = readdirSync(folder).find((f) => f.startsWith(`${name}-`) && /^[A-Z0-9]{8}\.json$/.test(f.slice(name.length + 1)));
  if (!file) throw new Error(`no ${name} in static/dist/web; run make assets`);
  return readFileSync(new URL(file, folder));
}

test("the packages of a project are those that it imports", () => {
  const files = {
    "src/index.ts": 'import { Hono } from "hono";\nimport { cors } from "hono/cors";\nimport x from "./zod";\nexport * from "@scope/pkg/deep";\nconst y = await import("nanoid");\n',
    "src/old.js": "const express = require('express');\n",
    "README.md": 'import "never"',
  };
  assert.deepEqual([...imported(files)].sort(), ["@scope/pkg", "express", "hono", "nanoid"]);
});

test("every package of the shelf brings its types: a mistake of each is found, and nothing else", () => {
  const text = [
    'import { Hono } from "hono";', 'import { z } from "zod";', 'import { nanoid } from "nanoid";', 'import { Router } from "itty-router";', 'import express from "express";',
    "const app = new Hono();", 'app.get("/", (c) => c.text(1));',
    "const user = z.object({ name: z.string() });", "const a: number = user.parse({}).name;",
    "const b: number = nanoid();",
    "const c: number = Router();",
    'express().get("/:id", (request, response) => { response.json(request.params.id); response.json(request.params.nothing); });',
    "export default app;", "",
  ].join("\n");
  call("start", packed("types"), { "src/index.ts": text });
  assert.deepEqual(call("diagnostics", "src/index.ts"), [], "before they are known, nothing is said against them");
  for (const name of ["hono", "zod", "nanoid", "itty-router", "express"]) call("shelf", packed(`types-${name}`));
  const lines = (call("diagnostics", "src/index.ts") as TypeDiagnostic[]).map((d) => text.slice(0, d.from).split("\n").length);
  assert.deepEqual(lines, [7, 9, 10, 11, 12]);
  const offers = (call("completions", "src/index.ts", text.indexOf("c.text(1)") + 2, true) as { options: { label: string }[] }).options.map((o) => o.label);
  for (const name of ["text", "json", "html", "req"]) assert.ok(offers.includes(name), `${name} is missing in ${offers}`);
});
