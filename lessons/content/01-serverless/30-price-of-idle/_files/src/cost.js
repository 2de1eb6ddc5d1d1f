import { hours, lambda, vm, workers } from "./prices.js";

// What a month costs, in dollars. plan is "vm", "workers" or "lambda"; use is
// { requests, cpu_ms, ms, mb }: requests a month, and for each of them the CPU
// time, the whole time with waiting, and the memory that it was given.
export function monthly(plan, use) {
  return 0;
}

// From how many requests a month on does the plan cost more than the VM?
// shape is like use, without requests.
export function breakEven(plan, shape) {
  return 0;
}
