export default {
  async fetch(request, env) {
    const { keys } = await env.RECORDS.list();
    return new Response(keys.length + " records");
  },

  async queue(batch, env) {
    for (const message of batch.messages) {
      const { object, row, flaky } = message.body;
      if (flaky && message.attempts < 3) {
        message.retry();
        continue;
      }
      // The same event always gets the same name, so that a repeat changes nothing.
      const name = object ? "upload/" + object.key : row ? `row/${row.table}/${row.id}/${row.version}` : "other";
      if ((await env.RECORDS.get(name)) !== null) console.log("known already: " + name);
      await env.RECORDS.put(name, "1");
      message.ack();
    }
  },

  async scheduled(controller, env) {
    console.log(new Date(controller.scheduledTime).toISOString().slice(11, 16) + " on the lab's clock");
  },
};
