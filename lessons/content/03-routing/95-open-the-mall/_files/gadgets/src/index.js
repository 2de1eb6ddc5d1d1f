const shelf = ["lamp", "radio", "clock"];

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/gadgets/") return Response.json({ shop: "gadgets", shelf });
    const item = pathname.slice("/gadgets/".length);
    if (!shelf.includes(item)) return Response.json({ error: "not on our shelf" }, { status: 404 });
    return Response.json({ shop: "gadgets", item });
  },
};
