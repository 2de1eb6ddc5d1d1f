// What the editor's languages share by itself: evaluating it is a task of its own.

export { indentUnit } from "@codemirror/language";
