import { step } from "./work.js";

const steps = 40;

export default {
  async fetch(request, env) {
    if (request.method === "POST") {
      for (let n = 0; n < steps; n++) {
        await env.STATE.put("step/" + n, String(step(n)));
        console.log("step " + n);
      }
      return new Response("done", { status: 202 });
    }
    const { pathname } = new URL(request.url);
    if (pathname !== "/") return Response.json(await env.STATE.get("step" + pathname, "json"));
    const { keys } = await env.STATE.list({ prefix: "step/" });
    return Response.json({ done: keys.length, of: steps });
  },

  async queue(batch, env) {},
};
