// The code editor: CodeMirror 6 with our theme, loaded after the page reads. It
// is there in steps, each a task of its own, so that a slow machine stays
// answerable meanwhile: an empty editor, its text, what assists one by one, what
// the text means, its colours.

import { defaultKeymap, history, historyKeymap, indentSelection, indentWithTab, redo, undo } from "@codemirror/commands";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Annotation, Compartment, EditorSelection, EditorState, Prec, StateEffect, StateField, type Extension, type Text, Transaction } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, WidgetType } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";
import { breath, drawn, el } from "./_dom.ts";
import { faultTitle } from "./_format.ts";
import type { Fault } from "./protocol.ts";
import type { Files } from "./_save.ts";

export interface EditorOptions {
  nonce: string;
  files: Readonly<Files>;
  open: string;
  edited: (path: string, text: string) => void;
  run: () => void;
  save: () => void;
  /** Undoes the last step over all files; false when there is none. */
  undoStep: () => boolean;
  cursor: (line: number, column: number) => void;
}

/** A fault or failed check on the learner's own line. Line and column count from 1. */
export interface Note { file: string; line: number; column: number; fault: Fault; from: string }

export type Keys = "default" | "vim" | "emacs";

// Ctrl+U is the browser's: the page's source.
const steps = historyKeymap.filter((k) => k.key !== "Mod-u");

const fromOutside = Annotation.define<boolean>();

const theme = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--well)", color: "var(--ink)", font: "400 var(--t-code)/var(--lead-code) var(--mono)" },
  "&.cm-focused": { outline: "var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { font: "inherit", lineHeight: "var(--lead-code)", overflow: "auto" },
  ".cm-content": { padding: "var(--s2) 0 var(--s5)", caretColor: "var(--ink)", fontVariantLigatures: "none" },
  ".cm-line": { padding: "0 var(--s4) 0 .5rem" },
  ".cm-gutters": { backgroundColor: "var(--well)", color: "var(--ink-3)", border: "0" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "3rem", padding: "0 .5rem 0 0" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--press) 45%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  ".cm-cursor, .cm-dropCursor": { borderLeft: "2px solid var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--ink) 18%, transparent)" },
  ".cm-content ::selection": { backgroundColor: "color-mix(in srgb, var(--ink) 18%, transparent)", color: "inherit" },
  ".cm-selectionMatch": { backgroundColor: "var(--press)" },
  ".cm-searchMatch": { backgroundColor: "var(--press)", outline: "1px solid var(--edge)" },
  ".cm-searchMatch-selected": { outline: "2px solid var(--ink)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--press)", outline: "1px solid var(--edge)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--fault-wash)" },
  ".cm-line.ln-fault": { backgroundColor: "var(--fault-wash)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--fault-line) 1.25px", textUnderlineOffset: ".25em" },
  ".cm-lintRange-warning, .cm-lintRange-info, .cm-lintRange-hint": { backgroundImage: "none", textDecoration: "underline dotted var(--ink-3) 1.5px", textUnderlineOffset: ".25em" },
  ".cm-lintPoint:after": { borderBottomColor: "var(--fault-line)" },
  ".cm-diagnostic": { padding: "var(--s1) var(--s3)", font: "400 var(--t-ui)/1.45 var(--sans)" },
  ".cm-diagnostic-error": { borderLeft: "2px solid var(--fault-line)" },
  ".cm-diagnostic-warning, .cm-diagnostic-info, .cm-diagnostic-hint": { borderLeft: "2px solid var(--edge)" },
  ".cm-tooltip": { backgroundColor: "var(--raise)", color: "var(--ink)", border: "1px solid var(--rule)", borderRadius: "var(--r-ui)", boxShadow: "var(--lift)", maxWidth: "min(42rem, 90vw)", zIndex: "30" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { font: "400 var(--t-small)/1.5 var(--mono)", maxHeight: "16rem" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "2px var(--s2)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--ink)", color: "var(--on-ink)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { color: "inherit", fontStyle: "normal" },
  ".cm-completionIcon": { display: "none" },
  ".cm-tooltip.cm-completionInfo": { padding: "var(--s2) var(--s3)", font: "400 var(--t-small)/1.5 var(--sans)" },
  ".cm-type": { padding: "var(--s2) var(--s3)", font: "400 var(--t-small)/1.5 var(--mono)", whiteSpace: "pre-wrap", maxHeight: "14rem", overflow: "auto" },
  ".cm-type p": { font: "400 var(--t-ui)/1.45 var(--sans)", marginTop: "var(--s1)" },
  ".cm-panels": { backgroundColor: "var(--bench)", color: "var(--ink)", borderColor: "var(--hair)" },
  ".cm-panel.cm-search": { padding: "var(--s2) var(--s4)", font: "400 var(--t-small)/1.5 var(--sans)" },
  ".cm-panel.cm-search input, .cm-panel.cm-search button": { font: "inherit" },
  ".cm-textfield": { backgroundColor: "var(--raise)", border: "1px solid var(--edge)", borderRadius: "var(--r-ui)", padding: "2px var(--s2)" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--raise)", border: "1px solid var(--edge)", borderRadius: "var(--r-ui)", color: "var(--ink)" },
  ".cm-panel.cm-search label": { fontSize: "var(--t-small)" },
  ".cm-panel.cm-search [name=close]": { color: "var(--ink)", fontSize: "1rem", minWidth: "1.5rem" },
  ".cm-specialChar": { color: "var(--fault-ink)" },
  ".cm-fat-cursor": { background: "color-mix(in srgb, var(--ink) 55%, transparent) !important", outline: "none !important" },
});

// Keywords by weight, literals in moss, comments grey: colour stays free for measurements.
const ink = syntaxHighlighting(HighlightStyle.define([
  { tag: [t.keyword, t.modifier, t.operatorKeyword, t.controlKeyword, t.definitionKeyword, t.moduleKeyword, t.self], fontWeight: "600", color: "var(--code-key)" },
  { tag: [t.string, t.number, t.bool, t.null, t.regexp, t.special(t.string), t.atom], color: "var(--code-lit)" },
  { tag: [t.comment, t.meta], color: "var(--code-com)" },
  { tag: [t.punctuation, t.operator], color: "var(--code-pun)" },
  { tag: t.invalid, color: "var(--fault-ink)" },
]));

class Inline extends WidgetType {
  constructor(readonly note: Note) {
    super();
  }

  override eq(other: Inline): boolean {
    return other.note === this.note;
  }

  override toDOM(): HTMLElement {
    const { fault, from } = this.note;
    const title = faultTitle(fault);
    const [name, rest] = fault.name && title.startsWith(`${fault.name}:`) ? [fault.name, title.slice(fault.name.length)] : ["", title];
    return el("div", { class: "fault-inline", role: "note" }, name && el("b", null, name), `${rest}. `, fault.hint && `${fault.hint} `, from);
  }
}

const setNotes = StateEffect.define<Note[]>();

// A word or the rest of the line from the column on gets the squiggle.
function squiggle(doc: Text, n: Note): [number, number] | null {
  const line = doc.line(n.line);
  const from = Math.min(line.to, line.from + Math.max(0, n.column - 1));
  const rest = doc.sliceString(from, line.to);
  const word = /^[\w$]+|^[^\s\w]+/.exec(rest)?.[0] ?? "";
  if (n.column && word) return [from, from + word.length];
  const indent = /^\s*/.exec(line.text)?.[0].length ?? 0;
  return line.text.trim() ? [line.from + indent, line.to] : null;
}

const notes = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, tr) {
    set = set.map(tr.changes);
    for (const e of tr.effects) {
      if (!e.is(setNotes)) continue;
      const doc = tr.state.doc;
      set = Decoration.set(e.value.filter((n) => n.line >= 1 && n.line <= doc.lines).flatMap((n) => {
        const line = doc.line(n.line);
        const wave = squiggle(doc, n);
        return [
          Decoration.line({ class: "ln-fault" }).range(line.from),
          ...(wave ? [Decoration.mark({ class: "squiggle" }).range(...wave)] : []),
          Decoration.widget({ widget: new Inline(n), block: true, side: 1 }).range(line.to),
        ];
      }), true);
    }
    return set;
  },
  provide: (f) => EditorView.decorations.from(f),
});

/** The smallest single change that turns one text into another. */
export function change(from: string, to: string): { from: number; to: number; insert: string } {
  let a = 0;
  const least = Math.min(from.length, to.length);
  while (a < least && from[a] === to[a]) a++;
  let b = 0;
  while (b < least - a && from[from.length - 1 - b] === to[to.length - 1 - b]) b++;
  return { from: a, to: from.length - b, insert: to.slice(a, to.length - b) };
}

export class Editor {
  view!: EditorView;
  /** Resolves when everything that comes after the text is there. */
  complete!: Promise<void>;
  path: string;
  #o: EditorOptions;
  #states = new Map<string, EditorState>();
  #scrolls = new Map<string, number>();
  #notes: Note[] = [];
  #keys = new Compartment();
  #keymap: Extension = [];
  #types = new Compartment();
  #typed: Extension = [];
  #language = new Compartment();
  #languages: ((path: string) => Extension | null)[] = [];
  #colours = new Compartment();
  #coloured: Extension = [];
  #assist = new Compartment();
  #assisted: Extension[] = [];

  private constructor(o: EditorOptions) {
    this.#o = o;
    this.path = o.open;
  }

  /** Makes an editor with the text of the open file; it is nowhere until it is mounted. */
  static async make(o: EditorOptions): Promise<Editor> {
    const editor = new Editor(o);
    const empty = editor.#state(o.open, "");
    await breath();
    editor.view = new EditorView({ state: empty });
    await breath();
    editor.adopt({ [o.open]: o.files[o.open] ?? "" });
    await breath();
    return editor;
  }

  /** Puts the editor into a place, once. */
  mount(host: HTMLElement): void {
    host.replaceChildren(this.view.dom);
    this.complete = this.#complete().catch(() => {}); // without the rest it still edits
    // Tabbing through passes; once something was typed or clicked here, Tab indents.
    const dom = this.view.contentDOM;
    dom.addEventListener("focus", () => this.view.setTabFocusMode(true));
    dom.addEventListener("mousedown", () => this.view.setTabFocusMode(false));
  }

  async #complete(): Promise<void> {
    const grammar = import("./_grammar.ts");
    for (const part of [() => import("./_select.ts"), () => import("./_complete.ts"), () => import("./_find.ts")]) {
      const { assist } = await part();
      await drawn();
      this.#assisted.push(assist);
      const all = [...this.#assisted];
      this.#everywhere(() => this.#assist.reconfigure(all));
      await drawn();
    }
    await grammar;
    for (const part of [() => import("./_javascript.ts"), () => import("./_json.ts")]) {
      const { language } = await part();
      await drawn();
      this.#languages.push(language);
      this.#everywhere((path) => language(path) && this.#language.reconfigure(this.#languageOf(path)));
    }
    await drawn();
    this.#coloured = ink;
    this.#everywhere(() => this.#colours.reconfigure(ink));
  }

  #languageOf(path: string): Extension {
    for (const language of this.#languages) {
      const found = language(path);
      if (found) return found;
    }
    return [];
  }

  /** Has an effect on every file that is open, whichever is shown; null is none. */
  #everywhere(effect: (path: string) => StateEffect<unknown> | null): void {
    for (const [path, state] of this.#states) {
      const its = effect(path);
      if (its) this.#states.set(path, state.update({ effects: its }).state);
    }
    const shown = effect(this.path);
    if (shown) this.view.dispatch({ effects: shown });
  }

  #state(path: string, text: string): EditorState {
    return EditorState.create({
      doc: text,
      extensions: [
        EditorView.cspNonce.of(this.#o.nonce),
        this.#keys.of(this.#keymap),
        Prec.highest(keymap.of([
          { key: "Mod-Enter", run: () => { this.#o.run(); return true; } },
          { key: "Mod-z", run: () => this.#o.undoStep() },
        ])),
        lineNumbers(), history(), highlightActiveLine(), highlightActiveLineGutter(),
        this.#assist.of([...this.#assisted]),
        indentUnit.of("  "), EditorState.tabSize.of(2), keymap.of([...defaultKeymap, ...steps, indentWithTab]),
        this.#language.of(this.#languageOf(path)), this.#colours.of(this.#coloured), theme, notes, this.#types.of(this.#typed),
        EditorView.contentAttributes.of({ "aria-label": `Code of ${path}`, spellcheck: "false", autocapitalize: "off", autocorrect: "off", "data-path": path, tabindex: "0" }),
        EditorView.updateListener.of((u) => {
          if (u.docChanged && !u.transactions.some((tr) => tr.annotation(fromOutside))) {
            this.view.setTabFocusMode(false);
            this.#o.edited(this.path, u.state.doc.toString());
          }
          if (u.selectionSet || u.docChanged) this.#tell();
        }),
      ],
    });
  }

  #tell(): void {
    const head = this.view.state.selection.main.head;
    const line = this.view.state.doc.lineAt(head);
    this.#o.cursor(line.number, head - line.from + 1);
  }

  /** Shows a file; the caret and history of the one before are kept. */
  show(path: string, files: Readonly<Files>, focus = false): void {
    if (path !== this.path) {
      this.#states.set(this.path, this.view.state);
      this.#scrolls.set(this.path, this.view.scrollDOM.scrollTop);
      this.path = path;
      this.view.setState(this.#states.get(path) ?? this.#state(path, files[path] ?? ""));
      this.#states.delete(path);
      this.view.dispatch({ effects: [this.#keys.reconfigure(this.#keymap), this.#types.reconfigure(this.#typed)] });
      this.adopt(files);
      this.#draw();
      const y = this.#scrolls.get(path) ?? 0;
      requestAnimationFrame(() => { if (this.path === path) this.view.scrollDOM.scrollTop = y; });
    }
    if (focus) this.view.focus();
    this.#tell();
  }

  /** Takes files that changed outside the editor. The step is no part of the file's own history. */
  adopt(files: Readonly<Files>): void {
    const text = files[this.path];
    const here = text === undefined ? null : this.#replace(this.view.state, text);
    if (here) this.view.dispatch(here);
    for (const [path, state] of this.#states) {
      const other = files[path];
      const step = other === undefined ? null : this.#replace(state, other);
      if (other === undefined) this.#states.delete(path);
      else if (step) this.#states.set(path, state.update(step).state);
    }
  }

  #replace(state: EditorState, text: string) {
    const now = state.doc.toString();
    return now === text ? null : { changes: change(now, text), annotations: [fromOutside.of(true), Transaction.addToHistory.of(false)] };
  }

  renamed(from: string, to: string): void {
    const state = this.#states.get(from);
    this.#states.delete(from);
    if (state && this.path !== from) this.#states.set(to, state);
    if (this.path === from) {
      const text = this.view.state.doc.toString();
      this.path = to;
      this.view.setState(this.#state(to, text));
    }
  }

  /** Goes to a place, counting from 1, and focuses the editor. */
  jump(line: number, column: number): void {
    const doc = this.view.state.doc;
    const at = doc.line(Math.min(Math.max(1, line), doc.lines));
    const pos = Math.min(at.to, at.from + Math.max(0, column - 1));
    this.view.dispatch({ selection: EditorSelection.cursor(pos), effects: EditorView.scrollIntoView(pos, { y: "center" }) });
    this.view.focus();
  }

  /** Writes faults on their lines, in whichever file they are. */
  note(list: Note[]): void {
    this.#notes = list;
    this.#draw();
  }

  #draw(): void {
    this.view.dispatch({ effects: setNotes.of(this.#notes.filter((n) => n.file === this.path)) });
  }

  undo(): boolean {
    return undo(this.view);
  }

  redo(): boolean {
    return redo(this.view);
  }

  /** Replaces the whole text as one undoable edit of the learner. */
  rewrite(text: string): void {
    const now = this.view.state.doc.toString();
    if (now !== text) this.view.dispatch({ changes: change(now, text), userEvent: "input.format" });
  }

  /** Indents every line as the language asks. */
  indent(): void {
    const { view } = this;
    const before = view.state.selection;
    view.dispatch({ selection: { anchor: 0, head: view.state.doc.length } });
    indentSelection(view);
    const end = view.state.doc.length;
    view.dispatch({ selection: { anchor: Math.min(before.main.anchor, end), head: Math.min(before.main.head, end) } });
  }

  /** Adds what the type service offers. */
  types(extension: Extension): void {
    this.#typed = extension;
    this.view.dispatch({ effects: this.#types.reconfigure(extension) });
  }

  /** Chooses the key bindings; vim and emacs arrive on demand. */
  async keys(which: Keys): Promise<void> {
    this.#keymap = which === "default" ? [] : await (await import("./_keymaps.ts"))[which](this.#o);
    this.view.dispatch({ effects: this.#keys.reconfigure(this.#keymap) });
  }
}
