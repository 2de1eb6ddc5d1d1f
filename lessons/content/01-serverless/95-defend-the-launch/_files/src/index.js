import { welcome } from "./mail.js";

const people = new Set();

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/join") {
      const { email } = await request.json();
      people.add(email);
      await welcome(env, email);
      return new Response("joined", { status: 201 });
    }
    return Response.json({ error: "not written yet" }, { status: 501 });
  },

  async scheduled(controller, env) {
    // controller.scheduledTime is the night that struck, in ms since 1970.
  },
};
