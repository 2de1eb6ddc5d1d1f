// A store that speaks what workerd's KV bindings speak, in memory.
const entries = new Map();

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const key = decodeURIComponent(url.pathname.slice(1));
    if (request.method === "PUT") {
      const metadata = request.headers.get("CF-KV-Metadata");
      const ttl = Number(url.searchParams.get("expiration_ttl"));
      const expiration = Number(url.searchParams.get("expiration")) || (ttl ? Math.floor(Date.now() / 1000) + ttl : undefined);
      entries.set(key, { value: await request.arrayBuffer(), metadata, expiration });
      return new Response(null);
    }
    if (request.method === "DELETE") {
      entries.delete(key);
      return new Response(null);
    }
    if (key === "") {
      const prefix = url.searchParams.get("prefix") ?? "";
      const keys = [...entries.keys()].filter((name) => name.startsWith(prefix)).sort().map((name) => {
        const { metadata, expiration } = entries.get(name);
        return { name, ...(expiration && { expiration }), ...(metadata && { metadata: JSON.parse(metadata) }) };
      });
      return Response.json({ keys, list_complete: true, cacheStatus: null });
    }
    const entry = entries.get(key);
    if (!entry) return new Response("Not Found", { status: 404 });
    return new Response(entry.value, { headers: entry.metadata ? { "CF-KV-Metadata": entry.metadata } : {} });
  },
};
