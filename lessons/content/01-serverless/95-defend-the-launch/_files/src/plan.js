import { lambda, vm, workers } from "./hosts.js";

// What a part of the week (see week.js) costs on a host, in dollars.
// host is "vm", "lambda" or "workers"; a host that refuses costs Infinity.
export function price(part, host) {
  return Infinity;
}

// The cheapest host of a part.
export function place(part) {
  return "vm";
}
