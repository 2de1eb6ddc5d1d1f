import { one } from "./turn.js";

const nap = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export default {
  // Every visitor needs 50 ms of somebody else's time, such as a database's.
  async fetch(request) {
    await one(50, () => nap(50));
    return new Response("served");
  },
};
