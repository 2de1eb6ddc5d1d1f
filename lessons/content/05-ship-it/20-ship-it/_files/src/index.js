export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/proof") {
      // { project, nonce, proof }
      return new Response("nothing to show", { status: 501 });
    }
    return new Response("online");
  },
};
