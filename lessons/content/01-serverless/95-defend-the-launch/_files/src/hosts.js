// US dollars, list prices as read on 2026-11-21, and what each host takes on.
// Free amounts and base fees are left out: your other projects use them up.

export const vm = {
  hour: 0.0416, // two cores, on for all 168 hours of the week
  cpu_ms_per_hour: 2 * 3_600_000, // what one machine computes in an hour
};

export const lambda = {
  per_million: 0.2, // requests
  gb_s: 0.0000166667, // whole time in seconds × memory in GB
  max_ms: 900_000, // a run that takes longer is refused
};

export const workers = {
  per_million: 0.3, // requests
  cpu_per_million_ms: 0.02,
  max_cpu_ms: 300_000, // a run that computes longer is refused
  max_mb: 128, // a run that needs more memory is refused
};
