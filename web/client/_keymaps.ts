// Vim's and Emacs' keys, fetched when they are chosen, joined with what belongs
// to the page: saving, and the undo that knows steps over all files.

import { undo } from "@codemirror/commands";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

export interface Joins {
  save: () => void;
  /** Undoes the last step over all files; false when there is none. */
  undoStep: () => boolean;
}

export async function vim(o: Joins): Promise<Extension> {
  const { CodeMirror, Vim, getCM, vim: keys } = await import("@replit/codemirror-vim");
  const own = CodeMirror.commands.undo;
  CodeMirror.commands.undo = (cm) => { if (!o.undoStep()) own(cm); };
  Vim.defineEx("write", "w", () => o.save());
  // In normal mode Escape has nothing to end, so Tab may leave the editor after it.
  const leave = EditorView.domEventObservers({
    keydown: (e, view) => {
      const mode = getCM(view)?.state.vim;
      if (e.key === "Escape" && mode && !mode.insertMode && !mode.visualMode) view.setTabFocusMode(2000);
    },
  });
  return [keys({ status: true }), leave];
}

export async function emacs(o: Joins): Promise<Extension> {
  const { EmacsHandler, emacs: keys } = await import("@replit/codemirror-emacs");
  EmacsHandler.bindKey("C-/|C-x u|S-C--|C-z", (view: EditorView) => { if (!o.undoStep()) undo(view); });
  EmacsHandler.bindKey("C-x C-s", () => o.save());
  EmacsHandler.bindKey("M-x", undefined); // there is no command line to open
  return keys();
}
