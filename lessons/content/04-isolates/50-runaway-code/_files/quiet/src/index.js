// The neighbour. It has done nothing wrong.
export default {
  async fetch() {
    return new Response("quiet");
  },
};
