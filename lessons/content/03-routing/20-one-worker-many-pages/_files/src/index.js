export default {
  async fetch(request) {
    const url = new URL(request.url);

    if (url.pathname === "/") {
      return new Response("Welcome to Home!");
    }
    if (url.pathname === "/about") {
      return new Response("This is About Page");
    }
    if (url.pathname === "/contact") {
      return new Response("Contact us at hello@example.com");
    }

    return new Response("Not Found", { status: 404 });
  }
};
