import { choose } from "./choose.js";

const cases = {
  "a redirect service": { spiky: true, coldMs: 50, memoryMB: 5 },
  "video encoding with ffmpeg": { nativeBinary: true, longRunning: true, memoryMB: 2000 },
  "a firewall with a kernel module": { ownKernel: true },
  "a shopping cart": { stateful: true, spiky: true, memoryMB: 20 },
  "a search index in memory": { memoryMB: 6000, stateful: true },
  "a form that sends mail": { spiky: true, memoryMB: 10 },
  "training a model for a week": { longRunning: true, memoryMB: 16000 },
  "an old Windows program": { ownKernel: true, nativeBinary: true },
};

export default {
  async fetch() {
    return Response.json(Object.fromEntries(Object.entries(cases).map(([name, w]) => [name, choose(w)])));
  },
};
