// The editor's texts and selections by themselves: evaluating them is a task of its own.

export { EditorState } from "@codemirror/state";
