import assert from "node:assert/strict";
import { test } from "node:test";
import { diffLines } from "./_diff.ts";

const show = (a: string, b: string) => diffLines(a ? a.split("") : [], b ? b.split("") : []).map((l) => l.op + l.text).join(" ");

test("the shortest edit", () => {
  assert.equal(show("abc", "abc"), " a  b  c");
  assert.equal(show("", "ab"), "+a +b");
  assert.equal(show("ab", ""), "-a -b");
  assert.equal(show("abc", "axc"), " a -b +x  c");
});

// A diff is right when its two sides are the two texts, whatever they are.
test("both sides come back, for many texts", () => {
  let seed = 7;
  const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  for (let i = 0; i < 500; i++) {
    const text = () => Array.from({ length: random(12) }, () => "abc"[random(3)] as string);
    const a = text();
    const b = text();
    const d = diffLines(a, b);
    assert.deepEqual(d.filter((l) => l.op !== "+").map((l) => l.text), a);
    assert.deepEqual(d.filter((l) => l.op !== "-").map((l) => l.text), b);
    let n = 0;
    for (const l of d) if (l.op !== "-") assert.equal(l.n, ++n);
  }
});
