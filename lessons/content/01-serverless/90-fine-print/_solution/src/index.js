import { step } from "./work.js";

const steps = 40;
const chunk = 2; // steps a run: well below the limit, also on a busy machine

export default {
  async fetch(request, env) {
    if (request.method === "POST") {
      await env.JOBS.send({ at: 0 });
      return new Response("accepted", { status: 202 });
    }
    const { pathname } = new URL(request.url);
    if (pathname !== "/") return Response.json(await env.STATE.get("step" + pathname, "json"));
    const { keys } = await env.STATE.list({ prefix: "step/" });
    return Response.json({ done: keys.length, of: steps });
  },

  async queue(batch, env) {
    for (const message of batch.messages) {
      const { at } = message.body;
      const end = Math.min(at + chunk, steps);
      for (let n = at; n < end; n++) {
        // Done already, by a run that stopped halfway? Then not again.
        if ((await env.STATE.get("step/" + n)) !== null) continue;
        await env.STATE.put("step/" + n, String(step(n)));
        console.log("step " + n);
      }
      if (end < steps) await env.JOBS.send({ at: end });
    }
  },
};
