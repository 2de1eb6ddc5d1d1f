export default {
  fetch: (request) => new Response("docs: " + new URL(request.url).pathname),
};
