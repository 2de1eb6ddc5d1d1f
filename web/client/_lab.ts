// Labs: live experiments in a lesson. The server measures and draws; the page
// asks over its live session, shows what comes, and can stop it. A lab with a
// script of its own listens to "lab" events on its section: {action, data}.

import { $, $$, drawn, say } from "./_dom.ts";
import { morph } from "./_morph.ts";
import { readable } from "./_read.ts";
import type { ClientMessage, LabEvent } from "./protocol.ts";

export interface LabOptions {
  send: (m: ClientMessage) => boolean;
  /** Saves what is being edited and gives its revision. */
  flush: () => Promise<number>;
  id: () => string;
  /** Whether results wait for a prediction. */
  covered?: () => boolean;
}

/** Puts a figure wherever the lesson's text asks for it. */
export function figure(name: string, text: string): void {
  for (const e of $$(`[data-measure="${CSS.escape(name)}"]`)) {
    if (e.textContent !== text) e.textContent = text;
    const temp = e.dataset.temp;
    if (temp) e.classList.add(temp);
    delete e.dataset.temp;
  }
}

/** What a form holds, and the button that sends it; of a name that is there several times all values. */
function valuesOf(form: HTMLFormElement, by?: HTMLElement | null): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, v] of new FormData(form, by)) {
    if (name === "lab" || name === "do" || typeof v !== "string") continue;
    out[name] = name in out ? `${out[name]} ${v}` : v;
  }
  // A box that is not ticked is a value too.
  for (const e of form.elements) {
    if (e instanceof HTMLInputElement && e.type === "checkbox" && e.name && !(e.name in out)) out[e.name] = "";
  }
  return out;
}

/** Has a number follow its slider, and the slider its number. */
function together(moved: HTMLInputElement): void {
  const { slide } = moved.dataset;
  const other = moved.form?.querySelector<HTMLInputElement>(slide ? `input[name="${CSS.escape(slide)}"]` : `input[data-slide="${CSS.escape(moved.name)}"]`);
  if (other && moved.value) other.value = moved.value;
}

const lost = "Not connected. Try again in a moment.";
const pause = 200; // ms after the last change of a field before it is sent

export class Labs {
  #o: LabOptions;
  #running = new Map<string, string>(); // lab → id
  #asked = new Map<string, string>(); // id of an act beside a run → lab
  #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(o: LabOptions) {
    this.#o = o;
    this.#attach();
    document.addEventListener("coldstart:redrawn", () => this.#attach());
  }

  #attached = new WeakSet<Element>();

  #attach(): void {
    readable();
    for (const section of $$(".lab[data-lab]")) {
      if (this.#attached.has(section)) continue;
      this.#attached.add(section);
      const lab = section.dataset.lab!;
      section.addEventListener("submit", (e) => {
        const form = e.target as HTMLFormElement;
        const by = (e as SubmitEvent).submitter as HTMLButtonElement | null;
        e.preventDefault();
        if (form.matches(".lab_do") && by?.name !== "do") void this.#press(lab, valuesOf(form, by));
        else void this.act(lab, by?.name === "do" ? by.value : form.dataset.do ?? "", valuesOf(form, by));
      });
      section.addEventListener("input", (e) => {
        together(e.target as HTMLInputElement);
        const form = (e.target as HTMLElement).closest("form");
        if (!form || !(form.dataset.change || (form.matches(".lab_do") && "live" in section.dataset))) return;
        clearTimeout(this.#timers.get(lab));
        this.#timers.set(lab, setTimeout(() => void this.act(lab, form.dataset.change ?? "change", valuesOf(form)), pause));
      });
      section.addEventListener("click", (e) => {
        const copy = (e.target as HTMLElement).closest<HTMLElement>("[data-do=csv]");
        if (copy) void this.#copy(copy);
      });
    }
  }

  async #press(lab: string, values: Record<string, string>): Promise<void> {
    const under = this.#running.get(lab);
    if (under) {
      if (!this.#o.send({ type: "cancel", id: under })) this.#say(lab, lost);
      return;
    }
    const id = this.#o.id();
    this.#mark(lab, id);
    this.#say(lab, "Starting.");
    try {
      const revision = await this.#o.flush();
      if (!this.#o.send({ type: "lab", id, lab, revision, values })) throw new Error(lost);
    } catch (e) {
      this.#mark(lab, "");
      this.#say(lab, (e as Error).message);
    }
  }

  /** Does something in a lab that runs, or has it answer beside a run. */
  async act(lab: string, action: string, values: Record<string, string>): Promise<void> {
    const under = this.#running.get(lab);
    const id = under ?? this.#o.id();
    if (!under) this.#asked.set(id, lab);
    try {
      if (!under) await this.#o.flush();
      if (!this.#o.send({ type: "act", id, lab, action, values })) throw new Error(lost);
    } catch (e) {
      this.#asked.delete(id);
      this.#say(lab, (e as Error).message);
    }
  }

  /** Shows what a lab measured so far. */
  take(e: LabEvent): void {
    const beside = this.#asked.has(e.run);
    if (beside) {
      if (e.done) this.#asked.delete(e.run);
    } else if (!e.action || this.#running.get(e.lab) === e.run) {
      this.#mark(e.lab, e.done ? "" : e.run);
    }
    const tells = !!this.#o.covered?.() && /\d\s?([kM]?B|[mµ]?s)\b/.test(e.say ?? "");
    if (e.say || beside) this.#say(e.lab, tells ? "Measuring. What comes is covered." : e.say ?? "");
    const section = this.#of(e.lab);
    if (e.html && section) {
      void this.#draw(section, e.html);
      delete section.dataset.blank;
    }
    for (const [name, text] of Object.entries(e.figures ?? {})) figure(name, text);
    if (section && e.data !== undefined) section.dispatchEvent(new CustomEvent("lab", { detail: { action: e.action ?? "", data: e.data } }));
    if (e.done && !beside) say(this.#o.covered?.() ? `${e.lab}: ended. Its result is covered: predict first, or skip that.` : `${e.lab}: ${e.say ?? "ended."}`);
  }

  #drawing = new WeakMap<Element, object>();

  /**
   * Draws what came. Parts with the attribute data-later get a frame each,
   * one after the other, so that no task is long; what comes meanwhile is drawn instead.
   */
  async #draw(section: HTMLElement, html: string): Promise<void> {
    const turn = {};
    this.#drawing.set(section, turn);
    const rest: [Element, Element][] = [];
    morph($(".lab_out", section)!, new DOMParser().parseFromString(html, "text/html").body, (at, want) => rest.push([at, want]));
    readable(section);
    for (const [at, want] of rest) {
      await drawn();
      if (this.#drawing.get(section) !== turn) return;
      morph(at, want);
    }
  }

  /** Takes a refusal if it is of a lab, and says whether it was. */
  refused(id: string, why: string): boolean {
    const asked = this.#asked.get(id);
    if (asked) {
      this.#asked.delete(id);
      this.#say(asked, why);
      return true;
    }
    for (const [lab, run] of this.#running) {
      if (run !== id) continue;
      this.#mark(lab, "");
      this.#say(lab, why);
      return true;
    }
    return false;
  }

  /** Ends what the server no longer knows. */
  forget(running: readonly string[] = []): void {
    for (const run of [...this.#running.values(), ...this.#asked.keys()]) {
      if (!running.includes(run)) this.refused(run, "The connection was lost. Press again.");
    }
  }

  /** Copies the table beside a button. */
  async #copy(button: HTMLElement): Promise<void> {
    const table = $<HTMLTableElement>("table", button.closest(".numbers") ?? undefined);
    if (!table) return;
    const cell = (text: string): string => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    const rows = [...table.rows].map((r) => [...r.cells].map((c) => cell(c.dataset.value ?? c.textContent?.trim() ?? "")).join(","));
    button.dataset.verb ??= button.textContent ?? "";
    try {
      await navigator.clipboard.writeText(`${rows.join("\n")}\n`);
      button.textContent = "Copied";
      say("The table is copied as CSV.");
    } catch {
      button.textContent = "The browser does not let this page copy";
    }
    setTimeout(() => { button.textContent = button.dataset.verb ?? ""; }, 2000);
  }

  #of(lab: string): HTMLElement | null {
    return document.getElementById(`lab-${lab}`);
  }

  #say(lab: string, text: string): void {
    const where = $(".lab_where", this.#of(lab) ?? undefined);
    if (where && where.textContent !== text) where.textContent = text;
  }

  #mark(lab: string, id: string): void {
    const section = this.#of(lab);
    const go = $("form.lab_do > button", section ?? undefined);
    if (!go || !section) return;
    go.dataset.verb ??= go.textContent ?? "";
    if (id) this.#running.set(lab, id);
    else this.#running.delete(lab);
    go.textContent = id ? "Stop" : go.dataset.verb;
    section.toggleAttribute("data-running", id !== "");
  }
}
