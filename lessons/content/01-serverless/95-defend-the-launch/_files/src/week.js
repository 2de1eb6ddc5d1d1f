// The launch week: for each part, the requests of every hour from Monday 0:00
// on; and per request the CPU time, the whole time (ms) and the memory (MB).
const hours = (count) => Array.from({ length: 168 }, (_, hour) => count(hour));
const night = (hour) => hour % 24 === 3;
const friday = 4 * 24;

export const week = () => [
  { name: "list", hours: hours((h) => (h === friday + 18 ? 1_200_000 : 2)), cpu_ms: 4, ms: 250, mb: 64 },
  { name: "letter", hours: hours((h) => (night(h) ? 1 : 0)), cpu_ms: 20_000, ms: 600_000, mb: 512 },
  { name: "film", hours: hours((h) => (night(h) ? 1 : 0)), cpu_ms: 6_800_000, ms: 3 * 3_600_000, mb: 2048 },
];
