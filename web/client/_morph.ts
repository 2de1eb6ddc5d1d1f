// Draws anew what the server has drawn, touching only what differs: focus,
// selection, open details and what is being typed stay.

/**
 * Makes an element's children equal to those of another one. What is put off
 * gets its attributes at once, and is handed to later for its children.
 */
export function morph(into: Element, from: ParentNode & Node, later?: (at: Element, want: Element) => void): void {
  let at = into.firstChild;
  for (let want = from.firstChild; want; want = want.nextSibling) {
    if (at && same(at, want)) {
      const next: ChildNode | null = at.nextSibling;
      if (at.nodeType === Node.ELEMENT_NODE) element(at as unknown as Element, want as unknown as Element, later);
      else if (at.nodeValue !== want.nodeValue) at.nodeValue = want.nodeValue;
      at = next;
    } else {
      into.insertBefore(document.importNode(want, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function same(a: Node, b: Node): boolean {
  if (a.nodeType !== b.nodeType || a.nodeName !== b.nodeName) return false;
  return a.nodeType !== Node.ELEMENT_NODE || ((a as Element).id === (b as Element).id && (a as Element).getAttribute("class") === (b as Element).getAttribute("class"));
}

// A chart has hundreds of elements, and comes several times a second: no lists
// of attributes are made, and what is equal is left at once.
function element(at: Element, want: Element, later?: (at: Element, want: Element) => void): void {
  if (at.isEqualNode(want)) return;
  const have = at.attributes;
  for (let i = have.length - 1; i >= 0; i--) {
    const { name } = have[i]!;
    if (name !== "open" && !want.hasAttribute(name)) at.removeAttribute(name);
  }
  const wanted = want.attributes;
  for (let i = 0; i < wanted.length; i++) {
    const { name, value } = wanted[i]!;
    if (at.getAttribute(name) !== value) at.setAttribute(name, value);
  }
  if ("value" in at && at === document.activeElement) return; // it is being edited
  if (later && want.hasAttribute("data-later")) later(at, want);
  else morph(at, want, later);
}
