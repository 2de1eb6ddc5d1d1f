// runs: one entry per request, [{ isolate: "i1", temperature: "cold" | "warm", start: 0, end: 52 }, …],
// times in ms. Answer { isolates, cold, together }: how many isolates answered,
// how many requests met a cold one, and how many requests were inside at once, at most.
export function read(runs) {
  return { isolates: 0, cold: 0, together: 0 };
}
