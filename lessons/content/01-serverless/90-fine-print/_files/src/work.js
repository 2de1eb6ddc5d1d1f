// One of forty steps. Honest work: it keeps a processor busy, no awaiting.
export function step(n) {
  let x = n + 1;
  for (let i = 0; i < 16_000; i++) x = (x * 1103515245 + 12345) % 2147483648;
  return x;
}
