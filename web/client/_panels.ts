// The five panels, loaded when the page is idle or at the first run. Only the
// one in sight is drawn, and only when what it shows has changed: while log
// lines stream, a frame has time for little else than them.

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
  #drawn = "";
  #marked = 0;

  constructor(runs: Runs, checks: Checks, page: PageData) {
    this.#runs = runs;
    this.#checks = checks;
    this.#page = page;
    document.addEventListener("coldstart:redrawn", () => {
      this.#marked = -1;
      this.#mark();
    });
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
    this.#mark();
    if (!panel || panel.hidden) return;
    const runs = this.#runs;
    const now = [tab, runs.changes, this.#checks.changes, this.#isolates.changes].join(" ");
    const same = now === this.#drawn;
    this.#drawn = now;
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
      case "timeline": if (!same) drawTimeline(panel, runs); break;
      case "isolate": if (!same) drawIsolate(panel, runs, this.#isolates, this.#page.limits); break;
      case "checks": if (!same) drawChecks(panel, this.#checks); break;
    }
  }

  #mark(): void {
    if (this.#marked === this.#checks.changes) return;
    this.#marked = this.#checks.changes;
    markTasks(this.#checks);
  }
}
