// The number at share q of a list: 0.5 is the middle, 0.99 is what one in a
// hundred exceeds.
export function quantile(numbers, q) {
  return numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
}

// samples: [{ box: "isolate", start: 0.2, load: 0.6, handle: 0.4 }, …], in ms.
//   order   boxes, the quickest first, by the middle of their whole times
//   times   { box: how many times as long as the quickest }
//   mostly  { box: "start", "load" or "handle", whichever has the largest middle }
export function verdict(samples) {
  return { order: [], times: {}, mostly: {} };
}
