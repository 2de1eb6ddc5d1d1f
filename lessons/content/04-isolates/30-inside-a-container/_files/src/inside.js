// Both functions compare the report of a program inside of a box with one from
// outside of it, on the same machine or not.

// Which namespaces does the box have for itself? Answer their names, such as
// ["pid", "net"].
export function hidden(outside, inside) {
  return [];
}

// "process": no walls, "container": walls, "vm": another kernel is running.
export function kind(outside, inside) {
  return inside.hostname === outside.hostname ? "process" : "vm";
}
