// One after the other, as it was on the old server: each visitor draws a
// number, and waits until those before are done.
let free = 0; // when that will be

export async function one(ms, work) {
  const turn = Math.max(free, Date.now());
  free = turn + ms;
  await new Promise((resolve) => setTimeout(resolve, turn - Date.now()));
  return work();
}
