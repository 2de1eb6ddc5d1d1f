// JavaScript and TypeScript in the editor: grammars are large, so they come after it.

import { javascript } from "@codemirror/lang-javascript";
import type { Extension } from "@codemirror/state";

/** What parses a file of this name, null when it is not JavaScript. */
export function language(path: string): Extension | null {
  const ext = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  if (["ts", "mts", "cts"].includes(ext)) return javascript({ typescript: true });
  if (ext === "tsx") return javascript({ typescript: true, jsx: true });
  return ["js", "mjs", "cjs", "jsx"].includes(ext) ? javascript({ jsx: true }) : null;
}
