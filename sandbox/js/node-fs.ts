// node:fs over a file system in memory, as Workers have it: /bundle holds the
// Worker's own files and cannot be written, /tmp belongs to one request and is gone
// with it, /dev has null, zero, full and random. Watching files is not available.

import { Buffer } from "node:buffer";
import { Readable, Writable } from "./node-stream";
import { Blob } from "./blob";
import { call, op } from "./host";
import { decodeUTF8, encodeUTF8 } from "./encoding";
import { bytesOf } from "./primordials";
import { argType, nodeError } from "./node-errors";
import { current } from "./run";
import { queueMicrotask } from "./timers";
import { isOpen } from "./workers";
import { cwd } from "./node-process";

const FILES = op("bundle.files"), RANDOM = op("random");

const words: Record<string, string> = {
  ENOENT: "no such file or directory", EPERM: "operation not permitted", EEXIST: "file already exists", ENOTDIR: "not a directory", EISDIR: "illegal operation on a directory",
  ENOTEMPTY: "directory not empty", EBADF: "bad file descriptor", EINVAL: "invalid argument", ELOOP: "too many symbolic links encountered", ENOSPC: "no space left on device",
};
function fsError(code: string, syscall: string, path?: string): any {
  const e: any = new Error(`${words[code]}${path === undefined ? "" : `, ${syscall} '${path}'`}`);
  e.code = code;
  e.syscall = syscall;
  if (path !== undefined) e.path = path;
  return e;
}

type Kind = "file" | "dir" | "link" | "device";
let inodes = 0;
class Inode {
  ino = ++inodes;
  children: Map<string, Inode> | null;
  data = new Uint8Array(0);
  size = 0;
  target = "";
  mode: number;
  atime = Date.now();
  mtime = this.atime;
  ctime = this.atime;
  birthtime = this.atime;
  constructor(public kind: Kind, public writable: boolean) {
    this.children = kind === "dir" ? new Map() : null;
    this.mode = kind === "dir" ? 0o40777 : kind === "link" ? 0o120777 : kind === "device" ? 0o20666 : writable ? 0o100666 : 0o100444;
  }
  write(b: Uint8Array, at: number): void {
    const end = at + b.length;
    if (end > this.data.length) {
      const grown = new Uint8Array(Math.max(end, this.data.length * 2));
      grown.set(this.data.subarray(0, this.size));
      this.data = grown;
    }
    this.data.set(b, at);
    if (end > this.size) this.size = end;
    this.mtime = this.ctime = Date.now();
  }
  truncate(n: number): void {
    if (n < this.size) this.data.fill(0, n, this.size);
    else if (n > this.data.length) this.write(new Uint8Array(n - this.size), this.size);
    this.size = n;
    this.mtime = this.ctime = Date.now();
  }
  bytes(): Uint8Array { return this.data.subarray(0, this.size); }
}

let bundle: Inode | null = null;
function bundleFolder(): Inode {
  if (bundle !== null) return bundle;
  const root = new Inode("dir", false), l: string[] = call(FILES);
  for (let i = 0; i < l.length; i += 2) {
    const parts = l[i].split("/");
    let at = root;
    for (let k = 0; k < parts.length - 1; k++) {
      let next = at.children!.get(parts[k]);
      if (next === undefined) at.children!.set(parts[k], next = new Inode("dir", false));
      at = next;
    }
    const f = new Inode("file", false);
    f.write(encodeUTF8(l[i + 1]), 0);
    at.children!.set(parts[parts.length - 1], f);
  }
  return bundle = root;
}
let dev: Inode | null = null;
function devices(): Inode {
  if (dev !== null) return dev;
  dev = new Inode("dir", false);
  for (const n of ["null", "zero", "full", "random"]) {
    const d = new Inode("device", true);
    d.target = n;
    dev.children!.set(n, d);
  }
  return dev;
}

// What a request has: its /tmp and its open files.
class Session {
  root = new Inode("dir", false);
  open = new Map<number, Handle>();
  next = 3;
  constructor() {
    const c = this.root.children!;
    c.set("bundle", bundleFolder());
    c.set("tmp", new Inode("dir", true));
    c.set("dev", devices());
  }
}
type Handle = { node: Inode; at: number; read: boolean; write: boolean; append: boolean; path: string };
const sessions = new Map<number, Session>();
function session(): Session {
  let s = sessions.get(current.run);
  if (s === undefined) {
    for (const run of sessions.keys()) if (!isOpen(run)) sessions.delete(run);
    sessions.set(current.run, s = new Session());
  }
  return s;
}

/** A path as text, absolute, without dots. */
function pathOf(p: any, name = "path"): string {
  let s: string;
  if (typeof p === "string") s = p;
  else if (p instanceof URL) {
    if (p.protocol !== "file:") throw nodeError(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
    s = decodeURIComponent(p.pathname);
  } else if (bytesOf(p) !== undefined) s = decodeUTF8(bytesOf(p)!);
  else throw argType(name, "of type string or an instance of Buffer or URL", p);
  if (s.includes("\0")) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument '${name}' must be a string without null bytes. Received ${JSON.stringify(s)}`);
  if (!s.startsWith("/")) s = `${cwd()}/${s}`;
  const out: string[] = [];
  for (const part of s.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") out.pop();
    else out.push(part);
  }
  return "/" + out.join("/");
}

/** The inode at a path, null when there is none. */
function find(path: string, syscall: string, follow = true, hops = 0): Inode | null {
  if (hops > 32) throw fsError("ELOOP", syscall, path);
  let at = session().root;
  const parts = path.split("/").filter((x) => x !== "");
  for (let i = 0; i < parts.length; i++) {
    if (at.children === null) throw fsError("ENOTDIR", syscall, path);
    const next = at.children.get(parts[i]);
    if (next === undefined) return null;
    if (next.kind === "link" && (follow || i < parts.length - 1)) {
      const base = next.target.startsWith("/") ? next.target : "/" + [...parts.slice(0, i), next.target].join("/");
      return find(pathOf([base, ...parts.slice(i + 1)].join("/")), syscall, follow, hops + 1);
    }
    at = next;
  }
  return at;
}
function need(path: string, syscall: string, follow = true): Inode {
  const n = find(path, syscall, follow);
  if (n === null) throw fsError("ENOENT", syscall, path);
  return n;
}
function folder(path: string, syscall: string): Inode {
  const n = need(path, syscall);
  if (n.children === null) throw fsError("ENOTDIR", syscall, path);
  return n;
}
const split = (path: string): [string, string] => {
  const i = path.lastIndexOf("/");
  return [path.slice(0, i) || "/", path.slice(i + 1)];
};
/** The folder that holds a path, which may be changed. */
function holder(path: string, syscall: string): [Inode, string] {
  const [dir, name] = split(path), d = find(dir, syscall);
  if (d === null) throw fsError("ENOENT", syscall, path);
  if (d.children === null) throw fsError("ENOTDIR", syscall, path);
  if (!d.writable || name === "") throw fsError("EPERM", syscall, path);
  return [d, name];
}

export const constants: any = Object.freeze({
  F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, COPYFILE_FICLONE_FORCE: 4, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024,
  S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFCHR: 8192, S_IFLNK: 40960, UV_FS_O_FILEMAP: 0,
});
export const { F_OK, R_OK, W_OK, X_OK } = constants;

export class Stats {
  dev = 0; mode = 0; nlink = 1; uid = 0; gid = 0; rdev = 0; blksize = 4096; ino = 0; size = 0; blocks = 0;
  atimeMs = 0; mtimeMs = 0; ctimeMs = 0; birthtimeMs = 0;
  declare atime: Date; declare mtime: Date; declare ctime: Date; declare birthtime: Date;
  isFile() { return (Number(this.mode) & 61440) === 32768; }
  isDirectory() { return (Number(this.mode) & 61440) === 16384; }
  isSymbolicLink() { return (Number(this.mode) & 61440) === 40960; }
  isCharacterDevice() { return (Number(this.mode) & 61440) === 8192; }
  isBlockDevice() { return false; }
  isFIFO() { return false; }
  isSocket() { return false; }
}
function stats(n: Inode, o?: { bigint?: boolean }): any {
  const s: any = new Stats();
  Object.assign(s, { ino: n.ino, mode: n.mode, size: n.size, blocks: Math.ceil(n.size / 512) });
  for (const t of ["atime", "mtime", "ctime", "birthtime"] as const) {
    s[t + "Ms"] = n[t];
    s[t] = new Date(n[t]);
  }
  if (o?.bigint) {
    for (const k of Object.keys(s)) if (typeof s[k] === "number") s[k] = BigInt(Math.trunc(s[k]));
    for (const t of ["atime", "mtime", "ctime", "birthtime"] as const) s[t + "Ns"] = BigInt(Math.trunc(n[t])) * 1000000n;
  }
  return s;
}
export class Dirent {
  constructor(public name: string, public parentPath: string, private readonly kind: Kind) {
    Object.defineProperty(this, "kind", { enumerable: false });
  }
  get path() { return this.parentPath; }
  isFile() { return this.kind === "file"; }
  isDirectory() { return this.kind === "dir"; }
  isSymbolicLink() { return this.kind === "link"; }
  isCharacterDevice() { return this.kind === "device"; }
  isBlockDevice() { return false; }
  isFIFO() { return false; }
  isSocket() { return false; }
}
export class Dir {
  #left: Dirent[];
  constructor(public readonly path: string, list: Dirent[]) { this.#left = list; }
  readSync(): Dirent | null { return this.#left.shift() ?? null; }
  async read(): Promise<Dirent | null> { return this.readSync(); }
  closeSync(): void { this.#left = []; }
  async close(): Promise<void> { this.closeSync(); }
  async* [Symbol.asyncIterator]() { for (let d = this.readSync(); d !== null; d = this.readSync()) yield d; }
}

const encodingOf = (o: any): any => (typeof o === "string" ? o : o?.encoding ?? null);
const shown = (b: Uint8Array, o: any): any => {
  const e = encodingOf(o), buf = Buffer.from(b.slice().buffer as ArrayBuffer);
  return e === null || e === "buffer" ? buf : buf.toString(e);
};
function content(v: any, o?: any): Uint8Array {
  if (typeof v === "string") return Buffer.from(v, encodingOf(o) ?? "utf8") as any;
  const b = bytesOf(v);
  if (b === undefined) throw argType("data", "of type string or an instance of Buffer, TypedArray, or DataView", v);
  return b;
}

function flagsOf(f: any): { read: boolean; write: boolean; create: boolean; truncate: boolean; append: boolean; exclusive: boolean } {
  if (typeof f === "number") return { read: (f & 3) !== 1, write: (f & 3) !== 0, create: (f & 64) !== 0, truncate: (f & 512) !== 0, append: (f & 1024) !== 0, exclusive: (f & 128) !== 0 };
  const s = `${f ?? "r"}`, c = s[0];
  if (!/^(r|rs|sr|r\+|rs\+|sr\+|[wa]x?|x[wa]|[wa]x?\+|x[wa]\+|as|sa|as\+|sa\+)$/.test(s)) throw nodeError(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'flags' is invalid. Received '${s}'`);
  const plus = s.includes("+"), append = s.includes("a"), write = s.includes("w");
  return { read: c === "r" || c === "s" || plus, write: write || append || plus, create: write || append, truncate: write, append, exclusive: s.includes("x") };
}
function openNode(path: string, flags: any, syscall: string): Handle {
  const f = flagsOf(flags);
  let n = find(path, syscall);
  if (n !== null && f.exclusive) throw fsError("EEXIST", syscall, path);
  if (n === null) {
    if (!f.create) throw fsError("ENOENT", syscall, path);
    const [d, name] = holder(path, syscall);
    d.children!.set(name, n = new Inode("file", true));
  }
  if (f.write && !n.writable) throw fsError(n.kind === "dir" ? "EISDIR" : "EPERM", syscall, path);
  if (f.write && n.kind === "dir") throw fsError("EISDIR", syscall, path);
  if (f.truncate && n.kind === "file") n.truncate(0);
  return { node: n, at: 0, read: f.read, write: f.write, append: f.append, path };
}
function handle(fd: any, syscall: string): Handle {
  if (typeof fd !== "number") throw argType("fd", "of type number", fd);
  const h = session().open.get(fd);
  if (h === undefined) throw fsError("EBADF", syscall);
  return h;
}
function readFrom(h: Handle, n: number, at: number | null): Uint8Array {
  if (!h.read) throw fsError("EBADF", "read");
  if (h.node.kind === "dir") throw fsError("EISDIR", "read");
  if (h.node.kind === "device") return h.node.target === "null" ? new Uint8Array(0) : h.node.target === "random" ? new Uint8Array(call(RANDOM, n)) : new Uint8Array(n);
  const from = at ?? h.at, b = h.node.bytes().subarray(from, from + n);
  if (at === null) h.at += b.length;
  return b;
}
function writeTo(h: Handle, b: Uint8Array, at: number | null): number {
  if (!h.write) throw fsError("EBADF", "write");
  if (h.node.kind === "device") {
    if (h.node.target === "full") throw fsError("ENOSPC", "write");
    return b.length;
  }
  const from = h.append ? h.node.size : at ?? h.at;
  h.node.write(b, from);
  if (at === null) h.at = from + b.length;
  return b.length;
}
const position = (v: any): number | null => (v === undefined || v === null || v === -1 ? null : Number(v));
const time = (v: any): number => (v instanceof Date ? v.getTime() : Number(v) * 1000);

function list(path: string, o: any, prefix: string): any[] {
  const d = folder(path, "readdir"), out: any[] = [];
  for (const [name, n] of d.children!) {
    out.push(o?.withFileTypes ? new Dirent(name, path, n.kind) : prefix + name);
    if (o?.recursive && n.children !== null) out.push(...list(path === "/" ? "/" + name : `${path}/${name}`, o, `${prefix}${name}/`));
  }
  return out;
}
function copyTree(from: string, to: string, o: any): void {
  const n = need(from, "cp", false);
  if (n.kind === "link") {
    sync.symlink(n.target, to);
    return;
  }
  if (n.children === null) {
    if (find(to, "cp") !== null && o?.errorOnExist && o?.force === false) throw fsError("EEXIST", "cp", to);
    if (find(to, "cp") === null || o?.force !== false) sync.copyFile(from, to);
    return;
  }
  if (!o?.recursive) throw nodeError(Error, "ERR_FS_EISDIR", `Recursive option not enabled, cannot copy a directory: ${from}`);
  if (find(to, "cp") === null) sync.mkdir(to);
  for (const name of n.children.keys()) copyTree(`${from}/${name}`, `${to}/${name}`, o);
}

/** The operations, each at once. Their names with Sync are node:fs's; with a callback or a promise they wait a turn. */
const sync = {
  access(p: any, mode = 0) {
    const path = pathOf(p), n = need(path, "access");
    if (mode & 2 && !n.writable) throw fsError("EPERM", "access", path);
  },
  appendFile(p: any, data: any, o?: any) { sync.writeFile(p, data, { ...(typeof o === "string" ? { encoding: o } : o), flag: o?.flag ?? "a" }); },
  chmod(p: any, mode: any) { const n = need(pathOf(p), "chmod"); n.mode = (n.mode & 61440) | (Number(mode) & 0o7777); },
  chown(p: any, _u: number, _g: number) { need(pathOf(p), "chown"); },
  close(fd: any) {
    handle(fd, "close");
    session().open.delete(fd);
  },
  copyFile(a: any, b: any, mode = 0) {
    const from = pathOf(a, "src"), to = pathOf(b, "dest"), n = need(from, "copyFile");
    if (n.kind === "dir") throw fsError("EISDIR", "copyFile", from);
    if (mode & 1 && find(to, "copyFile") !== null) throw fsError("EEXIST", "copyFile", to);
    openNode(to, "w", "copyFile").node.write(n.bytes(), 0);
  },
  cp(a: any, b: any, o?: any) { copyTree(pathOf(a, "src"), pathOf(b, "dest"), o); },
  exists(p: any): boolean {
    try {
      return find(pathOf(p), "exists") !== null;
    } catch {
      return false;
    }
  },
  fchmod(fd: any, mode: any) { const n = handle(fd, "fchmod").node; n.mode = (n.mode & 61440) | (Number(mode) & 0o7777); },
  fchown(fd: any) { handle(fd, "fchown"); },
  fdatasync(fd: any) { handle(fd, "fdatasync"); },
  fstat(fd: any, o?: any) { return stats(handle(fd, "fstat").node, o); },
  fsync(fd: any) { handle(fd, "fsync"); },
  ftruncate(fd: any, n = 0) { handle(fd, "ftruncate").node.truncate(n); },
  futimes(fd: any, a: any, m: any) { const n = handle(fd, "futimes").node; n.atime = time(a); n.mtime = time(m); },
  lchmod(p: any, mode: any) { sync.chmod(p, mode); },
  lchown(p: any) { need(pathOf(p), "lchown", false); },
  link(a: any, b: any) {
    const n = need(pathOf(a, "existingPath"), "link"), to = pathOf(b, "newPath");
    if (find(to, "link", false) !== null) throw fsError("EEXIST", "link", to);
    const [d, name] = holder(to, "link");
    d.children!.set(name, n);
  },
  lstat(p: any, o?: any) {
    const path = pathOf(p), n = find(path, "lstat", false);
    if (n === null && o?.throwIfNoEntry === false) return undefined;
    if (n === null) throw fsError("ENOENT", "lstat", path);
    return stats(n, o);
  },
  lutimes(p: any, a: any, m: any) { const n = need(pathOf(p), "lutimes", false); n.atime = time(a); n.mtime = time(m); },
  mkdir(p: any, o?: any): string | undefined {
    const path = pathOf(p), there = find(path, "mkdir");
    const recursive = typeof o === "object" && o !== null && o.recursive;
    if (there !== null) {
      if (there.children !== null) return undefined; // as Workers do, also without recursive
      throw fsError("EEXIST", "mkdir", path);
    }
    let first: string | undefined;
    if (recursive) {
      const up = split(path)[0];
      if (find(up, "mkdir") === null) first = sync.mkdir(up, o);
    }
    const [d, name] = holder(path, "mkdir");
    d.children!.set(name, new Inode("dir", true));
    return recursive ? first ?? path : undefined;
  },
  mkdtemp(prefix: any): string {
    const b = new Uint8Array(call(RANDOM, 6));
    let path = pathOf(prefix, "prefix");
    if (`${prefix}`.endsWith("/")) path += "/";
    for (let i = 0; i < 6; i++) path += "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[b[i] % 62];
    sync.mkdir(path);
    return path;
  },
  open(p: any, flags: any = "r"): number {
    const s = session(), h = openNode(pathOf(p), flags, "open");
    s.open.set(s.next, h);
    return s.next++;
  },
  opendir(p: any, o?: any): Dir {
    const path = pathOf(p);
    return new Dir(path, list(path, { ...o, withFileTypes: true }, ""));
  },
  read(fd: any, buffer: any, offset?: any, length?: any, at?: any): number {
    const h = handle(fd, "read");
    if (typeof offset === "object" && offset !== null) ({ offset, length, position: at } = offset);
    const b = bytesOf(buffer);
    if (b === undefined) throw argType("buffer", "an instance of Buffer, TypedArray, or DataView", buffer);
    const part = readFrom(h, length ?? b.length - (offset ?? 0), position(at));
    b.set(part, offset ?? 0);
    return part.length;
  },
  readdir(p: any, o?: any): any[] { return list(pathOf(p), o, ""); },
  readFile(p: any, o?: any): any {
    if (typeof p === "number") {
      const h = handle(p, "readAll");
      return shown(readFrom(h, Infinity, null), o);
    }
    const h = openNode(pathOf(p), o?.flag ?? "r", "readAll");
    if (h.node.kind === "dir") throw fsError("EISDIR", "readAll", h.path);
    return shown(h.node.kind === "device" ? new Uint8Array(0) : h.node.bytes(), o);
  },
  readlink(p: any, o?: any): any {
    const path = pathOf(p), n = need(path, "readlink", false);
    if (n.kind !== "link") throw fsError("EINVAL", "readlink", path);
    return encodingOf(o) === "buffer" ? Buffer.from(n.target) : n.target;
  },
  readv(fd: any, buffers: any[], at?: any): number {
    let n = 0;
    for (const b of buffers) n += sync.read(fd, b, 0, b.byteLength, at === undefined || at === null ? null : at + n);
    return n;
  },
  realpath(p: any): string {
    let path = pathOf(p);
    need(path, "realpath");
    for (let hops = 0; hops < 32; hops++) {
      const parts = path.split("/").filter((x) => x !== "");
      let moved = false;
      for (let i = 1; i <= parts.length && !moved; i++) {
        const at = "/" + parts.slice(0, i).join("/"), n = find(at, "realpath", false);
        if (n?.kind !== "link") continue;
        path = pathOf([n.target.startsWith("/") ? n.target : `${split(at)[0]}/${n.target}`, ...parts.slice(i)].join("/"));
        moved = true;
      }
      if (!moved) break;
    }
    return path;
  },
  rename(a: any, b: any) {
    const from = pathOf(a, "oldPath"), to = pathOf(b, "newPath"), n = need(from, "rename", false);
    const [d, name] = holder(from, "rename"), [e, other] = holder(to, "rename"), there = e.children!.get(other);
    if (n.children !== null && (to + "/").startsWith(from + "/") && to !== from) throw fsError("EINVAL", "rename", from);
    if (there?.children && there !== n && there.children.size > 0) throw fsError("ENOTEMPTY", "rename", from);
    d.children!.delete(name);
    e.children!.set(other, n);
  },
  rm(p: any, o?: any) {
    const path = pathOf(p), n = find(path, "rm", false);
    if (n === null) {
      if (o?.force) return;
      throw fsError("ENOENT", "rm", path);
    }
    if (n.children !== null && !o?.recursive) throw nodeError(Error, "ERR_FS_EISDIR", `Path is a directory: rm returned EISDIR (is a directory) ${path}`);
    const [d, name] = holder(path, "rm");
    d.children!.delete(name);
  },
  rmdir(p: any, o?: any) {
    const path = pathOf(p), n = need(path, "rmdir", false);
    if (n.children === null) throw fsError("ENOTDIR", "rmdir", path);
    if (n.children.size > 0 && !o?.recursive) throw fsError("ENOTEMPTY", "rmdir", path);
    const [d, name] = holder(path, "rmdir");
    d.children!.delete(name);
  },
  stat(p: any, o?: any) {
    const path = pathOf(p), n = find(path, "stat");
    if (n === null && o?.throwIfNoEntry === false) return undefined;
    if (n === null) throw fsError("ENOENT", "stat", path);
    return stats(n, o);
  },
  statfs(p: any) {
    need(pathOf(p), "statfs");
    return { type: 0, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 };
  },
  symlink(target: any, p: any) {
    const path = pathOf(p);
    if (find(path, "symlink", false) !== null) throw fsError("EEXIST", "symlink", path);
    const [d, name] = holder(path, "symlink"), n = new Inode("link", true);
    n.target = typeof target === "string" ? target : pathOf(target, "target");
    d.children!.set(name, n);
  },
  truncate(p: any, n = 0) { openNode(pathOf(p), "r+", "truncate").node.truncate(n); },
  unlink(p: any) {
    const path = pathOf(p), n = need(path, "unlink", false);
    if (n.children !== null) throw fsError("EPERM", "unlink", path);
    const [d, name] = holder(path, "unlink");
    d.children!.delete(name);
  },
  utimes(p: any, a: any, m: any) { const n = need(pathOf(p), "utimes"); n.atime = time(a); n.mtime = time(m); },
  write(fd: any, data: any, a?: any, b?: any, c?: any): number {
    const h = handle(fd, "write");
    if (typeof data === "string") return writeTo(h, Buffer.from(data, b ?? "utf8") as any, position(a));
    if (typeof a === "object" && a !== null) ({ offset: a, length: b, position: c } = a);
    const bytes = content(data), from = a ?? 0;
    return writeTo(h, bytes.subarray(from, b === undefined || b === null ? undefined : from + b), position(c));
  },
  writeFile(p: any, data: any, o?: any) {
    const b = content(data, o);
    const h = typeof p === "number" ? handle(p, "writeAll") : openNode(pathOf(p), o?.flag ?? "w", "writeAll");
    writeTo(h, b, null);
  },
  writev(fd: any, buffers: any[], at?: any): number {
    let n = 0;
    for (const b of buffers) n += sync.write(fd, b, 0, b.byteLength, at === undefined || at === null ? null : at + n);
    return n;
  },
};
type Name = keyof typeof sync;
const names = Object.keys(sync) as Name[];

/** The promise forms. open gives a FileHandle. */
const byPromise: any = {};
for (const n of names) {
  if (n === "exists" || n === "close" || (n[0] === "f" && n !== "fsync") || /^(read|write)v?$/.test(n) || n === "fsync") continue;
  byPromise[n] = { async [n](...args: any[]) { return (sync[n] as any)(...args); } }[n];
}
byPromise.open = async function open(p: any, flags?: any) { return new FileHandle(sync.open(p, flags)); };
byPromise.constants = constants;

class FileHandle {
  constructor(public readonly fd: number) { }
  async read(buffer: any, ...rest: any[]) {
    const b = buffer === undefined || (typeof buffer === "object" && bytesOf(buffer) === undefined) ? buffer?.buffer ?? Buffer.alloc(16384) : buffer;
    return { bytesRead: (sync.read as any)(this.fd, b, ...rest), buffer: b };
  }
  async write(data: any, ...rest: any[]) { return { bytesWritten: (sync.write as any)(this.fd, data, ...rest), buffer: data }; }
  async readFile(o?: any) { return sync.readFile(this.fd, o); }
  async writeFile(data: any, o?: any) { sync.writeFile(this.fd, data, o); }
  async appendFile(data: any, o?: any) { sync.writeFile(this.fd, data, o); }
  async stat(o?: any) { return sync.fstat(this.fd, o); }
  async truncate(n?: number) { sync.ftruncate(this.fd, n); }
  async chmod(mode: any) { sync.fchmod(this.fd, mode); }
  async utimes(a: any, m: any) { sync.futimes(this.fd, a, m); }
  async sync() { sync.fsync(this.fd); }
  async datasync() { sync.fsync(this.fd); }
  async readv(buffers: any[], at?: any) { return { bytesRead: sync.readv(this.fd, buffers, at), buffers }; }
  async writev(buffers: any[], at?: any) { return { bytesWritten: sync.writev(this.fd, buffers, at), buffers }; }
  async close() { sync.close(this.fd); }
  createReadStream(o?: any) { return new ReadStream("", { ...o, fd: this.fd }); }
  createWriteStream(o?: any) { return new WriteStream("", { ...o, fd: this.fd }); }
  async *readLines() { yield* decodeUTF8(sync.readFile(this.fd)).split(/\r?\n/); }
  async [Symbol.asyncDispose]() { await this.close(); }
}

export class ReadStream extends (Readable as any) {
  constructor(public path: any, o: any = {}) {
    if (typeof o === "string") o = { encoding: o };
    super({ highWaterMark: 65536, ...o });
    const self = this as any;
    self.bytesRead = 0;
    self._at = o.start ?? 0;
    self._last = o.end ?? Infinity;
    queueMicrotask(() => {
      try {
        self.fd = o.fd ?? sync.open(path, o.flags ?? "r");
        self.emit("open", self.fd);
        self.emit("ready");
        self._opened?.();
      } catch (e) {
        self.destroy(e);
      }
    });
  }
  _read(n: number): void {
    const self = this as any;
    if (self.fd === undefined) {
      self._opened = () => self._read(n);
      return;
    }
    const b = Buffer.from(readFrom(handle(self.fd, "read"), Math.min(n, self._last - self._at + 1), self._at).slice().buffer as ArrayBuffer);
    self._at += b.length;
    self.bytesRead += b.length;
    self.push(b.length === 0 ? null : b);
  }
}
export class WriteStream extends (Writable as any) {
  constructor(public path: any, o: any = {}) {
    if (typeof o === "string") o = { encoding: o };
    super(o);
    const self = this as any;
    self.bytesWritten = 0;
    self._at = o.start ?? null;
    try {
      self.fd = o.fd ?? sync.open(path, o.flags ?? "w");
      queueMicrotask(() => {
        self.emit("open", self.fd);
        self.emit("ready");
      });
    } catch (e) {
      queueMicrotask(() => self.destroy(e));
    }
  }
  _write(chunk: any, encoding: any, done: (e?: unknown) => void): void {
    const self = this as any;
    try {
      const b = typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
      self.bytesWritten += writeTo(handle(self.fd, "write"), b, self._at);
      if (self._at !== null) self._at += b.length;
    } catch (e) {
      done(e);
      return;
    }
    done();
  }
  close(done?: () => void): void { (this as any).end(done); }
}
export const FileReadStream = ReadStream, FileWriteStream = WriteStream;

const fs: any = { constants, promises: byPromise, Stats, Dirent, Dir, ReadStream, WriteStream, FileReadStream, FileWriteStream, ...{ F_OK, R_OK, W_OK, X_OK } };
for (const n of names) {
  const now: any = sync[n];
  fs[n + "Sync"] = { [n + "Sync"](...args: any[]) { return now(...args); } }[n + "Sync"];
  fs[n] = { [n](...args: any[]) {
    const done = args.pop();
    if (typeof done !== "function") throw argType("callback", "of type function", args.length === 0 ? undefined : done);
    let result: any, failure: any = null;
    try {
      result = now(...args);
    } catch (e: any) {
      if (e?.code === "ERR_INVALID_ARG_TYPE") throw e;
      failure = e;
    }
    queueMicrotask(() => {
      if (n === "exists") done(result);
      else if (failure !== null) done(failure);
      else if (/^(read|write)v?$/.test(n)) done(null, result, args[1]);
      else if (result === undefined) done(null);
      else done(null, result);
    });
  } }[n];
}
fs.createReadStream = (p: any, o?: any) => new ReadStream(p, o);
fs.createWriteStream = (p: any, o?: any) => new WriteStream(p, o);
fs.openAsBlob = async (p: any, o?: any) => new Blob([sync.readFile(p)], o);
fs.realpath.native = fs.realpath;
fs.realpathSync.native = fs.realpathSync;
for (const n of ["watch", "watchFile", "unwatchFile"]) fs[n] = { [n]() { throw new Error(`fs.${n} is not available here: the files of a Worker do not change by themselves.`); } }[n];
for (const n of ["glob", "globSync"]) fs[n] = { [n]() { throw new Error(`fs.${n} is not available here: use fs.readdirSync(path, { recursive: true }).`); } }[n];

export default fs;
export const promises: any = byPromise;
export const {
  access, accessSync, appendFile, appendFileSync, chmod, chmodSync, chown, chownSync, close, closeSync, copyFile, copyFileSync, cp, cpSync, createReadStream, createWriteStream, exists, existsSync,
  fchmod, fchmodSync, fchown, fchownSync, fdatasync, fdatasyncSync, fstat, fstatSync, fsync, fsyncSync, ftruncate, ftruncateSync, futimes, futimesSync, glob, globSync, lchmod, lchmodSync, lchown, lchownSync,
  link, linkSync, lstat, lstatSync, lutimes, lutimesSync, mkdir, mkdirSync, mkdtemp, mkdtempSync, open, openAsBlob, openSync, opendir, opendirSync, read, readFile, readFileSync, readSync, readdir, readdirSync,
  readlink, readlinkSync, readv, readvSync, realpath, realpathSync, rename, renameSync, rm, rmSync, rmdir, rmdirSync, stat, statSync, statfs, statfsSync, symlink, symlinkSync, truncate, truncateSync,
  unlink, unlinkSync, unwatchFile, utimes, utimesSync, watch, watchFile, write, writeFile, writeFileSync, writeSync, writev, writevSync,
}: any = fs;
