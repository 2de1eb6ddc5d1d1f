// Predictions, quizzes and hints. The forms work without this; with it the
// answer appears in place. What the server draws is what is shown.

import { $, $$, say } from "./_dom.ts";

/** Posts a piece's form and puts the server's new form in its place; quietly, if nobody pressed its button. */
async function answer(form: HTMLFormElement, quietly = false): Promise<void> {
  const send = $<HTMLButtonElement>("[type=submit]", form);
  send?.setAttribute("aria-disabled", "true");
  const says = $(".piece_says", form);
  try {
    const got = await fetch(form.action, {
      method: "POST", headers: { accept: "text/html" },
      body: new URLSearchParams([...new FormData(form)].map(([k, v]) => [k, String(v)])),
    });
    if (!got.ok) throw new Error(`The server answered ${got.status}.`);
    const page = new DOMParser().parseFromString(await got.text(), "text/html");
    const next = page.getElementById(form.id);
    if (!next) throw new Error("The answer has no such question.");
    const made = document.importNode(next, true);
    form.replaceWith(made);
    moving();
    if (quietly) return;
    document.dispatchEvent(new CustomEvent("coldstart:answered"));
    $<HTMLElement>("[type=submit]", made)?.focus({ preventScroll: true });
    const words = $(".piece_name span", made)?.textContent ?? "answered";
    say(form.dataset.piece === "quiz" ? `Quiz: ${words}.` : "Prediction kept.");
  } catch (e) {
    send?.removeAttribute("aria-disabled");
    if (says) says.textContent = e instanceof TypeError ? "Offline. Answer again when the server is back." : (e as Error).message;
  }
}

/** Tells the server that a hint is open, so that it is open next time. */
function note(hint: HTMLElement): void {
  const task = hint.closest<HTMLElement>("[data-task]")?.dataset.task ?? "0";
  void fetch(`${location.pathname}/hint`, {
    method: "POST", keepalive: true, headers: { accept: "application/json" },
    body: new URLSearchParams({ task, hint: hint.dataset.hint ?? "1" }),
  }).catch(() => {}); // it opens all the same
}

/** What is wrong with a figure that was written, "" for nothing. */
function figureWrong(form: HTMLFormElement): string {
  const field = $<HTMLInputElement>("input[name=answer][inputmode]", form);
  if (!field) return "";
  const text = field.value.replace(/[,_\s]/g, "");
  const { min, max } = field.dataset;
  const n = Number(text);
  if (text === "" || !Number.isFinite(n)) return "Write one number in digits, such as 1200.";
  if (min && max && (n < Number(min) || n > Number(max))) return `Write a number from ${Number(min).toLocaleString("en")} to ${Number(max).toLocaleString("en")}.`;
  return "";
}

export function pieces(): void {
  document.addEventListener("submit", (e) => {
    const form = (e.target as Element).closest<HTMLFormElement>("form[data-piece]");
    if (!form || e.defaultPrevented) return;
    e.preventDefault();
    const chosen = [...new FormData(form)].some(([k, v]) => k === "answer" && v !== "");
    const says = $(".piece_says", form);
    const why = !chosen && $("input[name=answer]:not([type=checkbox])", form) ? "Choose an answer first." : figureWrong(form);
    if (why) {
      if (says) says.textContent = why;
      return;
    }
    void answer(form);
  });
  // A prediction that waited for a figure is judged as soon as there is one.
  document.addEventListener("coldstart:measured", () => $$<HTMLFormElement>("form[data-piece][data-waits]").forEach((f) => void answer(f, true)));
  hints();
  document.addEventListener("coldstart:redrawn", hints);
  moving();
  document.addEventListener("coldstart:redrawn", moving);
}

// What is answered by moving something has a script of its own, as few pages need it.
function moving(): void {
  if ($("form[data-kind=order], form[data-kind=mark]")) void import("./_answers.ts").then((m) => m.movable());
}

// One hint at a time: the next one is offered once the one before was opened.
function hints(): void {
  for (const set of $$(".hints")) {
    const hints = $$<HTMLDetailsElement>("details.hint", set);
    const offer = () => hints.forEach((h, i) => { h.hidden = i > 0 && !hints[i - 1]?.open && !h.open && !h.dataset.seen; });
    for (const h of hints) {
      h.addEventListener("toggle", () => {
        if (h.open) h.dataset.seen = "yes";
        const next = hints[hints.indexOf(h) + 1];
        if (h.open && next) next.dataset.seen = "yes";
        if (h.open) note(h);
        offer();
      });
    }
    offer();
  }
}
