// Promise.any, whose AggregateError says that all promises were rejected; the
// engine's has no message. Specification: ECMAScript, section 27.2.4.3.

import { NativeTypeError, ObjectDefineProperty } from "./primordials";

const any = function any(this: any, iterable: Iterable<unknown>): Promise<unknown> {
  const C = this;
  if (typeof C !== "function") throw new NativeTypeError("Promise.any called on non-object");
  return new C((resolve: (v: unknown) => void, reject: (e: unknown) => void) => {
    const resolveOne = C.resolve;
    if (typeof resolveOne !== "function") throw new NativeTypeError("Promise resolve or reject function is not callable");
    const errors: unknown[] = [];
    let left = 1, i = 0;
    const over = () => {
      if (--left > 0) return;
      const e = new AggregateError([], "All promises were rejected");
      ObjectDefineProperty(e, "errors", { value: errors, writable: true, enumerable: false, configurable: true });
      reject(e);
    };
    for (const v of iterable) {
      const at = i++;
      let called = false;
      errors[at] = undefined;
      left++;
      resolveOne.call(C, v).then(resolve, (e: unknown) => {
        if (called) return;
        called = true;
        errors[at] = e;
        over();
      });
    }
    over();
  });
};
ObjectDefineProperty(Promise, "any", { value: any, writable: true, enumerable: false, configurable: true });
