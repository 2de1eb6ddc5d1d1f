import { breakEven, monthly } from "./cost.js";

export default {
  async fetch(request) {
    const q = new URL(request.url).searchParams;
    const use = { requests: Number(q.get("requests") ?? 1e6), cpu_ms: Number(q.get("cpu_ms") ?? 7), ms: Number(q.get("ms") ?? 50), mb: Number(q.get("mb") ?? 128) };
    const plans = ["vm", "workers", "lambda"];
    return Response.json({
      use,
      dollars_a_month: Object.fromEntries(plans.map((plan) => [plan, Number(monthly(plan, use).toFixed(2))])),
      dearer_than_the_vm_from: { workers: breakEven("workers", use), lambda: breakEven("lambda", use) },
    });
  },
};
