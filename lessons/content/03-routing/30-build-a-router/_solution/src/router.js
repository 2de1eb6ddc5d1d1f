export class Router {
  routes = [];

  add(method, pattern, handler) {
    const parts = pattern.split("/");
    this.routes.push({ method, parts, handler });
    // A plain word is more specific than a parameter, wherever it stands.
    const key = (route) => route.parts.map((part) => (part.startsWith(":") ? "1" : "0")).join("");
    this.routes.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  }

  get(pattern, handler) {
    this.add("GET", pattern, handler);
  }

  post(pattern, handler) {
    this.add("POST", pattern, handler);
  }

  handle(request) {
    const path = new URL(request.url).pathname.split("/");
    const allowed = [];
    for (const route of this.routes) {
      const params = match(route.parts, path);
      if (!params) continue;
      if (route.method === request.method) return route.handler({ request, params });
      allowed.push(route.method);
    }
    if (allowed.length > 0) {
      return new Response("Method Not Allowed", { status: 405, headers: { allow: allowed.join(", ") } });
    }
    return new Response("Not Found", { status: 404 });
  }
}

function match(parts, path) {
  if (parts.length !== path.length) return null;
  const params = {};
  for (const [i, part] of parts.entries()) {
    if (part.startsWith(":") && path[i] !== "") params[part.slice(1)] = decodeURIComponent(path[i]);
    else if (part !== path[i]) return null;
  }
  return params;
}
