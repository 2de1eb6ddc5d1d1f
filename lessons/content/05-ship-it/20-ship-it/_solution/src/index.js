export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/proof") {
      const nonce = searchParams.get("nonce");
      if (!nonce) return Response.json({ error: "a nonce, please" }, { status: 400 });
      return Response.json({ project: env.PROJECT, nonce, proof: await sha256(nonce + ":" + env.PROJECT) });
    }
    return new Response("online");
  },
};

async function sha256(text) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
