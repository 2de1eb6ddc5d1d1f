export default {
  fetch: (request) => Response.json({ api: new URL(request.url).pathname }),
};
