// Selections with several carets, rectangles, marks where text is dropped, and
// brackets that match: what helps while moving through the text.

import { bracketMatching, indentOnInput } from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";
import { drawSelection, dropCursor, highlightSpecialChars, rectangularSelection } from "@codemirror/view";

export const assist: Extension = [
  drawSelection(), dropCursor(), rectangularSelection(), EditorState.allowMultipleSelections.of(true), highlightSpecialChars(),
  indentOnInput(), bracketMatching(),
];
