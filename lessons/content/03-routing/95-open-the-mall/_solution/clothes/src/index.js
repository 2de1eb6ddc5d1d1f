const shelves = {
  clothes: ["coat", "hat", "scarf"],
  gadgets: ["lamp", "radio", "clock"],
};

export default {
  async fetch(request) {
    const [, shop, item] = new URL(request.url).pathname.split("/");
    const shelf = shelves[shop];
    if (item === "") return Response.json({ shop, shelf });
    if (!shelf.includes(item)) return Response.json({ error: "not on our shelf" }, { status: 404 });
    return Response.json({ shop, item });
  },
};
