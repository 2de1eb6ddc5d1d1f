// US dollars, list prices as read on 2026-11-21; check before you decide anything.
export const hours = 730; // in a month

export const vm = { hour: 0.0416 }; // two cores, 4 GB, on all the time

export const workers = {
  base: 5,
  requests: { included: 10_000_000, per_million: 0.3 },
  cpu_ms: { included: 30_000_000, per_million: 0.02 },
};

export const lambda = {
  requests: { free: 1_000_000, per_million: 0.2 },
  gb_s: { free: 400_000, each: 0.0000166667 },
};
