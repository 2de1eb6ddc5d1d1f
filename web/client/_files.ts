// The file tabs and the file tree: create, rename and delete, all by keyboard.

import { $, button, el, icon, paint, put, say, set, sr } from "./_dom.ts";
import { base, count } from "./_format.ts";
import { tablist } from "./_tabs.ts";
import type { Files } from "./_save.ts";

export interface FilesOptions {
  files: () => Readonly<Files>;
  open: string;
  /** Shows a file. */
  show: (path: string, focus: boolean) => void;
  /** Changes the set of files. Renamed gives old and new path. */
  change: (files: Files, renamed?: [string, string]) => void;
}

const fewFiles = 4; // so many are all open as tabs

/** Why a path cannot be a file's name; null when it can. */
export function badPath(path: string, files: Readonly<Files>): string | null {
  if (!path) return "A file needs a name.";
  if (path.length > 200) return "A path has at most 200 characters.";
  if (path.startsWith("/") || path.endsWith("/") || path.includes("\\")) return "Write the path like src/util.ts.";
  if (path.split("/").some((p) => p === "" || p === "." || p === "..")) return "A path has no empty parts and no dots alone.";
  if (!/^[\w@.\-+ ()[\]/]+$/.test(path)) return "Use letters, digits, dots, dashes and slashes.";
  if (Object.keys(files).some((f) => f.toLowerCase() === path.toLowerCase())) return `${path} is there already.`;
  if (Object.keys(files).some((f) => f.startsWith(`${path}/`))) return `${path} is a folder.`;
  return null;
}

export class FileBar {
  #o: FilesOptions;
  #tabs: HTMLElement;
  #sheet: HTMLElement | null;
  #details: HTMLDetailsElement | null;
  #opened: string[];
  #faults = new Map<string, number>();
  #dirty = new Set<string>();
  current: string;

  constructor(root: HTMLElement, o: FilesOptions) {
    this.#o = o;
    this.#tabs = $(".files_tabs", root) as HTMLElement;
    this.#details = $<HTMLDetailsElement>(".tree", root);
    this.#sheet = $(".tree_sheet", root);
    this.current = o.open in o.files() ? o.open : (Object.keys(o.files())[0] ?? "");
    const names = Object.keys(o.files());
    this.#opened = names.length <= fewFiles ? names : [this.current];
    tablist(this.#tabs, (tab) => this.show(tab.dataset.path ?? "", false));
    this.#tabs.addEventListener("keydown", (e) => {
      if (e.key !== "Delete") return;
      const path = (e.target as HTMLElement).dataset.path;
      if (path && this.#opened.length > 1) this.#close(path);
    });
    this.#sheet?.addEventListener("keydown", (e) => this.#keys(e));
    this.#details?.addEventListener("toggle", () => this.#draw());
    new ResizeObserver(this.#reveal).observe(this.#tabs); // on a phone the row comes in sight later
    this.#tabs.addEventListener("scroll", () => this.#tabs.classList.toggle("is-on", this.#tabs.scrollLeft > 0), { passive: true });
    document.addEventListener("pointerdown", (e) => {
      if (this.#details?.open && !this.#details.contains(e.target as Node)) this.#details.open = false;
    });
    this.#draw();
  }

  show(path: string, focus = true): void {
    if (!(path in this.#o.files())) return;
    this.current = path;
    if (!this.#opened.includes(path)) this.#opened.push(path);
    this.#draw();
    this.#o.show(path, focus);
  }

  /** Files with an error get a red dot, files not saved yet an ink one. */
  mark(faults: Map<string, number>, dirty: Set<string>): void {
    this.#faults = faults;
    this.#dirty = dirty;
    this.#draw();
  }

  /** After the set of files changed from outside. */
  refresh(): void {
    const files = this.#o.files();
    this.#opened = this.#opened.filter((p) => p in files);
    const names = Object.keys(files);
    if (names.length <= fewFiles) this.#opened.push(...names.filter((p) => !this.#opened.includes(p)));
    if (!(this.current in files)) this.current = this.#opened[0] ?? Object.keys(files)[0] ?? "";
    if (this.current && !this.#opened.includes(this.current)) this.#opened.push(this.current);
    this.#draw();
    if (this.current) this.#o.show(this.current, false);
  }

  #close(path: string): void {
    const i = this.#opened.indexOf(path);
    this.#opened.splice(i, 1);
    const next = this.#opened[Math.min(i, this.#opened.length - 1)];
    if (this.current === path && next) this.show(next, false);
    else this.#draw();
    $(`[data-path="${CSS.escape(next ?? "")}"]`, this.#tabs)?.focus();
  }

  #draw(): void {
    const files = this.#o.files();
    const focused = this.#tabs.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.path : null;
    const names = Object.keys(files).map(base);
    const scrolled = this.#tabs.scrollLeft;
    set(this.#tabs, ...this.#opened.map((path) => {
      const on = path === this.current;
      const errors = this.#faults.get(path) ?? 0;
      const twin = names.filter((n) => n === base(path)).length > 1;
      return el("button", {
        class: "files_tab", role: "tab", type: "button", id: `tab-file-${path.replace(/\W/g, "-")}`, "data-path": path,
        "aria-selected": String(on), tabindex: on ? "0" : "-1", "aria-controls": "view-edit", title: path,
      }, twin ? path : base(path), errors > 0 && sr(`, ${count(errors, "error")}`), errors > 0 && el("i", null),
      !errors && this.#dirty.has(path) && el("span", { class: "files_unsaved", title: "not saved yet" }, sr(", not saved yet")));
    }));
    this.#tabs.scrollLeft = scrolled;
    paint(this.#reveal); // once the page is laid out anyway
    if (focused !== null) $(`[data-path="${CSS.escape(focused ?? "")}"]`, this.#tabs)?.focus();
    $("#view-edit")?.setAttribute("aria-labelledby", `tab-file-${this.current.replace(/\W/g, "-")}`);
    const summary = this.#details && $("summary .sr", this.#details);
    if (summary) summary.textContent = `, ${Object.keys(files).length}`;
    if (this.#details?.open) this.#tree();
  }

  /** Scrolls the row, and nothing else, until the open file's tab is whole. */
  #reveal = (): void => {
    const tab = $("[aria-selected=true]", this.#tabs)?.getBoundingClientRect();
    const row = this.#tabs.getBoundingClientRect();
    const [begin, end] = [row.left + 16, row.right - 16]; // there it fades
    if (tab && tab.right > end) this.#tabs.scrollLeft += Math.min(tab.right - end, tab.left - begin); // of a long name the begin
    else if (tab && tab.left < begin) this.#tabs.scrollLeft -= begin - tab.left;
  };

  #tree(): void {
    if (!this.#sheet || $("form", this.#sheet)) return;
    const at = (document.activeElement as HTMLElement | null)?.dataset.file;
    type Folder = Map<string, Folder | string>;
    const root: Folder = new Map();
    for (const path of Object.keys(this.#o.files()).sort()) {
      const parts = path.split("/");
      let folder = root;
      for (const p of parts.slice(0, -1)) {
        const next = folder.get(p);
        if (next instanceof Map) folder = next;
        else { const made: Folder = new Map(); folder.set(p, made); folder = made; }
      }
      folder.set(parts.at(-1) ?? "", path);
    }
    const list = (f: Folder, label?: string): HTMLElement => el("ul", label ? { "aria-label": label } : null,
      ...[...f].sort((a, b) => Number(b[1] instanceof Map) - Number(a[1] instanceof Map)).map(([name, x]) => x instanceof Map
        ? el("li", null, el("span", { class: "tree_folder" }, icon("folder"), name), list(x))
        : el("li", { class: "tree_file" },
          el("button", { type: "button", "data-file": x, "aria-current": x === this.current ? "true" : null, click: () => { this.#shut(); this.show(x); } }, icon("file"), name),
          el("button", { type: "button", class: "tree_act", "aria-label": `Rename ${x}`, title: "Rename (F2)", click: () => this.#ask(x) }, icon("pen")),
          el("button", { type: "button", class: "tree_act", "aria-label": `Delete ${x}`, title: "Delete (Del)", click: () => this.#delete(x) }, icon("cross")))));
    set(this.#sheet, list(root, "Files of this lesson"),
      button("new-file", "New file", { class: "button-quiet tree_new", click: () => this.#ask(null) }, "plus"),
      button("format", "Format this file", { class: "button-quiet tree_new", click: () => this.#shut() }, "file"),
      button("versions", "Versions", { class: "button-quiet tree_new", click: () => this.#shut() }, "history"),
      el("p", { class: "eyebrow tree_keys" }, "F2 renames, Del deletes."));
    if (at) $(`[data-file="${CSS.escape(at)}"]`, this.#sheet)?.focus();
  }

  #shut(): void {
    if (!this.#details) return;
    this.#details.open = false;
    $("summary", this.#details)?.focus();
  }

  #keys(e: KeyboardEvent): void {
    const sheet = this.#sheet as HTMLElement;
    const path = (e.target as HTMLElement).dataset.file;
    const rows = [...sheet.querySelectorAll<HTMLElement>("[data-file], .tree_new")];
    const i = rows.indexOf((e.target as Element).closest("li, .tree_new")?.querySelector<HTMLElement>("[data-file]") ?? (e.target as HTMLElement));
    if (e.key === "Escape") {
      if ($("form", sheet)) { $("form", sheet)?.remove(); this.#tree(); ($("[data-file]", sheet) ?? sheet).focus(); }
      else this.#shut();
    } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      rows[(i + (e.key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length]?.focus();
    } else if (e.key === "F2" && path) this.#ask(path);
    else if (e.key === "Delete" && path) this.#delete(path);
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  // Asks for a path in the sheet itself: a new file's, or the new name of one.
  #ask(old: string | null): void {
    const sheet = this.#sheet;
    if (!sheet) return;
    const input = el("input", { name: "path", "aria-label": old ? `New name of ${old}` : "Path of the new file", spellcheck: "false", autocapitalize: "off", autocomplete: "off" });
    input.value = old ?? (this.current.includes("/") ? this.current.slice(0, this.current.lastIndexOf("/") + 1) : "");
    const why = el("p", { class: "tree_why", role: "alert" });
    const form = el("form", {
      class: "tree_form", submit: (e: SubmitEvent) => {
        e.preventDefault();
        const path = input.value.trim();
        const files = { ...this.#o.files() };
        if (path === old) { form.remove(); this.#tree(); return; }
        if (old) delete files[old];
        const bad = badPath(path, files);
        if (bad) { why.textContent = bad; input.focus(); return; }
        files[path] = old ? (this.#o.files()[old] ?? "") : "";
        form.remove();
        if (old) this.#opened = this.#opened.map((p) => (p === old ? path : p));
        if (this.current === old) this.current = path;
        this.#o.change(files, old ? [old, path] : undefined);
        say(old ? `${old} is now ${path}.` : `${path} is there.`);
        this.#shut();
        this.show(path);
      },
    }, el("label", { class: "eyebrow" }, old ? "Rename" : "New file"), input,
    el("div", null, el("button", { class: "button", type: "submit" }, old ? "Rename" : "Create")), why);
    set(sheet, form);
    input.focus();
    const dot = input.value.lastIndexOf(".");
    input.setSelectionRange(old ? input.value.lastIndexOf("/") + 1 : input.value.length, dot > 0 && old ? dot : input.value.length);
  }

  #delete(path: string): void {
    const files = { ...this.#o.files() };
    if (Object.keys(files).length < 2) { say("The last file stays."); return; }
    const sheet = this.#sheet;
    if (!sheet) return;
    const yes = el("button", { class: "button", type: "submit" }, "Delete");
    const form = el("form", {
      class: "tree_form", submit: (e: SubmitEvent) => {
        e.preventDefault();
        delete files[path];
        form.remove();
        this.#o.change(files);
        say(`${path} is deleted. Undo brings it back.`);
        this.refresh();
        this.#tree();
        $("[data-file]", sheet)?.focus();
      },
    }, el("p", null, `Delete ${path}?`), el("div", null, yes,
      el("button", { class: "button-quiet", type: "button", click: () => { form.remove(); this.#tree(); $("[data-file]", sheet)?.focus(); } }, "Keep it")));
    set(sheet, form);
    put(form, el("p", { class: "eyebrow" }, "Versions keep it for later."));
    yes.focus();
  }
}
