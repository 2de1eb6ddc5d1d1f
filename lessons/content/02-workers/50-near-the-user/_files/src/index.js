import { cities } from "./cities.js";
import { choose, wait } from "./plan.js";

export default {
  async fetch(request) {
    const query = new URL(request.url).searchParams;
    const load = { calls: Number(query.get("calls") ?? 1), cached: Number(query.get("cached") ?? 0), writes: Number(query.get("writes") ?? 0) };
    return Response.json(
      cities.map((c) => ({
        city: c.city,
        edge_ms: Math.round(wait("edge", c, load)),
        central_ms: Math.round(wait("central", c, load)),
        best: choose(c, load),
      })),
    );
  },
};
