// WeakRef with ECMAScript's promise that the engine does not keep: a target that was
// just given or got lives until the turn is over.

import { NativeTypeError, ObjectDefineProperty, ReflectConstruct, expose, uncurryThis } from "./primordials";
import { keepDuringTurn } from "./run";

if (typeof WeakRef === "function") {
  const Native: any = WeakRef, deref = uncurryThis(Native.prototype.deref as any) as (r: any) => unknown;
  const Kept: any = { WeakRef: function (target: unknown) {
    if (new.target === undefined) throw new NativeTypeError("Constructor WeakRef requires 'new'");
    const r = ReflectConstruct(Native, [target], new.target);
    keepDuringTurn(target);
    return r;
  } }.WeakRef;
  ObjectDefineProperty(Kept, "prototype", { value: Native.prototype, writable: false });
  ObjectDefineProperty(Native.prototype, "constructor", { value: Kept, writable: true, configurable: true });
  const value = { deref() {
    const t = deref(this);
    if (t !== undefined) keepDuringTurn(t);
    return t;
  } }.deref;
  ObjectDefineProperty(Native.prototype, "deref", { value, writable: true, enumerable: false, configurable: true });
  expose("WeakRef", Kept);
  ObjectDefineProperty(Kept, "length", { value: 1, configurable: true });
}
