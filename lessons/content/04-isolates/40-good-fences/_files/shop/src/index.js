const baskets = { alice: "a lamp", bob: "a hat", carol: "a radio" };

let user; // who is asking

export default {
  async fetch(request) {
    user = request.headers.get("x-user");
    const basket = await open();
    return new Response(`${user} has ${basket}`);
  },
};

// Baskets are kept far away: each takes 5 to 25 ms to come.
async function open() {
  await scheduler.wait(5 + 20 * Math.random());
  return baskets[user] ?? "nothing";
}
