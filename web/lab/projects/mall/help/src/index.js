export default {
  fetch: (request) => new Response("help: " + new URL(request.url).pathname),
};
