// DOMException: the engine's own class, reached before learner code can replace it,
// whose objects say what they are in properties of their own, as Workers' do.
// Specification: Web IDL, 3.14.

import { engineFrames, giveStack } from "./errors";
import { ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ReflectConstruct, ReflectOwnKeys, expose, uncurryThis } from "./primordials";

const Native = globalThis.DOMException, proto = Native.prototype;
const fields = ["code", "name", "message"], getters = fields.map((k) => uncurryThis(ObjectGetOwnPropertyDescriptor(proto, k)!.get as any) as (e: unknown) => unknown);

const Given: any = { DOMException: function (this: unknown, ...args: any[]) {
  if (new.target === undefined) throw new TypeError("Failed to construct 'DOMException': Please use the 'new' operator, this object constructor cannot be called as a function.");
  const e = ReflectConstruct(Native as any, args, new.target) as any, raw = engineFrames(e) ?? "";
  delete e.stack;
  for (let i = 0; i < 3; i++) {
    const value = getters[i](e);
    delete e[fields[i]];
    ObjectDefineProperty(e, fields[i], { value, writable: false, enumerable: true, configurable: true });
  }
  giveStack(e, raw, true);
  return e;
} }.DOMException;
for (const k of ReflectOwnKeys(Native)) ObjectDefineProperty(Given, k, ObjectGetOwnPropertyDescriptor(Native, k)!);
ObjectDefineProperty(proto, "constructor", { value: Given, writable: true, configurable: true });
expose("DOMException", Given);

export const DOMException: typeof globalThis.DOMException = Given;

/** Whether it is a DOMException, whatever its prototype is now. */
export function isDOMException(o: unknown): boolean {
  try {
    getters[0](o);
    return true;
  } catch {
    return false;
  }
}

/** A DOMException of the given name. */
export function domError(name: string, message: string): Error {
  return new DOMException(message, name);
}
