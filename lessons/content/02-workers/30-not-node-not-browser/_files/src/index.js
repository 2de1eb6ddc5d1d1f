// Written by somebody who had a page in a browser in mind.

async function fingerprint(text) {
  return window.hashes.sha256(text); // came with a script tag
}

function toBase64(text) {
  return window.btoa(text);
}

function strip(html) {
  const div = document.createElement("div");
  div.innerHTML = html;
  return div.textContent;
}

function kinds() {
  return {};
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
