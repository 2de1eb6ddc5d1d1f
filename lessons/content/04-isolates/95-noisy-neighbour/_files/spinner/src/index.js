export default {
  async fetch() {
    for (;;);
  },
};
