// An upload of lessons while it is tried: how it goes, then the page anew.

import { $, say } from "./_dom.ts";
import { everywhere } from "./_tabs.ts";

interface Upload { state: string; lesson?: string; done: number; total: number }

everywhere();
const box = $("#upload[data-going]");
if (box?.dataset.news) void follow(box.dataset.news);

async function follow(news: string): Promise<void> {
  let shown = "";
  for (;;) {
    await new Promise((r) => setTimeout(r, 500));
    const answer = await fetch(news, { headers: { accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) continue; // the server is being restarted, or the connection is lost
    const u = await answer.json() as Upload;
    if (u.state !== "waiting" && u.state !== "running") {
      location.replace(location.pathname);
      return;
    }
    if (u.total === 0) continue;
    const text = `Running the solution and the starter of ${u.lesson ?? ""}, lesson ${u.done + 1} of ${u.total}.`;
    if (text === shown) continue;
    shown = text;
    const state = $("#upload-state"), bar = $<HTMLProgressElement>("#upload-bar");
    if (state) state.textContent = text;
    if (bar) {
      bar.max = u.total;
      bar.value = u.done;
    }
    say(`Lesson ${u.done + 1} of ${u.total}.`);
  }
}
