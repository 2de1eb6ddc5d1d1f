// node:path, for POSIX and Windows. Specification: Node's documentation of path.
// Both kinds share what only differs in the separators and in what a root is.

import { argType } from "./node-errors";

type Parsed = { root: string; dir: string; base: string; ext: string; name: string };
/** The root of a path: what it names ("C:", "\\\\server\\share"), whether it is absolute, and where the rest begins. */
type Root = { device: string; absolute: boolean; end: number };

function check(v: unknown, name: string): string {
  if (typeof v !== "string") throw argType(name, "of type string", v);
  return v;
}

/** Resolves "." and ".." in the segments of a path without its root. */
function segments(parts: string[], above: boolean): string[] {
  const out: string[] = [];
  for (const p of parts) {
    if (p === "" || p === ".") continue;
    if (p !== "..") out.push(p);
    else if (out.length > 0 && out[out.length - 1] !== "..") out.pop();
    else if (above) out.push(p);
  }
  return out;
}

function windowsRoot(p: string): Root {
  const unc = /^[\\/]{2}([^\\/]+)[\\/]+([^\\/]+)/.exec(p);
  if (unc !== null) return { device: `\\\\${unc[1]}\\${unc[2]}`, absolute: true, end: unc[0].length };
  const drive = /^([A-Za-z]:)([\\/]?)/.exec(p);
  if (drive !== null) return { device: drive[1], absolute: drive[2] !== "", end: drive[0].length };
  const absolute = /^[\\/]/.test(p);
  return { device: "", absolute, end: absolute ? 1 : 0 };
}
const posixRoot = (p: string): Root => ({ device: "", absolute: p[0] === "/", end: p[0] === "/" ? 1 : 0 });

function globPart(g: string): string {
  let out = "", depth = 0;
  for (let i = 0; i < g.length; i++) {
    const c = g[i];
    if (c === "*" && g[i + 1] === "*") {
      const slash = g[i + 2] === "/";
      out += slash ? "(?:[^/]+/)*" : ".*";
      i += slash ? 2 : 1;
    } else if (c === "*") out += "[^/]*";
    else if (c === "?") out += "[^/]";
    else if (c === "{") (out += "(?:", depth++);
    else if (c === "}" && depth > 0) (out += ")", depth--);
    else if (c === "," && depth > 0) out += "|";
    else if (c === "[" && g.indexOf("]", i) > 0) {
      const end = g.indexOf("]", i);
      out += "[" + g.slice(i + 1, end).replace(/^!/, "^").replace(/\\/g, "\\\\") + "]";
      i = end;
    } else out += c.replace(/[\\^$.|+()[\]{}/]/g, "\\$&");
  }
  return out;
}

function make(sep: "/" | "\\", delimiter: string, rootOf: (p: string) => Root) {
  const windows = sep === "\\", seps = windows ? /[\\/]/ : /\//;
  const isSep = (c: string | undefined) => c === "/" || (windows && c === "\\");
  const lastSep = (p: string) => (windows ? Math.max(p.lastIndexOf("/"), p.lastIndexOf("\\")) : p.lastIndexOf("/"));
  /** Where a path ends without the separators behind it, not before from. */
  const trimmed = (p: string, from: number) => {
    let end = p.length;
    while (end > from && isSep(p[end - 1])) end--;
    return end;
  };
  const api = {
    sep, delimiter,
    isAbsolute(path: string): boolean { return rootOf(check(path, "path")).absolute; },
    normalize(path: string): string {
      if (check(path, "path") === "") return ".";
      const r = rootOf(path), rest = path.slice(r.end);
      let tail = segments(rest.split(seps), !r.absolute).join(sep);
      if (tail === "" && !r.absolute) tail = ".";
      if (tail !== "" && isSep(rest[rest.length - 1])) tail += sep;
      return r.device + (r.absolute ? sep : "") + tail;
    },
    join(...paths: string[]): string {
      const parts = paths.filter((p) => check(p, "path") !== "");
      if (parts.length === 0) return ".";
      let joined = parts.join(sep);
      // Two separators name a server only where the first part has them.
      if (windows && !/^[\\/]{2}[^\\/]/.test(parts[0])) joined = joined.replace(/^[\\/]{2,}/, "\\");
      return api.normalize(joined);
    },
    resolve(...paths: string[]): string {
      let device = "", tail = "", absolute = false;
      for (let i = paths.length - 1; i >= -1 && !(absolute && (device !== "" || !windows)); i--) {
        // The folder is the root, as in Workers, whatever process.cwd() says.
        const p = i >= 0 ? check(paths[i], `paths[${i}]`) : "/";
        if (p === "") continue;
        const r = rootOf(p);
        if (r.device !== "") {
          if (device !== "" && device.toLowerCase() !== r.device.toLowerCase()) continue;
          device = r.device;
        }
        if (absolute) continue;
        tail = `${p.slice(r.end)}${sep}${tail}`;
        absolute = r.absolute;
      }
      const t = segments(tail.split(seps), !absolute).join(sep);
      return device + (absolute ? sep : "") + t || ".";
    },
    relative(from: string, to: string): string {
      const a = api.resolve(check(from, "from")), b = api.resolve(check(to, "to")), same = (x: string, y: string) => (windows ? x.toLowerCase() === y.toLowerCase() : x === y);
      if (same(a, b)) return "";
      if (windows && !same(rootOf(a).device, rootOf(b).device)) return b;
      const x = a.slice(rootOf(a).end).split(sep).filter(Boolean), y = b.slice(rootOf(b).end).split(sep).filter(Boolean);
      let n = 0;
      while (n < x.length && n < y.length && same(x[n], y[n])) n++;
      return [...x.slice(n).map(() => ".."), ...y.slice(n)].join(sep);
    },
    toNamespacedPath(path: string): string {
      if (!windows || typeof path !== "string" || path === "") return path;
      const full = win32.resolve(path);
      if (/^\\\\[^.?]/.test(full)) return `\\\\?\\UNC\\${full.slice(2)}`;
      return /^[A-Za-z]:\\/.test(full) ? `\\\\?\\${full}` : path;
    },
    dirname(path: string): string {
      if (check(path, "path") === "") return ".";
      const r = rootOf(path), end = trimmed(path, r.end), at = lastSep(path.slice(0, end));
      if (at < r.end) {
        const two = !windows && end > r.end && at === 0 && path[1] === "/";
        return two ? "//" : r.end === 0 ? "." : path.slice(0, r.end);
      }
      return !windows && at === 1 && path[0] === "/" ? "//" : path.slice(0, at);
    },
    basename(path: string, suffix?: string): string {
      if (suffix !== undefined) check(suffix, "ext");
      const from = windows && /^[A-Za-z]:/.test(check(path, "path")) ? 2 : 0, end = trimmed(check(path, "path"), from);
      const base = path.slice(Math.max(from, lastSep(path.slice(0, end)) + 1), end);
      if (suffix === undefined || suffix === "") return base;
      if (suffix === path) return "";
      return base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
    },
    extname(path: string): string {
      const base = api.basename(check(path, "path")), dot = base.lastIndexOf(".");
      return dot <= 0 || base === ".." ? "" : base.slice(dot);
    },
    format(o: Partial<Parsed>): string {
      if (o === null || typeof o !== "object") throw argType("pathObject", "of type object", o);
      const dir = o.dir || o.root, ext = o.ext ? (o.ext[0] === "." ? "" : ".") + o.ext : "", base = o.base || `${o.name ?? ""}${ext}`;
      return !dir ? base : dir === o.root ? dir + base : dir + sep + base;
    },
    parse(path: string): Parsed {
      const r = rootOf(check(path, "path"));
      let rootEnd = r.end;
      if (windows && r.device.startsWith("\\\\") && isSep(path[rootEnd])) rootEnd++;
      const root = path.slice(0, rootEnd), end = trimmed(path, rootEnd), at = lastSep(path.slice(0, end));
      const base = end > rootEnd ? path.slice(Math.max(at + 1, rootEnd), end) : "", dot = base.lastIndexOf("."), ext = dot <= 0 || base === ".." ? "" : base.slice(dot);
      return { root, dir: at >= rootEnd && at > 0 ? path.slice(0, at) : root, base, ext, name: ext === "" ? base : base.slice(0, -ext.length) };
    },
    matchesGlob(path: string, pattern: string): boolean {
      const plain = (s: string) => (windows ? s.replace(/\\/g, "/") : s);
      return new RegExp(`^${globPart(plain(check(pattern, "pattern")))}$`).test(plain(check(path, "path")));
    },
    posix: undefined as any,
    win32: undefined as any,
  };
  return api;
}

export const posix = make("/", ":", posixRoot);
export const win32 = make("\\", ";", windowsRoot);
posix.posix = win32.posix = posix;
posix.win32 = win32.win32 = win32;

export const { sep, delimiter, isAbsolute, normalize, join, resolve, relative, toNamespacedPath, dirname, basename, extname, format, parse, matchesGlob } = posix;
export default posix;
