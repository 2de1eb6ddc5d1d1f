// Which packages a project asks for.

import type { Files } from "./_save.ts";

/** The packages that a project's files name in imports: "hono" of "hono/cors". */
export function imported(files: Readonly<Files>): Set<string> {
  const names = new Set<string>();
  for (const [path, text] of Object.entries(files)) {
    if (!/\.([cm]?[jt]s|[jt]sx)$/.test(path)) continue;
    for (const [, name] of text.matchAll(/(?:from|import|require)\s*\(?\s*["']((?:@[\w.-]+\/)?[\w.-]+)(?:\/[^"']*)?["']/g)) {
      if (name && !name.startsWith(".")) names.add(name);
    }
  }
  return names;
}
