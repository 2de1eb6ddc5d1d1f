// What helps while typing: completion, brackets, search, selections, lint keys.
// It comes after the editor, which reads and edits without it.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, Prec, type Extension } from "@codemirror/state";
import { drawSelection, dropCursor, highlightSpecialChars, keymap, rectangularSelection } from "@codemirror/view";

export const assist: Extension = [
  Prec.highest(keymap.of([{ key: "Tab", run: acceptCompletion }])),
  keymap.of([...closeBracketsKeymap, ...searchKeymap, ...lintKeymap]),
  drawSelection(), dropCursor(), rectangularSelection(), EditorState.allowMultipleSelections.of(true), highlightSpecialChars(),
  indentOnInput(), bracketMatching(), closeBrackets(), autocompletion({ icons: false }), highlightSelectionMatches(), search({ top: true }),
];
