const data = new Uint8Array(1 << 20).fill(1); // one megabyte of this tenant's own
let visits = 0;

export default {
  async fetch() {
    return new Response("visit " + ++visits);
  },
};
