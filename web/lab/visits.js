// The handler of the density lab: it counts visits and holds next to nothing.
let visits = 0;

export default {
  async fetch() {
    return new Response("visit " + ++visits);
  },
};
