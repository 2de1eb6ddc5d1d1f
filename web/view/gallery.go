package view

import "github.com/a-h/templ"

// Sample is one component in one state, with sample data.
type Sample struct {
	ID        string // unique; the golden file's name
	Part      string // of the design: "part_waterfall"
	Title     string // what state it shows
	Component templ.Component
}
