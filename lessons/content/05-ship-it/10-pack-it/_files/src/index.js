const key = "moss-and-fern";
const quotes = ["Measure twice.", "Load later.", "Ship small."];

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/add") {
      if (request.headers.get("authorization") !== "Bearer " + key) return new Response("no", { status: 401 });
      quotes.push(await request.text());
      return new Response("added", { status: 201 });
    }
    return new Response(quotes[Math.floor(Math.random() * quotes.length)]);
  },
};
