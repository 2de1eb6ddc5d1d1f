// What the server says about this page, in <script type="application/json" id="page-data">.

import { $, keepsCookies } from "./_dom.ts";
import type { Request } from "./protocol.ts";
import type { Files, SaveAnswer, Why } from "./_save.ts";

export interface PageData {
  lesson: string;
  /** The learner's project: its id in the API, its saved revision and its files. */
  project: string;
  revision: number;
  /** The revision of the lesson that the page shows. */
  text: string;
  /** Posting here takes back that the lesson's newer revision was taken; absent when that was not the last step. */
  back?: string;
  files: Files;
  /** The files as the lesson gives them. */
  starter: Files;
  /** The file shown first. */
  open: string;
  /** What the request builder begins with. */
  request: Request;
  /** Where this learner's Worker answers anyone: "http://host/w/slug", without a final slash. */
  url: string;
  /** The address of the live session. */
  live: string;
  /** Whether there is a solution to compare with. */
  solution: boolean;
  limits: { cpu_us: number; memory_bytes: number; idle_us: number };
  /** Whether the lesson is being written: the page reloads when it is saved. */
  author?: boolean;
  /** The counter of the newest run that the server drew. */
  runs?: number;
}

export interface Version { revision: number; saved: number; why: string }

/** Reads the page's data; null on a page without a workbench. */
export function readPage(): PageData | null {
  const text = $("#page-data")?.textContent;
  return text ? (JSON.parse(text) as PageData) : null;
}

/** The project's part of the API. Every call rejects with one sentence when there is no answer. */
export class Api {
  #base: string;
  #text: string;

  constructor(project: string, text: string) {
    this.#base = `/api/projects/${encodeURIComponent(project)}`;
    this.#text = text;
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(this.#base + path, { headers: { accept: "application/json" } }).catch(() => null);
    if (!answer) throw new Error("Offline. The server does not answer.");
    const body = (await answer.json().catch(() => ({}))) as T & { error?: string };
    if (!answer.ok) throw new Error(body.error ?? `The server answered ${answer.status}.`);
    return body;
  }

  read = (): Promise<{ revision: number; files: Files; text?: string }> => this.#get("");
  versions = (): Promise<Version[]> => this.#get("/versions");
  version = (revision: number): Promise<{ revision: number; files: Files }> => this.#get(`/versions/${revision}`);
  solution = (): Promise<{ files: Files }> => this.#get("/solution");

  /** Sends one save. Leaving: the page is going away, so the browser finishes the request without it. */
  put = async (body: { base: number; files: Files; why: Why }, leaving: boolean): Promise<SaveAnswer> => {
    // Without a cookie each save would be another learner's.
    if (!keepsCookies()) return { status: 401, error: "Not saved: this browser blocks cookies." };
    const text = JSON.stringify({ ...body, text: this.#text });
    const answer = await fetch(this.#base, {
      method: "PUT", body: text, headers: { "content-type": "application/json", accept: "application/json" },
      // Browsers allow 64 KiB to outlive a page; a bigger draft stays in this browser.
      keepalive: leaving && text.length < 60_000,
      ...(leaving ? {} : { signal: AbortSignal.timeout(10_000) }),
    });
    const json = (await answer.json().catch(() => ({}))) as Omit<SaveAnswer, "status">;
    return { ...json, status: answer.status };
  };
}
