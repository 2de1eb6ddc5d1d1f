// node:worker_threads. A Worker is one thread: others cannot be started.

import base from "unenv/node/worker_threads";

export class Worker {
  constructor() { throw new Error("worker_threads.Worker is not available here: another Worker is reached by a service binding."); }
}

export * from "unenv/node/worker_threads";
export default { ...(base as any), Worker };
