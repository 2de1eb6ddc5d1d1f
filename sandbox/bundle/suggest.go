package bundle

import "fmt"

// didYouMean names the nearest of some names, or gives the text for when none is near.
func didYouMean(got string, names []string, otherwise string) string {
	if n := nearest(got, names); n != "" {
		return fmt.Sprintf("Did you mean %q?", n)
	}
	return otherwise
}

// nearest finds the name with the fewest edits from got: at most a third of
// its length and never more than three. Ties go to the first.
func nearest(got string, names []string) string {
	if len(got) > 200 {
		return ""
	}
	best, least := "", min(3, (len(got)+1)/3)+1
	for _, n := range names {
		if n == got || len(n)-len(got) >= least || len(got)-len(n) >= least {
			continue
		}
		if d := edits(got, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// edits counts insertions, deletions, changes and swaps of neighbours between two strings.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if lower(a[i-1]) == lower(b[j-1]) {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
