package view

import (
	"bytes"
	"fmt"
	"strings"
)

// Snapshot is what the snapshot lab shows.
type Snapshot struct {
	Action   string // POST does a step
	Isolates []SnapshotIsolate
	Steps    []SnapshotStep
	Done     int  // steps in all; 0: Steps are what the tour will do
	Full     bool // no room for another fork
	How      string
}

// SnapshotIsolate is an isolate that can be asked, frozen, forked and rewound.
type SnapshotIsolate struct {
	ID, Name string
	Frozen   bool
	Pages    []byte // a byte a page: 0 untouched, 1 shared, 2 private, 3 written since it was frozen
}

// SnapshotStep is one thing that was done; times in µs.
type SnapshotStep struct {
	Do, Isolate, Answer string
	Took                int64
	Pages, Written      int
}

// toCome are the isolates of the tour that are not there yet.
func (s Snapshot) toCome() []string {
	return []string{"original", "fork 1"}[min(len(s.Isolates), 2):]
}

// snapshotID names an isolate's place in the page.
func snapshotID(name string) string { return "isolate-" + strings.ReplaceAll(name, " ", "-") }

// about names the table of steps.
func (s Snapshot) about() string {
	if s.Done == 0 {
		return "What the tour will do, in order"
	}
	return "What was done, in order"
}

// tookOr is a duration, "–" for none.
func tookOr(us int64) string {
	if us == 0 {
		return "–"
	}
	return Duration(us)
}

// pages splits the map into what PageMap knows: states, and which pages are written.
func (i SnapshotIsolate) pages() (states []byte, written []int) {
	states = bytes.ReplaceAll(i.Pages, []byte{3}, []byte{2})
	for n, s := range i.Pages {
		if s == 3 {
			written = append(written, n)
		}
	}
	return states, written
}

func (i SnapshotIsolate) caption(m pageMap) string {
	s := fmt.Sprintf("Page map of %s: %s pages shared with the engine's snapshot, %s of its own", i.Name, grouped(m.nShared), grouped(m.nPrivate))
	if i.Frozen {
		s += fmt.Sprintf(", %s of those written since it was frozen", grouped(m.nNew))
	}
	return s + "."
}

// dash stands for an empty cell.
func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// some is a count where 0 means that there is none to tell.
func some(n int) string {
	if n == 0 {
		return "–"
	}
	return grouped(n)
}
