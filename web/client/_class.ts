// What a learner's class says while a lesson is open: a note, and the hand that the instructor lowers.

import { $, el, say } from "./_dom.ts";
import type { ClassNews } from "./protocol.ts";

/** Shows the newest unread note above the page, or takes it away, and the hand as it is. */
export function classNews(n: ClassNews): void {
  const text = n.note ? `From your instructor: ${n.note}` : "";
  const banner = $(".banner-letter");
  if (!text) banner?.remove();
  else if (banner?.textContent !== text) {
    banner?.remove();
    $(".topbar")?.before(el("div", { class: "banner banner-letter", role: "status" }, el("p", null, text)));
    say(text);
  }
  const form = $<HTMLFormElement>("form[data-hand]");
  const button = form && $("button", form);
  if (!form || !button || (button.getAttribute("aria-pressed") === "true") === n.hand) return;
  button.setAttribute("aria-pressed", String(n.hand));
  (form.elements.namedItem("up") as HTMLInputElement).value = n.hand ? "no" : "yes";
  say(n.hand ? "Your hand is up." : "Your hand is down.");
}

/** Sends the hand without leaving the page; the class's answer turns the button. */
export function handButton(failed: (text: string) => void): void {
  const form = $<HTMLFormElement>("form[data-hand]");
  form?.addEventListener("submit", (e) => {
    e.preventDefault();
    const body = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    fetch(form.action, { method: "POST", body, redirect: "manual" }).then(
      (r) => { if (r.type !== "opaqueredirect") failed("Your hand could not be raised. Load the page again."); },
      () => failed("Your hand could not be raised: the server does not answer."),
    );
  });
}
