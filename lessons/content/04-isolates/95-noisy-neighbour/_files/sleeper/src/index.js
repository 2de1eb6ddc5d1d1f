export default {
  async fetch() {
    await scheduler.wait(3000);
    return new Response("good morning");
  },
};
