// The lab's own Worker: every visitor waits 50 ms for somebody else's answer.
export default {
  async fetch() {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return new Response("served");
  },
};
