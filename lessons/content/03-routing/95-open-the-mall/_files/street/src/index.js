// The front of the mall: every request arrives here.
export default {
  async fetch(request, env) {
    return new Response("Welcome to the mall");
  },
};
