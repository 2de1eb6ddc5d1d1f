// The front of the mall: every request arrives here.
const shops = [
  { path: "/clothes", binding: "CLOTHES" },
  { path: "/gadgets", binding: "GADGETS" },
];

async function visit(shop, request) {
  try {
    return await shop.fetch(request);
  } catch {
    return Response.json({ error: "this shop is closed today" }, { status: 503 });
  }
}

async function till(request, env) {
  if (request.method !== "POST") return new Response("Method Not Allowed", { status: 405, headers: { allow: "POST" } });
  let person;
  try {
    const known = await env.AUTH.fetch("https://auth/check", { headers: { authorization: request.headers.get("authorization") ?? "" } });
    person = known.status === 204 ? known.headers.get("x-person") : null;
  } catch {
    return Response.json({ error: "nobody can check your token now" }, { status: 503 });
  }
  if (!person) return Response.json({ error: "please sign in" }, { status: 401 });
  return Response.json({ sold: true, to: person }, { status: 201 });
}

export default {
  async fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/") return new Response("Welcome to the mall");
    if (pathname === "/till") return till(request, env);
    for (const shop of shops) {
      if (pathname === shop.path) return new Response(null, { status: 301, headers: { location: shop.path + "/" + search } });
      if (pathname.startsWith(shop.path + "/")) return visit(env[shop.binding], request);
    }
    return new Response("Not Found", { status: 404 });
  },
};
