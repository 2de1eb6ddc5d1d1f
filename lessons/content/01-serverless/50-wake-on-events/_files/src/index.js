export default {
  // Somebody asks over HTTP: what has been recorded?
  async fetch(request, env) {
    const { keys } = await env.RECORDS.list();
    return Response.json(await Promise.all(keys.map(({ name }) => env.RECORDS.get(name, "json"))));
  },

  // Messages about uploads and changed rows arrive in batches.
  async queue(batch, env) {
    for (const message of batch.messages) {
      const id = crypto.randomUUID();
      await env.RECORDS.put(id, JSON.stringify({ kind: "upload", key: message.body.object.key }));
    }
  },

  // The clock strikes.
  async scheduled(controller, env) {},
};
