// The five panels, loaded when the page is idle or at the first run. Only the
// one in sight is drawn.

import { $, el, set } from "./_dom.ts";
import { drawChecks, markTasks } from "./_checks.ts";
import { current, drawIsolate, Isolates } from "./_isolate.ts";
import { LogPanel } from "./_logs.ts";
import type { PageData } from "./_page.ts";
import type { IsolateState } from "./protocol.ts";
import { drawResponse } from "./_response.ts";
import type { Checks, Run, Runs } from "./_runs.ts";
import { drawTimeline } from "./_timeline.ts";

export class Panels {
  #runs: Runs;
  #checks: Checks;
  #page: PageData;
  #logs: LogPanel | null = null;
  #isolates = new Isolates();

  constructor(runs: Runs, checks: Checks, page: PageData) {
    this.#runs = runs;
    this.#checks = checks;
    this.#page = page;
  }

  /** An isolate was heard of now. */
  heard(id: string): void {
    this.#isolates.heard.set(id, performance.now());
  }

  pages(id: string, map: Uint8Array): void {
    this.#isolates.take(id, map);
  }

  isolate(): IsolateState | null {
    return current(this.#runs);
  }

  // A rendered page comes from the Worker's public address, in a closed frame.
  #preview = (r: Run): string => {
    const path = r.request?.path ?? "/";
    return /^https?:/.test(path) ? path : this.#page.url + path;
  };

  draw(tab: string): void {
    const panel = $(`#panel-${tab}`);
    if (!panel || panel.hidden) return;
    const runs = this.#runs;
    const refused = [...runs.asks.values()].at(-1)?.refused;
    switch (tab) {
      case "response":
        if (refused) {
          delete panel.dataset.shows;
          set(panel, $(".panel_name", panel), el("article", { class: "stop", "data-fault": "refused" }, el("h3", null, "This did not run"), el("p", null, refused)));
        } else drawResponse(panel, runs, this.#page.limits, this.#preview);
        break;
      case "logs":
        if (runs.rows.length || this.#logs) {
          this.#logs ??= new LogPanel(panel, runs);
          this.#logs.draw();
        }
        break;
      case "timeline": drawTimeline(panel, runs); break;
      case "isolate": drawIsolate(panel, runs, this.#isolates, this.#page.limits); break;
      case "checks": drawChecks(panel, this.#checks); break;
    }
    markTasks(this.#checks);
  }
}
