// A reporter for node --test: one line of JSON a test of a file that ended, for the table
// of the slowest that run.mjs prints at its end.
import { basename } from "node:path";

export default async function* times(source) {
  for await (const { type, data } of source) {
    if ((type !== "test:pass" && type !== "test:fail") || data.nesting > 0) continue;
    yield `${JSON.stringify({ file: basename(data.file ?? ""), name: data.name, ms: data.details.duration_ms })}\n`;
  }
}
