export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/account") {
      const known = await env.AUTH.fetch("https://auth/check", { headers: request.headers });
      if (known.status !== 204) return new Response("Please sign in", { status: 401 });
      return new Response("Hello, " + known.headers.get("x-person"));
    }
    if (pathname.startsWith("/img/")) {
      try {
        const picture = await env.IMG.fetch(request);
        if (picture.ok) return picture;
      } catch {
        // the picture Worker is broken; the page should not be
      }
      return new Response("no picture today", { headers: { "x-fallback": "yes" } });
    }
    if (pathname === "/mirror") {
      return env.SELF.fetch(request); // a shop that phones itself
    }
    return new Response("Welcome to the mall");
  },
};
