const pages = new Map([
  ["/", "Welcome to Home!"],
  ["/about", "This is About Page"],
  ["/contact", "Contact us at hello@example.com"],
]);

export default {
  async fetch(request) {
    const url = new URL(request.url);

    const bare = url.pathname.slice(0, -1);
    if (url.pathname.endsWith("/") && pages.has(bare)) {
      return new Response(null, { status: 301, headers: { location: bare + url.search } });
    }

    const page = pages.get(url.pathname);
    if (page === undefined) {
      return new Response("Not Found", { status: 404 });
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("Method Not Allowed", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    return new Response(page);
  }
};
