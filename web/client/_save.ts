// Autosave. Every edit is kept in this browser at once and until the server
// has acknowledged it; saves carry the revision they began from, so two
// devices never overwrite each other silently.

export type Files = Record<string, string>;
export type Why = "edit" | "reset" | "solve" | "restore";
export type SaveState = "saved" | "saving" | "offline" | "conflict";

export interface SaveAnswer { status: number; revision?: number; files?: Files; error?: string }

export interface SaverOptions {
  project: string;
  revision: number;
  files: Files;
  /** Sends one save and gives the answer; rejects when the server cannot be reached. */
  put: (body: { base: number; files: Files; why: Why }, leaving: boolean) => Promise<SaveAnswer>;
  recall: <T>(key: string, fallback: T) => T;
  keep: (key: string, value: unknown) => boolean;
  state: (s: SaveState, message: string) => void;
  /** The files changed from outside: a draft came back, or another device saved. */
  adopt: (files: Files) => void;
  /** Two versions exist; the page asks which goes on and calls choose. */
  conflict: (theirs: Files) => void;
  later?: (fn: () => void, ms: number) => unknown;
  cancel?: (handle: unknown) => void;
}

interface Draft { base: number; files: Files; sent?: Files }

const debounce = 300; // ms after the last edit

export const same = (a: Files, b: Files): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((n) => a[n] === b[n]);
};

export class Saver {
  #o: Required<SaverOptions>;
  #files: Files;
  #revision: number;
  #dirty = false;
  #why: Why = "edit";
  #sent: Files | undefined;
  #busy: Promise<void> | null = null;
  #timer: unknown;
  #failures = 0;
  #refusal = ""; // why the server does not take what was typed
  #theirs: { revision: number; files: Files } | null = null;
  #kept = true;
  #newer = 0;

  constructor(o: SaverOptions) {
    this.#o = { later: (fn, ms) => setTimeout(fn, ms), cancel: (h) => clearTimeout(h as number), ...o };
    this.#files = { ...o.files };
    this.#revision = o.revision;
    this.#restore();
  }

  get revision(): number {
    return this.#revision;
  }

  get files(): Readonly<Files> {
    return this.#files;
  }

  /** Whether everything typed is acknowledged. */
  get clean(): boolean {
    return !this.#dirty && !this.#busy;
  }

  /** Takes an edit: new files whole. */
  edit(files: Files, why: Why = "edit"): void {
    if (same(files, this.#files)) return;
    this.#files = { ...files };
    this.#dirty = true;
    if (this.#why === "edit") this.#why = why;
    this.#journal();
    if (this.#theirs) return;
    this.#o.state("saving", "Saving");
    this.#schedule(why === "edit" ? debounce : 0);
  }

  /**
   * Saves what is not saved yet and resolves with the revision that holds
   * everything typed so far; rejects with one sentence when that cannot be.
   */
  async flush(): Promise<number> {
    for (let i = 0; i < 4 && !this.clean; i++) {
      this.#o.cancel(this.#timer);
      await this.#save(false);
      if (this.#theirs) throw new Error("Changed on two devices. Choose one first.");
      if (this.#refusal) throw new Error(this.#refusal);
      if (this.#failures) throw new Error("Offline. Your code is kept here; run again when the server answers.");
    }
    return this.#revision;
  }

  /** Sends the last words of a page that is going away. */
  leave(): void {
    if (!this.#dirty || this.#theirs) return;
    this.#journal();
    void this.#o.put({ base: this.#revision, files: this.#files, why: this.#why }, true).catch(() => {});
  }

  /** Tries again now, when the network is back. */
  retry(): void {
    if (this.#dirty && !this.#busy) this.#schedule(0);
  }

  /** Another tab or device saved this revision; fetch gives its files. */
  async remote(revision: number, fetch: () => Promise<{ revision: number; files: Files }>): Promise<void> {
    if (this.#busy) {
      this.#newer = Math.max(this.#newer, revision);
      await this.#busy;
    }
    if (revision <= this.#revision || this.#dirty) return; // our own, or the next save will find the conflict
    const got = await fetch();
    if (got.revision <= this.#revision || this.#dirty) return;
    this.#revision = got.revision;
    this.#files = { ...got.files };
    this.#o.adopt(this.#files);
  }

  /** Ends a conflict. Both stay: the one that does not go on is among the versions. */
  async choose(which: "mine" | "theirs"): Promise<void> {
    const theirs = this.#theirs;
    if (!theirs) return;
    this.#theirs = null;
    this.#revision = theirs.revision;
    await this.#save(false);
    if (which === "theirs" && !this.#theirs) {
      this.#o.adopt({ ...theirs.files });
      this.edit(theirs.files, "restore");
    }
  }

  get #key(): string {
    return `draft:${this.#o.project}`;
  }

  #journal(): void {
    const draft: Draft = { base: this.#revision, files: this.#files, ...(this.#sent ? { sent: this.#sent } : {}) };
    this.#kept = this.#o.keep(this.#key, draft);
  }

  #restore(): void {
    const draft = this.#o.recall<Draft | null>(this.#key, null);
    if (!draft?.files) return;
    if (same(draft.files, this.#files)) {
      this.#o.keep(this.#key, undefined);
      return;
    }
    const ours = draft.base === this.#revision || (draft.sent !== undefined && same(draft.sent, this.#files));
    const server = { revision: this.#revision, files: this.#files };
    this.#files = draft.files;
    this.#dirty = true;
    this.#o.adopt(this.#files);
    if (ours) {
      this.#o.state("saving", "Saving");
      this.#schedule(0);
    } else {
      this.#disagree(server);
    }
  }

  #disagree(theirs: { revision: number; files: Files }): void {
    this.#theirs = theirs;
    this.#journal();
    this.#o.state("conflict", "Changed on two devices");
    this.#o.conflict(theirs.files);
  }

  #schedule(ms: number): void {
    this.#o.cancel(this.#timer);
    this.#timer = this.#o.later(() => void this.#save(false), ms);
  }

  #save(leaving: boolean): Promise<void> {
    this.#busy ??= this.#send(leaving).finally(() => {
      this.#busy = null;
    });
    return this.#busy;
  }

  async #send(leaving: boolean): Promise<void> {
    if (!this.#dirty || this.#theirs) return;
    const files = this.#files;
    const why = this.#why;
    this.#sent = files;
    this.#journal();
    this.#why = "edit";
    let answer: SaveAnswer;
    try {
      answer = await this.#o.put({ base: this.#revision, files, why }, leaving);
    } catch {
      this.#fail(why, this.#kept
        ? "Offline. Kept in this browser until the server answers."
        : "Offline, and this browser keeps nothing. Stay on this page.");
      return;
    }
    if (answer.status === 409 && answer.files && answer.revision !== undefined) {
      if (!same(answer.files, files)) {
        this.#disagree({ revision: answer.revision, files: answer.files });
        return;
      }
    } else if (answer.status >= 500 || answer.status === 429) {
      this.#fail(why, "Offline. Kept in this browser until the server answers.");
      return;
    } else if (answer.status >= 400 || answer.revision === undefined) {
      this.#refusal = answer.error ?? "Not saved. Kept in this browser.";
      this.#o.state("offline", this.#refusal);
      return;
    }
    this.#failures = 0;
    this.#refusal = "";
    this.#revision = answer.revision;
    this.#sent = undefined;
    if (this.#files === files) {
      this.#dirty = false;
      this.#o.keep(this.#key, undefined);
      this.#o.state("saved", "Saved");
    } else {
      this.#journal();
      this.#schedule(debounce);
    }
  }

  #fail(why: Why, message: string): void {
    this.#why = why;
    this.#failures++;
    this.#o.state("offline", message);
    this.#schedule(Math.min(15_000, 500 * 2 ** this.#failures));
  }
}
