const shelf = ["coat", "hat", "scarf"];

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/clothes/") return Response.json({ shop: "clothes", shelf });
    const item = pathname.slice("/clothes/".length);
    if (!shelf.includes(item)) return Response.json({ error: "not on our shelf" }, { status: 404 });
    return Response.json({ shop: "clothes", item });
  },
};
