// MIME types as text. Specification: MIME Sniffing, sections 4.4 and 4.5.

import { RegExpExec, RegExpTest, StringReplace, StringToLowerCase } from "./primordials";

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const whole = new RegExp(`^[ \t\r\n]*(${token}/${token})[ \t\r\n]*(?:;|$)`);
const bare = new RegExp(`^${token}$`);

/** A Content-Type in its normal form, "" when it is none. */
export function mimeType(s: string): string {
  const m = RegExpExec(whole, s);
  if (m === null) return "";
  let out = StringToLowerCase(m[1]);
  const names: Record<string, boolean> = { __proto__: null } as any, each = /[ \t]*([^;=]*)(?:=("(?:[^"\\]|\\.)*"?[^;]*|[^;]*))?(?:;|$)/y;
  each.lastIndex = m[0].length;
  for (let p = RegExpExec(each, s); p !== null && each.lastIndex > p.index; p = each.lastIndex < s.length ? RegExpExec(each, s) : null) {
    const name = StringToLowerCase(p[1]);
    let value = p[2];
    if (value === undefined || names[name] || !RegExpTest(bare, name)) continue;
    if (value[0] === "\"") value = StringReplace(StringReplace(value, /^"((?:[^"\\]|\\.)*)"?.*$/s, "$1"), /\\(.)/g, "$1");
    else {
      value = StringReplace(value, /[ \t\r\n]+$/, "");
      if (value === "") continue;
    }
    names[name] = true;
    out += RegExpTest(bare, value) ? `;${name}=${value}` : `;${name}="${StringReplace(value, /["\\]/g, "\\$&")}"`;
  }
  return out;
}
