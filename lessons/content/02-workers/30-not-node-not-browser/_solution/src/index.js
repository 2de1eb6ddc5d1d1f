// Written for a runtime of the web's standards.

async function fingerprint(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function toBase64(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes));
}

function strip(html) {
  return html.replace(/<[^>]*>/g, "");
}

function kinds() {
  return {
    fetch: typeof fetch,
    URL: typeof URL,
    crypto: typeof crypto,
    caches: typeof caches,
    window: typeof window,
    document: typeof document,
    localStorage: typeof localStorage,
    XMLHttpRequest: typeof XMLHttpRequest,
  };
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const text = url.searchParams.get("text") ?? "";
    switch (url.pathname) {
      case "/hash":
        return new Response(await fingerprint(text));
      case "/base64":
        return new Response(toBase64(text));
      case "/strip":
        return new Response(strip(text));
      case "/kinds":
        return Response.json(kinds());
    }
    return new Response("Not found", { status: 404 });
  },
};
