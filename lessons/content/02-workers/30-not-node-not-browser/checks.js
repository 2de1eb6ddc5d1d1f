const names = { fetch: "function", URL: "function", crypto: "object", caches: "object", window: "undefined", document: "undefined", localStorage: "undefined", XMLHttpRequest: "undefined" };

test("1: the kinds of eight globals", async ({ send, expect }) => {
  const r = await send("/kinds");
  const got = await r.json();
  for (const name of Object.keys(names)) {
    expect(got[name], `Ask typeof ${name} and put the answer under "${name}"; do not guess, the check compares with this runtime`).toBe(names[name]);
  }
});

test("1: asked, not remembered", async ({ files, fail }) => {
  const code = (files["src/index.js"] || "").replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "");
  const known = /:\s*["'`](function|object|undefined)["'`]/.exec(code);
  if (known) fail("A kind that is written down is true until the runtime changes; ask with typeof, each time", "typeof", known[0].replace(/^:\s*/, ""));
  if (!/\btypeof\b/.test(code)) fail("Ask the runtime: typeof may be applied to a name that does not exist", "typeof", "no typeof in src/index.js");
});

test("2: SHA-256 in hex", async ({ send, expect }) => {
  const abc = await send("/hash?text=abc");
  expect(await abc.text(), "The SHA-256 of abc begins with ba7816bf and has 64 digits and nothing between them; await the digest, and pad every byte to two").toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const empty = await send("/hash?text=");
  expect(await empty.text(), "An empty text has a hash too").toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test.hidden("2: SHA-256 of other texts", async ({ send, expect }) => {
  for (const [text, want] of [["hello world", "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"], ["\u00e9", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"], ["coldstart", "64a8d335a2671afe60fb7f870a3dc43ac1927fb595142bebcc212fba09769fbf"]]) {
    expect(await (await send("/hash?text=" + encodeURIComponent(text))).text(), `The SHA-256 of "${text}" is that of its bytes in UTF-8; compute it from whatever text comes`).toBe(want);
  }
});

// base64 of a text's bytes in UTF-8; scripts have no btoa.
function base64(text) {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const bytes = encodeURIComponent(text).match(/%..|./g).map((c) => (c.length > 1 ? parseInt(c.slice(1), 16) : c.charCodeAt(0)));
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const n = (bytes[i] << 16) | ((bytes[i + 1] || 0) << 8) | (bytes[i + 2] || 0);
    out += digits[n >> 18] + digits[(n >> 12) & 63] + (i + 1 < bytes.length ? digits[(n >> 6) & 63] : "=") + (i + 2 < bytes.length ? digits[n & 63] : "=");
  }
  return out;
}

const word = () => Math.random().toString(36).slice(2, 9);

test.hidden("2: texts that nobody chose", async ({ send, expect }) => {
  for (const text of [word(), word() + "é", "€" + word()]) {
    expect(await (await send("/base64?text=" + encodeURIComponent(text))).text(), `Base64 of "${text}", from its bytes in UTF-8`).toBe(base64(text));
    expect(await (await send("/strip?text=" + encodeURIComponent(`<i>${text}</i><br>`))).text(), `<i>${text}</i><br> without its tags`).toBe(text);
  }
});

test("2: Base64 of UTF-8", async ({ send, expect }) => {
  expect(await (await send("/base64?text=hello")).text(), "Base64 of hello is aGVsbG8=; btoa makes it, from one character for each byte").toBe("aGVsbG8=");
  expect(await (await send("/base64?text=%C3%A9")).text(), "é is two bytes in UTF-8; encode the text with TextEncoder before btoa").toBe("w6k=");
  expect(await (await send("/base64?text=%E2%82%AC")).text(), "€ is three bytes in UTF-8").toBe("4oKs");
});

test("2: tags are removed", async ({ send, expect }) => {
  expect(await (await send("/strip?text=%3Cp%3Ehi%20%3Cb%3Ethere%3C%2Fb%3E%3C%2Fp%3E")).text(), "Keep the text between the tags, drop every tag, and only the tags").toBe("hi there");
  expect(await (await send("/strip?text=1%20%3E%200")).text(), "A lonely > is no tag; leave it").toBe("1 > 0");
});

test.guard("2: the web's standards, nobody else's", async ({ files, fail }) => {
  const node = /\brequire\s*\(|["']node:|\bBuffer\b/.exec(files["src/index.js"] || "");
  if (node) fail("Node's modules are an addition that a Workers runtime may lack; crypto.subtle and TextEncoder are there everywhere", "no part of Node", node[0]);
});
