import { samples } from "./recorded.js";
import { verdict } from "./verdict.js";

// GET / is what races: a few bytes, the same in every box.
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/verdict") return Response.json(verdict(samples));
    return new Response("hello");
  },
};
