// The editor's commands by themselves: evaluating them is a task of its own.

export { defaultKeymap } from "@codemirror/commands";
