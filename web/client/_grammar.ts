// The grammar of JavaScript by itself: reading its tables is a task of its own.

export { parser } from "@lezer/javascript";
