// The number at share q of a list: 0.5 is the middle, 0.99 is what one in a
// hundred exceeds.
export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

// samples: [{ box: "isolate", start: 0.2, load: 0.6, handle: 0.4 }, …], in ms.
//   order   boxes, the quickest first, by the middle of their whole times
//   times   { box: how many times as long as the quickest }
//   mostly  { box: "start", "load" or "handle", whichever has the largest middle }
export function verdict(samples) {
  const boxes = [...new Set(samples.map((s) => s.box))];
  const middle = (box, of) => quantile(samples.filter((s) => s.box === box).map(of), 0.5);
  const whole = (box) => middle(box, (s) => s.start + s.load + s.handle);
  const order = boxes.sort((a, b) => whole(a) - whole(b));
  const times = {};
  const mostly = {};
  for (const box of order) {
    times[box] = whole(box) / whole(order[0]);
    mostly[box] = ["start", "load", "handle"].reduce((a, b) => (middle(box, (s) => s[b]) > middle(box, (s) => s[a]) ? b : a));
  }
  return { order, times, mostly };
}
