const names = { fetch: "function", URL: "function", crypto: "object", caches: "object", window: "undefined", document: "undefined", localStorage: "undefined", XMLHttpRequest: "undefined" };

test("1: the kinds of eight globals", async ({ send, expect }) => {
  const r = await send("/kinds");
  const got = await r.json();
  for (const name of Object.keys(names)) {
    expect(got[name], `Ask typeof ${name} and put the answer under "${name}"; do not guess, the check compares with this runtime`).toBe(names[name]);
  }
});

test("2: SHA-256 in hex", async ({ send, expect }) => {
  const abc = await send("/hash?text=abc");
  expect(await abc.text(), "The SHA-256 of abc begins with ba7816bf and has 64 digits; await the digest, and pad every byte to two").toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const empty = await send("/hash?text=");
  expect(await empty.text(), "An empty text has a hash too").toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
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
