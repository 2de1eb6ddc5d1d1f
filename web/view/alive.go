package view

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Alive is the crowd of isolates that the density lab starts, and the pages of
// their memories.
type Alive struct {
	Want, Isolates int    // asked for, and alive at the last look
	Bytes          int64  // they hold together with their runner; 0 for not read yet
	Took           int64  // µs from the first start to the last look
	Short          string // why they are fewer than asked for
	Done           bool
	// Read is how many isolates' pages the next figures sum up: pages of 4 kB
	// that are the snapshot's, an isolate's own, and without memory behind them.
	Read                       int
	Shared, Private, Untouched int64
	Fresh                      float64 // pages that one had to itself right after its first answer, in the mean; 0 for not known
	Map                        []byte  // each page in all of them: 0 untouched, 1 shared, 2 some have their own, 3 all do
	Kernel                     bool    // the kernel told, else bytes were compared
}

// aliveMap is the drawing of Alive.
type aliveMap struct {
	Alive
	columns, rows           int // of the field: one cell an isolate
	want, live              string
	wide, high              int // of the page map
	shared, some, private   string
	nShared, nSome, nOwn, n int // pages by how they stand, and all
}

const (
	aliveColumns = 100
	pageColumns  = 64
	pageRows     = 17 // of a map that was not read yet
)

func newAliveMap(a Alive) aliveMap {
	m := aliveMap{Alive: a, columns: aliveColumns, n: len(a.Map)}
	m.rows = (max(a.Want, a.Isolates, 1) + m.columns - 1) / m.columns
	m.live, m.want = cellRows(0, a.Isolates, m.columns), cellRows(a.Isolates, max(a.Want, a.Isolates), m.columns)
	drawn := len(a.Map)
	for drawn > 0 && a.Map[drawn-1] == 0 {
		drawn--
	}
	m.wide, m.high = pageColumns*10, 10*(drawn+pageColumns-1)/pageColumns
	if drawn == 0 {
		m.high = 10 * pageRows // room for what comes
	}
	var shared, some, private cellPath
	for i, state := range a.Map[:drawn] {
		x, y := i%pageColumns*10, i/pageColumns*10
		switch state {
		case 1:
			m.nShared++
			shared.move(x+1, y+1)
			shared.WriteString("h8v8h-8z")
		case 2:
			m.nSome++
			some.move(x+1, y+1)
			some.WriteString("h8v8h-8z")
		case 3:
			m.nOwn++
			private.move(x+4, y+1)
			private.WriteString("h2a3 3 0 0 1 3 3v2a3 3 0 0 1-3 3h-2a3 3 0 0 1-3-3v-2a3 3 0 0 1 3-3z")
		}
	}
	m.shared, m.some, m.private = shared.String(), some.String(), private.String()
	return m
}

// cellRows are the cells from one to another of a field of equal ones, as
// lines that a dashed pen makes into cells: a row is one line, so that
// thousands of cells are a few hundred bytes.
func cellRows(from, to, columns int) string {
	var b strings.Builder
	for from < to {
		row := from / columns
		end := min(to, (row+1)*columns)
		fmt.Fprintf(&b, "M%d %dH%d", from%columns*10+1, row*10+5, (end-row*columns)*10)
		from = end
	}
	return b.String()
}

// each is a sum of pages for one isolate.
func (a Alive) each(pages int64) string {
	if a.Read == 0 {
		return "–"
	}
	whole, tenth, _ := strings.Cut(fmt.Sprintf("%.1f", float64(pages)/float64(a.Read)), ".")
	n, _ := strconv.Atoi(whole)
	return strings.TrimSuffix(grouped(n)+"."+tenth, ".0")
}

// pages is a number of them behind a name; nothing before they were read.
func (m aliveMap) pages(n int) string {
	if m.Read == 0 {
		return ""
	}
	return ", " + count(n, "page")
}

const pageBytes = 4096

func (m aliveMap) caption() string {
	if m.Read == 0 {
		return "Page map, not read yet."
	}
	return fmt.Sprintf("Page map of %s: of %s pages of 4 kB each, %s are shared with the snapshot in all of them, %s are a copy of its own in each, %s in some.",
		count(m.Read, "isolate"), grouped(m.n), grouped(m.nShared), grouped(m.nOwn), grouped(m.nSome))
}

func (m aliveMap) fieldCaption() string {
	return fmt.Sprintf("%s of %s isolates are alive.", grouped(m.Isolates), grouped(m.Want))
}

func (m aliveMap) numbers() Numbers {
	rows := [][]string{
		{"shared with the snapshot", m.each(m.Shared), grouped(int(m.Shared)), size(int64(m.nShared+m.nSome) * pageBytes)},
		{"its own", m.each(m.Private), grouped(int(m.Private)), size(m.Private * pageBytes)},
		{"untouched", m.each(m.Untouched), grouped(int(m.Untouched)), "0 B"},
	}
	if m.Read == 0 {
		for _, r := range rows {
			r[2], r[3] = "–", "–"
		}
	}
	return Numbers{Name: "Pages of the isolates alive", Head: []string{"pages", "of one, mean", "of all", "memory for all"}, Rows: rows, Open: true, Blank: m.Read == 0}
}

// says is what the crowd proves, in sentences.
func (m aliveMap) says(fits []densityFit) []string {
	var out []string
	if m.Short != "" {
		out = append(out, fmt.Sprintf("Not %s, because %s.", grouped(m.Want), m.Short))
	}
	if !m.Done {
		return out
	}
	if rest := float64(m.Private) / float64(max(m.Read, 1)); rest < 0.95*m.Fresh {
		out = append(out, fmt.Sprintf("Right after its first answer an isolate had %s pages of its own. At rest it has given back what that answer needed.", decimal(math.Round(m.Fresh*10)/10)))
	}
	for _, f := range fits {
		if f.Key == "iso" && f.known && m.Bytes > 0 {
			out = append(out, fmt.Sprintf("Together they hold %s with their runner. The line below, through up to %s at rest, says %s.", size(m.Bytes), grouped(f.most), size(int64(f.at(m.Isolates)))))
		}
	}
	return out
}

// how says how the pages were told apart.
func (m aliveMap) how() string {
	if m.Read == 0 {
		return "No page is read yet."
	}
	s := "Pages by the kernel’s own account, /proc/PID/pagemap of the runner, for each isolate after its first answer"
	if !m.Kernel {
		s = "This kernel shows no page map, so bytes were compared with the snapshot’s, for each isolate after its first answer"
	}
	if m.Done {
		s += fmt.Sprintf(", and of all %s again at the end, %s after the first start", grouped(m.Read), Duration(m.Took))
	}
	return s + "."
}
