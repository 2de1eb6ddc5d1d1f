// Search in the file, and the keys of problems: what helps while looking for something.

import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import type { Extension } from "@codemirror/state";
import { keymap } from "@codemirror/view";

export const assist: Extension = [keymap.of([...searchKeymap, ...lintKeymap]), highlightSelectionMatches(), search({ top: true })];
