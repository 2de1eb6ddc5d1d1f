import { tenants } from "./tenants.js";

const atOnce = 2; // requests of one tenant
const patience = 500; // ms
const strikes = 3; // failures in a row

const byName = new Map(tenants.map((t) => [t.name, { ...t, running: 0, failed: 0 }]));

// GET /t07/anything is a visit to tenant t07.
export default {
  async fetch(request, env) {
    const [, name] = new URL(request.url).pathname.split("/");
    const tenant = byName.get(name);
    if (!tenant) return new Response("no such tenant", { status: 404 });
    if (tenant.failed >= strikes) return refuse(503, "closed after three failures");
    if (tenant.running >= atOnce) return refuse(429, "busy");
    tenant.running++;
    try {
      const answer = await Promise.race([visit(tenant, request, env), late()]);
      tenant.failed = answer ? 0 : tenant.failed + 1;
      return answer ?? refuse(504, "no answer in time");
    } catch {
      tenant.failed++;
      return refuse(502, "the tenant's program failed");
    } finally {
      tenant.running--;
    }
  },
};

const refuse = (status, error) => Response.json({ error }, { status });
const late = () => new Promise((resolve) => setTimeout(resolve, patience, null));

async function visit(tenant, request, env) {
  const headers = new Headers(request.headers);
  headers.set("x-tenant", tenant.name);
  return env[tenant.program].fetch(new Request(request, { headers }));
}
