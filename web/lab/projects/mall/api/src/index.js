// Asks the Worker auth first. The call stays in this machine: auth has no route.
export default {
  async fetch(request, env) {
    const who = await env.AUTH.fetch("https://auth.internal/who");
    return Response.json({ api: new URL(request.url).pathname, who: await who.text() });
  },
};
