// What every server of the pool runs.
export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/health") return new Response("ok");
    return new Response("one page of the shop");
  },
};
