// Predict first: what a run shows stays covered until the lesson's prediction
// is answered or skipped. Checks are not covered, nor is code that does not build.

import { $, $$, button, el, keep, recall } from "./_dom.ts";

const key = "predictions-skipped"; // ids of lessons

export class Cover {
  #lesson: string;
  #cover: HTMLElement;

  constructor(lesson: string) {
    this.#lesson = lesson;
    this.#cover = el("div", { class: "cover" },
      el("h3", null, "Your prediction first"),
      el("p", null, "The run has its result. It stays covered until you have said what you expect."),
      el("p", { class: "cover_do" }, button("predict", "To the question"), button("skip-prediction", "Skip")));
  }

  /** The first prediction without an answer, null when none is left or they were skipped. */
  get open(): HTMLFormElement | null {
    if (recall<string[]>(key, []).includes(this.#lesson)) return null;
    return $$<HTMLFormElement>("form[data-piece=predict]").find((f) => f.dataset.answered === undefined) ?? null;
  }

  skip(): void {
    keep(key, [...recall<string[]>(key, []).filter((id) => id !== this.#lesson), this.#lesson]);
  }

  /** Covers the result, or uncovers it; says whether it is covered. */
  show(result: boolean): boolean {
    const on = result && this.open !== null;
    const place = $("#result");
    if (place && place.classList.contains("is-covered") !== on) {
      place.classList.toggle("is-covered", on);
      if (on) $(".readouts", place)?.after(this.#cover);
      else this.#cover.remove();
    }
    return on;
  }
}
