// The request builder: method, path, headers, body, earlier requests, curl.

import { $, button, el, keep, put, recall, say, set } from "./_dom.ts";
import type { Request } from "./protocol.ts";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const remembered = 30;

/** "name: value" lines as pairs; a line without a colon is told apart by its number. */
export function parseHeaders(text: string): { headers: [string, string][]; bad: number } {
  const headers: [string, string][] = [];
  let bad = 0;
  text.split("\n").forEach((line, i) => {
    if (!line.trim()) return;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    if (colon < 1 || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) bad ||= i + 1;
    else headers.push([name, line.slice(colon + 1).trim()]);
  });
  return { headers, bad };
}

const quote = (s: string): string => `'${s.replaceAll("'", `'\\''`)}'`;

/** The request as a curl command. Base is the Worker's public address. */
export function curl(r: Request, base: string): string {
  const address = /^https?:\/\//.test(r.path) ? r.path : base + (r.path.startsWith("/") ? r.path : `/${r.path}`);
  const parts = ["curl", "-i"];
  if (r.method === "HEAD") parts.push("--head");
  else if (r.method !== "GET" || r.body) parts.push("-X", r.method);
  for (const [k, v] of r.headers ?? []) parts.push("-H", quote(`${k}: ${v}`));
  if (r.body) parts.push("--data-binary", quote(r.body));
  return [...parts, quote(address)].join(" ");
}

export class RequestBuilder {
  #form: HTMLFormElement;
  #method: HTMLSelectElement;
  #path: HTMLInputElement;
  #headers: HTMLTextAreaElement;
  #body: HTMLTextAreaElement;
  #sheet: HTMLElement;
  #key: string;
  #base: string;

  constructor(form: HTMLFormElement, project: string, begin: Request, base: string) {
    this.#form = form;
    this.#key = `requests:${project}`;
    this.#base = base;
    this.#method = $("#method", form) as HTMLSelectElement;
    this.#path = $("#path", form) as HTMLInputElement;
    this.#headers = this.#area("headers", "Headers, one “name: value” a line");
    this.#body = this.#area("body", "Body");
    this.#sheet = el("div", { class: "runbar_sheet", hidden: true });
    form.append(this.#sheet);
    for (const m of methods) {
      if (![...this.#method.options].some((o) => o.value === m)) this.#method.append(el("option", { value: m }, m));
    }
    this.#path.setAttribute("aria-label", "Path");
    this.fill(begin);
    for (const area of [this.#headers, this.#body]) area.addEventListener("input", () => this.#count());
  }

  #area(name: string, label: string): HTMLTextAreaElement {
    const there = $<HTMLTextAreaElement>(`textarea[name=${name}]`, this.#form);
    if (there) {
      $(`label[for="${there.id}"]`, this.#form)?.remove();
      there.remove();
    }
    const area = there ?? el("textarea", { name });
    area.className = "box";
    area.rows = 4;
    area.spellcheck = false;
    area.setAttribute("aria-label", label);
    area.setAttribute("autocapitalize", "off");
    return area;
  }

  fill(r: Request): void {
    this.#method.value = r.method || "GET";
    this.#path.value = r.path || "/";
    this.#headers.value = (r.headers ?? []).map(([k, v]) => `${k}: ${v}`).join("\n");
    this.#body.value = r.body ?? "";
    this.#count();
  }

  /** The request as it stands; throws one sentence when a header line is none. */
  read(): Request {
    const { headers, bad } = parseHeaders(this.#headers.value);
    if (bad) {
      this.#show("headers");
      this.#headers.focus();
      throw new Error(`Header line ${bad} needs a name, a colon and a value.`);
    }
    const path = this.#path.value.trim() || "/";
    const r: Request = { method: this.#method.value, path: /^(\/|https?:)/.test(path) ? path : `/${path}` };
    if (headers.length) r.headers = headers;
    if (this.#body.value && r.method !== "GET" && r.method !== "HEAD") r.body = this.#body.value;
    return r;
  }

  /** Keeps a request that ran among the earlier ones. */
  remember(r: Request): void {
    const text = JSON.stringify(r);
    const list = recall<Request[]>(this.#key, []).filter((x) => JSON.stringify(x) !== text);
    keep(this.#key, [r, ...list].slice(0, remembered));
  }

  /** Acts on headers, body, history and curl; says whether the action was its own. */
  act(action: string): boolean {
    if (action === "headers" || action === "body" || action === "history") this.#show(action, true);
    else if (action === "curl") void this.#copy();
    else return false;
    return true;
  }

  #count(): void {
    const n = parseHeaders(this.#headers.value).headers.length;
    const tell = (action: string, text: string) => {
      const b = $(`[data-do=${action}]`, this.#form);
      if (!b) return;
      $(".num", b)?.remove();
      if (text) b.append(el("span", { class: "num" }, text));
    };
    tell("headers", n ? String(n) : "");
    tell("body", this.#body.value ? `${new TextEncoder().encode(this.#body.value).length} B` : "");
  }

  #show(what: string, toggle = false): void {
    const open = this.#sheet.dataset.shows === what && !this.#sheet.hidden;
    for (const b of ["headers", "body", "history"]) $(`[data-do=${b}]`, this.#form)?.setAttribute("aria-expanded", "false");
    if (open && toggle) {
      this.#sheet.hidden = true;
      return;
    }
    this.#sheet.dataset.shows = what;
    this.#sheet.hidden = false;
    $(`[data-do=${what}]`, this.#form)?.setAttribute("aria-expanded", "true");
    if (what === "headers") set(this.#sheet, this.#headers);
    else if (what === "body") {
      set(this.#sheet, this.#body);
      if (this.#method.value === "GET" || this.#method.value === "HEAD") {
        put(this.#sheet, el("p", { class: "eyebrow" }, `${this.#method.value} sends no body. Choose POST to send one.`));
      }
    } else {
      const list = recall<Request[]>(this.#key, []);
      set(this.#sheet, list.length
        ? el("ul", { class: "history", "aria-label": "Earlier requests" }, ...list.map((r) => el("li", null,
          el("button", { type: "button", class: "button-quiet", click: () => { this.fill(r); this.#sheet.hidden = true; this.#path.focus(); } },
            el("b", null, r.method), ` ${r.path}`, r.body ? el("small", null, ` ${r.body.slice(0, 40)}`) : null))))
        : el("p", { class: "eyebrow" }, "No earlier requests. What you run is kept here."));
    }
    const first = $<HTMLElement>("textarea, button", this.#sheet);
    if (toggle) first?.focus();
  }

  async #copy(): Promise<void> {
    let text: string;
    try {
      text = curl(this.read(), this.#base);
    } catch (e) {
      say((e as Error).message);
      return;
    }
    try {
      await navigator.clipboard.writeText(text);
      say("Copied as curl.");
      const b = $("[data-do=curl]", this.#form);
      b?.classList.add("is-done");
      setTimeout(() => b?.classList.remove("is-done"), 1200);
    } catch {
      // No clipboard without a secure context: show it, selected.
      this.#sheet.hidden = false;
      this.#sheet.dataset.shows = "curl";
      const area = el("textarea", { class: "box", rows: 3, readonly: true, "aria-label": "The request as a curl command" });
      area.value = text;
      set(this.#sheet, area, button("close-sheet", "Done", { class: "button-quiet", click: () => { this.#sheet.hidden = true; } }));
      area.focus();
      area.select();
    }
  }
}
