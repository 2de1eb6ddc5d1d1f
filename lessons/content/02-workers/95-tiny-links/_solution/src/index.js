const day = 24 * 60 * 60 * 1000;
const json = (value, status = 200, headers = {}) => Response.json(value, { status, headers });

function target(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

async function create(request, env, origin) {
  const body = await request.json().catch(() => null);
  const url = target(body?.url);
  const days = body?.days ?? 30;
  if (url === null) return json({ error: "url must be an http or https address" }, 400);
  if (typeof days !== "number" || !(days > 0)) return json({ error: "days must be a number above 0" }, 400);
  const code = crypto.randomUUID().slice(0, 8);
  await env.LINKS.put(code, JSON.stringify({ url, hits: 0, expires: Date.now() + days * day }));
  return json({ code, short: origin + "/" + code }, 201);
}

export default {
  async fetch(request, env) {
    const { pathname, origin } = new URL(request.url);
    if (pathname === "/links") {
      if (request.method !== "POST") return json({ error: "POST only" }, 405, { allow: "POST" });
      return create(request, env, origin);
    }
    const about = pathname.startsWith("/links/");
    const code = about ? pathname.slice("/links/".length) : pathname.slice(1);
    const link = code ? await env.LINKS.get(code, "json") : null;
    if (!link) return json({ error: "no such link" }, 404);
    if (request.method !== "GET") return json({ error: "GET only" }, 405, { allow: "GET" });
    if (about) return json({ url: link.url, hits: link.hits });
    link.hits++;
    await env.LINKS.put(code, JSON.stringify(link));
    return new Response(null, { status: 302, headers: { location: link.url } });
  },

  async scheduled(controller, env) {
    const { keys } = await env.LINKS.list();
    for (const { name } of keys) {
      const link = await env.LINKS.get(name, "json");
      if (link.expires <= controller.scheduledTime) await env.LINKS.delete(name);
    }
  },
};
