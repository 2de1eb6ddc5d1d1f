export class Router {
  routes = [];

  get(pattern, handler) {
    this.routes.push({ method: "GET", pattern, handler });
  }

  post(pattern, handler) {
    this.routes.push({ method: "POST", pattern, handler });
  }

  handle(request) {
    const { pathname } = new URL(request.url);
    for (const route of this.routes) {
      if (route.pattern === pathname && route.method === request.method) {
        return route.handler({ request, params: {} });
      }
    }
    return new Response("Not Found", { status: 404 });
  }
}
