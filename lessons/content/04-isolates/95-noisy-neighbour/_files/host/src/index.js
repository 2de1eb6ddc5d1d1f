import { tenants } from "./tenants.js";

const byName = new Map(tenants.map((t) => [t.name, t]));

// GET /t07/anything is a visit to tenant t07.
export default {
  async fetch(request, env) {
    const [, name] = new URL(request.url).pathname.split("/");
    const tenant = byName.get(name);
    if (!tenant) return new Response("no such tenant", { status: 404 });
    return visit(tenant, request, env);
  },
};

async function visit(tenant, request, env) {
  const headers = new Headers(request.headers);
  headers.set("x-tenant", tenant.name);
  return env[tenant.program].fetch(new Request(request, { headers }));
}
