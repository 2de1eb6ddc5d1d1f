// HTMLRewriter. Specification: Cloudflare's documentation of the Workers class. A
// scanner walks the text as it arrives; what nobody changes is passed on as it was.
// There is no tree: an end tag closes the last element of its name.

import { NativeTypeError, enumerable, expose, listIterator, need, tag, wrongType } from "./primordials";
import { TextDecoder, encodeUTF8 } from "./encoding";
import { $disturbed, ReadableStream, bodyBytes, getReader, isReadableStream, readerRead } from "./streams";
import { Headers } from "./headers";
import { Response, isResponse } from "./response";
import { Open, Selector, compile } from "./selector";

const voids = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "basefont", "bgsound", "frame", "keygen"]);
const raws = new Set(["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"]);
const foreign: Record<string, string> = { svg: "http://www.w3.org/2000/svg", math: "http://www.w3.org/1998/Math/MathML" };

type Content = { html?: boolean } | undefined;
const text = (s: string) => s.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
// Content that is a stream stands as a mark in the text until it is written.
const streamed = new Map<string, { body: ReadableStream | null; html: boolean }>();
const mark = /\u0000streamed \d+\u0000/g;
let marks = 0;

function content(v: unknown, o: Content): string {
  if (o !== undefined && (typeof o !== "object" || o === null)) throw new NativeTypeError("Failed to execute 'append' on 'Element': parameter 2 is not of type 'ContentOptions'.");
  if (isResponse(v) || isReadableStream(v)) {
    const body = isResponse(v) ? v.body : v, key = `\u0000streamed ${++marks}\u0000`;
    streamed.set(key, { body, html: !!o?.html });
    return key;
  }
  if (typeof v !== "string") v = `${v}`;
  return o?.html ? (v as string) : text(v as string);
}

/** The text with its marks replaced by what their streams hold. */
async function withStreams(s: string): Promise<string> {
  for (const key of s.match(mark) ?? []) {
    const held = streamed.get(key);
    if (held === undefined) continue;
    streamed.delete(key);
    const all = held.body === null ? "" : await new Response(held.body).text();
    s = s.replace(key, () => (held.html ? all : text(all)));
  }
  return s;
}

// Objects given to handlers are dead once their token has been written.
const dead = () => {
  throw new NativeTypeError("This content token is no longer valid. Content tokens are only valid during the execution of the relevant content handler.");
};

/** Throws unless content was given to a method of a token. */
function given(n: number, token: object, method: string): void {
  need(n, 1, `${(token as any)[Symbol.toStringTag]}.${method}`, "string or JsReadableStream or Response");
}

/** before, after, replace and remove, for every kind of token. */
class Token {
  _live = true;
  _before = "";
  _after = "";
  _replaced: string | null = null;
  constructor() {
    for (const k of ["_live", "_before", "_after", "_replaced"]) Object.defineProperty(this, k, { enumerable: false });
  }
  _use(): void {
    if (!this._live) dead();
  }
  get removed() { return this._replaced !== null; }
  before(v: string, o?: Content): this {
    this._use();
    given(arguments.length, this, "before");
    this._before += content(v, o);
    return this;
  }
  after(v: string, o?: Content): this {
    this._use();
    given(arguments.length, this, "after");
    this._after = content(v, o) + this._after;
    return this;
  }
  replace(v: string, o?: Content): this {
    this._use();
    given(arguments.length, this, "replace");
    this._replaced = content(v, o);
    return this;
  }
  remove(): this {
    this._use();
    this._replaced ??= "";
    return this;
  }
  _write(raw: string): string { return this._before + (this._replaced ?? raw) + this._after; }
}

class Text extends Token {
  #text: string;
  #last: boolean;
  constructor(t: string, last: boolean) {
    super();
    this.#text = t;
    this.#last = last;
  }
  get text() { this._use(); return this.#text; }
  get lastInTextNode() { this._use(); return this.#last; }
}
class Comment extends Token {
  #text: string;
  _changed = false;
  constructor(t: string) {
    super();
    this.#text = t;
    Object.defineProperty(this, "_changed", { enumerable: false });
  }
  get text() { this._use(); return this.#text; }
  set text(v: string) {
    this._use();
    if (`${v}`.includes("-->")) throw new NativeTypeError("Parser error: Comment text shouldn't contain a comment-closing sequence.");
    this.#text = `${v}`;
    this._changed = true;
  }
}
class Doctype extends Token {
  constructor(readonly name: string | null, readonly publicId: string | null, readonly systemId: string | null) { super(); }
}
class EndTag extends Token {
  #name: string;
  _changed = false;
  constructor(name: string) {
    super();
    this.#name = name;
    Object.defineProperty(this, "_changed", { enumerable: false });
  }
  get name() { return this.#name; }
  set name(v: string) {
    this.#name = `${v}`;
    this._changed = true;
  }
}
class DocumentEnd {
  _text = "";
  append(v: string, o?: Content): this {
    this._text += content(v, o);
    return this;
  }
}

type Attribute = { name: string; value: string; raw: string | null };

class Element extends Token {
  #name: string;
  #attributes: Attribute[];
  #space: string;
  _renamed = false;
  _changed = false;
  _prepend = "";
  _append = "";
  _inner: string | null = null;
  _keep = false;
  _ends: ((t: EndTag) => unknown)[] = [];
  constructor(name: string, attributes: Attribute[], space: string, readonly _void: boolean) {
    super();
    this.#name = name;
    this.#attributes = attributes;
    this.#space = space;
    for (const k of Object.keys(this)) Object.defineProperty(this, k, { enumerable: false });
  }
  get tagName() { this._use(); return this.#name; }
  set tagName(v: string) {
    this._use();
    const n = `${v}`;
    if (!/^[A-Za-z][^\s/>]*$/.test(n)) throw new NativeTypeError(`Parser error: ${n === "" ? "Tag name can't be empty." : /^[A-Za-z]/.test(n) ? "The tag name contains a character that is not allowed." : "The first character of the tag name should be an ASCII alphabetical character."}`);
    this.#name = n;
    this._renamed = this._changed = true;
  }
  get namespaceURI() { return this.#space; }
  get attributes(): IterableIterator<[string, string]> {
    this._use();
    return listIterator(this.#attributes.map((a) => [a.name, a.value] as [string, string]), "AttributesIterator");
  }
  getAttribute(n: string): string | null {
    this._use();
    need(arguments.length, 1, "Element.getAttribute");
    const k = `${n}`.toLowerCase();
    for (const a of this.#attributes) if (a.name === k) return a.value;
    return null;
  }
  hasAttribute(n: string): boolean {
    need(arguments.length, 1, "Element.hasAttribute");
    return this.getAttribute(n) !== null;
  }
  setAttribute(n: string, v: string): this {
    this._use();
    need(arguments.length, 2, "Element.setAttribute");
    const k = `${n}`.toLowerCase();
    if (k === "") throw new NativeTypeError("Parser error: Attribute name can't be empty.");
    if (/[\s/>=]/.test(k)) throw new NativeTypeError("The attribute name contains a character that is not allowed.");
    this._changed = true;
    for (const a of this.#attributes) {
      if (a.name !== k) continue;
      a.value = `${v}`;
      a.raw = null;
      return this;
    }
    this.#attributes.push({ name: k, value: `${v}`, raw: null });
    return this;
  }
  removeAttribute(n: string): this {
    this._use();
    need(arguments.length, 1, "Element.removeAttribute");
    const k = `${n}`.toLowerCase(), i = this.#attributes.findIndex((a) => a.name === k);
    if (i >= 0) {
      this.#attributes.splice(i, 1);
      this._changed = true;
    }
    return this;
  }
  prepend(v: string, o?: Content): this {
    this._use();
    given(arguments.length, this, "prepend");
    this._prepend = content(v, o) + this._prepend;
    return this;
  }
  append(v: string, o?: Content): this {
    this._use();
    given(arguments.length, this, "append");
    this._append += content(v, o);
    return this;
  }
  setInnerContent(v: string, o?: Content): this {
    this._use();
    given(arguments.length, this, "setInnerContent");
    this._prepend = this._append = "";
    this._inner = content(v, o);
    return this;
  }
  removeAndKeepContent(): this {
    this._use();
    this._keep = true;
    return this;
  }
  onEndTag(f: (t: EndTag) => unknown): void {
    this._use();
    if (typeof f !== "function") throw wrongType("Element.onEndTag", 1, "function");
    if (this._void) throw new NativeTypeError("Parser error: No end tag.");
    this._ends = [f]; // the last one given counts
  }
  _open(raw: string, selfClosed: boolean): string {
    if (!this._changed) return raw;
    let s = "<" + (this._renamed ? this.#name : raw.slice(1, this.#name.length + 1));
    for (const a of this.#attributes) s += " " + (a.raw ?? `${a.name}="${a.value.replace(/"/g, "&quot;")}"`);
    return s + (selfClosed ? " />" : ">");
  }
}
for (const [C, name] of [[Text, "Text"], [Comment, "Comment"], [Doctype, "Doctype"], [EndTag, "EndTag"], [Element, "Element"], [DocumentEnd, "DocumentEnd"]] as const) {
  enumerable(C as any, Object.getOwnPropertyNames(C.prototype).filter((k) => k[0] !== "_"));
  tag(C as any, name);
}
enumerable(Token, ["removed", "before", "after", "replace", "remove"]);

type Handlers = { element?: Function; text?: Function; comments?: Function };
type Rule = { selector: Selector; h: any };
type Node = Open & { rules: Rule[] | null; element: Element | null; hides: boolean; children: number; types: Map<string, number> | null; space: string };

const attribute = /[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?/y;

/** One pass over one document. */
class Pass {
  buf = "";
  out = "";
  stack: Node[] = [];
  hidden = 0; // elements on the stack whose content is dropped
  raw = ""; // the element whose text holds no tags
  escaped = false; // within a script's "<!--"
  inText = false;
  root: { children: number; types: Map<string, number> | null } = { children: 0, types: null };
  constructor(readonly rules: Rule[], readonly documents: any[]) { }

  write(s: string): void {
    if (this.hidden === 0) this.out += s;
  }

  async feed(chunk: string, end: boolean): Promise<void> {
    this.buf += chunk;
    let s = this.buf, at = 0;
    while (at < s.length) {
      if (this.raw !== "") {
        if (s[at] === "<" && new RegExp(`^</${this.raw}[\\s/>]`, "i").test(s.slice(at, at + this.raw.length + 3))) {
          await this.endText();
          this.raw = "";
          this.escaped = false;
          continue;
        }
        const n = this.rawText(s, at, end);
        if (n === 0) break;
        await this.text(s.slice(at, at + n), false);
        at += n;
        continue;
      }
      const lt = s.indexOf("<", at);
      if (lt !== at) {
        const to = lt < 0 ? s.length : lt;
        await this.text(s.slice(at, to), false);
        at = to;
        continue;
      }
      const n = await this.markup(s, at, end);
      if (n === 0) break;
      at += n;
    }
    this.buf = s.slice(at);
    if (end) {
      if (this.buf !== "") {
        this.write(this.buf);
        this.buf = "";
      }
      await this.endText();
      const d = new DocumentEnd();
      for (const h of this.documents) if (typeof h.end === "function") await wait(h.end(d));
      this.out += d._text;
    }
  }

  /**
   * The length of the next chunk of text of an element whose text holds no tags,
   * 0 when it takes more to know. As in Workers' parser, each "<" ends a chunk, and
   * what may have begun an end tag or a script's comment is a chunk of its own.
   */
  rawText(s: string, at: number, end: boolean): number {
    const script = this.raw === "script";
    if (s[at] !== "<" || (script && !this.escaped && s.startsWith("<!--", at))) {
      if (s[at] === "<") this.escaped = true;
      const stop = this.escaped ? /-->|</g : /</g;
      stop.lastIndex = s[at] === "<" ? at + 2 : at;
      const m = stop.exec(s);
      if (m === null) return s.length - at;
      if (m[0] === "<") return m.index - at;
      this.escaped = false;
      return m.index + 2 - at;
    }
    const m = (script && !this.escaped ? /<(?:\/[a-z]*|!-?)?/iy : /<(?:\/[a-z]*)?/iy);
    m.lastIndex = at;
    const n = m.exec(s)![0].length;
    return at + n === s.length && !end ? 0 : n;
  }

  /** Takes the markup at a "<"; 0 when it is not complete yet. */
  async markup(s: string, at: number, end: boolean): Promise<number> {
    const next = s[at + 1];
    if (next === undefined) {
      if (!end) return 0;
      await this.text("<", false);
      return 1;
    }
    if (next === "!" && s.startsWith("<!--", at)) {
      const to = /^<!--(?:-?>|[^]*?--!?>)/.exec(s.slice(at));
      if (to === null) return 0;
      const raw = to[0];
      await this.endText();
      await this.comment(raw, raw.replace(/^<!--/, "").replace(/--!?>$|-?>$/, ""));
      return raw.length;
    }
    if (next === "!" && /^<!doctype/i.test(s.slice(at, at + 9))) {
      const gt = s.indexOf(">", at);
      if (gt < 0) return 0;
      await this.endText();
      await this.doctype(s.slice(at, gt + 1));
      return gt + 1 - at;
    }
    if (next === "!" || next === "?" || (next === "/" && !/[A-Za-z]/.test(s[at + 2] ?? "a"))) {
      if (next === "!" && s.length - at < 9 && !end) return 0;
      const gt = s.indexOf(">", at);
      if (gt < 0) return 0;
      await this.endText();
      await this.comment(s.slice(at, gt + 1), s.slice(at + (next === "?" ? 1 : 2), gt));
      return gt + 1 - at;
    }
    if (!/[A-Za-z/]/.test(next)) {
      await this.text("<", false);
      return 1;
    }
    const gt = tagEnd(s, at);
    if (gt < 0) return 0;
    const raw = s.slice(at, gt + 1);
    await this.endText();
    if (next === "/") await this.close(raw);
    else await this.open(raw);
    return raw.length;
  }

  async text(t: string, last: boolean): Promise<void> {
    this.inText = !last;
    let raw = t;
    for (const f of this.listeners("text")) {
      const x = new Text(t, last);
      await wait(f(x));
      x._live = false;
      raw = x._write(raw);
    }
    this.write(raw);
  }
  async endText(): Promise<void> {
    if (this.inText) await this.text("", true);
  }

  /** The handlers of a kind for content where the scanner is: of every open element that matched, then of the document. */
  listeners(kind: "text" | "comments"): ((x: any) => unknown)[] {
    const out: ((x: any) => unknown)[] = [], seen = new Set<object>();
    for (const n of this.stack) {
      for (const r of n.rules ?? []) {
        if (typeof r.h[kind] !== "function" || seen.has(r)) continue;
        seen.add(r);
        out.push((x) => r.h[kind](x));
      }
    }
    for (const h of this.documents) if (typeof h[kind] === "function") out.push((x) => h[kind](x));
    return out;
  }

  async comment(raw: string, t: string): Promise<void> {
    const c = new Comment(t);
    for (const f of this.listeners("comments")) await wait(f(c));
    const s = c._changed ? `<!--${c.text}-->` : raw;
    c._live = false;
    this.write(c._write(s));
  }

  async doctype(raw: string): Promise<void> {
    const m = /^<!doctype\s*([^\s>]*)\s*(?:public\s*(?:"([^"]*)"|'([^']*)')\s*(?:"([^"]*)"|'([^']*)')?|system\s*(?:"([^"]*)"|'([^']*)'))?/i.exec(raw)!;
    const d = new Doctype(m[1] === "" ? null : m[1].toLowerCase(), m[2] ?? m[3] ?? null, m[4] ?? m[5] ?? m[6] ?? m[7] ?? null);
    for (const h of this.documents) if (typeof h.doctype === "function") await wait(h.doctype(d));
    d._live = false;
    this.write(d._write(raw));
  }

  async open(raw: string): Promise<void> {
    const name = /^<([^\s/>]+)/.exec(raw)![1].toLowerCase();
    const selfClosed = raw.endsWith("/>") && !/=\s*[^\s"'>]*\/>$/.test(raw); // a slash may be an unquoted value's last letter
    let list: Attribute[] | null = null;
    const attributes = () => (list ??= parseAttributes(raw, name.length + 1));
    const above: { children: number; types: Map<string, number> | null; space?: string } = this.stack[this.stack.length - 1] ?? this.root;
    above.children++;
    above.types ??= new Map();
    const ofType = (above.types.get(name) ?? 0) + 1;
    above.types.set(name, ofType);
    const space = foreign[name] ?? (above.space !== undefined && above.space !== "" && name !== "foreignobject" ? above.space : "");
    const node: Node = {
      name, nth: above.children, nthOfType: ofType, rules: null, element: null, hides: false, children: 0, types: null, space,
      attr(k) {
        for (const a of attributes()) if (a.name === k) return a.value;
        return null;
      },
    };
    this.stack.push(node);
    for (const r of this.rules) if (r.selector(this.stack)) (node.rules ??= []).push(r);
    const empty = voids.has(name) || (selfClosed && space !== "");
    if (node.rules === null) {
      this.write(raw);
      if (empty) this.stack.pop();
      else if (raws.has(name) && space === "") this.raw = name;
      return;
    }
    const e = (node.element = new Element(name, attributes(), space === "" ? "http://www.w3.org/1999/xhtml" : space, empty));
    for (const r of node.rules) if (typeof r.h.element === "function") await wait(r.h.element(e));
    e._live = false;
    const opening = e._replaced ?? (e._keep ? "" : e._open(raw, selfClosed));
    this.write(e._before + opening);
    if (empty) {
      this.write(e._after);
      this.stack.pop();
      return;
    }
    if (e._replaced === null) this.write(e._prepend + (e._inner ?? ""));
    if (e._replaced !== null || e._inner !== null) {
      node.hides = true;
      this.hidden++;
    }
    if (raws.has(name) && space === "") this.raw = name;
  }

  async close(raw: string): Promise<void> {
    const name = /^<\/([^\s/>]*)/.exec(raw)![1].toLowerCase();
    let i = this.stack.length - 1;
    while (i >= 0 && this.stack[i].name !== name) i--;
    if (i < 0) {
      this.write(raw);
      return;
    }
    let s = raw, first = true;
    // Elements left open inside end here too; what their handlers add counts for the innermost only.
    while (this.stack.length > i) {
      const n = this.stack.pop()!;
      if (n.hides) this.hidden--;
      const e = n.element;
      if (e === null) continue;
      const t = new EndTag(name);
      for (const f of e._ends) await wait(f(t));
      t._live = false;
      const own = this.stack.length === i;
      if (own || first) {
        const tagText = own && e._replaced !== null ? "" : own && e._keep ? "" : t._changed ? `</${t.name}>` : own && e._renamed ? `</${nameOf(e)}>` : s;
        s = (e._replaced === null ? e._append : "") + t._write(tagText) + (own ? e._after : "");
        first = false;
      }
    }
    this.write(s);
  }
}
const nameOf = (e: Element): string => {
  e._live = true;
  const n = e.tagName;
  e._live = false;
  return n;
};

function parseAttributes(raw: string, from: number): Attribute[] {
  const out: Attribute[] = [], end = raw.length - 1;
  attribute.lastIndex = from;
  for (let m = attribute.exec(raw); m !== null && m.index < end; m = attribute.exec(raw)) {
    out.push({ name: m[1].toLowerCase(), value: m[2] ?? m[3] ?? m[4] ?? "", raw: m[0].replace(/^[\s/]+/, "") });
    if (attribute.lastIndex >= end) break;
  }
  return out;
}

/** Where the tag at a position ends: the ">" outside quotes, -1 when it has not arrived. */
function tagEnd(s: string, at: number): number {
  let q = "", value = false;
  for (let i = at + 1; i < s.length; i++) {
    const c = s[i];
    if (q !== "") {
      if (c === q) q = "";
    } else if (c === ">") return i;
    else if (value && (c === '"' || c === "'")) {
      q = c;
      value = false;
    } else if (c === "=") value = true;
    else if (c !== " " && c !== "\n" && c !== "\t" && c !== "\r") value = false;
  }
  return -1;
}

function wait(v: unknown): unknown {
  return v !== null && typeof v === "object" && typeof (v as any).then === "function" ? v : undefined;
}

class HTMLRewriter {
  #rules: Rule[] = [];
  #documents: any[] = [];
  on(selector: string, h: Handlers): this {
    need(arguments.length, 1, "HTMLRewriter.on");
    if (h === null) h = {};
    if (typeof h !== "object") throw new NativeTypeError("Failed to execute 'on' on 'HTMLRewriter': parameter 2 is not of type 'ElementContentHandlers'.");
    for (const k of ["element", "comments", "text"] as const) if ((h as any)[k] !== undefined && typeof (h as any)[k] !== "function") throw new NativeTypeError(`Incorrect type for the '${k}' field on 'ElementContentHandlers': the provided value is not of type 'function'.`);
    this.#rules.push({ selector: compile(`${selector}`), h });
    return this;
  }
  onDocument(h: object): this {
    if (typeof h !== "object" || h === null) throw new NativeTypeError("Failed to execute 'onDocument' on 'HTMLRewriter': parameter 1 is not of type 'DocumentContentHandlers'.");
    for (const k of ["doctype", "comments", "text", "end"] as const) if ((h as any)[k] !== undefined && typeof (h as any)[k] !== "function") throw new NativeTypeError(`Incorrect type for the '${k}' field on 'DocumentContentHandlers': the provided value is not of type 'function'.`);
    this.#documents.push(h);
    return this;
  }
  transform(r: Response): Response {
    if (!isResponse(r)) throw new NativeTypeError("Failed to execute 'transform' on 'HTMLRewriter': parameter 1 is not of type 'Response'.");
    const body = r.body;
    if (body === null) return new Response(null, r);
    const pass = new Pass([...this.#rules], [...this.#documents]), decoder = new TextDecoder();
    const reader = getReader(body);
    (body as any)[$disturbed] = true; // nobody else can read it
    const stream = new ReadableStream({
      async pull(c: any) {
        while (pass.out === "") {
          const { done, value } = await readerRead(reader);
          await pass.feed(done ? decoder.decode() : decoder.decode(bodyBytes(value), { stream: true }), done);
          if (done) {
            if (pass.out !== "") c.enqueue(encodeUTF8(streamed.size > 0 ? await withStreams(pass.out) : pass.out));
            c.close();
            return;
          }
        }
        const b = encodeUTF8(streamed.size > 0 ? await withStreams(pass.out) : pass.out);
        pass.out = "";
        c.enqueue(b);
      },
      cancel(reason: unknown) { return reader.cancel(reason); },
    } as any, { highWaterMark: 0 });
    const headers = new Headers(r.headers);
    return new Response(stream, { status: r.status, statusText: r.statusText, headers });
  }
}
tag(HTMLRewriter, "HTMLRewriter");
expose("HTMLRewriter", HTMLRewriter);
