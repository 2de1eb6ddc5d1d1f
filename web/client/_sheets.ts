// Sheets that open on demand: keys, versions, and the choice after a conflict.
// They lie over the workbench, take the focus, and give it back.

import { $, button, el, icon, keep, recall, set, type Child } from "./_dom.ts";
import { count } from "./_format.ts";
import { diffViews } from "./_diff.ts";
import type { Version } from "./_page.ts";
import type { Files } from "./_save.ts";

let open: { dialog: HTMLDialogElement; back: HTMLElement | null } | null = null;

export function closeSheet(): void {
  if (!open) return;
  const { dialog, back } = open;
  open = null;
  dialog.close();
  dialog.remove();
  back?.focus();
}

function sheet(title: string, ...children: Child[]): HTMLDialogElement {
  closeSheet();
  const back = document.activeElement as HTMLElement | null;
  const dialog = el("dialog", { class: "sheet", "aria-label": title },
    el("div", { class: "sheet_head" }, el("h2", { tabindex: "-1" }, title), button("close", "Close", { click: () => closeSheet() })), ...children);
  dialog.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    e.preventDefault();
    e.stopPropagation();
    closeSheet();
  });
  document.body.append(dialog);
  dialog.show();
  open = { dialog, back };
  $("h2", dialog)?.focus();
  return dialog;
}

const mac = /Mac|iPhone|iPad/.test(navigator.platform);
const mod = mac ? "⌘" : "Ctrl";

const keys: [string, string][] = [
  [`${mod} Enter`, "Run, from anywhere"],
  ["?", "This list"],
  ["/", "Search lessons, glossary and docs"],
  ["Esc, then Tab", "Leave the editor; with Vim keys press Esc twice"],
  [mac ? "Shift Alt M" : "Ctrl M", "Tab moves or indents, until pressed again; not with Emacs keys"],
  [`${mod} F`, "Find and replace in the file"],
  ["Ctrl Space", "Complete"],
  ["F12", "Go to the definition; of what your files do not define, show the type"],
  ["Shift Alt F", "Format the file"],
  ["F8", "Next problem"],
  ["F2, Del", "Rename or delete a file in the tree; Del closes a tab"],
  ["← → Home End", "Move among tabs"],
];

/** The list of keys, with the choice of editor bindings. */
export function keysSheet(now: string, choose: (k: "default" | "vim" | "emacs") => void): void {
  if (open?.dialog.getAttribute("aria-label") === "Keys") return closeSheet();
  sheet("Keys",
    el("dl", { class: "keys" }, ...keys.map(([k, what]) => el("div", null, el("dt", null, el("kbd", null, k)), el("dd", null, what)))),
    el("fieldset", { class: "segment" }, el("legend", { class: "sr" }, "Keys of the editor"),
      ...(["default", "vim", "emacs"] as const).map((k) => el("label", null,
        el("input", { type: "radio", name: "keymap", value: k, checked: k === now, change: () => choose(k) }),
        k === "default" ? "Ordinary" : k === "vim" ? "Vim" : "Emacs"))));
}

const when = (ms: number): string => new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" }).format(ms);
const whys: Record<string, string> = {
  edit: "edited", reset: "reset to the start", solve: "our solution", solution: "our solution", restore: "an earlier version again", update: "the lesson's newer revision taken", undo: "undone",
};

/** The kept versions, newest first, each with what differs from now. */
export function versionsSheet(list: Version[], now: Readonly<Files>, read: (revision: number) => Promise<{ files: Files }>, restore: (files: Files, revision: number) => void): void {
  sheet("Versions",
    el("p", { class: "panel_say" }, list.length ? `${count(list.length, "version")} kept, at most 20.` : "No versions yet. Each save of yours becomes one."),
    el("ol", { class: "versions" }, ...list.map((v) => {
      const place = el("div", { class: "versions_diff" });
      const more = el("details", null,
        el("summary", null, icon("next"), el("b", null, when(v.saved)), ` ${whys[v.why] ?? v.why}, revision ${v.revision}`), place);
      more.addEventListener("toggle", () => {
        if (!more.open || place.childElementCount) return;
        void read(v.revision).then(({ files }) => {
          const views = diffViews(now, files);
          set(place, ...(views.length ? views : [el("p", null, "The same as now.")]),
            views.length > 0 && button("restore", "Bring this back", { click: () => { closeSheet(); restore(files, v.revision); } }));
        }, (e: Error) => set(place, el("p", null, e.message)));
      });
      return el("li", null, more);
    })));
}

/** Two versions of one project: both are shown, one goes on, the other stays among the versions. */
export function conflictSheet(mine: Readonly<Files>, theirs: Files, choose: (which: "mine" | "theirs") => void): void {
  const pick = (which: "mine" | "theirs") => () => { closeSheet(); choose(which); };
  sheet("Changed on two devices",
    el("p", { class: "panel_say" }, "Both are kept; which one goes on? The other stays among the versions."),
    el("div", { class: "stop_do" }, button("mine", "This page", { click: pick("mine") }), button("theirs", "The other device", { click: pick("theirs") })),
    el("p", { class: "eyebrow" }, "From this page to the other device:"),
    ...diffViews(mine, theirs));
}

/** The editor bindings this browser chose. */
export const keymapChoice = (): "default" | "vim" | "emacs" => {
  const k = recall<string>("keymap", "default");
  return k === "vim" || k === "emacs" ? k : "default";
};
export const keepKeymap = (k: string): boolean => keep("keymap", k);
