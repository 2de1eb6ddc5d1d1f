// runs: one entry per request, [{ isolate: "i1", temperature: "cold" | "warm", start: 0, end: 52 }, …],
// times in ms. Answer { isolates, cold, together }: how many isolates answered,
// how many requests met a cold one, and how many requests were inside at once, at most.
export function read(runs) {
  let together = 0;
  for (const { start } of runs) {
    const inside = runs.filter((other) => other.start <= start && start < other.end).length;
    together = Math.max(together, inside);
  }
  return {
    isolates: new Set(runs.map((run) => run.isolate)).size,
    cold: runs.filter((run) => run.temperature === "cold").length,
    together,
  };
}
