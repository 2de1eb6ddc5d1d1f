export default {
  fetch: (request) => new Response("site: " + new URL(request.url).pathname),
};
