export default {
  fetch: (request) => new Response("img: " + new URL(request.url).pathname),
};
