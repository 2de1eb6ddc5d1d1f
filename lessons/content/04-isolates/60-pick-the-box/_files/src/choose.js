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
  return { box: "container", reason: "everybody does" };
}
