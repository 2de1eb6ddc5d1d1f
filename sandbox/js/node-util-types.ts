// node:util/types.

import { TypedArrayTag, isArrayBuffer, isDate, isError, isMap, isPromise, isRegExp, isSet, isWeakMap, isWeakSet } from "./primordials";
import { isProxy as proxy } from "./proxy";

const tagOf = (v: unknown) => Object.prototype.toString.call(v).slice(8, -1);
const tagged = (t: string) => (v: unknown): boolean => typeof v === "object" && v !== null && tagOf(v) === t;
const view = (t: string) => (v: unknown): boolean => typeof v === "object" && v !== null && TypedArrayTag(v) === t;
const boxed = (valueOf: () => unknown) => (v: unknown): boolean => {
  if (typeof v !== "object" || v === null) return false;
  try {
    valueOf.call(v);
    return true;
  } catch {
    return false;
  }
};
const callable = (re: RegExp) => (v: unknown): boolean => typeof v === "function" && re.test(tagOf(v));

export const isNativeError = isError, isProxy = (v: any) => (typeof v === "object" || typeof v === "function") && v !== null && proxy(v);
export { isDate, isMap, isPromise, isRegExp, isSet, isWeakMap, isWeakSet, isArrayBuffer };
export const isAnyArrayBuffer = isArrayBuffer, isSharedArrayBuffer = () => false;
export const isArrayBufferView = ArrayBuffer.isView;
export const isTypedArray = (v: unknown) => typeof v === "object" && v !== null && TypedArrayTag(v) !== undefined;
export const isDataView = (v: unknown) => ArrayBuffer.isView(v) && !isTypedArray(v);
export const isUint8Array = view("Uint8Array"), isUint8ClampedArray = view("Uint8ClampedArray"), isUint16Array = view("Uint16Array"), isUint32Array = view("Uint32Array"),
  isInt8Array = view("Int8Array"), isInt16Array = view("Int16Array"), isInt32Array = view("Int32Array"), isFloat16Array = view("Float16Array"), isFloat32Array = view("Float32Array"),
  isFloat64Array = view("Float64Array"), isBigInt64Array = view("BigInt64Array"), isBigUint64Array = view("BigUint64Array");
export const isNumberObject = boxed(Number.prototype.valueOf), isStringObject = boxed(String.prototype.valueOf), isBooleanObject = boxed(Boolean.prototype.valueOf),
  isBigIntObject = boxed(BigInt.prototype.valueOf), isSymbolObject = boxed(Symbol.prototype.valueOf);
export const isBoxedPrimitive = (v: unknown) => isNumberObject(v) || isStringObject(v) || isBooleanObject(v) || isBigIntObject(v) || isSymbolObject(v);
export const isMapIterator = tagged("Map Iterator"), isSetIterator = tagged("Set Iterator"), isGeneratorObject = tagged("Generator"), isArgumentsObject = tagged("Arguments"), isModuleNamespaceObject = tagged("Module");
export const isAsyncFunction = callable(/^Async/), isGeneratorFunction = callable(/GeneratorFunction$/);
export const isExternal = () => false, isEventTarget = (v: unknown) => v instanceof EventTarget;
export const isCryptoKey = (v: unknown) => v instanceof CryptoKey, isKeyObject = () => false;
export default {
  isNativeError, isProxy, isDate, isMap, isPromise, isRegExp, isSet, isWeakMap, isWeakSet, isArrayBuffer, isAnyArrayBuffer, isSharedArrayBuffer, isArrayBufferView, isTypedArray, isDataView,
  isUint8Array, isUint8ClampedArray, isUint16Array, isUint32Array, isInt8Array, isInt16Array, isInt32Array, isFloat16Array, isFloat32Array, isFloat64Array, isBigInt64Array, isBigUint64Array,
  isNumberObject, isStringObject, isBooleanObject, isBigIntObject, isSymbolObject, isBoxedPrimitive, isMapIterator, isSetIterator, isGeneratorObject, isArgumentsObject, isModuleNamespaceObject,
  isAsyncFunction, isGeneratorFunction, isExternal, isEventTarget, isCryptoKey, isKeyObject,
};
