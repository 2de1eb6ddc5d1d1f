// Predict first: what runs and labs show, and the figures they put into the
// text, stay covered until the lesson's predictions are answered or skipped.
// Checks are not covered, nor is code that does not build.

import { $, $$, button, el, keep, recall } from "./_dom.ts";

const key = "predictions-skipped"; // ids of lessons
const word = "covered"; // in place of a figure

/** What lies over a result until the prediction is made. */
export function cover(what: string, heading: "h2" | "h3"): HTMLElement {
  return el("div", { class: "cover" },
    el(heading, null, "Your prediction first"),
    el("p", null, what),
    el("p", { class: "cover_do" }, button("predict", "To the question"), button("skip-prediction", "Skip")));
}

export class Cover {
  #lesson: string;
  #cover = cover("The run has its result. It stays covered until you have said what you expect.", "h3");
  #figures = new Map<HTMLElement, string>(); // what each covered figure says

  constructor(lesson: string) {
    this.#lesson = lesson;
  }

  /** The first prediction without an answer, null when none is left or they were skipped. */
  get open(): HTMLFormElement | null {
    if (recall<string[]>(key, []).includes(this.#lesson)) return null;
    return $$<HTMLFormElement>("form[data-piece=predict]").find((f) => f.dataset.answered === undefined) ?? null;
  }

  skip(): void {
    keep(key, [...recall<string[]>(key, []).filter((id) => id !== this.#lesson), this.#lesson]);
  }

  /** Covers what is to be covered, or uncovers it; says whether the result of a run is covered. */
  show(result: boolean): boolean {
    const waits = this.open !== null;
    for (const lab of $$("#lesson .lab[data-lab]")) this.#lab(lab, waits);
    this.#text(waits);
    const on = result && waits;
    const place = $("#result");
    if (place && place.classList.contains("is-covered") !== on) {
      place.classList.toggle("is-covered", on);
      if (on) $(".readouts", place)?.after(this.#cover);
      else this.#cover.remove();
    }
    return on;
  }

  // A lab that shows only what it will measure has nothing to cover.
  #lab(lab: HTMLElement, waits: boolean): void {
    const out = $(".lab_out", lab);
    const on = waits && !!out?.childElementCount && !("blank" in lab.dataset);
    lab.classList.toggle("is-covered", on);
    const old = $(".cover", lab);
    if (!on) old?.remove();
    else if (!old) out.before(cover("What this lab shows stays covered until you have said what you expect.", "h2"));
  }

  #text(waits: boolean): void {
    if (waits) {
      for (const e of $$("#lesson [data-measure]:not([data-temp])")) {
        if (e.textContent === word) continue;
        this.#figures.set(e, e.textContent ?? "");
        e.textContent = word;
      }
    } else if (this.#figures.size) {
      for (const [e, text] of this.#figures) e.textContent = text;
      this.#figures.clear();
    }
  }
}
