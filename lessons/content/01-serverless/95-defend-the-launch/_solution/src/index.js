import { welcome } from "./mail.js";

const names = async (env, prefix) => {
  const { keys } = await env.LIST.list({ prefix });
  return keys.map(({ name }) => name.slice(prefix.length));
};

async function join(request, env, ctx) {
  const body = await request.json().catch(() => null);
  if (typeof body?.email !== "string" || !body.email.includes("@")) {
    return Response.json({ error: "send { email } with an address" }, { status: 400 });
  }
  const email = body.email.toLowerCase();
  if ((await env.LIST.get("person/" + email)) !== null) return new Response("known", { status: 200 });
  await env.LIST.put("person/" + email, "");
  ctx.waitUntil(welcome(env, email));
  return new Response("joined", { status: 201 });
}

export default {
  async fetch(request, env, ctx) {
    switch (request.method + " " + new URL(request.url).pathname) {
      case "POST /join":
        return join(request, env, ctx);
      case "GET /count": {
        const [people, mailed] = await Promise.all([names(env, "person/"), names(env, "mailed/")]);
        return Response.json({ people: people.length, mailed: mailed.length });
      }
      case "GET /letters": {
        const dates = await names(env, "letter/");
        return Response.json(await Promise.all(dates.map(async (date) => ({ date, people: Number(await env.LIST.get("letter/" + date)) }))));
      }
    }
    return new Response("not found", { status: 404 });
  },

  async scheduled(controller, env) {
    const date = new Date(controller.scheduledTime).toISOString().slice(0, 10);
    await env.LIST.put("letter/" + date, String((await names(env, "person/")).length));
  },
};
