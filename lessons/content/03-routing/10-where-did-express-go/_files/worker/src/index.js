export default {
  async fetch(request) {
    // No app, no listen. What would app.get("/route", …) be here?
    return new Response("Not Found", { status: 404 });
  },
};
