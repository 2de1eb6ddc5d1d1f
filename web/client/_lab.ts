// Labs: live experiments in a lesson. A lab is measured by the server, which
// answers a POST to its action with one JSON object a line while it measures:
// {"html":"…"} what is known so far, drawn; {"say":"…"} where it stands;
// {"error":"…"} why it ended early.

import { $, $$, el, say, set } from "./_dom.ts";

interface Step { html?: string; say?: string; error?: string }

/** Reads the lines of an answer as they come. */
export async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += decoder.decode(value, { stream: !done });
    const parts = rest.split("\n");
    rest = done ? "" : (parts.pop() ?? "");
    for (const line of parts) if (line.trim()) yield line;
    if (done) return;
  }
}

function start(lab: HTMLElement): void {
  const body = $(".lab_body", lab);
  const action = lab.dataset.action;
  if (!body || !action) return;
  const where = el("p", { class: "eyebrow", role: "status" });
  let stop: AbortController | null = null;
  const idle = lab.dataset.verb ?? "Fill";
  const go = el("button", { class: "button", type: "button" }, idle);
  go.addEventListener("click", () => {
    if (stop) {
      stop.abort();
      return;
    }
    stop = new AbortController();
    go.textContent = "Stop";
    where.textContent = "Starting";
    void measure(lab, action, body, where, stop.signal).catch((e: Error) => {
      where.textContent = e.name === "AbortError" ? "Stopped. What was measured stays." : e instanceof TypeError ? "Offline. Press again when the server is back." : e.message;
    }).finally(() => {
      stop = null;
      go.textContent = idle;
      say(where.textContent ?? "");
    });
  });
  lab.append(el("div", { class: "lab_do controls_group" }, go, where));
}

async function measure(lab: HTMLElement, action: string, body: HTMLElement, where: HTMLElement, signal: AbortSignal): Promise<void> {
  const answer = await fetch(action, {
    method: "POST", signal, headers: { accept: "application/x-ndjson" },
    body: new URLSearchParams({ lab: lab.dataset.lab ?? "", config: lab.dataset.config ?? "" }),
  });
  if (!answer.ok || !answer.body) {
    const { error } = (await answer.json().catch(() => ({}))) as Step;
    throw new Error(error ?? `The server answered ${answer.status}.`);
  }
  for await (const line of lines(answer.body)) {
    const step = JSON.parse(line) as Step;
    if (step.error) throw new Error(step.error);
    if (step.say) where.textContent = step.say;
    if (step.html) {
      const drawn = new DOMParser().parseFromString(step.html, "text/html");
      set(body, ...[...drawn.body.childNodes].map((n) => document.importNode(n, true)));
    }
  }
}

/** Gives every lab of the page its button. */
export function labs(): void {
  for (const lab of $$(".lab[data-lab]")) start(lab);
}
