package lessons

import (
	"bytes"
	"slices"
	"sort"
	"strings"
)

// FileDiff is how one file changes from the starter to the solution.
type FileDiff struct {
	Path    string
	Added   int // lines
	Removed int // lines
	Lines   []DiffLine
}

// DiffLine is one line of a diff. Op is ' ' (in both), '-' (starter only) or
// '+' (solution only); Old and New are line numbers from 1, 0 where the line
// is absent.
type DiffLine struct {
	Op   byte
	Old  int
	New  int
	Text string
}

// maxDiff is the most lines a side that are compared; longer files are shown
// as replaced.
const maxDiff = 3000

// Diff compares two projects file by file, in order of path; equal files are
// left out.
func Diff(from, to map[string][]byte) []FileDiff {
	paths := map[string]bool{}
	for p := range from {
		paths[p] = true
	}
	for p := range to {
		paths[p] = true
	}
	sorted := make([]string, 0, len(paths))
	for p := range paths {
		sorted = append(sorted, p)
	}
	sort.Strings(sorted)
	var out []FileDiff
	for _, p := range sorted {
		if bytes.Equal(from[p], to[p]) {
			continue
		}
		d := FileDiff{Path: p, Lines: diffLines(lines(from[p]), lines(to[p]))}
		for _, l := range d.Lines {
			switch l.Op {
			case '+':
				d.Added++
			case '-':
				d.Removed++
			}
		}
		out = append(out, d)
	}
	return out
}

func lines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// diffLines is the longest common subsequence, after equal ends are set aside.
func diffLines(a, b []string) []DiffLine {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out []DiffLine
	for i := range head {
		out = append(out, DiffLine{' ', i + 1, i + 1, a[i]})
	}
	out = append(out, middle(a[head:len(a)-tail], b[head:len(b)-tail], head)...)
	for i := range tail {
		out = append(out, DiffLine{' ', len(a) - tail + i + 1, len(b) - tail + i + 1, a[len(a)-tail+i]})
	}
	return out
}

func middle(a, b []string, off int) []DiffLine {
	var out []DiffLine
	if len(a) > maxDiff || len(b) > maxDiff {
		for i, t := range a {
			out = append(out, DiffLine{'-', off + i + 1, 0, t})
		}
		for i, t := range b {
			out = append(out, DiffLine{'+', 0, off + i + 1, t})
		}
		return out
	}
	w := len(b) + 1
	common := make([]int16, (len(a)+1)*w) // length of the common subsequence of a[i:], b[j:]
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i*w+j] = common[(i+1)*w+j+1] + 1
			} else {
				common[i*w+j] = max(common[(i+1)*w+j], common[i*w+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, DiffLine{' ', off + i + 1, off + j + 1, a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[(i+1)*w+j] >= common[i*w+j+1]:
			out = append(out, DiffLine{'-', off + i + 1, 0, a[i]})
			i++
		default:
			out = append(out, DiffLine{'+', 0, off + j + 1, b[j]})
			j++
		}
	}
	return slices.Clip(out)
}
