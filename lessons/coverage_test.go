package lessons

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestCoverage demands that the lessons cover every item of the course notes.
// As long as lessons of the plan are missing, it demands exactly the items
// that only they can bring, so that the list shrinks with each new lesson.
func TestCoverage(t *testing.T) {
	const all = 105
	c, _ := Load(Shipped())
	items := Items()
	if len(items) != all {
		t.Fatalf("%d items, want %d", len(items), all)
	}
	table, covered := c.Coverage(items)
	var open []string
	for _, row := range table {
		if row.Lesson == nil {
			open = append(open, row.Item.ID)
		}
	}
	// What each lesson that may still be missing brings: its items, when no other lesson has them.
	missing := map[string][]string{
		"serverless/process-on-a-port":  {"S1"},
		"isolates/same-code-five-boxes": {"S33", "S52", "S56"},
		"isolates/inside-a-container":   {"S38", "S49", "S50", "S51", "S54", "S55"},
	}
	var excused []string
	for _, track := range c.Tracks {
		for _, e := range track.Entries {
			if e.Lesson == nil {
				excused = append(excused, missing[track.Slug+"/"+e.Slug]...)
			}
		}
	}
	for _, id := range open {
		if !slices.Contains(excused, id) {
			t.Errorf("no lesson covers %s", id)
		}
	}
	if len(excused) == 0 && covered != all {
		t.Errorf("%d of %d covered", covered, all)
	}
	text := strings.TrimRight(c.CoverageText(items), "\n")
	if want := fmt.Sprintf("\n%d of %d covered", covered, all); !strings.HasSuffix(text, want) {
		t.Errorf("the table ends with %q, want %q", text[strings.LastIndexByte(text, '\n'):], want)
	}
	t.Logf("%d of %d covered; to come: %s", covered, all, strings.Join(open, " "))
}
