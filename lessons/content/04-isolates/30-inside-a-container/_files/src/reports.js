// What one small program reported about itself, once outside and from seven boxes, recorded on
// one Linux machine in November 2026 (only the names of the machine, its kernel's build
// and its boot are changed). answers: could a visitor outside reach the program, over
// TCP or through a socket that it was given?
export const outside = {
  pid: 25327, processes: 118, hostname: "harbour", interfaces: ["lo", "ifb0", "ifb1", "eth0"], files: 26,
  kernel: "6.18.44", boot: "5d0c9a1e-7b1f-4c55-9a43-2f8a7c1de0b6",
  ns: { pid: "pid:[4026531836]", mnt: "mnt:[4026531832]", net: "net:[4026531833]", uts: "uts:[4026531838]", ipc: "ipc:[4026531839]", user: "user:[4026531837]" },
  answers: { tcp: true, socket: true },
};

export const boxes = {
  // a name of its own (uts)
  "name": {
    pid: 25332, processes: 118, hostname: "box", interfaces: ["lo", "ifb0", "ifb1", "eth0"], files: 26,
    kernel: "6.18.44", boot: "5d0c9a1e-7b1f-4c55-9a43-2f8a7c1de0b6",
    ns: { pid: "pid:[4026531836]", mnt: "mnt:[4026531832]", net: "net:[4026531833]", uts: "uts:[4026532178]", ipc: "ipc:[4026531839]", user: "user:[4026532177]" },
    answers: { tcp: true, socket: true },
  },
  // process numbers of its own (pid)
  "numbers": {
    pid: 1, processes: 117, hostname: "harbour", interfaces: ["lo", "ifb0", "ifb1", "eth0"], files: 26,
    kernel: "6.18.44", boot: "5d0c9a1e-7b1f-4c55-9a43-2f8a7c1de0b6",
    ns: { pid: "pid:[4026532179]", mnt: "mnt:[4026531832]", net: "net:[4026531833]", uts: "uts:[4026531838]", ipc: "ipc:[4026531839]", user: "user:[4026532178]" },
    answers: { tcp: true, socket: true },
  },
  // the same, and /proc mounted anew (pid, mnt)
  "numbers and list": {
    pid: 1, processes: 1, hostname: "harbour", interfaces: ["lo", "ifb0", "ifb1", "eth0"], files: 26,
    kernel: "6.18.44", boot: "5d0c9a1e-7b1f-4c55-9a43-2f8a7c1de0b6",
    ns: { pid: "pid:[4026532181]", mnt: "mnt:[4026532180]", net: "net:[4026531833]", uts: "uts:[4026531838]", ipc: "ipc:[4026531839]", user: "user:[4026532177]" },
    answers: { tcp: true, socket: true },
  },
  // a network of its own, with nothing in it (net)
  "network": {
    pid: 25349, processes: 117, hostname: "harbour", interfaces: ["lo"], files: 26,
    kernel: "6.18.44", boot: "5d0c9a1e-7b1f-4c55-9a43-2f8a7c1de0b6",
    ns: { pid: "pid:[4026531836]", mnt: "mnt:[4026531832]", net: "net:[4026532179]", uts: "uts:[4026531838]", ipc: "ipc:[4026531839]", user: "user:[4026532178]" },
    answers: { tcp: false, socket: true },
  },
  // pid, mnt, net, uts, ipc, user
  "all six": {
    pid: 1, processes: 1, hostname: "box", interfaces: ["lo"], files: 26,
    kernel: "6.18.44", boot: "5d0c9a1e-7b1f-4c55-9a43-2f8a7c1de0b6",
    ns: { pid: "pid:[4026532251]", mnt: "mnt:[4026532181]", net: "net:[4026532252]", uts: "uts:[4026532249]", ipc: "ipc:[4026532250]", user: "user:[4026532177]" },
    answers: { tcp: false, socket: true },
  },
  // and a root folder that holds only its program
  "all six, own files": {
    pid: 1, processes: 1, hostname: "box", interfaces: ["lo"], files: 2,
    kernel: "6.18.44", boot: "5d0c9a1e-7b1f-4c55-9a43-2f8a7c1de0b6",
    ns: { pid: "pid:[4026532182]", mnt: "mnt:[4026532179]", net: "net:[4026532183]", uts: "uts:[4026532180]", ipc: "ipc:[4026532181]", user: "user:[4026532178]" },
    answers: { tcp: false, socket: true },
  },
  // and no listening socket handed in from outside
  "all six, own files, no door": {
    pid: 1, processes: 1, hostname: "box", interfaces: ["lo"], files: 2,
    kernel: "6.18.44", boot: "5d0c9a1e-7b1f-4c55-9a43-2f8a7c1de0b6",
    ns: { pid: "pid:[4026532251]", mnt: "mnt:[4026532179]", net: "net:[4026532252]", uts: "uts:[4026532180]", ipc: "ipc:[4026532250]", user: "user:[4026532177]" },
    answers: { tcp: false, socket: false },
  },
};
