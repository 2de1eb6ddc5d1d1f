// The line over a page whose connection is lost.

import { $, button, el, keepsCookies } from "./_dom.ts";

export interface Lost {
  /** What becomes of what is on the page. */
  safe: string;
  /** What the server cannot tell the owner of when cookies are blocked. */
  whose: string;
  /** Tries at once. */
  now?: () => void;
}

/** Notes on the page whether its connection is open, and says so over it while it is lost. */
export function connection(state: "open" | "lost", o: Lost): void {
  document.documentElement.dataset.live = state;
  const shown = $(".banner-lost");
  if (state === "open") {
    shown?.remove();
  } else if (!shown) {
    const [what, then] = keepsCookies()
      ? ["Reconnecting.", o.safe]
      : ["This browser blocks cookies.", `The server cannot tell whose ${o.whose} this is. Allow them for this site, then load the page again.`];
    document.body.append(el("div", { class: "banner banner-live banner-lost", role: "status" },
      el("p", null, el("b", null, what), ` ${then}`),
      o.now && button("try-now", "Try now", { click: o.now })));
  }
}
