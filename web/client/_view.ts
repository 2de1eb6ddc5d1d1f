// The editor's view by itself: evaluating it is a task of its own.

export { EditorView } from "@codemirror/view";
