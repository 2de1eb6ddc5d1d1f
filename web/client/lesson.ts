// The lesson page: joins the parts of the workbench.

import assets from "coldstart:assets";
import { connection } from "./_banner.ts";
import { $, $$, breath, button, drawn, el, keep, paint, recall, say, set } from "./_dom.ts";
import { at, count, duration, faultTitle, percentile, size, spoken } from "./_format.ts";
import { classNews, handButton } from "./_class.ts";
import { Cover } from "./_cover.ts";
import { FileBar } from "./_files.ts";
import { Api, readPage, type PageData } from "./_page.ts";
import { figure, Labs } from "./_lab.ts";
import { pieces } from "./_pieces.ts";
import { bytes, subprotocol, type Fault, type ServerMessage } from "./protocol.ts";
import { RequestBuilder } from "./_request.ts";
import { Checks, requestLine, Runs, temperature, wall, type Ask, type Run } from "./_runs.ts";
import { same, Saver, type Files, type Why } from "./_save.ts";
import { Live, type Wire } from "./_socket.ts";
import { splits } from "./_split.ts";
import { everywhere, panes, readouts } from "./_tabs.ts";
import type { Redrawn } from "./_author.ts";
import type { Editor, Keys, Note } from "./_editor.ts";
import type { TypeService } from "./_types.ts";

const foundations = [
  () => import("./_state.ts"), () => import("./_view.ts"), () => import("./_syntax.ts"), () => import("./_commands.ts"),
];

type Panels = typeof import("./_panels.ts");
type Sheets = typeof import("./_sheets.ts");

class Lesson {
  #page: PageData;
  #api: Api;
  #runs = new Runs();
  #checks = new Checks();
  #saver: Saver;
  #live!: Live;
  #labs!: Labs;
  #request: RequestBuilder;
  #bar: FileBar;
  #cover: Cover;
  #panels: InstanceType<Panels["Panels"]> | null = null;
  #loadingPanels: Promise<void> | null = null;
  #editor: Editor | null = null;
  #loadingEditor: Promise<Editor> | null = null;
  #types: Promise<TypeService | null> | null = null;
  #form: HTMLFormElement;
  #openTab!: (name: string) => void;
  #go!: (pane: string) => void;
  #tab = "";
  #tick = 0;
  #keymap: Keys = "default";
  #touched = new Set<string>();

  constructor(page: PageData, form: HTMLFormElement) {
    this.#page = page;
    this.#form = form;
    this.#api = new Api(page.project, page.text);
    this.#runs.begin(page.runs ?? 0);
    this.#cover = new Cover(page.lesson);
    this.#saver = new Saver({
      project: page.project, revision: page.revision, files: page.files, put: this.#api.put, recall, keep,
      state: (s, text) => {
        const e = $(".files_saved");
        if (e && e.textContent !== text) e.textContent = text;
        if (s === "saved") this.#touched.clear();
        if (s !== "saving") this.#marks();
      },
      // Not yet constructed parts have nothing to refresh.
      adopt: () => queueMicrotask(() => this.#adopted()),
      conflict: (theirs) => queueMicrotask(() => void this.#sheets().then((s) =>
        s.conflictSheet(this.#saver.files, theirs, (which) => void this.#saver.choose(which)))),
    });
    this.#request = new RequestBuilder(form, page.project, page.request, page.url);
    this.#bar = new FileBar($(".files") as HTMLElement, {
      files: () => this.#saver.files,
      open: page.open,
      show: (path, focus) => this.#show(path, focus),
      change: (files, renamed) => {
        if (renamed) this.#editor?.renamed(...renamed);
        this.#step(files, "edit");
      },
    });
  }

  /** Connects, and takes what the learner does. A task of its own: constructing is one already. */
  begin(): void {
    const page = this.#page;
    this.#openTab = readouts((name) => {
      this.#tab = name;
      this.#draw();
      if (name === "isolate") this.#askPages();
    });
    this.#go = panes((pane) => {
      if (pane === "result") this.#draw();
      if (pane === "code") void this.#edit();
    });
    this.#live = new Live({
      project: page.project,
      open: () => new WebSocket(new URL(page.live || "/api/live", location.href.replace(/^http/, "ws")), subprotocol) as unknown as Wire,
      message: (m) => this.#take(m),
      state: (s) => this.#connection(s),
      restart: () => {
        this.#labs?.forget();
        this.#runs.forget("The server began anew, so this run will not report. Run again.");
        this.#draw();
      },
    });
    this.#labs = new Labs({ send: (m) => this.#live.send(m), flush: () => this.#saver.flush(), id: () => this.#runs.id(), covered: () => this.#cover.open !== null });
    this.#listen();
    this.#plainEditor();
    this.#whenSeen();
    this.#covered();
  }

  // Events of the page.

  #listen(): void {
    document.addEventListener("click", (e) => this.#click(e));
    document.addEventListener("keydown", (e) => this.#key(e));
    handButton((text) => this.#notice(text));
    this.#form.addEventListener("submit", (e) => {
      e.preventDefault();
      const by = (e as SubmitEvent).submitter as HTMLButtonElement | null;
      const action = by?.dataset.do ?? "run";
      if (action === "run-first") by?.closest<HTMLElement>(".panel")?.focus(); // the button goes, the place stays
      if (action === "run-checks") void this.#check();
      else if (by?.value === "cold20") void this.#run(20, true);
      else if (by?.value === "warm20") void this.#run(20, false);
      else if (this.#runs.pending && by?.classList.contains("is-running")) this.#cancel();
      else void this.#run(1, false);
    });
    addEventListener("pagehide", () => this.#saver.leave());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#saver.leave();
    });
    document.addEventListener("coldstart:answered", () => this.#draw());
    document.addEventListener("coldstart:redrawn", (e) => this.#redrawn((e as CustomEvent<Redrawn>).detail.page));
    addEventListener("offline", () => this.#live.drop());
    addEventListener("online", () => {
      this.#live.now();
      this.#saver.retry();
    });
  }

  #click(e: MouseEvent): void {
    const target = (e.target as Element).closest<HTMLElement>("[data-do], a[data-file], [data-open]");
    if (!target) return;
    if (target.matches("a[data-file]")) {
      e.preventDefault();
      this.#jump(target.dataset.file ?? "", Number(target.dataset.line), Number(target.dataset.column));
      return;
    }
    if (target.dataset.open) {
      e.preventDefault();
      this.#openTab(target.dataset.open);
      this.#go("result");
      return;
    }
    if (this.#act(target.dataset.do ?? "", target)) e.preventDefault();
  }

  /** Does what a button names; false leaves the click to others. */
  #act(action: string, target: HTMLElement): boolean {
    if (target.getAttribute("aria-disabled") === "true") return true;
    switch (action) {
      case "run": if ((target as HTMLButtonElement).form) return false; void this.#run(1, false); break;
      case "run-checks": void this.#check(); break;
      case "cancel": this.#cancel(); break;
      case "cancel-checks": this.#live.send({ type: "cancel", id: this.#checks.id }); break;
      case "undo": this.#undo(); break;
      case "reset": this.#step(this.#page.starter, "reset"); say("Reset. Undo brings your files back."); break;
      case "solution": this.#diff(true); break;
      case "back-to-code": this.#diff(false); break;
      case "use-solution": void this.#solve(); break;
      case "versions": void this.#versions(); break;
      case "format": void this.#format(); break;
      case "evict": this.#order({ type: "evict" }, "Evicted. The next request starts cold."); break;
      case "keep": {
        const on = target.getAttribute("aria-pressed") !== "true";
        this.#order(on ? { type: "keep", on } : { type: "keep" }, on ? "Kept warm." : "No longer kept warm.");
        break;
      }
      case "clear-logs": this.#runs.clearLogs(); this.#draw(); break;
      case "keys": void this.#keysSheet(); break;
      case "predict": this.#predict(); break;
      case "skip-prediction": {
        const lab = target.closest(".lab");
        this.#cover.skip();
        this.#draw();
        (lab ? $("form button, form input:not([type=hidden])", lab) : $("#result .readouts [aria-selected=true]"))?.focus();
        break;
      }
      default: return this.#request.act(action);
    }
    return true;
  }

  #key(e: KeyboardEvent): void {
    if (e.defaultPrevented || e.isComposing) return;
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey) {
      e.preventDefault();
      void this.#run(1, false);
      return;
    }
    if ((e.key.toLowerCase() === "f" || e.code === "KeyF") && e.shiftKey && e.altKey && !e.ctrlKey && !e.metaKey) {
      e.preventDefault();
      void this.#format();
      return;
    }
    const typing = (e.target as Element).closest?.("input, textarea, select, [contenteditable=true]");
    if (e.key === "?" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
      e.preventDefault();
      void this.#keysSheet();
    }
  }

  // Runs.

  async #run(times: number, cold: boolean): Promise<void> {
    if (this.#runs.pending) {
      say("A run is under way.");
      return;
    }
    let ask: Ask | null = null;
    try {
      const request = this.#request.read();
      if (!this.#live.ready) throw new Error("Not connected. Run again in a moment.");
      ask = this.#runs.ask(request, times, cold);
      this.#request.remember(request);
      this.#running();
      if (matchMedia("(max-width: 52rem)").matches) this.#go("result");
      void this.#loadPanels();
      this.#draw();
      const revision = await this.#saver.flush();
      const message = { type: "run", id: ask.id, revision, request, ...(cold ? { cold } : {}), ...(times > 1 ? { times } : {}) } as const;
      if (!this.#live.send(message)) throw new Error("Not connected. Run again in a moment.");
    } catch (e) {
      this.#refuse((e as Error).message, ask);
    }
  }

  #refuse(why: string, ask: Ask | null): void {
    if (ask) this.#runs.refuse(ask, why);
    say(why);
    if (!ask) this.#notice(why);
    this.#running();
    this.#draw();
  }

  #cancel(): void {
    const ask = this.#runs.pending;
    if (!ask) return;
    ask.stopped = true;
    this.#live.send({ type: "cancel", id: ask.id });
  }

  async #check(): Promise<void> {
    if (!this.#checks.over) return;
    const id = this.#runs.id();
    try {
      if (!this.#live.ready) throw new Error("Not connected. Check again in a moment.");
      this.#checks.begin(id);
      this.#openTab("checks");
      if (matchMedia("(max-width: 52rem)").matches) this.#go("result");
      void this.#loadPanels();
      this.#draw();
      const revision = await this.#saver.flush();
      if (!this.#live.send({ type: "check", id, revision })) throw new Error("Not connected. Check again in a moment.");
    } catch (e) {
      this.#checks.refuse((e as Error).message);
      say(this.#checks.refused);
      this.#draw();
    }
  }

  #order(m: { type: "evict" } | { type: "keep"; on?: boolean }, done: string): void {
    say(this.#live.send(m) ? done : "Not connected. Try again in a moment.");
  }

  // The main button stops a run that takes long; it keeps its place and size.
  #running(): void {
    clearTimeout(this.#tick);
    const main = $<HTMLButtonElement>("button[data-do=run]", this.#form) ?? $<HTMLButtonElement>("button[type=submit]", this.#form);
    if (!main) return;
    const ask = this.#runs.pending;
    const slow = !!ask && performance.now() - ask.begun > 400;
    if (slow !== main.classList.contains("is-running")) {
      main.style.minWidth = slow ? `${main.offsetWidth}px` : "";
      main.classList.toggle("is-running", slow);
      if (slow) set(main, "Stop");
      else main.replaceChildren(...this.#mainWords);
    }
    if (ask) {
      this.#tick = setTimeout(() => {
        this.#running();
        this.#draw();
      }, 250);
    }
  }

  #mainWords: Node[] = [];

  // What arrives.

  #take(m: ServerMessage): void {
    switch (m.type) {
      case "welcome":
        this.#runs.forget("The connection was lost before this run was known to the server. Run again.", m.running ?? []);
        this.#runs.live(m.isolates ?? []);
        this.#labs?.forget(m.running);
        if (m.revision) this.#elsewhere(m.revision);
        break;
      case "event": {
        if (!m.event) break;
        const run = this.#runs.take(m.event);
        if (m.event.isolate) this.#panels?.heard(m.event.isolate.id);
        if (run?.n && m.event.kind === "done") this.#finished(run);
        break;
      }
      case "check":
        if (m.check) {
          this.#checks.take(m.check);
          if (m.check.done) this.#checked();
        }
        break;
      case "lab":
        if (m.lab) {
          this.#labs.take(m.lab);
          if (m.lab.done) measured();
        }
        break;
      case "class": if (m.class) classNews(m.class); break;
      case "isolates": this.#runs.live(m.isolates ?? []); break;
      case "pages": if (m.isolate && m.pages !== undefined) this.#panels?.pages(m.isolate, bytes(m.pages)); break;
      case "saved": if (m.revision) this.#elsewhere(m.revision); break;
      case "error": this.#error(m); break;
    }
    paint(this.#draw);
  }

  #error(m: ServerMessage): void {
    const why = m.message ?? "The server refused.";
    const ask = m.id ? this.#runs.asks.get(m.id) : null;
    if (ask) this.#refuse(why, ask);
    else if (m.id && this.#labs.refused(m.id, why)) return;
    else if (m.id && m.id === this.#checks.id) {
      this.#checks.refuse(why);
      say(why);
    } else {
      say(why);
      this.#notice(why);
    }
  }

  #finished(run: Run): void {
    if (run.ask && !run.ask.over) return;
    this.#running();
    const covered = this.#covered();
    this.#notes(covered ? null : run.fault, "");
    if (run.ask) figures(run.ask);
    if (run.ask && run.ask.times > 1) measured();
    if (covered) say(`Run ${run.n} ended. Its result is covered: predict first, or skip that.`);
    else say(run.ask && run.ask.times > 1 ? many(run.ask) : one(run));
    if (this.#tab === "isolate") this.#askPages();
  }

  #checked(): void {
    const failed = this.#checks.list.find((c) => c.state === "failed" && (c.fault ?? c.frame));
    const from = failed ? `Check ${failed.task ?? ""} stopped here.` : "";
    const fault: Fault | null = failed?.fault ?? (failed?.frame ? { kind: "exception", message: failed.message ?? failed.name ?? "Check failed", frames: [failed.frame] } : null);
    this.#notes(fault, from);
    const { passed, total } = this.#checks;
    say(this.#checks.refused || (passed < total ? `${passed} of ${total} checks pass.` : total === 1 ? "The check passes." : `All ${total} checks pass.`));
  }

  #notes(fault: Fault | null, from: string): void {
    const f = fault?.frames?.find((x) => x.file in this.#saver.files);
    const notes: Note[] = fault && f ? [{ file: f.file, line: f.line, column: f.column ?? 0, fault, from }] : [];
    this.#pendingNotes = notes;
    this.#editor?.note(notes);
    this.#marks();
  }

  #pendingNotes: Note[] = [];

  #marks(): void {
    const faults = new Map<string, number>();
    for (const n of this.#pendingNotes) faults.set(n.file, (faults.get(n.file) ?? 0) + 1);
    this.#bar?.mark(faults, this.#touched);
    news("switch-code", this.#pendingNotes.length ? count(this.#pendingNotes.length, "error") : count(Object.keys(this.#saver?.files ?? {}).length, "file"));
  }

  #askPages(): void {
    const isolate = this.#panels?.isolate();
    if (isolate && isolate.state !== "evicted" && isolate.state !== "killed") this.#live?.send({ type: "pages", isolate: isolate.id });
  }

  // What is drawn.

  #loadPanels(): Promise<void> {
    this.#loadingPanels ??= import("./_panels.ts").then(({ Panels }) => {
      this.#panels = new Panels(this.#runs, this.#checks, this.#page);
      this.#draw();
      if (this.#tab === "isolate") this.#askPages();
    });
    return this.#loadingPanels;
  }

  /** Whether what a run showed waits for a prediction. Code that does not build has nothing to predict. */
  #covered(): boolean {
    const kind = this.#runs.last?.fault?.kind;
    return this.#cover.show((this.#runs.list.length > 0 || (this.#page.runs ?? 0) > 0) && kind !== "build" && kind !== "config");
  }

  #predict(): void {
    const question = this.#cover.open;
    this.#go("lesson");
    question?.scrollIntoView({ block: "center" });
    $<HTMLElement>("input:not([type=hidden]), select", question ?? undefined)?.focus({ preventScroll: true });
  }

  #draw = (): void => {
    if (!this.#live) return; // still beginning
    this.#readouts(this.#covered());
    this.#panels?.draw(this.#tab);
  };

  #readouts(covered: boolean): void {
    const run = this.#runs.last;
    const ask = this.#runs.pending;
    const refused = [...this.#runs.asks.values()].at(-1)?.refused;
    if (refused) readout("response", "not run", null, false);
    else if (ask && !ask.runs.length) readout("response", "running", null, false);
    if (run) {
      const t = temperature(run);
      const status = run.head?.status ?? run.summary?.status;
      if (!refused && !(ask && !ask.runs.length)) {
        readout("response", run.over || run.head ? (status ? `${status} · ${size(run.bodyBytes)}` : shortFault(run.fault)) : run.queued ? `in line: ${run.queued.place}` : "running", null, !!run.fault);
      }
      readout("logs", run.errors ? count(run.errors, "error") : run.logs ? count(run.logs, "line") : "none", null, run.errors > 0);
      if (run.over) {
        readout("timeline", duration(wall(run)), t, false);
        news("switch-result", covered ? "covered" : duration(wall(run)));
      }
      const state = this.#runs.isolates.find((i) => i.id === (run.summary?.isolate ?? run.isolate?.id))?.state ?? run.isolate?.state;
      if (state) readout("isolate", state, state === "cold" || state === "warm" ? state : null, false);
    }
    if (this.#checks.id) {
      const { over, passed, total, list, refused: no } = this.#checks;
      const done = list.filter((c) => c.state === "passed").length;
      readout("checks", no ? "not run" : over ? `${passed} of ${total}` : `${done} so far`, null, over && passed < total);
    }
  }

  // Files and the editor.

  #plainEditor(): void {
    // Until the editor is there, the plain text areas save as well.
    for (const area of $$<HTMLTextAreaElement>("textarea[data-path]")) {
      const path = area.dataset.path ?? "";
      const text = this.#saver.files[path];
      if (text !== undefined && area.value !== text) area.value = text;
      area.addEventListener("input", () => this.#edited(path, area.value));
    }
  }

  #edited(path: string, text: string): void {
    this.#saver.edit({ ...this.#saver.files, [path]: text });
    if (!this.#touched.has(path)) {
      this.#touched.add(path);
      this.#marks();
    }
  }

  #whenSeen(): void {
    const host = $("#view-edit");
    if (!host) return;
    const main = $<HTMLButtonElement>("button[data-do=run]", this.#form) ?? $<HTMLButtonElement>("button[type=submit]", this.#form);
    this.#mainWords = [...(main?.childNodes ?? [])];
    const idle = (fn: () => void, ms: number) =>
      "requestIdleCallback" in window ? requestIdleCallback(fn, { timeout: ms }) : setTimeout(fn, 200);
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      seen.disconnect();
      idle(() => void this.#edit(), 1000);
    }, { rootMargin: "400px" });
    seen.observe(host);
    idle(() => void this.#loadPanels(), 3000);
  }

  #edit(): Promise<Editor> {
    this.#loadingEditor ??= (async () => {
      for (const part of foundations) { // evaluating each is a task of its own, as is making the editor
        await part();
        await breath();
      }
      const { Editor } = await import("./_editor.ts");
      await breath();
      const editor = await Editor.make({
        nonce: $<HTMLMetaElement>("meta[name=csp-nonce]")?.content ?? "",
        files: this.#saver.files, open: this.#bar.current,
        edited: (path, text) => this.#edited(path, text),
        run: () => void this.#run(1, false),
        save: () => void this.#saver.flush().then(() => say("Saved."), (e: Error) => this.#notice(e.message)),
        undoStep: () => this.#undoStep(),
        cursor: (line, column) => {
          const e = $("#caret");
          if (e) e.textContent = `Line ${line}, column ${column}`;
        },
      });
      const host = $(".editor_host") ?? $("#view-edit") as HTMLElement;
      const at = document.activeElement instanceof HTMLTextAreaElement && host.contains(document.activeElement) ? document.activeElement : null;
      const caret = at?.selectionStart ?? 0;
      editor.mount(host);
      editor.show(this.#bar.current, this.#saver.files); // what happened while it was prepared
      editor.adopt(this.#saver.files);
      this.#editor = editor;
      if (this.#pendingNotes.length) editor.note(this.#pendingNotes);
      if (at) {
        editor.view.dispatch({ selection: { anchor: Math.min(caret, editor.view.state.doc.length) } });
        editor.view.focus();
      }
      const { keymapChoice } = await this.#sheets();
      this.#keymap = keymapChoice();
      await this.#bind(editor);
      const saving = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
      if (!saving) {
        editor.view.contentDOM.addEventListener("focus", () => void this.#typeService(), { once: true });
        setTimeout(() => void this.#typeService(), 4000);
      }
      return editor;
    })();
    return this.#loadingEditor;
  }

  #typeService(): Promise<TypeService | null> {
    const worker = $<HTMLMetaElement>("meta[name=types-worker]")?.content || assets["types.worker.js"];
    const types = assets["types.json"];
    if (!worker || !types) return Promise.resolve(null);
    this.#types ??= import("./_types.ts").then(async ({ TypeService }) => {
      const service = await TypeService.start(worker, types, () => this.#saver.files, (name) => assets[`types-${name}.json`]);
      this.#editor?.types(service.extension(() => this.#bar.current, (path, line, column) => this.#jump(path, line, column)));
      document.documentElement.dataset.types = "ready";
      return service;
    }).catch(() => null); // without it the editor still edits
    return this.#types;
  }

  #show(path: string, focus: boolean): void {
    this.#diff(false);
    if (this.#editor) {
      this.#editor.show(path, this.#saver.files, focus);
      return;
    }
    for (const area of $$<HTMLTextAreaElement>("textarea[data-path]")) {
      area.hidden = area.dataset.path !== path;
      if (!area.hidden && focus) area.focus();
    }
    if (focus) void this.#edit().then((e) => e.show(this.#bar.current, this.#saver.files, true));
  }

  #jump(file: string, line: number, column: number): void {
    if (!(file in this.#saver.files)) {
      say(`${at({ file, line })} is not among your files.`);
      return;
    }
    this.#go("code");
    void this.#edit().then((editor) => {
      this.#bar.show(file, false);
      editor.jump(line, column);
    });
  }

  #adopted(): void {
    this.#bar.refresh();
    const files = this.#saver.files;
    this.#editor?.adopt(files);
    for (const area of $$<HTMLTextAreaElement>("textarea[data-path]")) {
      const text = files[area.dataset.path ?? ""];
      if (text !== undefined && area.value !== text) area.value = text;
    }
  }

  /** Changes several files as one step, which one Undo takes back, also after a reload. */
  #step(files: Files, why: Why): void {
    const before = { ...this.#saver.files };
    if (same(before, files)) return;
    keep(`undo:${this.#page.project}`, { before, after: files });
    this.#saver.edit(files, why);
    this.#notes(null, "");
    this.#adopted();
  }

  /** The lesson was saved by its author: files that were still the starter's follow it, others stay. */
  #redrawn(drawn: Document): void {
    const text = drawn.getElementById("page-data")?.textContent;
    if (!text) return;
    this.#covered();
    const { starter, solution } = JSON.parse(text) as PageData;
    const untouched = same({ ...this.#saver.files }, this.#page.starter);
    this.#page.starter = starter;
    this.#page.solution = solution;
    if (untouched) this.#step(starter, "reset");
  }

  #undoStep(): boolean {
    const step = recall<{ before: Files; after: Files } | null>(`undo:${this.#page.project}`, null);
    if (!step || !same(step.after, this.#saver.files)) return false;
    keep(`undo:${this.#page.project}`, undefined);
    this.#saver.edit(step.before, "restore");
    this.#adopted();
    say("Undone. Your files are as they were.");
    return true;
  }

  #undo(): void {
    if (this.#undoStep() || this.#editor?.undo()) return;
    if (this.#page.back) void this.#back(this.#page.back);
    else say("Nothing to undo.");
  }

  /** Takes the lesson's update back: another text and other files, so the page loads again. */
  async #back(to: string): Promise<void> {
    try {
      await this.#saver.flush();
      const form = el("form", { method: "post", action: to });
      document.body.append(form);
      form.submit();
    } catch (e) {
      this.#notice((e as Error).message);
    }
  }

  /** A newer revision of the files was saved by another page. */
  #elsewhere(revision: number): void {
    void this.#saver.remote(revision, async () => {
      const got = await this.#api.read();
      if (got.text && got.text !== this.#page.text) this.#notice("Another page of yours took another revision of this lesson. Load this page again to read it.");
      return got;
    }).catch(() => {});
  }

  #diff(on: boolean): void {
    const diff = $("#view-diff");
    const edit = $("#view-edit");
    if (!diff || !edit || diff.hidden !== on) return;
    diff.hidden = !on;
    edit.hidden = on;
    if (on) {
      this.#go("code");
      $<HTMLElement>("pre", diff)?.focus();
    }
  }

  async #solve(): Promise<void> {
    try {
      const { files } = await this.#api.solution();
      this.#diff(false);
      this.#step({ ...this.#page.starter, ...files }, "solve");
      say("Our solution is in place. Undo brings your files back.");
    } catch (e) {
      this.#notice((e as Error).message);
    }
  }

  async #format(): Promise<void> {
    const editor = await this.#edit();
    await editor.complete;
    const path = this.#bar.current;
    const service = /\.([cm]?[jt]s|[jt]sx)$/.test(path) ? await this.#typeService() : null;
    if (service) editor.rewrite(await service.call("format", path));
    else editor.indent();
    say("Formatted.");
  }

  // Sheets.

  #sheets(): Promise<Sheets> {
    return import("./_sheets.ts");
  }

  async #keysSheet(): Promise<void> {
    const { keysSheet, keepKeymap } = await this.#sheets();
    keysSheet(this.#keymap, (k) => {
      this.#keymap = k;
      keepKeymap(k);
      void this.#edit().then((e) => this.#bind(e));
    });
  }

  /** Gives the editor the chosen keys, and says below it how they let go of it. */
  async #bind(editor: Editor): Promise<void> {
    await editor.keys(this.#keymap);
    const says = $(".editor_foot span");
    if (says) says.textContent = this.#keymap === "vim" ? "Vim: Esc twice, then Tab, leaves the editor." : "Tab indents. Esc, then Tab, leaves the editor.";
  }

  async #versions(): Promise<void> {
    try {
      const list = await this.#api.versions();
      const { versionsSheet } = await this.#sheets();
      versionsSheet(list, this.#saver.files, this.#api.version, (files, revision) => {
        this.#step(files, "restore");
        say(`Revision ${revision} is back. Undo returns.`);
      });
    } catch (e) {
      this.#notice((e as Error).message);
    }
  }

  // The banner.

  #connection(s: "open" | "lost"): void {
    connection(s, {
      safe: "Your code is safe; log lines will follow in order. Nothing runs twice.", whose: "code", now: () => this.#live.now(),
    });
    if (s === "open") this.#saver.retry();
  }

  #notice(text: string): void {
    $(".banner-notice")?.remove();
    const b = el("div", { class: "banner banner-live banner-notice", role: "status" }, el("p", null, text),
      button("dismiss", "Dismiss", { click: () => b.remove() }));
    document.body.append(b);
    setTimeout(() => b.remove(), 12_000);
  }
}

function readout(name: string, value: string, temp: string | null, fault: boolean): void {
  const tab = document.getElementById(`tab-${name}`);
  const e = tab && $(".readout_value", tab);
  if (!tab || !e) return;
  tab.classList.toggle("readout-fault", fault);
  if (e.textContent === value && (e.firstElementChild?.className ?? "") === (temp ?? "")) return;
  set(e, temp ? el("span", { class: temp }, value) : value);
}

function news(id: string, text: string): void {
  const e = document.getElementById(id);
  if (e && e.textContent !== text) e.textContent = text;
}

const faultWords: Record<string, string> = {
  build: "build error", config: "config error", exception: "exception", startup: "start failed", handler: "no handler", cpu: "CPU limit",
  wall: "time limit", memory: "memory limit", hung: "never resolves", limit: "limit", busy: "busy", runner: "runner replaced", platform: "our fault",
  canceled: "canceled",
};
const shortFault = (f: Fault | null): string => (f ? (faultWords[f.kind] ?? f.kind) : "no response");

/** One run in one sentence, for who listens. */
function one(run: Run): string {
  const t = temperature(run);
  const head = `Run ${run.n}: `;
  if (run.fault) {
    const f = run.fault.frames?.[0];
    return `${head}${faultTitle(run.fault)}${f?.line ? `, ${at(f)}` : ""}.`;
  }
  const parts = [String(run.head?.status ?? run.summary?.status ?? "no response"), count(run.bodyBytes, "byte"), t, spoken(wall(run))];
  if (run.logs) parts.push(count(run.logs, "log line"));
  return `${head}${parts.filter(Boolean).join(", ")}.`;
}

function many(ask: Ask): string {
  const times = ask.runs.filter((r) => r.summary && !r.fault).map(wall).sort((a, b) => a - b);
  if (!times.length) return `${requestLine(ask.request)}: no run of ${ask.times} ended well.`;
  return `${times.length} ${ask.cold ? "cold" : "warm"} runs: half within ${spoken(percentile(times, 0.5))}, 99 of 100 within ${spoken(percentile(times, 0.99))}.`;
}

/** Fills the text's placeholders from repeated runs, as the server does when the page loads. */
function figures(ask: Ask): void {
  if (ask.times < 2) return;
  for (const t of ["cold", "warm"] as const) {
    const times = ask.runs.filter((r) => r.summary?.outcome === "ok" && temperature(r) === t).map(wall).sort((a, b) => a - b);
    if (!times.length) continue;
    const at = { p50: times[(times.length - 1) >> 1], p99: times[times.length - 1 - Math.floor(times.length / 100)], min: times[0], max: times.at(-1) };
    for (const [name, us] of Object.entries(at)) figure(`${t}.${name}`, duration(us ?? 0));
  }
}

/** Tells that the server has new figures of this learner. */
const measured = (): void => { document.dispatchEvent(new CustomEvent("coldstart:measured")); };

/** Lets in a part of the page that components.css holds back from the first frame. */
const enter = (part: Element | null): void => part?.classList.add("is-in");
const article = $("#lesson");

/** Lets in the rest of the text, a little a frame. */
async function restOfText(): Promise<void> {
  let much = 0;
  for (const part of article?.children ?? []) {
    enter(part);
    much += part.childElementCount && part.querySelectorAll("*").length;
    if (much < 40) continue;
    much = 0;
    await drawn();
  }
  enter(article);
}

const visit = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
document.documentElement.classList.add("js");
// A page that is read again, or from one of its sections on, has its height at once: the browser is about to scroll it.
if (visit?.type !== "navigate" || location.hash) {
  for (const part of [$(".code"), $(".result"), article, ...article?.children ?? []]) enter(part);
}
// Loading again keeps the text where it was, and so slips past a banner that was not there before.
addEventListener("load", () => requestAnimationFrame(() => {
  const high = $$(".banner:not(.banner-live)").reduce((sum, b) => sum + b.offsetHeight, 0);
  if (scrollY > 0 && scrollY <= high) scrollTo(0, 0);
}));
everywhere();
void breath().then(async () => { // the browser lays out first what is read first
  pieces();
  // Who comes from another lesson hears and reads the new heading first.
  if (/\/learn\//.test(document.referrer) && document.referrer !== location.href && !location.hash && visit?.type === "navigate") {
    $("#lesson h1")?.focus({ preventScroll: true });
  }
  for (const part of [".code", ".result"]) {
    await drawn();
    enter($(part));
  }
  await drawn();
  const page = readPage();
  const form = $<HTMLFormElement>("form.runbar");
  if (page && form) {
    splits();
    const lesson = new Lesson(page, form);
    await breath();
    lesson.begin();
    await breath();
  }
  await restOfText();
});
