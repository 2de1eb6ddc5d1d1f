// Tenant B looks for them, in five places.
let visits = 0;

export default {
  async fetch(request, env) {
    visits++;
    return Response.json({
      global: globalThis.secret ?? null,
      prototype: typeof [].spy,
      storage: await env.KV.get("secret"),
      counter: visits,
      env: Object.keys(env),
    });
  },
};
