// node:assert/strict.

export * from "./node-assert";
export { default } from "./node-assert";
