import { download } from "./source.js";

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/spin") for (;;); // forever
    if (pathname === "/wait") return new Response(await wait(1000));
    if (pathname === "/total") return new Response(String(await total(download(searchParams.get("pieces") ?? 200))));
    return new Response("ok");
  },
};

// Comes back after some milliseconds.
async function wait(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end); // not yet
  return "rested";
}

// How many bytes does the stream hold?
async function total(stream) {
  const all = [];
  for await (const piece of stream) all.push(piece);
  return all.reduce((sum, piece) => sum + piece.length, 0);
}
