// Draws. In a bigger shop it would resize and compress as well.
export default {
  async fetch(request) {
    const name = new URL(request.url).pathname.slice("/img/".length);
    if (name === "") return new Response("draw what?", { status: 404 });
    return new Response(`<svg xmlns="http://www.w3.org/2000/svg"><title>${encodeURIComponent(name)}</title></svg>`, {
      headers: { "content-type": "image/svg+xml" },
    });
  },
};
