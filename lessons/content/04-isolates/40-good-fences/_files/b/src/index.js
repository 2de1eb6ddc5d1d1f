import { look, plant } from "../../probes.js";

let visits = 0;

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/plant") await plant(env);
    if (pathname === "/look") return Response.json(await look(env));
    return new Response("visit " + ++visits);
  },
};
