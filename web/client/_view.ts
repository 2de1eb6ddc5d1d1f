// The editor's foundation by itself: evaluating it is a task of its own.

export { EditorView } from "@codemirror/view";
