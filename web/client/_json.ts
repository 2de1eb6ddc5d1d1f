// JSON in the editor.

import { json } from "@codemirror/lang-json";
import type { Extension } from "@codemirror/state";

/** What parses a file of this name, null when it is not JSON. */
export const language = (path: string): Extension | null => (/\.jsonc?$/i.test(path) ? json() : null);
