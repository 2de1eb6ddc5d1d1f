import { hidden, kind } from "./inside.js";
import { boxes, outside } from "./reports.js";

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/reports") return Response.json({ outside, boxes });
    const rows = Object.entries(boxes).map(([name, inside]) => [name, { kind: kind(outside, inside), hidden: hidden(outside, inside), pid: inside.pid, processes: inside.processes, interfaces: inside.interfaces, files: inside.files, answers: inside.answers }]);
    return Response.json(Object.fromEntries(rows));
  },
};
