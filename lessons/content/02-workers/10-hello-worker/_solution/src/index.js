export default {
  async fetch(request) {
    const url = new URL(request.url);
    const name = url.searchParams.get("name") || "stranger";
    return new Response(`Hello, ${name}`);
  },
};
