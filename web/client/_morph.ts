// Draws anew what the server has drawn, touching only what differs: focus,
// selection, open details and what is being typed stay.

/** Makes an element's children equal to those of another one. */
export function morph(into: Element, from: ParentNode): void {
  let at = into.firstChild;
  for (const want of [...from.childNodes]) {
    if (at && same(at, want)) {
      const next = at.nextSibling;
      if (at instanceof Element) element(at, want as Element);
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
  return !(a instanceof Element) || (a.id === (b as Element).id && a.getAttribute("class") === (b as Element).getAttribute("class"));
}

function element(at: Element, want: Element): void {
  for (const { name } of [...at.attributes]) {
    if (!want.hasAttribute(name) && name !== "open") at.removeAttribute(name);
  }
  for (const { name, value } of [...want.attributes]) {
    if (at.getAttribute(name) !== value) at.setAttribute(name, value);
  }
  if (at === document.activeElement && "value" in at) return; // it is being edited
  morph(at, want);
}
