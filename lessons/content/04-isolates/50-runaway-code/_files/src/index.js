import { total } from "./hoard.js";
import { download } from "./source.js";

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/spin") {
      for (;;); // forever
    }
    if (pathname === "/sleep") {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return new Response("rested");
    }
    if (pathname === "/total") {
      return new Response(String(await total(download())));
    }
    return new Response("ok");
  },
};
