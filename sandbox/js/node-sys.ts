// node:sys is an old name of node:util.

export * from "./node-util";
export { default } from "./node-util";
