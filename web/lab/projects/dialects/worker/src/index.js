import { login } from "../../shared/login.js";
import { show } from "../../shared/show.js";

export default {
  async fetch(request, env, ctx) {
    const { user, pass } = request.method === "POST" ? await request.json() : {};
    const { status, body } = login(request.method, user, pass);
    show({ request: { method: request.method, url: request.url, headers: Object.fromEntries(request.headers) }, env, ctx: { waitUntil: typeof ctx.waitUntil } }, "new Response(" + JSON.stringify(body) + ", { status: " + status + " })");
    return new Response(body, { status });
  },
};
