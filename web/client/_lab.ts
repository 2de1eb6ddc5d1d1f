// Labs: live experiments in a lesson. The server measures and draws; the page
// asks over its live session, shows what comes, and can stop it.

import { $, $$, say, set } from "./_dom.ts";
import type { ClientMessage, LabEvent } from "./protocol.ts";

export interface LabOptions {
  send: (m: ClientMessage) => boolean;
  /** Saves what is being edited and gives its revision. */
  flush: () => Promise<number>;
  id: () => string;
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

export class Labs {
  #o: LabOptions;
  #running = new Map<string, string>(); // lab → id

  constructor(o: LabOptions) {
    this.#o = o;
    for (const form of $$<HTMLFormElement>("form.lab_do")) {
      form.addEventListener("submit", (e) => {
        e.preventDefault();
        void this.#press((form.elements.namedItem("lab") as HTMLInputElement).value);
      });
    }
  }

  async #press(lab: string): Promise<void> {
    const under = this.#running.get(lab);
    if (under) {
      if (!this.#o.send({ type: "cancel", id: under })) this.#say(lab, "Not connected. Try again in a moment.");
      return;
    }
    const id = this.#o.id();
    this.#mark(lab, id);
    this.#say(lab, "Starting.");
    try {
      const revision = await this.#o.flush();
      if (!this.#o.send({ type: "lab", id, lab, revision })) throw new Error("Not connected. Try again in a moment.");
    } catch (e) {
      this.#mark(lab, "");
      this.#say(lab, (e as Error).message);
    }
  }

  /** Shows what a lab measured so far. */
  take(e: LabEvent): void {
    this.#mark(e.lab, e.done ? "" : e.run);
    if (e.say) this.#say(e.lab, e.say);
    if (e.html) {
      const drawn = new DOMParser().parseFromString(e.html, "text/html");
      set($(".lab_out", this.#of(e.lab) ?? undefined), ...[...drawn.body.childNodes].map((n) => document.importNode(n, true)));
    }
    for (const [name, text] of Object.entries(e.figures ?? {})) figure(name, text);
    if (e.done) say(`${e.lab}: ${e.say ?? "ended."}`);
  }

  /** Takes a refusal if it is of a lab, and says whether it was. */
  refused(id: string, why: string): boolean {
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
    for (const run of [...this.#running.values()]) {
      if (!running.includes(run)) this.refused(run, "The connection was lost. Press again.");
    }
  }

  #of(lab: string): HTMLElement | null {
    return document.getElementById(`lab-${lab}`);
  }

  #say(lab: string, text: string): void {
    const where = $(".lab_where", this.#of(lab) ?? undefined);
    if (where && where.textContent !== text) where.textContent = text;
  }

  #mark(lab: string, id: string): void {
    const go = $("form.lab_do button", this.#of(lab) ?? undefined);
    if (!go) return;
    go.dataset.verb ??= go.textContent ?? "";
    if (id) this.#running.set(lab, id);
    else this.#running.delete(lab);
    go.textContent = id ? "Stop" : go.dataset.verb;
  }
}
