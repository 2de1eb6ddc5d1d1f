let visits = 0;

export default {
  async fetch() {
    return new Response("visit " + ++visits);
  },
};
