// The page's side of the type service: it asks the worker and gives the
// editor completion, hover, squiggles and go to definition.

import { autocompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { linter } from "@codemirror/lint";
import { StateEffect, StateField, type Extension } from "@codemirror/state";
import { EditorView, hoverTooltip, keymap, showTooltip, type Tooltip, ViewPlugin } from "@codemirror/view";
import { el, say } from "./_dom.ts";
import { imported } from "./_imports.ts";
import type { Files } from "./_save.ts";
import type { TypeMethods } from "./types.worker.ts";

type Result<M extends keyof TypeMethods> = ReturnType<TypeMethods[M]>;

// The service knows more than before: what was said may be wrong.
const learned = StateEffect.define<null>();

// The type of a name whose definition is in no file of the learner's: a key
// shows what otherwise only a mouse that rests on the name would.
const setCard = StateEffect.define<Tooltip | null>();
const card = StateField.define<Tooltip | null>({
  create: () => null,
  update(now, tr) {
    for (const e of tr.effects) if (e.is(setCard)) return e.value;
    return tr.docChanged || tr.selection ? null : now;
  },
  provide: (field) => showTooltip.from(field),
});

export class TypeService {
  #worker: Worker;
  #next = 0;
  #waiting = new Map<number, { resolve: (v: never) => void; reject: (e: Error) => void }>();
  #files: () => Readonly<Files>;
  #sent: Readonly<Files> = {};
  #packages: (name: string) => string | undefined;
  #known = new Set<string>();
  #views = new Set<EditorView>();

  private constructor(worker: string, files: () => Readonly<Files>, packages: (name: string) => string | undefined) {
    this.#files = files;
    this.#packages = packages;
    this.#worker = new Worker(worker, { type: "module", name: "types" });
    this.#worker.onmessage = ({ data }: MessageEvent<{ id: number; value?: never; error?: string }>) => {
      const w = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error) w?.reject(new Error(data.error));
      else w?.resolve(data.value as never);
    };
  }

  /**
   * Starts the worker. Types is the address of the packed declarations of the
   * language and the Workers API, packages gives that of a package's own.
   */
  static async start(worker: string, types: string, files: () => Readonly<Files>, packages: (name: string) => string | undefined): Promise<TypeService> {
    const s = new TypeService(worker, files, packages);
    s.#sent = files();
    await s.#send("start", [await read(types), s.#sent]);
    void s.#fetchPackages();
    return s;
  }

  // Packages that the project imports bring their types when they are first seen.
  async #fetchPackages(): Promise<void> {
    for (const name of imported(this.#sent)) {
      const address = this.#packages(name);
      if (!address || this.#known.has(name)) continue;
      this.#known.add(name);
      try {
        await this.#send("shelf", [await read(address)]);
        for (const view of this.#views) view.dispatch({ effects: learned.of(null) });
      } catch {
        this.#known.delete(name); // the next change asks again
      }
    }
  }

  /** Calls the worker; it sees the files as they are now. */
  async call<M extends keyof TypeMethods>(method: M, ...args: Parameters<TypeMethods[M]>): Promise<Result<M>> {
    const now = this.#files();
    if (now !== this.#sent) {
      this.#sent = now;
      void this.#send("update", [now]);
      void this.#fetchPackages();
    }
    return this.#send(method, args);
  }

  #send<M extends keyof TypeMethods>(method: M, args: unknown[]): Promise<Result<M>> {
    const id = ++this.#next;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as never, reject });
      this.#worker.postMessage({ id, method, args }, args.filter((a) => a instanceof ArrayBuffer));
    });
  }

  /** What the editor gains. Path is the file shown; go opens a definition. */
  extension(path: () => string, go: (path: string, line: number, column: number) => void): Extension {
    const complete = async (c: CompletionContext): Promise<CompletionResult | null> => {
      const file = path();
      const got = await this.call("completions", file, c.pos, c.explicit).catch(() => null);
      if (!got || c.aborted) return null;
      return {
        from: got.from,
        validFor: /^[\w$]*$/,
        options: got.options.map((o): Completion => ({
          label: o.label, type: o.type, boost: o.sort < "11" ? 1 : o.sort > "15" ? -1 : 0,
          info: async () => {
            const d = await this.call("details", file, c.pos, o.label).catch(() => null);
            return d ? { dom: described(d) } : null;
          },
        })),
      };
    };
    const define = async (view: EditorView, pos: number): Promise<void> => {
      const found = await this.call("definition", path(), pos).catch(() => null);
      if (found) return go(found.path, found.line, found.column);
      const its = await this.call("hover", path(), pos).catch(() => null);
      if (!its) return say("Nothing is defined under the caret.");
      if (its.to > view.state.doc.length) return;
      view.dispatch({ effects: setCard.of({ pos: its.from, above: true, create: () => ({ dom: described(its) }) }) });
      say(its.type);
    };
    const shut = (view: EditorView): boolean => {
      if (!view.state.field(card)) return false;
      view.dispatch({ effects: setCard.of(null) });
      return true;
    };
    return [
      autocompletion({ override: [complete], icons: false }),
      ViewPlugin.define((view) => {
        this.#views.add(view);
        return { destroy: () => this.#views.delete(view) };
      }),
      linter(async (view) => {
        const found = await this.call("diagnostics", path()).catch(() => []);
        const end = view.state.doc.length;
        return found.filter((d) => d.from <= end).map((d) => ({ from: d.from, to: Math.min(d.to, end), severity: d.severity, message: d.message, source: `ts ${d.code}` }));
      }, { delay: 400, needsRefresh: (u) => u.transactions.some((t) => t.effects.some((e) => e.is(learned))) }),
      hoverTooltip(async (_view, pos) => {
        const h = await this.call("hover", path(), pos).catch(() => null);
        return h ? { pos: h.from, end: h.to, create: () => ({ dom: described(h) }) } : null;
      }),
      card,
      keymap.of([{ key: "F12", run: (view) => { void define(view, view.state.selection.main.head); return true; } }, { key: "Escape", run: shut }]),
      EditorView.domEventHandlers({
        mousedown: (e, view) => {
          if (!(e.ctrlKey || e.metaKey) || e.button !== 0) return false;
          const pos = view.posAtCoords({ x: e.clientX, y: e.clientY });
          if (pos === null) return false;
          void define(view, pos);
          return true;
        },
      }),
    ];
  }
}

// As bytes: the worker reads them, which would hold up the page.
async function read(address: string): Promise<ArrayBuffer> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.arrayBuffer();
}

function described(d: { type: string; docs: string }): HTMLElement {
  return el("div", { class: "cm-type" }, d.type, d.docs && el("p", null, d.docs));
}
