// sha256 of a text of ASCII, in hex; scripts have no crypto.
function sha256(text) {
  const words = [], k = [], h = [];
  for (let n = 2; k.length < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    if (h.length < 8) h.push((Math.pow(n, 1 / 2) * 4294967296) | 0);
    k.push((Math.pow(n, 1 / 3) * 4294967296) | 0);
  }
  const bytes = [...text].map((c) => c.charCodeAt(0)).concat(128);
  while (bytes.length % 64 !== 56) bytes.push(0);
  for (let i = 0; i < bytes.length; i++) words[i >> 2] = (words[i >> 2] || 0) | (bytes[i] << (24 - 8 * (i % 4)));
  words.push(0, text.length * 8);
  const turn = (v, n) => (v >>> n) | (v << (32 - n));
  for (let block = 0; block < words.length; block += 16) {
    const w = words.slice(block, block + 16);
    let [a, b, c, d, e, f, g, i] = h;
    for (let t = 0; t < 64; t++) {
      if (t > 15) {
        const x = w[t - 15], y = w[t - 2];
        w[t] = (w[t - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + w[t - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))) | 0;
      }
      const one = (i + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + k[t] + w[t]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [i, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, i].forEach((v, n) => (h[n] = (h[n] + v) | 0));
  }
  return h.map((v) => (v >>> 0).toString(16).padStart(8, "0")).join("");
}

// pasted reads proof.txt: answers and the lines of curl's -w after each.
function pasted(files, nonce, fail) {
  const text = files["proof.txt"] || "";
  const found = [];
  const form = /(\{[^{}]*\})\s*\n\s*(https?:\/\/\S+) (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)/g;
  for (let m; (m = form.exec(text)); ) {
    try {
      found.push({ ...JSON.parse(m[1]), url: m[2], connect: Number(m[3]) * 1000, first: Number(m[4]) * 1000 });
    } catch (e) {
      fail("proof.txt holds an answer that is not JSON; paste what curl printed, unchanged", "JSON", m[1].slice(0, 80));
    }
  }
  if (found.length < 3) fail(`Run the curl of task 2 three times, with nonce=${nonce}, and paste all that it prints into proof.txt`, "3 answers, each with its line of times", `${found.length}`);
  return found;
}

const away = (url) => {
  const host = url.replace(/^https?:\/\//, "").split(/[/:?]/)[0].toLowerCase();
  return url.startsWith("https://") && host.includes(".") && !/^[\d.]+$|^\[|\.(local|localhost|internal|test)$|(^|\.)site\.example$/.test(host);
};

test("1: a proof", async ({ send, expect }) => {
  for (const nonce of ["abc", "with space", Math.random().toString(36).slice(2)]) {
    const r = await send("/proof?nonce=" + encodeURIComponent(nonce));
    expect(r.status, `/proof?nonce=${nonce} should answer 200`).toBe(200);
    const got = await r.json();
    expect(got.project, "project is env.PROJECT, as wrangler.jsonc says").toBe("proof");
    expect(got.nonce, "nonce comes back as it was asked").toBe(nonce);
    expect(got.proof, `proof is the SHA-256, in 64 small hex digits, of the text ${nonce}:proof. Is a zero in front of a single digit missing?`).toBe(sha256(nonce + ":proof"));
  }
});

test("1: no nonce, no proof", async ({ send, expect }) => {
  expect((await send("/proof")).status, "/proof without a nonce is a mistake of the caller: 400").toBe(400);
  expect((await send("/proof?nonce=")).status, "An empty nonce is none: 400").toBe(400);
});

test.guard("1: it is online", async ({ send, expect }) => {
  expect(await (await send("/")).text(), "GET / still says online").toBe("online");
});

test("2: your own nonce, proved", async ({ files, nonce, fail, expect }) => {
  for (const p of pasted(files, nonce, fail)) {
    expect(p.nonce, "proof.txt should answer your own nonce, not somebody else's").toBe(nonce);
    expect(p.proof, "This is not the SHA-256 of the nonce, a colon and the project; deploy again after task 1 is green, then ask again").toBe(sha256(`${nonce}:${p.project}`));
  }
});

test("2: asked at a public address", async ({ files, nonce, fail, note, expect }) => {
  const all = pasted(files, nonce, fail);
  for (const p of all) {
    if (!away(p.url)) fail(`${p.url} is an address on your own machine or here; deploy, and ask the https address that wrangler printed`, "https://….workers.dev/…", p.url);
    expect(p.url, "The address is the one that curl asked, with your nonce in it").toContain(nonce);
    expect(p.first, "A first byte comes after the connection, and both take some time; paste curl's own figures").toBeGreaterThan(p.connect || Infinity);
  }
  const ms = (key) => all.map((p) => Math.round(p[key])).join(", ");
  note(`Connected after ${ms("connect")} ms, first byte after ${ms("first")} ms. Without the connection that is ${all.map((p) => Math.round(p.first - p.connect)).join(", ")} ms.`);
});
