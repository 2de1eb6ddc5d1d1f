import { login } from "../../shared/login.js";

export default {
  async fetch(request) {
    const { user, pass } = request.method === "POST" ? await request.json() : {};
    const { status, body } = login({ method: request.method, user, pass });
    return new Response(body, { status });
  },
};
