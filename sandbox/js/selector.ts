// The selectors of HTMLRewriter: types, classes, ids, attributes, :not, :nth-child,
// :nth-of-type, :first-child, :first-of-type, and the descendant and child combinators.

export type Open = { name: string; attr(name: string): string | null; nth: number; nthOfType: number };
type Test = (e: Open) => boolean;
type Step = { test: Test; child: boolean }; // child: directly under the next step
export type Selector = (path: Open[]) => boolean;

const fail = (text: string, s: string): never => {
  throw new TypeError(`Parser error: ${text}`, { cause: s });
};
const ident = /(?:--|-?(?:[A-Za-z_\u0080-\uffff]|\\.))(?:[\w\u0080-\uffff-]|\\.)*/y;

/** Compiles a selector list; throws TypeError for what is not supported. */
export function compile(text: string): Selector {
  let at = 0;
  const s = text;
  const space = () => {
    const from = at;
    while (at < s.length && " \t\n\r\f".includes(s[at])) at++;
    return at > from;
  };
  const name = (): string => {
    ident.lastIndex = at;
    const m = ident.exec(s);
    if (m === null) return fail("Unexpected end of selector.", text);
    at += m[0].length;
    return m[0].replace(/\\(.)/g, "$1");
  };
  const value = (): string => {
    const q = s[at];
    if (q !== '"' && q !== "'") return name();
    let out = "";
    for (at++; at < s.length && s[at] !== q; at++) {
      if (s[at] === "\\") at++;
      out += s[at];
    }
    if (s[at++] !== q) fail("Unexpected end of selector.", text);
    return out;
  };
  const anb = (): ((n: number) => boolean) => {
    const m = /^\s*(?:(odd|even)|([+-]?\d*)n\s*(?:([+-])\s*(\d+))?|([+-]?\d+))\s*\)/i.exec(s.slice(at));
    if (m === null) fail("Invalid nth argument in selector.", text);
    at += m![0].length;
    let a = 0, b = 0;
    if (m![1]) [a, b] = m![1].toLowerCase() === "odd" ? [2, 1] : [2, 0];
    else if (m![5] !== undefined) b = +m![5];
    else {
      a = m![2] === "" || m![2] === "+" ? 1 : m![2] === "-" ? -1 : +m![2];
      b = m![4] === undefined ? 0 : (m![3] === "-" ? -1 : 1) * +m![4];
    }
    return (n) => (a === 0 ? n === b : (n - b) % a === 0 && (n - b) / a >= 0);
  };
  const attribute = (): Test => {
    at++;
    space();
    const key = name().toLowerCase();
    space();
    if (s[at] === "]") {
      at++;
      return (e) => e.attr(key) !== null;
    }
    if (s[at] === "|" && s[at + 1] !== "=") fail("Selectors with explicit namespaces are not supported.", text);
    const o = s[at] === "=" ? "=" : s.slice(at, at + 2);
    if (!/^([~|^$*]?=)$/.test(o)) fail("Unexpected token in selector.", text);
    at += o.length;
    space();
    let want = value(), fold = false;
    space();
    if (/[is]/i.test(s[at] ?? "")) {
      fold = s[at].toLowerCase() === "i";
      at++;
      space();
    }
    if (s[at++] !== "]") fail("Unexpected token in selector.", text);
    if (fold) want = want.toLowerCase();
    return (e) => {
      let v = e.attr(key);
      if (v === null) return false;
      if (fold) v = v.toLowerCase();
      switch (o) {
        case "=": return v === want;
        case "~=": return want !== "" && v.split(/\s+/).includes(want);
        case "|=": return v === want || v.startsWith(want + "-");
        case "^=": return want !== "" && v.startsWith(want);
        case "$=": return want !== "" && v.endsWith(want);
      }
      return want !== "" && v.includes(want);
    };
  };
  const compound = (): Test => {
    const tests: Test[] = [];
    for (; at < s.length;) {
      const c = s[at];
      if (c === "*") {
        at++;
        tests.push(() => true);
      } else if (c === "#") {
        at++;
        const v = name();
        tests.push((e) => e.attr("id") === v);
      } else if (c === ".") {
        at++;
        const v = name();
        tests.push((e) => {
          const a = e.attr("class");
          return a !== null && a.split(/[ \t\n\r\f]+/).includes(v);
        });
      } else if (c === "[") tests.push(attribute());
      else if (c === "|") fail("Selectors with explicit namespaces are not supported.", text);
      else if (c === ":") {
        at++;
        if (s[at] === ":") fail("Unsupported pseudo-class or pseudo-element in selector.", text);
        const n = name().toLowerCase();
        if (n === "not" && s[at] === "(") {
          at++;
          const inner = listOf(")");
          at++;
          tests.push((e) => !inner.some((steps) => steps.length === 1 && steps[0].test(e)));
        } else if (n === "nth-child" && s[at] === "(") {
          at++;
          const f = anb();
          tests.push((e) => f(e.nth));
        } else if (n === "nth-of-type" && s[at] === "(") {
          at++;
          const f = anb();
          tests.push((e) => f(e.nthOfType));
        } else if (n === "first-child") tests.push((e) => e.nth === 1);
        else if (n === "first-of-type") tests.push((e) => e.nthOfType === 1);
        else fail("Unsupported pseudo-class or pseudo-element in selector.", text);
      } else {
        ident.lastIndex = at;
        if (!ident.test(s)) break;
        const v = name().toLowerCase();
        if (s[at] === "|") fail("Selectors with explicit namespaces are not supported.", text);
        tests.push((e) => e.name === v);
      }
    }
    if (tests.length === 0) fail("Unexpected end of selector.", text);
    return (e) => {
      for (let i = 0; i < tests.length; i++) if (!tests[i](e)) return false;
      return true;
    };
  };
  const complex = (end: string): Step[] => {
    const steps: Step[] = [{ test: compound(), child: false }];
    for (;;) {
      const gap = space();
      const c = s[at];
      if (c === undefined || c === "," || c === end) return steps;
      if (c === "+" || c === "~") fail(`Unsupported combinator \`${c}\` in selector.`, text);
      let child = false;
      if (c === ">") {
        at++;
        child = true;
        space();
        if (at >= s.length) fail("Dangling combinator in selector.", text);
      } else if (!gap) fail("Unexpected token in selector.", text);
      // The step before is the ancestor: child belongs to the one that follows.
      steps.push({ test: compound(), child });
    }
  };
  function listOf(end: string): Step[][] {
    const out: Step[][] = [];
    for (;;) {
      space();
      out.push(complex(end));
      if (s[at] !== ",") break;
      at++;
    }
    if (end !== "" && s[at] !== end) fail("Unexpected token in selector.", text);
    return out;
  }
  space();
  if (at >= s.length) fail("Unexpected end of selector.", text);
  const all = listOf("");
  if (at < s.length) fail("Unexpected token in selector.", text);
  return (path) => {
    for (let i = 0; i < all.length; i++) if (matches(all[i], all[i].length - 1, path, path.length - 1)) return true;
    return false;
  };
}

/** Whether the steps up to k match with step k at path position p. */
function matches(steps: Step[], k: number, path: Open[], p: number): boolean {
  if (!steps[k].test(path[p])) return false;
  if (k === 0) return true;
  if (steps[k].child) return p > 0 && matches(steps, k - 1, path, p - 1);
  for (let q = p - 1; q >= 0; q--) if (matches(steps, k - 1, path, q)) return true;
  return false;
}
