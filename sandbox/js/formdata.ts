// FormData and its two wire forms. Specifications: XMLHttpRequest, section 4;
// RFC 7578 for multipart/form-data. The host takes multipart bodies apart.

import { call, op } from "./host";
import { ArrayPush, ArraySplice, MathRandom, NativeTypeError, ReflectApply, StringReplace, StringToWellFormed, bytesOf, enumerable, expose, need, stepIterator, tag, wrongType } from "./primordials";
import { File, blobBytes, concat, isBlob } from "./blob";
import { decodeUTF8, encodeUTF8 } from "./encoding";
import { current } from "./run";
import { parseQuery } from "./url";

const MULTIPART = op("form.multipart");

type Value = string | File;
export let formEntries: (f: FormData) => [string, Value][];
export let isFormData: (o: unknown) => o is FormData;

function toValue(field: string, v: unknown, filename: unknown): Value {
  if (!isBlob(v)) {
    return StringToWellFormed(`${v as string}`);
  }
  if (v instanceof File && filename === undefined) return v;
  const name = filename === undefined ? field : `${filename as string}`; // Workers name a Blob after its field
  return new File([v], name, { type: v.type, });
}

/** An iterator that sees what is appended while it goes. */
function live<T>(name: string, l: [string, Value][], of: (e: [string, Value]) => T): IterableIterator<T> {
  let i = 0;
  return stepIterator(name, () => (i < l.length ? { done: false, value: of(l[i++]) } : { done: true, value: undefined }));
}

export class FormData {
  #list: [string, Value][] = [];
  static {
    formEntries = (f) => f.#list;
    isFormData = (o): o is FormData => typeof o === "object" && o !== null && #list in o;
  }
  append(name: string, value: unknown, filename?: string): void {
    need(arguments.length, 2, "FormData.append", "string,File or Blob or string");
    const n = StringToWellFormed(`${name}`);
    ArrayPush(this.#list, [n, toValue(n, value, filename)]);
  }
  set(name: string, value: unknown, filename?: string): void {
    need(arguments.length, 2, "FormData.set", "string,File or Blob or string");
    const n = StringToWellFormed(`${name}`), v = toValue(n, value, filename), l = this.#list;
    let done = false;
    for (let i = 0; i < l.length; i++) {
      if (l[i][0] !== n) continue;
      if (done) ArraySplice(l, i--, 1);
      else {
        l[i] = [n, v];
        done = true;
      }
    }
    if (!done) ArrayPush(l, [n, v]);
  }
  delete(name: string): void {
    need(arguments.length, 1, "FormData.delete");
    const n = StringToWellFormed(`${name}`), l = this.#list;
    for (let i = l.length - 1; i >= 0; i--) if (l[i][0] === n) ArraySplice(l, i, 1);
  }
  get(name: string): Value | null {
    need(arguments.length, 1, "FormData.get");
    const n = StringToWellFormed(`${name}`), l = this.#list;
    for (let i = 0; i < l.length; i++) if (l[i][0] === n) return l[i][1];
    return null;
  }
  getAll(name: string): Value[] {
    need(arguments.length, 1, "FormData.getAll");
    const n = StringToWellFormed(`${name}`), l = this.#list, out: Value[] = [];
    for (let i = 0; i < l.length; i++) if (l[i][0] === n) ArrayPush(out, l[i][1]);
    return out;
  }
  has(name: string): boolean {
    need(arguments.length, 1, "FormData.has");
    const n = StringToWellFormed(`${name}`), l = this.#list;
    for (let i = 0; i < l.length; i++) if (l[i][0] === n) return true;
    return false;
  }
  forEach(f: (value: Value, name: string, form: FormData) => void, self?: unknown): void {
    if (typeof f !== "function") throw wrongType("FormData.forEach", 1, "function");
    for (let i = 0; i < this.#list.length; i++) ReflectApply(f, self, [this.#list[i][1], this.#list[i][0], this]);
  }
  keys() { return live("KeyIterator", this.#list, (e) => e[0]); }
  values() { return live("ValueIterator", this.#list, (e) => e[1]); }
  entries(): IterableIterator<[string, Value]> { return live("EntryIterator", this.#list, (e) => [e[0], e[1]] as [string, Value]); }
  [Symbol.iterator]() { return this.entries(); }
}

/** A FormData as multipart/form-data: its bytes and its boundary. */
export function encodeMultipart(f: FormData): { bytes: Uint8Array; boundary: string } {
  let boundary = "";
  for (let i = 0; i < 32; i++) boundary += "0123456789abcdef"[Math.floor(MathRandom() * 16)];
  const quote = (s: string) => StringReplace(StringReplace(StringReplace(s, /\n/g, "%0A"), /\r/g, "%0D"), /"/g, "%22");
  const parts: Uint8Array[] = [], list = formEntries(f);
  for (let i = 0; i < list.length; i++) {
    const [n, v] = list[i];
    if (typeof v === "string") {
      ArrayPush(parts, encodeUTF8(`--${boundary}\r\nContent-Disposition: form-data; name="${quote(n)}"\r\n\r\n${v}\r\n`));
    } else {
      ArrayPush(parts, encodeUTF8(`--${boundary}\r\nContent-Disposition: form-data; name="${quote(n)}"; filename="${quote(v.name)}"\r\nContent-Type: ${v.type || "application/octet-stream"}\r\n\r\n`), blobBytes(v), encodeUTF8("\r\n"));
    }
  }
  ArrayPush(parts, encodeUTF8(`--${boundary}--`));
  return { bytes: concat(parts), boundary };
}

/** The form in a body of the given Content-Type; throws TypeError when it holds none. */
export function parseForm(bytes: Uint8Array, text: () => string, contentType: string | null): FormData {
  const f = new FormData(), list = formEntries(f);
  const type = (contentType ?? "").split(";")[0].trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded") {
    const l = parseQuery("?" + text());
    for (let i = 0; i < l.length; i += 2) ArrayPush(list, [l[i], l[i + 1]]);
    return f;
  }
  if (contentType === null) throw new NativeTypeError("Parsing a Body as FormData requires a Content-Type header.");
  if (type !== "multipart/form-data") {
    throw new NativeTypeError(`Unrecognized Content-Type header value. FormData can only parse the following MIME types: multipart/form-data, application/x-www-form-urlencoded`);
  }
  const m = /;\s*boundary=(?:"([^"]*)"|([^;\s]+))/i.exec(contentType);
  if (m === null) throw new NativeTypeError("No boundary string in Content-Type header. The multipart/form-data MIME type requires a boundary parameter, e.g. 'Content-Type: multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4.");
  // [name, filename or null, type, value (text or bytes), …]
  const l: any[] = call(MULTIPART, bytes, m[1] ?? m[2]);
  for (let i = 0; i < l.length; i += 4) ArrayPush(list, [l[i], l[i + 1] === undefined ? l[i + 3] : current.date !== "" && current.date < "2021-11-03" ? decodeUTF8(bytesOf(l[i + 3])!) : new File([l[i + 3]], l[i + 1], { type: l[i + 2] })]);
  return f;
}

enumerable(FormData);
tag(FormData, "FormData");
expose("FormData", FormData);
