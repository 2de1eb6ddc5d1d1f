// DOMException: the engine's own class, reached before learner code can replace it.
// Specification: Web IDL, 3.14.

export const DOMException = globalThis.DOMException;

/** A DOMException of the given name. */
export function domError(name: string, message: string): Error {
  return new DOMException(message, name);
}
