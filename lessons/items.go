package lessons

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed items.txt
var itemsText string

// Item is one statement, figure, example or question of the course notes
// that the lessons grew from. Together the lessons cover all of them.
type Item struct {
	ID   string // S1 … S105
	Kind string // letters: c claim, n number, k code, t table, d diagram, q question, a analogy
	Text string // in few words
}

// Items lists the items of the course notes.
func Items() []Item {
	var out []Item
	for l := range strings.Lines(itemsText) {
		f := strings.SplitN(strings.TrimSpace(l), "\t", 3)
		if len(f) == 3 {
			out = append(out, Item{f[0], f[1], f[2]})
		}
	}
	return out
}

// Coverage is where one item is taught.
type Coverage struct {
	Item   Item
	Lesson *Lesson
	Anchor string
}

// Coverage lists, in the items' order, every place that covers one; an item
// that no lesson covers has one entry without Lesson. covered counts items.
func (c *Catalog) Coverage(items []Item) (table []Coverage, covered int) {
	places := map[string][]Coverage{}
	for _, l := range c.Lessons() {
		for _, cv := range l.Covers {
			places[cv.Item] = append(places[cv.Item], Coverage{Lesson: l, Anchor: cv.Anchor})
		}
	}
	for _, it := range items {
		found := places[it.ID]
		if len(found) == 0 {
			table = append(table, Coverage{Item: it})
			continue
		}
		covered++
		for _, p := range found {
			p.Item = it
			table = append(table, p)
		}
	}
	return table, covered
}

// CoverageText is the table as text; its last line is "N of M covered".
func (c *Catalog) CoverageText(items []Item) string {
	var b strings.Builder
	table, covered := c.Coverage(items)
	for _, row := range table {
		where := "—"
		if row.Lesson != nil {
			where = fmt.Sprintf("%s (%s)", row.Lesson.Dir, row.Anchor)
		}
		fmt.Fprintf(&b, "%-5s %-60s %s\n", row.Item.ID, clip(row.Item.Text, 60), where)
	}
	fmt.Fprintf(&b, "%d of %d covered\n", covered, len(items))
	return b.String()
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
