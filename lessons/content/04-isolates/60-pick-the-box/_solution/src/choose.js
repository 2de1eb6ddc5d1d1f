// w describes a workload; every key may be missing:
//   ownKernel     true: needs kernel modules, or another system than the host's
//   nativeBinary  true: brings a program compiled for the machine
//   longRunning   true: computes for hours without a break
//   memoryMB      what one copy needs
//   spiky         true: nothing for hours, then thousands at once
//   coldMs        how long a first visitor may wait, in ms
//   stateful      true: must remember between requests
// Answer { box: "isolate" | "container" | "vm", reason: "…" }.
export function choose(w) {
  if (w.ownKernel) return { box: "vm", reason: "only a VM brings a kernel of its own" };
  if (w.nativeBinary) return { box: "container", reason: "an isolate runs no native programs" };
  if (w.longRunning) return { box: "container", reason: "isolates are billed and limited by CPU time" };
  if (w.memoryMB > 128) return { box: "container", reason: "an isolate's heap ends at 128 MB" };
  return { box: "isolate", reason: "small, quick to start, and state lives in storage anyway" };
}
