export default {
  async fetch(request) {
    return new Response("User logged in");
  },
};
