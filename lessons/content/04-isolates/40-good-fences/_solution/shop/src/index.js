const baskets = { alice: "a lamp", bob: "a hat", carol: "a radio" };

export default {
  async fetch(request) {
    const user = request.headers.get("x-user"); // one for each request
    const basket = await open(user);
    return new Response(`${user} has ${basket}`);
  },
};

// Baskets are kept far away: each takes 5 to 25 ms to come.
async function open(user) {
  await scheduler.wait(5 + 20 * Math.random());
  return baskets[user] ?? "nothing";
}
