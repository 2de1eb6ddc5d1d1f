// node:stream/consumers: the whole of a stream, Node's or the web's, in one value.
import { Buffer } from "node:buffer";
import { Blob } from "./blob";

export async function buffer(s: AsyncIterable<any>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const c of s) parts.push(typeof c === "string" ? Buffer.from(c) : Buffer.from(c.buffer ?? c, c.byteOffset ?? 0, c.byteLength));
  return Buffer.concat(parts);
}
export async function arrayBuffer(s: AsyncIterable<any>): Promise<ArrayBuffer> {
  const b = await buffer(s);
  return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength) as ArrayBuffer;
}
export async function text(s: AsyncIterable<any>): Promise<string> { return (await buffer(s)).toString("utf8"); }
export async function json(s: AsyncIterable<any>): Promise<any> { return JSON.parse(await text(s)); }
export async function blob(s: AsyncIterable<any>): Promise<Blob> { return new Blob([await buffer(s) as any]); }
export default { arrayBuffer, blob, buffer, json, text };
