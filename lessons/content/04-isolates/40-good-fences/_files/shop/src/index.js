let user; // who is shopping

async function greet() {
  await new Promise((resolve) => setTimeout(resolve, 5)); // ask the stockroom
  return "Cart of " + user;
}

export default {
  async fetch(request) {
    user = new URL(request.url).searchParams.get("user");
    return new Response(await greet());
  },
};
