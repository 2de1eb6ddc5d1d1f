// Small helpers over the DOM. Text only ever enters through text nodes.

export type Child = Node | string | number | null | undefined | false;
type Props = Record<string, string | number | boolean | null | undefined | ((e: never) => void)>;

export const $ = <E extends Element = HTMLElement>(selector: string, from: ParentNode = document): E | null =>
  from.querySelector<E>(selector);
export const $$ = <E extends Element = HTMLElement>(selector: string, from: ParentNode = document): E[] =>
  [...from.querySelectorAll<E>(selector)];

function fill<E extends Element>(e: E, props: Props | null, children: Child[]): E {
  for (const [k, v] of Object.entries(props ?? {})) {
    if (typeof v === "function") e.addEventListener(k, v as unknown as EventListener);
    else if (v === true) e.setAttribute(k, "");
    else if (v !== false && v !== null && v !== undefined) e.setAttribute(k, String(v));
  }
  put(e, ...children);
  return e;
}

/** Appends children; null, undefined and false are left out. */
export function put(e: Element, ...children: Child[]): void {
  for (const c of children) {
    if (c !== null && c !== undefined && c !== false) e.append(c instanceof Node ? c : String(c));
  }
}

/** Replaces what an element holds. */
export function set(e: Element | null | undefined, ...children: Child[]): void {
  if (!e) return;
  e.replaceChildren();
  put(e, ...children);
}

/** An HTML element. A function among props is a listener, named by its event. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, props?: Props | null, ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), props ?? null, children);
}

/** An SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K, props?: Props | null, ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props ?? null, children);
}

/** An icon from the page's symbols. */
export function icon(name: string, small = true): SVGElement {
  return svg("svg", { class: small ? "icon icon-small" : "icon", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));
}

/** Text for screen readers only. */
export const sr = (text: string): HTMLElement => el("span", { class: "sr" }, text);

/** A button that acts through `data-do`. */
export function button(action: string, label: Child, props?: Props, iconName?: string): HTMLButtonElement {
  return el("button", { type: "button", class: "button", "data-do": action, ...props }, iconName && icon(iconName), label);
}

/** A task of its own for what follows, so that a slow machine can answer in between. */
export const breath = (): Promise<void> => new Promise((done) => setTimeout(done));

/** Resolves when the next frame is drawn. A page out of sight draws none, and need not wait. */
export const drawn = (): Promise<void> => new Promise((done) => {
  if (document.hidden) setTimeout(done);
  else requestAnimationFrame(() => setTimeout(done));
});

const dirty = new Set<() => void>();
let asked = false;

/** Runs a painter once in the next animation frame, however often it is asked. */
export function paint(fn: () => void): void {
  dirty.add(fn);
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    const now = [...dirty];
    dirty.clear();
    for (const f of now) f();
  });
}

let lastSaid = "";
let odd = false;

/** Announces a sentence once, politely. The same sentence twice is still announced twice. */
export function say(text: string): void {
  const e = $("#say");
  if (!e) return;
  odd = text === lastSaid ? !odd : false;
  lastSaid = text;
  e.textContent = odd ? text + "\u00a0" : text;
}

/** Reads a value kept in this browser; storage that is absent or broken reads as the fallback. */
export function recall<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(key);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

/** Keeps a value in this browser, undefined to forget it. Says whether it was kept. */
export function keep(key: string, value: unknown): boolean {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Whether this browser keeps cookies of this site; who blocks them may be told otherwise by navigator. */
export function keepsCookies(): boolean {
  document.cookie = "kept=1; path=/; samesite=strict";
  const kept = document.cookie.includes("kept=1");
  document.cookie = "kept=; path=/; max-age=0; samesite=strict";
  return kept;
}
