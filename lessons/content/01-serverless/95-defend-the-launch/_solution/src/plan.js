import { lambda, vm, workers } from "./hosts.js";

// What a part of the week (see week.js) costs on a host, in dollars.
// host is "vm", "lambda" or "workers"; a host that refuses costs Infinity.
export function price(part, host) {
  const { hours, cpu_ms, ms, mb } = part;
  const requests = hours.reduce((sum, n) => sum + n, 0);
  switch (host) {
    case "vm": {
      const machines = Math.max(1, Math.ceil((Math.max(...hours) * cpu_ms) / vm.cpu_ms_per_hour));
      return machines * hours.length * vm.hour;
    }
    case "lambda":
      if (ms > lambda.max_ms) return Infinity;
      return (requests / 1e6) * lambda.per_million + requests * (ms / 1000) * (mb / 1024) * lambda.gb_s;
    case "workers":
      if (cpu_ms > workers.max_cpu_ms || mb > workers.max_mb) return Infinity;
      return (requests / 1e6) * workers.per_million + ((requests * cpu_ms) / 1e6) * workers.cpu_per_million_ms;
  }
}

// The cheapest host of a part.
export function place(part) {
  return ["vm", "lambda", "workers"].reduce((best, host) => (price(part, host) < price(part, best) ? host : best));
}
