// Package lessons owns the catalog: it reads a folder of tracks and lessons
// (docs/authoring.md has the format), turns the Markdown into pieces of HTML
// that the view arranges, grades predict and quiz answers, and reports every
// mistake with its file, line and column. The shipped lessons are embedded.
//
// It runs nothing: no TypeScript, no wrangler file and no checks.js is
// evaluated here; lessons/check does that through the sandbox's door.
package lessons
