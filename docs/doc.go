// Package docs embeds the manual: one Markdown file a page, and the pictures
// that the browser tests draw of the running program.
package docs

import "embed"

// Files holds the manual's pages (*.md) and their pictures (images/*.png).
//
//go:embed *.md images/*.png
var Files embed.FS

// Group is a heading of the manual's menu with the pages below it, in order.
type Group struct {
	Title string
	Pages []string // file names without .md
}

// Menu orders the pages. A page that it does not name stands under More.
var Menu = []Group{
	{"Learners", []string{"learning", "keys"}},
	{"Instructors", []string{"authoring", "teaching"}},
	{"Hosts", []string{"hosting"}},
}
