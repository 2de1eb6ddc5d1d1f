import { hours, lambda, vm, workers } from "./prices.js";

const over = (amount, included) => Math.max(0, amount - included);

// What a month costs, in dollars. plan is "vm", "workers" or "lambda"; use is
// { requests, cpu_ms, ms, mb }: requests a month, and for each of them the CPU
// time, the whole time with waiting, and the memory that it was given.
export function monthly(plan, use) {
  switch (plan) {
    case "vm":
      return hours * vm.hour;
    case "workers": {
      const requests = (over(use.requests, workers.requests.included) / 1e6) * workers.requests.per_million;
      const cpu = (over(use.requests * use.cpu_ms, workers.cpu_ms.included) / 1e6) * workers.cpu_ms.per_million;
      return workers.base + requests + cpu;
    }
    case "lambda": {
      const requests = (over(use.requests, lambda.requests.free) / 1e6) * lambda.requests.per_million;
      const gbSeconds = use.requests * (use.ms / 1000) * (use.mb / 1024);
      return requests + over(gbSeconds, lambda.gb_s.free) * lambda.gb_s.each;
    }
  }
  throw new Error("no such plan: " + plan);
}

// From how many requests a month on does the plan cost more than the VM?
// shape is like use, without requests.
export function breakEven(plan, shape) {
  const target = monthly("vm", shape);
  let low = 0;
  let high = 1e12;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (monthly(plan, { ...shape, requests: middle }) > target) high = middle;
    else low = middle;
  }
  return high;
}
