export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.method === "GET" && pathname === "/route") {
      return Response.json({ message: "you asked for the route" });
    }
    return new Response("Not Found", { status: 404 });
  },
};
