export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/account") {
      return new Response("Hello, somebody"); // anybody may come in
    }
    if (pathname.startsWith("/img/")) {
      return env.IMG.fetch(request);
    }
    if (pathname === "/mirror") {
      return env.SELF.fetch(request); // a shop that phones itself
    }
    return new Response("Welcome to the mall");
  },
};
