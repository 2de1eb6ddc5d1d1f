export default {
  // Somebody asks over HTTP: what has been recorded?
  async fetch(request, env) {
    const { keys } = await env.RECORDS.list();
    return Response.json(await Promise.all(keys.map(({ name }) => env.RECORDS.get(name, "json"))));
  },

  // Messages about uploads and changed rows arrive in batches.
  async queue(batch, env) {
    for (const message of batch.messages) {
      const { object, row } = message.body;
      const record = row
        ? { kind: "row", table: row.table, id: row.id, at: message.timestamp.getTime() }
        : { kind: "upload", key: object.key, at: message.timestamp.getTime() };
      // The same message always gets the same name, so a repeat changes nothing.
      const name = row ? `row/${row.table}/${row.id}/${row.version}` : `upload/${object.key}`;
      if ((await env.RECORDS.get(name)) === null) await env.RECORDS.put(name, JSON.stringify(record));
      message.ack();
    }
  },

  // The clock strikes.
  async scheduled(controller, env) {
    const { keys } = await env.RECORDS.list();
    let swept = 0;
    for (const { name } of keys) {
      const record = await env.RECORDS.get(name, "json");
      if (controller.scheduledTime - record.at > 24 * 60 * 60 * 1000) {
        await env.RECORDS.delete(name);
        swept++;
      }
    }
    console.log("swept " + swept);
  },
};
