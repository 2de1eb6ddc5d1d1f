// What seventeen of the twenty tenants run.
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/oops")) throw new Error("an honest mistake");
    return Response.json({ tenant: request.headers.get("x-tenant"), path: pathname });
  },
};
