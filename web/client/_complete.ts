// Completion and closing brackets: what helps while typing.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { Prec, type Extension } from "@codemirror/state";
import { keymap } from "@codemirror/view";

export const assist: Extension = [
  Prec.highest(keymap.of([{ key: "Tab", run: acceptCompletion }])),
  keymap.of(closeBracketsKeymap), closeBrackets(), autocompletion({ icons: false }),
];
