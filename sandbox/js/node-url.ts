// node:url is unenv's; paths of file: URLs are told from others here.

import base, { fileURLToPath as toPath, parse as parseURL } from "unenv/node/url";
import { argType } from "./node-errors";

export function fileURLToPath(v: any, o?: any): string {
  if (typeof v !== "string" && !(v !== null && typeof v === "object" && v.href && v.protocol)) throw argType("path", "of type string or an instance of URL", v);
  return toPath(v, o);
}
export function parse(s: any, query?: boolean, slashes?: boolean): any {
  if (typeof s !== "string" && !(s !== null && typeof s === "object")) throw argType("url", "of type string", s);
  return parseURL(s, query, slashes);
}

export function toPathIfFileURL(v: any): any { return v !== null && typeof v === "object" && v.href && v.protocol && v.auth === undefined && v.path === undefined ? fileURLToPath(v) : v; }
export * from "unenv/node/url";
export default { ...(base as any), fileURLToPath, parse, toPathIfFileURL };
