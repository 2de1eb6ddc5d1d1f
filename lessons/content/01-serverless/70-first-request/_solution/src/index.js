let table;
const codes = () => (table ??= build()); // the first lookup builds it, the rest reuse it

function build() {
  const m = new Map();
  for (let i = 0; i < 50000; i++) m.set("code" + i, i % 97);
  console.log("table built");
  return m;
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/health") return new Response("ok");
    return new Response(String(codes().get(url.searchParams.get("c"))));
  },
};
