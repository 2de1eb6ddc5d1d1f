// A lab on a page of its own: its live session and its button.

import { connection } from "./_banner.ts";
import { $ } from "./_dom.ts";
import { Labs } from "./_lab.ts";
import { Live, type Wire } from "./_socket.ts";
import { subprotocol } from "./protocol.ts";
import { everywhere } from "./_tabs.ts";

everywhere();
const project = $("main[data-project]")?.dataset.project;
if (project) {
  const prefix = Math.random().toString(36).slice(2, 8);
  let asked = 0;
  const labs = new Labs({ send: (m) => live.send(m), flush: () => Promise.resolve(0), id: () => `${prefix}-${++asked}` });
  const live = new Live({
    project,
    open: () => new WebSocket(new URL("/api/live", location.href.replace(/^http/, "ws")), subprotocol) as unknown as Wire,
    message: (m) => {
      if (m.type === "welcome") labs.forget(m.running);
      else if (m.lab) labs.take(m.lab);
      else if (m.type === "error" && m.id) labs.refused(m.id, m.message ?? "The server refused.");
    },
    state: (s) => connection(s, { safe: "What was measured stays.", whose: "lab", now: () => live.now() }),
    restart: () => labs.forget(),
  });
  addEventListener("offline", () => live.drop());
  addEventListener("online", () => live.now());
}
