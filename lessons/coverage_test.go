package lessons

import (
	"fmt"
	"strings"
	"testing"
)

// TestCoverage demands that the lessons cover every item of the course notes.
func TestCoverage(t *testing.T) {
	const all = 105
	c, _ := Load(Shipped())
	items := Items()
	if len(items) != all {
		t.Fatalf("%d items, want %d", len(items), all)
	}
	table, covered := c.Coverage(items)
	for _, row := range table {
		if row.Lesson == nil {
			t.Errorf("no lesson covers %s, %s", row.Item.ID, row.Item.Text)
		}
	}
	text := strings.TrimRight(c.CoverageText(items), "\n")
	if want := fmt.Sprintf("\n%d of %d covered", covered, all); !strings.HasSuffix(text, want) {
		t.Errorf("the table ends with %q, want %q", text[strings.LastIndexByte(text, '\n'):], want)
	}
}
