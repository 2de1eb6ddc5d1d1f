// One after the other, as it was on the old server.
let last = Promise.resolve();

export function one(work) {
  const mine = last.then(work);
  last = mine.catch(() => {});
  return mine;
}
