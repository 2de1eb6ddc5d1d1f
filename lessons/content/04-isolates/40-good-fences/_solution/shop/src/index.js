async function greet(user) {
  await new Promise((resolve) => setTimeout(resolve, 5)); // ask the stockroom
  return "Cart of " + user;
}

export default {
  async fetch(request) {
    const user = new URL(request.url).searchParams.get("user");
    return new Response(await greet(user));
  },
};
