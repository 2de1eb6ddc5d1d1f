package view

import (
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// LabInfo is what a lab says of itself.
type LabInfo struct {
	ID          string // race, density …
	Title       string // "Density"
	Heading     string // of its own page: "How many fit?"
	Lead        string // one or two sentences under the heading
	Description string // one sentence for the page that lists labs
	Verb        string // on its button
	Fields      []LabField
	// Live works the result out anew whenever a field changes: the page sends
	// the action "change" with the fields. It is for labs that only calculate.
	Live bool
}

// LabField is a parameter of a lab: a lesson, an address or the learner sets it.
type LabField struct {
	Name  string
	Label string // "" for a field that only lessons and addresses set
	Value string // as long as nobody set it
	Kind  LabFieldKind
	// Options of a choice, or of several, which are values with a space between.
	Options  []LabOption
	Min, Max float64 // of a number; both 0 for no bounds
	Step     float64 // of a number; 0 for whole ones
	Slide    float64 // step of a slider beside a bounded number; 0 for none
	Unit     string  // behind a number
	Most     int     // bytes of a text; 0 means 200
	Folded   bool    // an area that is opened by its label
	Lesson   bool    // it is about code of the learner's: a lab's own page, which has none, is without it
	Unless   string  // the name of a field that replaces this one wherever it is set
}

// LabOption is one of a field's values.
type LabOption struct{ Value, Label string }

// LabFieldKind is how a field is filled in.
type LabFieldKind string

// The kinds of field.
const (
	LabNumber  LabFieldKind = "number"
	LabChoice  LabFieldKind = "choice"
	LabSeveral LabFieldKind = "several"
	LabText    LabFieldKind = "text"
	LabArea    LabFieldKind = "area" // several lines
	LabSwitch  LabFieldKind = "switch"
)

// Allows reports whether a value may be set.
func (f LabField) Allows(v string) bool {
	option := func(v string) bool {
		return slices.ContainsFunc(f.Options, func(o LabOption) bool { return o.Value == v })
	}
	switch f.Kind {
	case LabNumber:
		n, err := strconv.ParseFloat(v, 64)
		return err == nil && n == n && (f.Min == 0 && f.Max == 0 || n >= f.Min && n <= f.Max)
	case LabChoice:
		return option(v)
	case LabSeveral:
		return !slices.ContainsFunc(strings.Fields(v), func(v string) bool { return !option(v) })
	case LabSwitch:
		return v == "" || v == "on"
	}
	most := f.Most
	if most == 0 {
		most = 200
	}
	return len(v) <= most
}

func (f LabField) has(v string) bool { return slices.Contains(strings.Fields(f.Value), v) }

func (f LabField) step() string {
	if f.Step == 0 {
		return "1"
	}
	return decimal(f.Step)
}

func (f LabField) bounded() bool { return f.Min != 0 || f.Max != 0 }

// rows of an area: as many as its text has, within reason.
func (f LabField) rows() string { return strconv.Itoa(min(max(lineCount(f.Value), 3), 24)) }

// Lab is a lab in a page.
type Lab struct {
	LabInfo
	Config   string // JSON for the script: what the lesson set
	Action   string // POST starts it; "" for a lab that this server does not run
	Fallback HTML   // the lesson's sentence about it
	Drawn    templ.Component
	Blank    bool // Drawn holds no figure yet, only the place for them
}

// LabsPage lists the labs.
type LabsPage struct {
	Shell
	Labs  []LabInfo
	Share int // percent of a busy processor that labs get beside lessons
}
